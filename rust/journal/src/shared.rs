//! What the owner, the two threads and the recovery hand each other.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::journal::Options;
use crate::writer::Batch;

/// What the journal, its threads and its recovery share.
pub(crate) struct Shared {
    durable: AtomicU64,
    failed: AtomicBool,
    failure: Mutex<Option<Error>>,
    recovered: AtomicBool,
    queue: Mutex<Queue>,
    wake: Condvar,
    waiting_bytes: AtomicUsize,
    used_permille: AtomicU64,
}

#[derive(Default)]
struct Queue {
    batches: VecDeque<Batch>,
    /// Emptied buffers for new batches.
    spare: Vec<Vec<u8>>,
    closing: bool,
}

const SPARE_BUFFERS_MAX: usize = 4;
const SPARE_BYTES_MAX: usize = 1 << 20;

/// What the writer has to do next.
pub(crate) enum Take {
    Batches(Vec<Batch>),
    Close,
    Fail,
    Idle,
}

impl Shared {
    pub(crate) fn new(records: u64) -> Self {
        Self {
            durable: AtomicU64::new(records),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
            recovered: AtomicBool::new(records == 0),
            queue: Mutex::default(),
            wake: Condvar::new(),
            waiting_bytes: AtomicUsize::new(0),
            // As if there were none in use: the first is needed at once.
            used_permille: AtomicU64::new(1000),
        }
    }

    /// Ends the journal with its first failure; later ones are only its consequences.
    pub(crate) fn fail(&self, error: Error) {
        hold(&self.failure).get_or_insert(error);
        self.failed.store(true, Ordering::Release);
        // Under the queue's lock, or a writer about to sleep would miss it.
        let _queue = hold(&self.queue);
        self.wake.notify_all();
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Ordering::Relaxed)
    }

    /// How much of the segment in use is written, thousandths.
    pub(crate) fn used_permille(&self) -> u64 {
        self.used_permille.load(Ordering::Relaxed)
    }

    pub(crate) fn set_used(&self, permille: u64) {
        self.used_permille.store(permille, Ordering::Relaxed);
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        hold(&self.failure).clone()
    }

    /// Allows appending: every earlier record was read and sound.
    pub(crate) fn recovered(&self) {
        self.recovered.store(true, Ordering::Release);
    }

    /// Turns a panic of the holder's thread into a failure of the journal, so that nobody waits on.
    pub(crate) fn watch(self: &Arc<Self>) -> Watch {
        Watch(Arc::clone(self))
    }

    /// Whether appending is allowed now.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.failed.load(Ordering::Acquire) {
            return self.failure().map_or(Ok(()), Err);
        }
        if !self.recovered.load(Ordering::Acquire) {
            return Err(Error::NotRecovered);
        }
        Ok(())
    }

    /// Queues a batch and gives an emptied buffer for the next.
    pub(crate) fn submit(&self, batch: Batch) -> Vec<u8> {
        self.waiting_bytes.fetch_add(batch.bytes.len(), Ordering::Relaxed);
        let mut queue = hold(&self.queue);
        queue.batches.push_back(batch);
        self.wake.notify_one();
        queue.spare.pop().unwrap_or_default()
    }

    /// Ends the writer once the queue is empty.
    pub(crate) fn close(&self) {
        hold(&self.queue).closing = true;
        self.wake.notify_all();
    }

    /// Whether the owner is letting go of the journal.
    pub(crate) fn closing(&self) -> bool {
        hold(&self.queue).closing
    }

    /// Waits for work, at most until `timeout` when one is given.
    pub(crate) fn take(&self, options: &Options, timeout: Option<Duration>) -> Take {
        let mut queue = hold(&self.queue);
        loop {
            if self.failed.load(Ordering::Acquire) {
                return Take::Fail;
            }
            if !queue.batches.is_empty() {
                return Take::Batches(queue.take(options));
            }
            if queue.closing {
                return Take::Close;
            }
            let Some(timeout) = timeout else {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.wake.wait_timeout(queue, timeout);
            let (woken, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            if outcome.timed_out() && queue.batches.is_empty() {
                return Take::Idle;
            }
        }
    }

    /// Counts a write as durable and takes its buffers back.
    pub(crate) fn finish(&self, records: u64, batches: Vec<Batch>) {
        let bytes = batches.iter().map(|batch| batch.bytes.len()).sum();
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        {
            // Under the failure's lock: once a failure can be seen, nothing more becomes durable.
            let failure = hold(&self.failure);
            if failure.is_none() {
                self.durable.fetch_add(records, Ordering::Release);
            }
        }
        let mut queue = hold(&self.queue);
        for mut batch in batches {
            if queue.spare.len() < SPARE_BUFFERS_MAX && batch.bytes.capacity() <= SPARE_BYTES_MAX {
                batch.bytes.clear();
                queue.spare.push(batch.bytes);
            }
        }
    }
}

impl Queue {
    /// The waiting batches that go into one write: at least one, and more within the limits.
    fn take(&mut self, options: &Options) -> Vec<Batch> {
        let bytes_max = options.batch_bytes_max.min(options.capacity());
        let (mut bytes, mut records) = (0, 0);
        let mut fits = |batch: &Batch| {
            let first = records == 0;
            bytes += batch.bytes.len();
            records += batch.records;
            first || (bytes <= bytes_max && records <= options.batch_records_max)
        };
        let count = self.batches.iter().take_while(|batch| fits(batch)).count();
        self.batches.drain(..count).collect()
    }
}

/// See [`Shared::watch`].
pub(crate) struct Watch(Arc<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current().name().unwrap_or("journal").to_owned();
            self.0.fail(Error::write(name)(io::Error::other("the thread panicked")));
        }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half-done under these locks, so a panic elsewhere does not spoil the value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
