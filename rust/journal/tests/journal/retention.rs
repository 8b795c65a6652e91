//! Snapshots, what may be removed behind them, and a disk that is full for a time.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clets_journal::{
    Error, Journal, Options, Recovery, Snapshot, Storage, read_from_on, read_on, verify_on,
};
use proptest::prelude::*;

use crate::disk::{Fault, MemoryDisk};
use crate::script::{batch, dir, expected, open, options, settle, unsigned, written};

fn resume(storage: Arc<dyn Storage>) -> Result<(Journal, Option<Snapshot>, Recovery), Error> {
    Journal::resume_on(storage, dir(), options(), Box::new(|| {}))
}

/// Resumes and reads the recovery to its end, each record checked: the snapshot's number, and how
/// many records came behind it.
fn resumed(storage: Arc<dyn Storage>) -> Result<(Journal, u64, u64), Error> {
    let (journal, snapshot, recovery) = resume(storage)?;
    let from = snapshot.as_ref().map_or(0, |it| it.number);
    if let Some(snapshot) = snapshot {
        let mut read = Vec::new();
        snapshot.state().read_to_end(&mut read).unwrap();
        assert!(read == state(snapshot.number));
    }
    let mut number = from;
    for record in recovery {
        assert_eq!(record?, expected(number));
        number += 1;
    }
    assert_eq!(number, journal.next_number());
    Ok((journal, from, number - from))
}

fn state(number: u64) -> Vec<u8> {
    format!("state before {number} ").repeat(50).into_bytes()
}

fn write(journal: &Journal, number: u64) -> Result<(), Error> {
    journal.snapshots().write(number, &|out| out.write_all(&state(number)))
}

/// The snapshots' files, in order of their numbers.
fn files(disk: &MemoryDisk) -> Vec<PathBuf> {
    let is_snapshot = |path: &PathBuf| path.extension().is_some_and(|it| it == "snapshot");
    disk.files().into_keys().filter(is_snapshot).collect()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A journal of many segments with snapshots at these numbers.
fn with_snapshots(numbers: &[u64]) -> (MemoryDisk, u64) {
    let disk = written(&[10; 30], options());
    let journal = open(disk.storage(), options()).unwrap();
    for number in numbers {
        write(&journal, *number).unwrap();
    }
    let records = journal.next_number();
    journal.close().unwrap();
    (disk, records)
}

#[test]
fn the_cache_keeps_the_last_sixteen_segments() {
    let disk = written(&[10; 120], options());
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|it| it == "segment");
    let segments: Vec<PathBuf> = disk.files().into_keys().filter(is_segment).collect();
    let uncached = disk.uncached();
    assert_eq!(uncached, segments[..uncached.len()]);
    // With the one that is ready and not yet in use; another may have been begun.
    assert!((15..=16).contains(&(segments.len() - uncached.len())), "{uncached:?} of {segments:?}");
}

#[test]
fn a_start_goes_on_at_the_newest_snapshot() {
    let (disk, records) = with_snapshots(&[40, 120, 250]);
    let (journal, from, behind) = resumed(disk.storage()).unwrap();
    assert_eq!((from, behind), (250, records - 250));
    journal.close().unwrap();
    assert_eq!(files(&disk).len(), 2, "the oldest is removed");
    let error = write(&open(disk.storage(), options()).unwrap(), records + 1);
    assert!(matches!(error, Err(Error::Absent { .. })), "{error:?}");
}

#[test]
fn a_damaged_snapshot_gives_way_to_the_one_before_it_and_then_to_the_records() {
    let (disk, records) = with_snapshots(&[40, 250]);
    let paths = files(&disk);
    assert_eq!(paths.len(), 2);
    for (path, from) in paths.iter().rev().zip([40, 0]) {
        let length = disk.files()[path].len();
        for bit in (0..length * 8).step_by(97) {
            disk.damage(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            let (journal, found, behind) = resumed(disk.storage()).unwrap();
            assert_eq!((found, found + behind), (from, records), "bit {bit}");
            drop(journal);
            disk.damage(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        }
        disk.damage(path, |bytes| bytes.truncate(length / 2));
    }
}

#[test]
fn a_snapshot_that_changes_before_it_is_read_is_an_error() {
    let (disk, _) = with_snapshots(&[250]);
    let (_journal, snapshot, _) = resume(disk.storage()).unwrap();
    let snapshot = snapshot.unwrap();
    let read = || snapshot.state().read_to_end(&mut Vec::new());
    assert_eq!(read().unwrap(), state(250).len());
    let path = files(&disk).pop().unwrap();
    for at in [72, 500, disk.files()[&path].len() - 1] {
        disk.damage(&path, |bytes| bytes[at] ^= 1);
        assert!(read().is_err(), "byte {at}");
        disk.damage(&path, |bytes| bytes[at] ^= 1);
    }
}

#[test]
fn whatever_call_fails_while_a_snapshot_is_written_the_one_before_it_is_there() {
    for fault in [Fault::Once, Fault::Persist, Fault::PowerCut] {
        let mut failed = 0;
        for call in 1..40 {
            let (disk, records) = with_snapshots(&[40]);
            let (journal, ..) = resumed(disk.storage()).unwrap();
            disk.fail_at(call, fault);
            let wrote = write(&journal, 200);
            failed += u64::from(wrote.is_err());
            drop(journal);
            let cut = disk.after_power_cut();
            disk.heal();
            for disk in [cut, disk] {
                let (_, from, behind) = resumed(disk.storage()).unwrap();
                assert!(from == 200 || (from == 40 && wrote.is_err()), "{call}: {from}");
                assert_eq!(from + behind, records);
            }
        }
        assert!(failed > 3, "{failed}");
    }
}

#[test]
fn what_snapshots_cover_may_go_and_the_rest_is_proved() {
    let (disk, records) = with_snapshots(&[150, 250]);
    let (journal, ..) = resumed(disk.storage()).unwrap();
    let archive = journal.archive();
    let before = disk.files().len();
    journal.prune(200);
    until("pruned", || archive.first() > 0);
    until("all of it", || disk.files().len() < before - 1);
    std::thread::sleep(Duration::from_millis(20));
    let first = archive.first();
    assert!(first <= 150, "the older snapshot needs what is behind it: {first}");
    assert!(matches!(archive.read(first - 1), Err(Error::Absent { .. })));
    assert_eq!(archive.read(first).unwrap(), expected(first));
    journal.close().unwrap();
    let report = verify_on(disk.storage(), dir(), None).unwrap();
    assert_eq!((report.first_number, first + report.records), (first, records));
    assert!(report.front_proved && report.checkpoints_unproved <= report.checkpoints);
    assert_eq!(read_on(disk.storage(), dir()).unwrap().next().unwrap().unwrap(), expected(first));
    let gone = read_from_on(disk.storage(), dir(), first - 1).unwrap().next();
    assert!(matches!(gone, Some(Err(Error::Absent { .. }))));
    let (_, from, _) = resumed(disk.storage()).unwrap();
    assert_eq!(from, 250);
}

#[test]
fn nothing_goes_without_two_snapshots() {
    for numbers in [&[][..], &[250]] {
        let (disk, _) = with_snapshots(numbers);
        let (journal, ..) = resumed(disk.storage()).unwrap();
        journal.prune(u64::MAX);
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(journal.archive().first(), 0);
        journal.close().unwrap();
    }
}

#[test]
fn a_crash_at_any_call_of_a_removal_leaves_a_sound_journal() {
    for fault in [Fault::Once, Fault::PowerCut] {
        for call in 1..60 {
            let (disk, records) = with_snapshots(&[200, 250]);
            let (journal, ..) = resumed(disk.storage()).unwrap();
            disk.fail_at(call, fault);
            journal.prune(200);
            std::thread::sleep(Duration::from_millis(3));
            drop(journal);
            let cut = disk.after_power_cut();
            disk.heal();
            for disk in [cut, disk] {
                let (journal, from, behind) = resumed(disk.storage()).unwrap();
                assert_eq!((from, from + behind), (250, records), "call {call}");
                journal.close().unwrap();
                verify_on(disk.storage(), dir(), None).unwrap();
            }
        }
    }
}

#[test]
fn records_go_while_others_come_and_are_read() {
    let (disk, _) = with_snapshots(&[200, 250]);
    let (mut journal, ..) = resumed(disk.storage()).unwrap();
    let archive = journal.archive();
    let ended = Arc::new(AtomicBool::new(false));
    let reading = std::thread::spawn({
        let (archive, ended) = (archive.clone(), Arc::clone(&ended));
        move || {
            let mut read = 0_u64;
            while !ended.load(Ordering::Relaxed) {
                for number in (200..300).step_by(7) {
                    assert_eq!(archive.read(number).unwrap(), expected(number));
                    read += 1;
                }
            }
            read
        }
    });
    for round in 0..200 {
        batch(&mut journal, 3).unwrap();
        settle(&journal).unwrap();
        journal.prune(round);
    }
    ended.store(true, Ordering::Relaxed);
    assert!(reading.join().unwrap() > 0);
    assert!(archive.first() > 0);
    let next = journal.next_number();
    journal.close().unwrap();
    let report = verify_on(disk.storage(), dir(), None).unwrap();
    assert_eq!(report.first_number + report.records, next);
}

/// A disk that is full ends nothing: what was accepted waits, and goes on when there is room.
#[test]
fn a_full_disk_holds_the_journal_up_and_loses_nothing() {
    for reserve_bytes in [0, 16_384] {
        let disk = MemoryDisk::new(4);
        let options = Options { reserve_bytes, waiting_bytes_max: 20_000, ..unsigned() };
        let mut journal = open(disk.storage(), options.clone()).unwrap();
        if reserve_bytes > 0 {
            let path = dir().join("reserve");
            until("the reserve", || disk.files().contains_key(&path));
        }
        batch(&mut journal, 3).unwrap();
        settle(&journal).unwrap();
        disk.leave_room(Some(0));
        let mut overloaded = false;
        for _ in 0..2_000 {
            match batch(&mut journal, 3) {
                Ok(()) => std::thread::yield_now(),
                Err(Error::Overload { .. }) => {
                    overloaded = true;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(overloaded, "somebody must be told");
        assert_eq!(journal.failure().map(|error| error.to_string()), None);
        let held = journal.durable();
        assert!(held < journal.next_number());
        disk.leave_room(None);
        journal.submit().unwrap();
        settle(&journal).unwrap();
        batch(&mut journal, 3).unwrap();
        settle(&journal).unwrap();
        let next = journal.next_number();
        journal.close().unwrap();
        assert_eq!(verify_on(disk.durable_only().storage(), dir(), None).unwrap().records, next);
    }
}

/// The reserve is room for what would otherwise have waited.
#[test]
fn the_reserve_is_given_up_before_anything_waits() {
    for writes in [false, true] {
        let disk = MemoryDisk::new(4);
        if writes {
            disk.only_writes();
        }
        let options = Options { reserve_bytes: 16_384, ..unsigned() };
        let mut journal = open(disk.storage(), options).unwrap();
        let path = dir().join("reserve");
        let is_whole = || disk.files().get(&path).is_some_and(|bytes| *bytes == [0; 16_384]);
        until("the reserve", is_whole);
        disk.leave_room(Some(0));
        while disk.files().contains_key(&path) {
            batch(&mut journal, 3).unwrap();
            settle(&journal).unwrap();
        }
        disk.leave_room(None);
        until("the reserve again", is_whole);
        journal.close().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// From any number on, the same records as reading everything.
    #[test]
    fn reading_from_a_number_equals_passing_over_the_others(from in 0_u64..320) {
        let disk = written(&[10; 30], unsigned());
        let all: Vec<_> =
            read_on(disk.storage(), dir()).unwrap().map(Result::unwrap).collect();
        let some: Vec<_> =
            read_from_on(disk.storage(), dir(), from).unwrap().map(Result::unwrap).collect();
        let wanted: Vec<_> = all.into_iter().filter(|it| it.number >= from).collect();
        prop_assert_eq!(some, wanted);
    }
}
