//! The journal as its user sees it.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::archive::Archive;
use crate::checkpoint::Notary;
use crate::error::Error;
use crate::index::Index;
use crate::keeper::{Desk, Keeper, Pruner};
use crate::record::{self, BATCH_RECORDS_MAX, BODY_BYTES_MAX, HEADER_BYTES};
use crate::recovery::{self, Recovery};
use crate::reserve::Reserve;
use crate::segment::{RECORDS_AT, SEGMENT_BYTES_MIN};
use crate::shared::Shared;
use crate::snapshot::{self, Snapshot, Snapshots};
use crate::storage::{Disk, Storage};
use crate::worker::Worker;
use crate::writer::{Batch, Writer};

/// How a journal is kept. Only `origin` has no default.
#[derive(Clone, Debug)]
pub struct Options {
    /// Unique name of this log, for instance `clets.example/switch`: first line of each checkpoint
    /// and name of its key. No white space, no plus sign; a journal keeps the one it began with.
    pub origin: String,
    /// Length of new segment files in bytes, [`SEGMENT_BYTES_MIN`] or more, a multiple of 8.
    pub segment_bytes: u64,
    /// The writer joins waiting batches up to about this many bytes into one write. It bounds what
    /// an urgent batch waits for.
    pub batch_bytes_max: usize,
    /// The writer joins waiting batches up to this many records into one write, 1 to 65,535.
    pub batch_records_max: usize,
    /// Most bytes submitted and not yet durable; beyond, `append` gives [`Error::Overload`].
    pub waiting_bytes_max: usize,
    /// A checkpoint is signed when this many records have come since the last one ...
    pub checkpoint_records: u64,
    /// ... or when there is any new record and this time has passed.
    pub checkpoint_interval: Duration,
    /// Length of a file that is removed when a new segment finds the disk full, and made again once
    /// there is ample room; 0 for none.
    pub reserve_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            origin: String::new(),
            segment_bytes: 64 << 20,
            batch_bytes_max: 256 << 10,
            batch_records_max: 16_384,
            waiting_bytes_max: 256 << 20,
            checkpoint_records: 10_000,
            checkpoint_interval: Duration::from_secs(1),
            reserve_bytes: 0,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        let bad = |what: &str| Err(Error::Option { what: what.to_owned() });
        if self.segment_bytes < SEGMENT_BYTES_MIN || !self.segment_bytes.is_multiple_of(8) {
            return bad("`segment_bytes` is under 8192 or no multiple of 8");
        }
        if !(1..=BATCH_RECORDS_MAX).contains(&self.batch_records_max) {
            return bad("`batch_records_max` is not in 1 to 65535");
        }
        Ok(())
    }

    /// Bytes of records that one segment can take.
    pub(crate) fn capacity(&self) -> usize {
        usize::try_from(self.segment_bytes - RECORDS_AT).unwrap_or(usize::MAX)
    }
}

/// An open journal: the one writer of its directory.
///
/// Dropped without [`Journal::close`] it makes durable what was submitted and forgets the open
/// batch.
pub struct Journal {
    shared: Arc<Shared>,
    options: Options,
    open: Batch,
    next_number: u64,
    archive: Archive,
    snapshots: Snapshots,
    pruner: Pruner,
    thread: Option<JoinHandle<()>>,
    _lock: Box<dyn Send>,
}

impl Journal {
    /// Opens the journal in `dir`, making it when there is none, and cuts a torn tail.
    ///
    /// The [`Recovery`] gives every record in order and must be read to its end before the first
    /// append. `on_durable` is called on the writer thread once for each write that became durable,
    /// and once when the journal fails: it should only wake its owner, who asks
    /// [`Journal::durable`] and [`Journal::failure`].
    ///
    /// # Errors
    /// [`Error::InUse`] when another writer holds it; [`Error::Damaged`] or
    /// [`Error::Checkpoint`] when it is not what was written (it is then left as it is, and
    /// [`crate::read`] still works); [`Error::Option`], [`Error::Read`], [`Error::Write`].
    pub fn open(
        dir: &Path,
        options: Options,
        on_durable: Box<dyn Fn() + Send>,
    ) -> Result<(Self, Recovery), Error> {
        Self::open_on(Arc::new(Disk), dir, options, on_durable)
    }

    /// [`Journal::open`] on another storage.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_on(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: Options,
        on_durable: Box<dyn Fn() + Send>,
    ) -> Result<(Self, Recovery), Error> {
        Self::begin(storage, dir, options, on_durable, false)
            .map(|(journal, _, recovery)| (journal, recovery))
    }

    /// [`Journal::open`] from the newest sound snapshot: gives it, and a recovery of only the
    /// records from its number on. Without any, everything is read from record 0.
    ///
    /// # Errors
    /// As [`Journal::open`]; [`Error::Damaged`] also when no snapshot is sound and record 0 was
    /// removed, or when a sound snapshot covers records that are gone.
    pub fn resume(
        dir: &Path,
        options: Options,
        on_durable: Box<dyn Fn() + Send>,
    ) -> Result<(Self, Option<Snapshot>, Recovery), Error> {
        Self::resume_on(Arc::new(Disk), dir, options, on_durable)
    }

    /// [`Journal::resume`] on another storage.
    ///
    /// # Errors
    /// As [`Journal::resume`].
    pub fn resume_on(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: Options,
        on_durable: Box<dyn Fn() + Send>,
    ) -> Result<(Self, Option<Snapshot>, Recovery), Error> {
        Self::begin(storage, dir, options, on_durable, true)
    }

    fn begin(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: Options,
        on_durable: Box<dyn Fn() + Send>,
        from_snapshot: bool,
    ) -> Result<(Self, Option<Snapshot>, Recovery), Error> {
        options.check()?;
        storage.create_dir(dir).map_err(Error::write(dir))?;
        let lock = recovery::lock(&*storage, dir)?;
        recovery::sweep(&*storage, dir)?;
        let (notary, last) = Notary::open(Arc::clone(&storage), dir, &options.origin)?;
        let signed = notary.size;
        let index = Arc::new(Index::default());
        let found = recovery::recover(&*storage, dir, last.as_ref(), &index)?;
        let records = found.tree.size();
        let next_segment = found.next_segment;
        let shared = Arc::new(Shared::new(records));
        let snapshot = match from_snapshot {
            true => snapshot::newest(&*storage, dir, &index, records)?,
            false => None,
        };
        let recovery = Recovery::new(
            Arc::clone(&storage),
            dir,
            snapshot.as_ref().map(|snapshot| snapshot.number),
            records,
            Arc::clone(&shared),
            Arc::clone(&index),
        )?;
        let archive =
            Archive::new(Arc::clone(&storage), dir.into(), Arc::clone(&shared), Arc::clone(&index));
        let snapshots = Snapshots::new(
            Arc::clone(&storage),
            dir.into(),
            Arc::clone(&shared),
            Arc::clone(&index),
        );
        // Besides the reserve there should be room for the segments that are needed next.
        let spare_bytes = options.segment_bytes.saturating_mul(2);
        let reserve = Reserve::open(Arc::clone(&storage), dir, options.reserve_bytes, spare_bytes)?;
        let keeper = Keeper::spawn(Desk {
            storage: Arc::clone(&storage),
            dir: dir.into(),
            segment_bytes: options.segment_bytes,
            notary,
            reserve,
            index: Arc::clone(&index),
            shared: Arc::clone(&shared),
        })?;
        let pruner = keeper.pruner();
        keeper.prepare(next_segment);
        let writer =
            Writer::new(storage, dir.into(), found.current, found.tree, next_segment, index);
        let thread =
            Worker::new(writer, keeper, Arc::clone(&shared), options.clone(), on_durable, signed)
                .spawn()?;
        let journal = Self {
            shared,
            options,
            open: Batch::default(),
            next_number: records,
            archive,
            snapshots,
            pruner,
            thread: Some(thread),
            _lock: lock,
        };
        Ok((journal, snapshot, recovery))
    }

    /// The number that the next appended record will get.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Adds a record to the open batch and gives its number. Nothing is written before
    /// [`Journal::submit`]; the records of one batch become durable together or not at all.
    ///
    /// # Errors
    /// [`Error::NotRecovered`]; [`Error::TooLarge`]; [`Error::BatchFull`] when the batch
    /// has 65,535 records or would not fit a segment; [`Error::Overload`]; or the journal's
    /// failure. The open batch is as it was.
    pub fn append(&mut self, kind: u8, time_us: i64, body: &[u8]) -> Result<u64, Error> {
        self.shared.check()?;
        let capacity = self.options.capacity();
        let bytes_max = BODY_BYTES_MAX.min(capacity - HEADER_BYTES);
        if body.len() > bytes_max {
            return Err(Error::TooLarge { bytes: body.len(), bytes_max });
        }
        let bytes = self.open.bytes.len() + record::padded(body.len());
        if self.open.records == BATCH_RECORDS_MAX || bytes > capacity {
            return Err(Error::BatchFull);
        }
        let waiting = self.waiting_bytes() + self.open.bytes.len();
        if waiting > self.options.waiting_bytes_max {
            return Err(Error::Overload { bytes: waiting });
        }
        let number = self.next_number;
        record::encode(&mut self.open.bytes, number, time_us, kind, body);
        self.open.records += 1;
        self.next_number += 1;
        Ok(number)
    }

    /// Hands the open batch to the writer thread. Does not wait; an empty batch is nothing to do.
    ///
    /// # Errors
    /// The journal's failure.
    pub fn submit(&mut self) -> Result<(), Error> {
        self.shared.check()?;
        if self.open.records > 0 {
            let fresh = self.shared.submit(std::mem::take(&mut self.open));
            self.open.bytes = fresh;
        }
        Ok(())
    }

    /// Count of durable records: every number below it is on the disk.
    pub fn durable(&self) -> u64 {
        self.shared.durable()
    }

    /// Reads durable records by number: for many owners, also on other threads, and also what
    /// earlier runs wrote.
    pub fn archive(&self) -> Archive {
        self.archive.clone()
    }

    /// Where snapshots are written, for one owner on any thread.
    pub fn snapshots(&self) -> Snapshots {
        self.snapshots.clone()
    }

    /// Has the oldest segments removed, in the background, of which all records are below `before`.
    /// Kept in any case are the segment in use, and whatever stands behind the older of the two
    /// newest sound snapshots: a recovery from either needs it. [`Archive::first`] tells how far it
    /// came.
    pub fn prune(&self, before: u64) {
        self.pruner.prune(before);
    }

    /// Bytes submitted and not yet durable.
    pub fn waiting_bytes(&self) -> usize {
        self.shared.waiting_bytes()
    }

    /// Why the journal takes nothing more, once it does not.
    pub fn failure(&self) -> Option<Error> {
        self.shared.failure()
    }

    /// Submits the open batch, waits until all is durable, signs a last checkpoint and lets go.
    ///
    /// # Errors
    /// The journal's failure.
    pub fn close(mut self) -> Result<(), Error> {
        // Without its recovery read nothing can have been appended.
        if self.open.records > 0 {
            self.submit()?;
        }
        self.end();
        self.failure().map_or(Ok(()), Err)
    }

    fn end(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // A panic in there is in the shared failure already.
            let _ = thread.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}
