//! The writer thread.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::journal::Options;
use crate::keeper::Keeper;
use crate::shared::{Shared, Take};
use crate::writer::{Batch, Writer};

/// Checkpoints by count come no closer than this: signing must not compete with the batches.
const CHECKPOINT_SPACING: Duration = Duration::from_millis(100);

/// Takes batches from the queue to the writer, and tells when they are durable.
pub(crate) struct Worker {
    writer: Writer,
    keeper: Keeper,
    shared: Arc<Shared>,
    options: Options,
    on_durable: Box<dyn Fn() + Send>,
    /// Tree size of the last checkpoint asked for, and when.
    signed: u64,
    signed_at: Instant,
}

impl Worker {
    /// `signed` is the tree size of the last checkpoint there is.
    pub(crate) fn new(
        writer: Writer,
        keeper: Keeper,
        shared: Arc<Shared>,
        options: Options,
        on_durable: Box<dyn Fn() + Send>,
        signed: u64,
    ) -> Self {
        Self { writer, keeper, shared, options, on_durable, signed, signed_at: Instant::now() }
    }

    /// Starts the thread.
    pub(crate) fn spawn(self) -> Result<JoinHandle<()>, Error> {
        thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || self.run())
            .map_err(Error::write("writer thread"))
    }

    fn run(mut self) {
        let _watch = self.shared.watch();
        loop {
            match self.shared.take(&self.options, self.patience()) {
                Take::Batches(batches) => {
                    if let Err(error) = self.write(batches) {
                        self.shared.fail(error);
                    }
                }
                Take::Close => break self.sign(),
                Take::Fail => break,
                Take::Idle => {}
            }
            if self.due() {
                self.sign();
            }
        }
        self.keeper.finish();
        if self.shared.failure().is_some() {
            (self.on_durable)();
        }
    }

    fn write(&mut self, batches: Vec<Batch>) -> Result<(), Error> {
        let (keeper, shared) = (&self.keeper, &self.shared);
        self.writer.write(&batches, &mut |segment| {
            shared.set_used(1000);
            let file = keeper.prepared()?;
            keeper.prepare(segment + 1);
            Ok(file)
        })?;
        shared.set_used(self.writer.used_permille());
        let records: usize = batches.iter().map(|batch| batch.records).sum();
        self.shared.finish(records as u64, batches);
        (self.on_durable)();
        self.writer.account();
        Ok(())
    }

    fn unsigned(&self) -> u64 {
        self.writer.tree().size() - self.signed
    }

    fn due(&self) -> bool {
        let elapsed = self.signed_at.elapsed();
        let many = self.unsigned() >= self.options.checkpoint_records;
        (many && elapsed >= CHECKPOINT_SPACING)
            || (self.unsigned() > 0 && elapsed >= self.options.checkpoint_interval)
    }

    /// How long to wait for batches before a checkpoint is due; `None` when none will be.
    fn patience(&self) -> Option<Duration> {
        let left = || self.options.checkpoint_interval.saturating_sub(self.signed_at.elapsed());
        (self.unsigned() > 0).then(left)
    }

    fn sign(&mut self) {
        if self.unsigned() > 0 {
            self.signed = self.writer.tree().size();
            self.signed_at = Instant::now();
            self.keeper.sign(self.signed, self.writer.tree().root());
        }
    }
}
