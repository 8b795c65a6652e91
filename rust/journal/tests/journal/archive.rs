//! Records by number: the same ones as reading everything in order gives, or an error.

use clets_journal::{Archive, Error, Journal, Options, OwnedRecord};
use proptest::prelude::*;

use crate::disk::MemoryDisk;
use crate::script::{batch, count, dir, expected, open, options, settle, unsigned, written};

fn absent(archive: &Archive, number: u64) {
    let error = archive.read(number).unwrap_err();
    assert!(matches!(error, Error::Absent { .. }), "{error}");
    assert_eq!(error.code(), 604);
}

/// A body of this many bytes, recognisable.
fn body(number: u64, bytes: usize) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    body.resize(bytes.max(8), number as u8);
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Segments of many sizes, records from small to longer than what one look reads, in batches,
    /// over restarts; the naive twin is the reader that reads everything in order.
    #[test]
    fn equals_reading_everything_in_order(
        segment_bytes in prop::sample::select(vec![8192_u64, 1 << 16, 1 << 20, 4 << 20]),
        runs in prop::collection::vec(
            prop::collection::vec((1_usize..9, 0_usize..4000, prop::bool::weighted(0.05)), 1..25),
            1..4,
        ),
        asked in prop::collection::vec(any::<prop::sample::Index>(), 60),
    ) {
        let disk = MemoryDisk::new(1);
        let options = Options { segment_bytes, ..unsigned() };
        for (run, batches) in runs.iter().enumerate() {
            let (mut journal, recovery) =
                Journal::open_on(disk.storage(), dir(), options.clone(), Box::new(|| {})).unwrap();
            let archive = journal.archive();
            // Asked before and after recovery has looked around.
            let before: Vec<_> = (0..recovery.records()).step_by(7).collect();
            let early: Vec<OwnedRecord> =
                before.iter().map(|number| archive.read(*number).unwrap()).collect();
            let mut twin: Vec<OwnedRecord> = recovery.map(Result::unwrap).collect();
            for (number, record) in before.iter().zip(&early) {
                prop_assert_eq!(record, &twin[*number as usize]);
            }
            for (records, bytes, long) in batches {
                let bytes = if *long { bytes * 150 } else { *bytes };
                for _ in 0..*records {
                    let number = journal.next_number();
                    let body = body(number, bytes.min(segment_bytes as usize - 4200));
                    let time_us = number as i64;
                    match journal.append(run as u8, time_us, &body) {
                        Ok(_) => twin.push(OwnedRecord { number, kind: run as u8, time_us, body }),
                        Err(Error::BatchFull) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                journal.submit().unwrap();
                settle(&journal).unwrap();
                // Close behind the writer, and somewhere else.
                let last = twin.len() - 1;
                prop_assert_eq!(&archive.read(last as u64).unwrap(), &twin[last]);
                prop_assert_eq!(&archive.read(last as u64 / 2).unwrap(), &twin[last / 2]);
            }
            for index in &asked {
                let number = index.index(twin.len());
                prop_assert_eq!(&archive.read(number as u64).unwrap(), &twin[number]);
            }
            for record in &twin {
                prop_assert_eq!(&archive.read(record.number).unwrap(), record);
            }
            absent(&archive, twin.len() as u64);
            journal.close().unwrap();
        }
    }
}

#[test]
fn only_durable_records_are_given() {
    let disk = MemoryDisk::new(1);
    let mut journal = open(disk.storage(), unsigned()).unwrap();
    let archive = journal.archive();
    absent(&archive, 0);
    batch(&mut journal, 2).unwrap();
    settle(&journal).unwrap();
    disk.hold_syncs(true);
    batch(&mut journal, 1).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(archive.read(1).unwrap(), expected(1));
    absent(&archive, 2);
    disk.hold_syncs(false);
    settle(&journal).unwrap();
    assert_eq!(archive.read(2).unwrap(), expected(2));
    absent(&archive, u64::MAX);
}

#[test]
fn clones_read_on_other_threads_beside_the_writer() {
    let disk = MemoryDisk::new(1);
    let mut journal = open(disk.storage(), unsigned()).unwrap();
    batch(&mut journal, 5).unwrap();
    settle(&journal).unwrap();
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let archive = journal.archive();
            scope.spawn(move || {
                let mut number = 0;
                while number < 400 {
                    match archive.read(number) {
                        Ok(record) => assert_eq!(record, expected(number)),
                        Err(Error::Absent { end, .. }) if end <= number => {
                            std::thread::yield_now();
                            continue;
                        }
                        Err(error) => panic!("{error}"),
                    }
                    number += 1 + reader;
                }
            });
        }
        while journal.next_number() < 405 {
            batch(&mut journal, 5).unwrap();
        }
    });
}

/// A few dozen queues drained in turn, each in a place of its own, cost little more reads than one
/// after the other: nobody's window is pushed out.
#[test]
fn interleaved_readers_do_not_push_each_other_out() {
    const QUEUES: u64 = 48;
    let disk = MemoryDisk::new(1);
    let roomy = Options { segment_bytes: 4 << 20, ..unsigned() };
    let mut journal = open(disk.storage(), roomy).unwrap();
    for _ in 0..60 {
        batch(&mut journal, 1000).unwrap();
        settle(&journal).unwrap();
    }
    let records = journal.durable();
    let archive = journal.archive();
    let share = records / QUEUES;
    disk.count_reads();
    for step in 0..share {
        for queue in 0..QUEUES {
            let number = queue * share + step;
            assert_eq!(archive.read(number).unwrap(), expected(number));
        }
    }
    let (reads, bytes) = disk.count_reads();
    let held: usize = disk.files().values().map(Vec::len).sum();
    assert!(bytes < 3 * held, "{reads} reads of {bytes} bytes for a journal of {held}");
    // One after the other: the header page and the window, for 256 KiB.
    for number in 0..records {
        archive.read(number).unwrap();
    }
    let (reads, bytes) = disk.count_reads();
    assert!(bytes < 2 * held, "{bytes} bytes for a journal of {held}");
    assert!(reads < 20 + 3 * held as u64 / (256 << 10), "{reads} reads for {held} bytes");
}

fn disk_copy(disk: &MemoryDisk) -> MemoryDisk {
    MemoryDisk::with_files(&disk.files())
}

/// Whatever one bit or one sector of a segment becomes: an error, or the record itself.
#[test]
fn damage_is_never_another_record() {
    let disk = written(&[10; 20], options());
    let records = count(disk.storage()).unwrap();
    let (mut refused, mut flipped) = (0, 0);
    for (path, bytes) in disk.files() {
        if path.extension().is_none_or(|extension| extension != "segment") {
            continue;
        }
        for at in (0..bytes.len()).filter(|at| bytes[*at] != 0).step_by(97) {
            let disk = disk_copy(&disk);
            let journal = open(disk.storage(), options()).unwrap();
            disk.damage(&path, |bytes| bytes[at] ^= 1 << (at % 8));
            let archive = journal.archive();
            flipped += 1;
            let damaged = (0..records).filter(|number| match archive.read(*number) {
                Ok(record) => {
                    assert_eq!(record, expected(*number));
                    false
                }
                Err(error) => {
                    assert!(matches!(error, Error::Damaged { .. }), "{error}");
                    true
                }
            });
            refused += u64::from(damaged.count() > 0);
        }
    }
    // Each flip hits a record, padding or the header: all of them show.
    assert_eq!(refused, flipped);
    assert!(flipped > 300, "{flipped}");
}

/// A disk that reads from another place gives sound records with good check sums, but others.
#[test]
fn a_misdirected_read_is_an_error() {
    let disk = written(&[10; 20], options());
    let mut files = disk.files();
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "segment"));
    let segments: Vec<_> = files.keys().cloned().collect();
    let journal = open(disk.storage(), options()).unwrap();
    let archive = journal.archive();
    let other = files[&segments[1]].clone();
    disk.damage(&segments[0], |bytes| bytes.clone_from(&other));
    assert!(matches!(archive.read(0), Err(Error::Damaged { .. })));
    // The records of another segment behind the right header.
    disk.damage(&segments[2], |bytes| bytes[4096..].copy_from_slice(&other[4096..]));
    let first = u64::from_be_bytes(files[&segments[2]][32..40].try_into().unwrap());
    assert!(matches!(archive.read(first), Err(Error::Damaged { .. })));
}
