//! The second thread: what must be synced but need not hold up the batches.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use crate::checkpoint::Notary;
use crate::error::Error;
use crate::segment;
use crate::shared::Shared;
use crate::storage::{Handle, Storage};
use crate::tree::Hash;

/// Prepares segments ahead and signs checkpoints, in the background.
pub(crate) struct Keeper {
    tasks: Sender<Task>,
    prepared: Receiver<Result<Box<dyn Handle>, Error>>,
    thread: JoinHandle<()>,
}

enum Task {
    Prepare(u64),
    Sign { size: u64, root: Hash },
}

impl Keeper {
    pub(crate) fn spawn(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        segment_bytes: u64,
        mut notary: Notary,
        shared: Arc<Shared>,
    ) -> Result<Self, Error> {
        let (tasks, waiting) = channel();
        let (ready, prepared) = channel();
        let run = move || {
            let _watch = shared.watch();
            while let Ok(first) = waiting.recv() {
                // Of the tree heads that wait only the newest is worth a signature.
                let mut head = None;
                for task in std::iter::once(first).chain(waiting.try_iter()) {
                    match task {
                        Task::Prepare(segment) => {
                            let file = segment::prepare(&*storage, &dir, segment, segment_bytes);
                            // Nobody receives any more: the writer has ended.
                            let _ = ready.send(file);
                        }
                        Task::Sign { size, root } => head = Some((size, root)),
                    }
                }
                let Some((size, root)) = head.filter(|_| shared.failure().is_none()) else {
                    continue;
                };
                if let Err(error) = notary.sign(size, root) {
                    shared.fail(error);
                }
            }
        };
        let thread = thread::Builder::new()
            .name("journal-keeper".to_owned())
            .spawn(run)
            .map_err(Error::write("keeper thread"))?;
        Ok(Self { tasks, prepared, thread })
    }

    /// Asks for a segment to be made ready. One at a time: the next only after
    /// [`Keeper::prepared`].
    pub(crate) fn prepare(&self, segment: u64) {
        // A keeper that ended is noticed when the segment is needed.
        let _ = self.tasks.send(Task::Prepare(segment));
    }

    /// The segment asked for, waiting for it when it is not ready yet.
    pub(crate) fn prepared(&self) -> Result<Box<dyn Handle>, Error> {
        let ended = || std::io::Error::other("the keeper thread ended");
        self.prepared.recv().map_err(|_| Error::write("next segment")(ended()))?
    }

    pub(crate) fn sign(&self, size: u64, root: Hash) {
        // A keeper that ended has said why in the shared failure.
        let _ = self.tasks.send(Task::Sign { size, root });
    }

    /// Waits until everything asked for is done.
    pub(crate) fn finish(self) {
        drop(self.tasks);
        drop(self.prepared);
        // A panic in there is in the shared failure already.
        let _ = self.thread.join();
    }
}
