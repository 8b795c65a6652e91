//! Every call to the storage fails once, in turn; and durable is never said too early.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use clets_journal::{Error, Journal, verify_on};

use crate::disk::{Fault, MemoryDisk};
use crate::script::{batch, count, dir, open, options, settle, unsigned};

/// Opens, writes thirty batches over several segments, closes. Gives what was called durable.
fn run(disk: &MemoryDisk) -> (u64, Result<(), Error>) {
    let mut journal = match open(disk.storage(), options()) {
        Ok(journal) => journal,
        Err(error) => return (0, Err(error)),
    };
    let result = work(&mut journal);
    let durable = journal.durable();
    match result {
        Ok(()) => (durable, journal.close()),
        Err(error) => {
            // Poisoned for good: nothing is taken, nothing more becomes durable.
            assert!(journal.failure().is_some());
            assert!(journal.append(0, 0, b"").is_err() && journal.submit().is_err());
            std::thread::sleep(Duration::from_micros(200));
            assert_eq!(journal.durable(), durable);
            assert!(journal.close().is_err());
            (durable, Err(error))
        }
    }
}

fn work(journal: &mut Journal) -> Result<(), Error> {
    for records in 0..30 {
        batch(journal, 1 + records % 5)?;
        settle(journal)?;
    }
    Ok(())
}

/// Fails every n-th call until a run is long past its end; gives the number of failed runs.
fn each_call(fault: Fault) -> u64 {
    let mut failed = 0;
    for call in 1.. {
        let disk = MemoryDisk::new(call);
        disk.fail_at(call, fault);
        let (durable, result) = run(&disk);
        assert!(result.is_ok() || disk.was_hit(), "call {call}: {result:?}");
        assert_eq!(disk.retries(), 0, "call {call}: a file was used after a failed write or sync");
        failed += u64::from(result.is_err());
        // A power cut now, and what the kernel still shows without one: both hold what was durable.
        let cut = disk.after_power_cut();
        disk.heal();
        for disk in [cut, disk] {
            let mut journal = open(disk.storage(), options()).unwrap();
            assert!(journal.next_number() >= durable, "call {call}: lost {durable}");
            // What a failed sync left to be seen is not yet on the disk: opening sees to it.
            let synced = count(disk.durable_only().storage()).unwrap();
            assert!(synced >= journal.durable(), "call {call}: only {synced} are synced");
            batch(&mut journal, 3).unwrap();
            let next = journal.next_number();
            journal.close().unwrap();
            assert_eq!(count(disk.storage()).unwrap(), next);
            // Once more, so that checkpoints stand behind the one that the fault may have hit.
            let mut journal = open(disk.storage(), options()).unwrap();
            batch(&mut journal, 1).unwrap();
            journal.close().unwrap();
            verify_on(disk.durable_only().storage(), dir(), None).unwrap();
        }
        if call > 100 && !was_reached(call) {
            break;
        }
    }
    failed
}

/// Whether an unhindered run makes as many calls. Threads make the count vary a little.
fn was_reached(call: u64) -> bool {
    let disk = MemoryDisk::new(call);
    disk.fail_at(call, Fault::Short);
    run(&disk).1.unwrap();
    disk.was_hit()
}

#[test]
fn any_call_may_fail_once() {
    assert!(each_call(Fault::Once) > 50);
}

#[test]
fn any_call_may_be_the_first_of_many_to_fail() {
    assert!(each_call(Fault::Persist) > 50);
}

#[test]
fn short_reads_and_writes_are_carried_on() {
    assert_eq!(each_call(Fault::Short), 0);
}

#[test]
fn interrupted_calls_lose_nothing() {
    each_call(Fault::Interrupt);
}

#[test]
fn nothing_is_durable_while_its_sync_is_under_way() {
    let disk = MemoryDisk::new(1);
    let mut journal = open(disk.storage(), unsigned()).unwrap();
    batch(&mut journal, 2).unwrap();
    settle(&journal).unwrap();
    disk.hold_syncs(true);
    batch(&mut journal, 3).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!((journal.durable(), journal.next_number()), (2, 5));
    disk.hold_syncs(false);
    settle(&journal).unwrap();
    assert_eq!(journal.durable(), 5);
    journal.close().unwrap();
}

/// After each batch: a sync of its own happened, and the synced bytes alone hold all that is
/// durable.
fn durable_is_synced(disk: &MemoryDisk) {
    let mut journal = open(disk.storage(), unsigned()).unwrap();
    for records in 1..40 {
        let syncs = disk.syncs();
        batch(&mut journal, 1 + records % 5).unwrap();
        settle(&journal).unwrap();
        assert!(disk.syncs() > syncs, "durable without a sync");
        let synced = count(disk.durable_only().storage()).unwrap();
        assert!(synced >= journal.durable(), "{synced} of {} are synced", journal.durable());
    }
    journal.close().unwrap();
}

#[test]
fn durable_is_never_ahead_of_the_sync() {
    durable_is_synced(&MemoryDisk::new(1));
}

#[test]
fn a_disk_that_does_not_sync_is_noticed() {
    let noticed = catch_unwind(AssertUnwindSafe(|| durable_is_synced(&MemoryDisk::lying(1))));
    assert!(noticed.is_err(), "the check above would not notice a missing sync");
}
