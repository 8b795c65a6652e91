//! What the journal promises when nothing goes wrong.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clets_journal::{Error, Journal, Options, read, verify, verify_against, verify_on};

use crate::disk::MemoryDisk;
use crate::script::{
    ORIGIN, append, batch, count, dir, expected, open, open_waking, options, settle, unsigned,
    written,
};

fn on_disk(records: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, recovery) = Journal::open(dir.path(), options(), Box::new(|| {})).unwrap();
    assert_eq!(recovery.count(), 0);
    batch(&mut journal, records).unwrap();
    journal.close().unwrap();
    dir
}

#[test]
fn the_real_disk_keeps_records_and_modes() {
    let dir = on_disk(3);
    let records: Vec<_> = read(dir.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(records, [expected(0), expected(1), expected(2)]);
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.records, report.signed, report.torn_tail), (3, 3, false));
    assert_eq!(report.origin, ORIGIN);
    let mode =
        |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("checkpoint.key"), 0o400);
    assert_eq!(mode("00000000000000000000.segment"), 0o600);
    let vkey = std::fs::read_to_string(dir.path().join("checkpoint.vkey")).unwrap();
    assert!(vkey.starts_with(ORIGIN) && !vkey.contains("PRIVATE"));
    verify_against(dir.path(), &vkey).unwrap();
    let other = on_disk(3);
    assert_eq!(verify_against(other.path(), &vkey).unwrap_err().code(), 603);
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Journal::open(dir.path(), options(), Box::new(|| {}));
    let (first, _recovery) = open().unwrap();
    let error = open().err().unwrap();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert_eq!(error.code(), 604);
    first.close().unwrap();
    open().unwrap();
}

#[test]
fn reopening_continues_the_numbers_over_many_segments() {
    let disk = MemoryDisk::new(1);
    for run in 0..6 {
        let mut journal = open(disk.storage(), options()).unwrap();
        assert_eq!(journal.next_number(), run * 50);
        for _ in 0..10 {
            batch(&mut journal, 5).unwrap();
        }
        journal.close().unwrap();
        let report = verify_on(disk.storage(), dir(), None).unwrap();
        assert_eq!((report.records, report.signed), ((run + 1) * 50, (run + 1) * 50));
    }
    assert_eq!(count(disk.storage()).unwrap(), 300);
    assert!(verify_on(disk.storage(), dir(), None).unwrap().segments > 5);
}

#[test]
fn segments_of_another_length_follow_on() {
    let disk = written(&[10, 10], options());
    let longer = Options { segment_bytes: 1 << 16, ..options() };
    let mut journal = open(disk.storage(), longer).unwrap();
    for _ in 0..40 {
        batch(&mut journal, 10).unwrap();
    }
    journal.close().unwrap();
    assert_eq!(verify_on(disk.storage(), dir(), None).unwrap().records, 420);
}

#[test]
fn the_root_is_that_of_the_records_alone() {
    // Batches, segments and reopening leave no mark on the tree.
    let one = written(&[60], Options { segment_bytes: 1 << 16, ..unsigned() });
    let many = written(&[1; 60], options());
    let root = |disk: &MemoryDisk| verify_on(disk.storage(), dir(), None).unwrap().root;
    assert_eq!(root(&one), root(&many));
    assert_ne!(root(&one), root(&written(&[61], Options { segment_bytes: 1 << 16, ..options() })));
}

#[test]
fn the_recovery_must_be_read_first() {
    let disk = written(&[4], options());
    let (mut journal, mut recovery) =
        Journal::open_on(disk.storage(), dir(), options(), Box::new(|| {})).unwrap();
    assert_eq!(recovery.records(), 4);
    for _ in 0..4 {
        assert!(matches!(append(&mut journal), Err(Error::NotRecovered)));
        recovery.next().unwrap().unwrap();
    }
    assert!(recovery.next().is_none());
    assert_eq!(append(&mut journal).unwrap(), 4);
    journal.submit().unwrap();
    settle(&journal).unwrap();
    // What came after the opening is not recovery.
    assert!(recovery.next().is_none());
    journal.close().unwrap();
}

#[test]
fn limits_refuse_and_leave_the_batch_as_it_was() {
    let disk = MemoryDisk::new(1);
    let small = Options { waiting_bytes_max: 100_000, segment_bytes: 1 << 20, ..unsigned() };
    let mut journal = open(disk.storage(), small).unwrap();
    let error = journal.append(1, 0, &vec![0; 1 << 20]).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    disk.hold_syncs(true);
    let error = loop {
        match append(&mut journal) {
            Ok(_) => journal.submit().unwrap(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Overload { .. }), "{error}");
    assert_eq!(error.code(), 601);
    disk.hold_syncs(false);
    settle(&journal).unwrap();
    assert_eq!(journal.waiting_bytes(), 0);
    batch(&mut journal, 1).unwrap();
    journal.close().unwrap();

    let mut journal = open(MemoryDisk::new(1).storage(), options()).unwrap();
    let fitted = loop {
        match append(&mut journal) {
            Ok(number) => assert_eq!(journal.next_number(), number + 1),
            Err(error) => break error,
        }
    };
    assert!(matches!(fitted, Error::BatchFull), "{fitted}");
    journal.submit().unwrap();
    append(&mut journal).unwrap();
    journal.close().unwrap();
}

#[test]
fn bad_options_are_refused() {
    let refused = |options: Options| {
        Journal::open_on(MemoryDisk::new(1).storage(), dir(), options, Box::new(|| {}))
            .err()
            .unwrap()
            .code()
    };
    assert_eq!(refused(Options { origin: String::new(), ..options() }), 604);
    assert_eq!(refused(Options { origin: "two words".into(), ..options() }), 604);
    assert_eq!(refused(Options { segment_bytes: 4096, ..options() }), 604);
    assert_eq!(refused(Options { segment_bytes: 8193, ..options() }), 604);
    assert_eq!(refused(Options { batch_records_max: 0, ..options() }), 604);
    let disk = written(&[1], options());
    let other = Options { origin: "another.example/log".into(), ..options() };
    let error = Journal::open_on(disk.storage(), dir(), other, Box::new(|| {})).err().unwrap();
    assert_eq!(error.code(), 603);
}

#[test]
fn a_reader_follows_a_living_writer() {
    let disk = MemoryDisk::new(1);
    let mut journal = open(disk.storage(), options()).unwrap();
    let mut reader = clets_journal::read_on(disk.storage(), dir()).unwrap();
    let mut number = 0;
    for round in 0..200 {
        batch(&mut journal, 1 + round % 4).unwrap();
        if round % 3 == 0 {
            settle(&journal).unwrap();
        }
        // Beside the writer, in whatever state it is.
        for record in reader.by_ref() {
            assert_eq!(record.unwrap(), expected(number));
            number += 1;
        }
        assert!(number >= if round % 3 == 0 { journal.next_number() } else { 0 });
        if round % 20 == 0 {
            verify_on(disk.storage(), dir(), None).unwrap();
        }
    }
    settle(&journal).unwrap();
    assert_eq!(number + reader.map(Result::unwrap).count() as u64, journal.next_number());
    journal.close().unwrap();
}

#[test]
fn the_owner_is_woken_and_batches_share_a_sync() {
    let disk = MemoryDisk::new(1);
    let woken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&woken);
    let wake = Box::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let roomy = Options { segment_bytes: 1 << 20, ..unsigned() };
    let mut journal = open_waking(disk.storage(), roomy, wake).unwrap();
    batch(&mut journal, 1).unwrap();
    settle(&journal).unwrap();
    // The first write waits in its sync while a hundred batches gather behind it.
    disk.hold_syncs(true);
    for _ in 0..100 {
        batch(&mut journal, 1).unwrap();
    }
    disk.hold_syncs(false);
    settle(&journal).unwrap();
    journal.close().unwrap();
    let woken = woken.load(Ordering::SeqCst);
    assert!((2..=3).contains(&woken), "woken {woken} times for 3 writes");
}

#[test]
fn dropping_keeps_what_was_submitted_and_no_more() {
    let disk = MemoryDisk::new(1);
    let mut journal = open(disk.storage(), options()).unwrap();
    batch(&mut journal, 7).unwrap();
    append(&mut journal).unwrap();
    drop(journal);
    assert_eq!(count(disk.storage()).unwrap(), 7);
    open(disk.storage(), options()).unwrap();
}
