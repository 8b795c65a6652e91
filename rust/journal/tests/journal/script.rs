//! Small journals and what they must hold, shared by the tests.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clets_journal::{Error, Journal, Options, OwnedRecord, Storage, read_on};

use crate::disk::{MemoryDisk, splitmix};

pub(crate) const ORIGIN: &str = "clets.example/test";

pub(crate) fn dir() -> &'static Path {
    Path::new("/journal")
}

/// Small segments, and a checkpoint after nearly every write.
pub(crate) fn options() -> Options {
    Options {
        origin: ORIGIN.to_owned(),
        segment_bytes: 8192,
        checkpoint_interval: Duration::from_millis(1),
        ..Options::default()
    }
}

/// No checkpoint before the close.
pub(crate) fn unsigned() -> Options {
    Options { checkpoint_interval: Duration::from_secs(3600), ..options() }
}

/// The record of this number in every test: the body says which, its length varies.
pub(crate) fn expected(number: u64) -> OwnedRecord {
    let random = splitmix(number);
    let mut body = format!("record {number} ").into_bytes();
    body.resize(body.len() + (random % 300) as usize, b'x');
    OwnedRecord { number, kind: random as u8, time_us: number as i64 * 1000 - 5, body }
}

pub(crate) fn append(journal: &mut Journal) -> Result<u64, Error> {
    let record = expected(journal.next_number());
    journal.append(record.kind, record.time_us, &record.body)
}

/// Appends and submits one batch.
pub(crate) fn batch(journal: &mut Journal, records: u64) -> Result<(), Error> {
    for _ in 0..records {
        append(journal)?;
    }
    journal.submit()
}

/// Opens, reads the recovery to its end and checks each record.
pub(crate) fn open(storage: Arc<dyn Storage>, options: Options) -> Result<Journal, Error> {
    open_waking(storage, options, Box::new(|| {}))
}

pub(crate) fn open_waking(
    storage: Arc<dyn Storage>,
    options: Options,
    wake: Box<dyn Fn() + Send>,
) -> Result<Journal, Error> {
    let (journal, recovery) = Journal::open_on(storage, dir(), options, wake)?;
    let mut number = 0;
    for record in recovery {
        assert_eq!(record?, expected(number));
        number += 1;
    }
    assert_eq!((number, number), (journal.next_number(), journal.durable()));
    Ok(journal)
}

/// Waits until everything submitted is durable, or the journal has failed.
pub(crate) fn settle(journal: &Journal) -> Result<(), Error> {
    let begin = Instant::now();
    while journal.durable() < journal.next_number() {
        if let Some(error) = journal.failure() {
            return Err(error);
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "neither durable nor failed");
        std::thread::yield_now();
    }
    Ok(())
}

/// Writes batches of these many records, closes, and gives the disk.
pub(crate) fn written(batches: &[u64], options: Options) -> MemoryDisk {
    let disk = MemoryDisk::new(3);
    let mut journal = open(disk.storage(), options).unwrap();
    for records in batches {
        batch(&mut journal, *records).unwrap();
        settle(&journal).unwrap();
    }
    journal.close().unwrap();
    disk
}

/// Count of records that a reader gives, each checked.
pub(crate) fn count(storage: Arc<dyn Storage>) -> Result<u64, Error> {
    let mut number = 0;
    for record in read_on(storage, dir())? {
        assert_eq!(record?, expected(number));
        number += 1;
    }
    Ok(number)
}
