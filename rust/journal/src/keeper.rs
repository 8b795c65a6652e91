//! The second thread: what must be synced but need not hold up the batches.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::checkpoint::Notary;
use crate::error::Error;
use crate::index::Index;
use crate::reserve::Reserve;
use crate::segment::{self, Preparing};
use crate::shared::Shared;
use crate::snapshot;
use crate::storage::{Handle, Storage, is_full};
use crate::tree::Hash;

/// Between two attempts on a full disk. Nobody sees it but those who wait for room.
const FULL_PAUSE: Duration = Duration::from_millis(50);
/// Between two looks whether there is room for a reserve again.
const RESERVE_PAUSE: Duration = Duration::from_secs(1);
/// Between two pieces of a segment that is not needed soon.
const PIECE_PAUSE: Duration = Duration::from_millis(5);

/// So many segments, with the one that is made ready, stay in the kernel's cache for those who read
/// again what was written lately: a gibibyte. Older ones are seldom read, and what is written next
/// has their room in the place of memory that was never touched.
const CACHED_SEGMENTS: u64 = 16;

/// Prepares segments ahead, signs checkpoints and removes old segments, in the background.
pub(crate) struct Keeper {
    tasks: Sender<Task>,
    prepared: Receiver<Result<Box<dyn Handle>, Error>>,
    thread: JoinHandle<()>,
}

enum Task {
    Finish,
    Prepare(u64),
    Prune(u64),
    Sign { size: u64, root: Hash },
}

/// What the keeper works with.
pub(crate) struct Desk {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) dir: PathBuf,
    pub(crate) segment_bytes: u64,
    pub(crate) notary: Notary,
    pub(crate) reserve: Reserve,
    pub(crate) index: Arc<Index>,
    pub(crate) shared: Arc<Shared>,
}

/// Asks for old segments to be removed, for the journal's owner.
pub(crate) struct Pruner(Sender<Task>);

impl Pruner {
    pub(crate) fn prune(&self, before: u64) {
        // A keeper that ended has said why in the shared failure.
        let _ = self.0.send(Task::Prune(before));
    }
}

impl Keeper {
    pub(crate) fn spawn(desk: Desk) -> Result<Self, Error> {
        let (tasks, waiting) = channel();
        let (ready, prepared) = channel();
        let work = Work {
            desk,
            ready,
            segment: None,
            preparing: None,
            head: None,
            asked: None,
            prune: None,
            full: false,
        };
        let thread = thread::Builder::new()
            .name("journal-keeper".to_owned())
            .spawn(move || work.run(&waiting))
            .map_err(Error::write("keeper thread"))?;
        Ok(Self { tasks, prepared, thread })
    }

    pub(crate) fn pruner(&self) -> Pruner {
        Pruner(self.tasks.clone())
    }

    /// Asks for a segment to be made ready. One at a time: the next only after
    /// [`Keeper::prepared`].
    pub(crate) fn prepare(&self, segment: u64) {
        // A keeper that ended is noticed when the segment is needed.
        let _ = self.tasks.send(Task::Prepare(segment));
    }

    /// The segment asked for, waiting for it when it is not ready yet, also for room on the disk.
    pub(crate) fn prepared(&self) -> Result<Box<dyn Handle>, Error> {
        let ended = || io::Error::other("the keeper thread ended");
        self.prepared.recv().map_err(|_| Error::write("next segment")(ended()))?
    }

    pub(crate) fn sign(&self, size: u64, root: Hash) {
        // A keeper that ended has said why in the shared failure.
        let _ = self.tasks.send(Task::Sign { size, root });
    }

    /// Waits until the last tree head is signed and nothing is under way. Old segments not yet
    /// removed stay.
    pub(crate) fn finish(self) {
        let _ = self.tasks.send(Task::Finish);
        drop(self.prepared);
        // A panic in there is in the shared failure already.
        let _ = self.thread.join();
    }
}

/// What waits to be done.
struct Work {
    desk: Desk,
    ready: Sender<Result<Box<dyn Handle>, Error>>,
    segment: Option<u64>,
    preparing: Option<Preparing>,
    /// Of the tree heads that wait only the newest is worth a signature.
    head: Option<(u64, Hash)>,
    /// Records below this number may go, so the owner says.
    asked: Option<u64>,
    /// Segments below this number go, one by one behind more urgent work.
    prune: Option<u64>,
    /// Something failed for want of room and is tried again after a pause.
    full: bool,
}

impl Work {
    fn run(mut self, waiting: &Receiver<Task>) {
        let shared = Arc::clone(&self.desk.shared);
        let _watch = shared.watch();
        let mut finishing = false;
        while !finishing {
            let first = match self.pause() {
                None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(pause) => waiting.recv_timeout(pause),
            };
            finishing = matches!(first, Err(RecvTimeoutError::Disconnected));
            for task in first.ok().into_iter().chain(waiting.try_iter()) {
                match task {
                    Task::Finish => finishing = true,
                    Task::Prepare(segment) => self.segment = Some(segment),
                    Task::Prune(before) => self.asked = self.asked.max(Some(before)),
                    Task::Sign { size, root } => self.head = Some((size, root)),
                }
            }
            self.full = false;
            if finishing {
                self.abandon();
            }
            if let Err(error) = self.prepare().and_then(|()| self.step(finishing)) {
                shared.fail(error);
            }
            if let Some(error) = shared.failure() {
                (self.head, self.asked, self.prune) = (None, None, None);
                // The writer may wait for a segment that will not come.
                if self.segment.is_some() {
                    let _ = self.ready.send(Err(error));
                }
                self.abandon();
            }
        }
    }

    /// Nobody needs the segment any more.
    fn abandon(&mut self) {
        self.segment = None;
        if let Some(begun) = self.preparing.take() {
            begun.abandon(&*self.desk.storage);
        }
    }

    /// How long to wait for a task; `None` without end.
    fn pause(&self) -> Option<Duration> {
        let failed = || self.desk.shared.failure().is_some();
        if self.full {
            Some(FULL_PAUSE)
        } else if self.preparing.is_some() {
            Some(PIECE_PAUSE)
        } else if self.prune.is_some() || self.asked.is_some() {
            Some(Duration::ZERO)
        } else if self.desk.reserve.wanting() && !failed() {
            Some(RESERVE_PAUSE)
        } else {
            None
        }
    }

    /// Makes the segment ready that the writer will need, a piece at a time while there is no
    /// hurry. A full disk is no failure: the reserve is given up, and then it is tried again until
    /// there is room.
    fn prepare(&mut self) -> Result<(), Error> {
        let Some(segment) = self.segment else { return Ok(()) };
        loop {
            let prepared = self.prepare_piece(segment);
            if let Err(error) = &prepared
                && lacks_room(error)
                // Nobody makes room any more for one who is closing: what waits is not durable, and
                // was never said to be.
                && !self.desk.shared.closing()
            {
                if self.desk.reserve.release()? {
                    continue;
                }
                self.full = true;
                return Ok(());
            }
            if let Some(outcome) = prepared.transpose() {
                self.segment = None;
                // Nobody receives any more: the writer has ended.
                let _ = self.ready.send(outcome);
                return Ok(());
            }
            if self.has_time() {
                return Ok(());
            }
        }
    }

    /// One piece of the segment; the segment itself once it is ready.
    fn prepare_piece(&mut self, segment: u64) -> Result<Option<Box<dyn Handle>>, Error> {
        let Desk { storage, dir, segment_bytes, .. } = &self.desk;
        let mut preparing = match self.preparing.take() {
            Some(begun) => begun,
            None => {
                if let Some(old) = segment.checked_sub(CACHED_SEGMENTS)
                    // Long gone, maybe.
                    && let Ok(old) = storage.open(&segment::path(dir, old), false)
                {
                    old.uncache();
                }
                Preparing::begin(&**storage, dir, segment, *segment_bytes)?
            }
        };
        preparing.step(&**storage)?;
        if preparing.permille() == 1000 {
            return preparing.finish(&**storage, dir).map(Some);
        }
        self.preparing = Some(preparing);
        Ok(None)
    }

    /// Whether more is ready of the segment under way than is used of the one before.
    fn has_time(&self) -> bool {
        let shared = &self.desk.shared;
        let ready = self.preparing.as_ref().map_or(0, Preparing::permille);
        ready > shared.used_permille() && !shared.closing()
    }

    /// What is less urgent.
    fn step(&mut self, finishing: bool) -> Result<(), Error> {
        if self.desk.shared.failure().is_some() {
            return Ok(());
        }
        if let Some((size, root)) = self.head {
            match self.desk.notary.sign(size, root) {
                // The notes of before are whole, and this one is written anew later.
                Err(error) if lacks_room(&error) && !finishing => self.full = true,
                signed => {
                    signed?;
                    self.head = None;
                }
            }
        }
        if finishing {
            return Ok(());
        }
        if self.desk.reserve.wanting() && !self.full {
            self.desk.reserve.restore()?;
        }
        self.prune()
    }

    /// Removes the oldest segment when it may go.
    fn prune(&mut self) -> Result<(), Error> {
        let Desk { storage, dir, index, .. } = &self.desk;
        // Snapshots are read through for this, so only when there is something to gain.
        if let Some(before) = self.asked.take()
            && index.oldest(before).is_some()
        {
            self.prune = Some(before.min(snapshot::covered(&**storage, dir, index)?));
        }
        let Some(segment) = self.prune.and_then(|before| index.oldest(before)) else {
            self.prune = None;
            return Ok(());
        };
        // First, so that nobody is sent to a file that is gone.
        index.forget_oldest();
        let path = segment::path(dir, segment);
        storage.remove(&path).map_err(Error::write(&path))?;
        // After each, or a power cut might bring back this one and not the next: a hole.
        storage.sync_dir(dir).map_err(Error::write(dir))
    }
}

fn lacks_room(error: &Error) -> bool {
    matches!(error, Error::Write { source, .. } if is_full(source))
}
