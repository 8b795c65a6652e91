//! The switch of a simulation: the real engine, its real journal, and the disk under them.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use clets_defect::{self as defect, Defect};
use clets_journal::{Error, Journal, Options};
use clets_switch::{Archive, Archived, Bundle, Effects, Engine, Replay};

use crate::disk::MemoryDisk;

pub(crate) const ORIGIN: &str = "clets.example/simulation";

pub(crate) fn dir() -> &'static Path {
    Path::new("/journal")
}

/// Small segments; a checkpoint only at an orderly end, since a time of day would decide others.
pub(crate) fn options() -> Options {
    Options {
        origin: ORIGIN.to_owned(),
        segment_bytes: 64 << 10,
        checkpoint_records: u64::MAX,
        checkpoint_interval: Duration::from_secs(1 << 30),
        ..Options::default()
    }
}

/// A record: kind, time, body.
pub(crate) type Record = (u8, i64, Vec<u8>);

struct Shelf(clets_journal::Archive);

impl fmt::Debug for Shelf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shelf")
    }
}

impl Archive for Shelf {
    fn read(&mut self, number: u64) -> Result<Archived, String> {
        let record = self.0.read(number).map_err(|error| error.to_string())?;
        Ok(Archived { kind: record.kind, time_us: record.time_us, body: record.body })
    }
}

/// Rung by the journal's writer.
#[derive(Clone, Default)]
struct Bell(Arc<(Mutex<u64>, Condvar)>);

impl Bell {
    fn ring(&self) {
        *self.0.0.lock().unwrap() += 1;
        self.0.1.notify_all();
    }

    /// Waits until `done`, with a look at `meanwhile` now and then.
    fn wait_until(&self, done: impl Fn() -> bool, meanwhile: impl Fn()) {
        const LOOK: Duration = Duration::from_millis(1);
        let mut rung = self.0.0.lock().unwrap();
        while !done() {
            let waited = self.0.1.wait_timeout_while(rung, LOOK, |_| !done()).unwrap();
            rung = waited.0;
            if waited.1.timed_out() {
                meanwhile();
            }
        }
    }
}

/// Cuts the disk off when it is dropped.
struct Guard<'a>(&'a MemoryDisk);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.cut_off();
    }
}

/// A running switch.
pub(crate) struct Switch {
    pub(crate) engine: Engine,
    journal: Journal,
    bell: Bell,
    /// Numbers at which a batch ended.
    pub(crate) ends: Vec<u64>,
    /// Bytes in the open batch.
    open_bytes: usize,
}

/// What a start found.
pub(crate) struct Started {
    pub(crate) switch: Switch,
    pub(crate) effects: Effects,
    pub(crate) now_us: i64,
    pub(crate) from_snapshot: bool,
}

impl Switch {
    /// Opens the journal and makes the engine of it, as the shell does. `wall_us` is what the
    /// computer's clock says.
    pub(crate) fn start(
        disk: &MemoryDisk,
        bundle: &Arc<Bundle>,
        wall_us: i64,
    ) -> Result<Started, String> {
        fn said(error: impl fmt::Display) -> String {
            error.to_string()
        }
        disk.hold_keeper(true);
        let bell = Bell::default();
        let ringer = bell.clone();
        let wake = Box::new(move || ringer.ring());
        let (journal, snapshot, recovery) =
            Journal::resume_on(disk.storage(), dir(), options(), wake).map_err(said)?;
        // What fails from here on drops the journal, whose threads must not wait then.
        let guard = Guard(disk);
        let shelf = || Box::new(Shelf(journal.archive()));
        let from_snapshot = snapshot.is_some();
        let mut replay = match &snapshot {
            Some(it) => {
                Replay::resume(Arc::clone(bundle), shelf(), &mut it.state()).map_err(said)?
            }
            None => Replay::new(Arc::clone(bundle), shelf()),
        };
        for record in recovery {
            let record = record.map_err(said)?;
            replay
                .record(record.number, record.kind, record.time_us, &record.body)
                .map_err(said)?;
        }
        std::mem::forget(guard);
        let newest_us = replay.newest_us();
        let now_us = wall_us.max(newest_us);
        let mut effects = Effects::default();
        let mut engine = replay.finish(now_us);
        engine.start(now_us, (newest_us - wall_us).max(0), &mut effects);
        let ends = vec![journal.next_number()];
        let switch = Self { engine, journal, bell, ends, open_bytes: 0 };
        switch.let_keeper_work(disk);
        Ok(Started { switch, effects, now_us, from_snapshot })
    }

    /// Everything the keeper does falls between two calls of the others. False when it failed: that
    /// is seen once its segment is needed.
    fn let_keeper_work(&self, disk: &MemoryDisk) -> bool {
        disk.hold_keeper(false);
        let worked = disk.await_spare_segment(!defect::has(Defect::NameUnsynced));
        disk.hold_keeper(true);
        worked
    }

    /// The state that reading the whole journal gives, to be held against one from a snapshot.
    pub(crate) fn snapshot_is_what_everything_gives(&self, bundle: &Arc<Bundle>) -> bool {
        let archive = self.journal.archive();
        let whole = |end: u64| {
            let mut replay = Replay::new(Arc::clone(bundle), Box::new(Shelf(archive.clone())));
            for number in 0..end {
                let it = archive.read(number).unwrap();
                replay.record(number, it.kind, it.time_us, &it.body).unwrap();
            }
            let mut state = Vec::new();
            replay.snapshot(&mut state).unwrap();
            state
        };
        let Some(snapshot) = self.journal.snapshots().newest().unwrap() else {
            return true;
        };
        let mut state = Vec::new();
        snapshot.state().read_to_end(&mut state).unwrap();
        state == whole(snapshot.number)
    }

    pub(crate) fn append(&mut self, time_us: i64, kind: u8, body: &[u8]) -> Result<u64, Error> {
        self.open_bytes += body.len() + 32;
        self.journal.append(kind, time_us, body)
    }

    pub(crate) fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.journal.next_number()
    }

    /// Makes the open batch durable. False when the disk has failed behind it.
    pub(crate) fn commit(&mut self, disk: &MemoryDisk) -> Result<bool, Error> {
        self.open_bytes = 0;
        self.journal.submit()?;
        let end = self.journal.next_number();
        self.ends.push(end);
        let journal = &self.journal;
        let done = || journal.durable() >= end || journal.failure().is_some();
        // A writer that has failed ends only behind its keeper.
        self.bell.wait_until(done, || disk.hold_keeper(!disk.has_failed()));
        if let Some(error) = journal.failure() {
            return Err(error);
        }
        Ok(self.let_keeper_work(disk))
    }

    pub(crate) fn durable(&self) -> u64 {
        self.journal.durable()
    }

    /// Writes a snapshot, as the shell does beside the traffic.
    pub(crate) fn snapshot(&self, bundle: &Arc<Bundle>) -> Result<(), String> {
        let said = |error: Error| error.to_string();
        let (archive, snapshots) = (self.journal.archive(), self.journal.snapshots());
        let shelf = || Box::new(Shelf(archive.clone()));
        let (mut replay, from) = match snapshots.newest().map_err(said)? {
            Some(it) => {
                let resumed = Replay::resume(Arc::clone(bundle), shelf(), &mut it.state());
                (resumed.map_err(|error| error.to_string())?, it.number)
            }
            None => (Replay::new(Arc::clone(bundle), shelf()), 0),
        };
        let end = self.journal.durable();
        for number in from..end {
            let record = archive.read(number).map_err(said)?;
            replay.record(number, record.kind, record.time_us, &record.body).unwrap();
        }
        snapshots.write(end, &|out| replay.snapshot(out)).map_err(said)
    }

    /// Ends in order.
    pub(crate) fn stop(mut self, disk: &MemoryDisk, now_us: i64) -> Result<Vec<Record>, Error> {
        let mut effects = Effects::default();
        self.engine.stop(&mut effects);
        let mut last = Vec::new();
        for record in effects.records {
            self.append(now_us, record.kind, &record.body)?;
            last.push((record.kind, now_us, record.body));
        }
        disk.hold_keeper(false);
        self.journal.close()?;
        Ok(last)
    }

    /// The process dies: none of its threads reaches the disk any more.
    pub(crate) fn die(self, disk: &MemoryDisk) {
        disk.cut_off();
        drop(self);
    }
}
