//! The power goes at any call, and any part of what was not synced may have arrived.

use clets_journal::verify_on;

use crate::disk::{Fault, MemoryDisk, splitmix};
use crate::script::{append, dir, open, options, settle};

/// Five lives of one journal, each ended by a power cut. Errors tell what was lost.
fn lives(mut disk: MemoryDisk, seed: u64) -> Result<(), String> {
    let mut random = seed;
    let mut roll = |sides: u64| {
        random = splitmix(random);
        random % sides
    };
    let mut durable = 0;
    // Numbers at which a batch may end; a recovered journal ends at one of them.
    let mut ends = vec![0];
    for life in 0..5 {
        disk.fail_at(1 + roll(120), Fault::PowerCut);
        if let Ok(mut journal) = open(disk.storage(), options()) {
            let found = journal.next_number();
            if found < durable {
                return Err(format!("life {life}: {durable} were durable, {found} are left"));
            }
            if !ends.contains(&found) {
                return Err(format!("life {life}: {found} is in the middle of a batch"));
            }
            ends.retain(|end| *end <= found);
            for _ in 0..60 {
                let records = 1 + roll(12);
                if (0..records).any(|_| append(&mut journal).is_err()) {
                    break;
                }
                ends.push(journal.next_number());
                if journal.submit().is_err() || (roll(2) == 0 && settle(&journal).is_err()) {
                    break;
                }
            }
            // Before the drop the journal may still call more durable; the cut forbids it.
            while journal.failure().is_none() && journal.durable() < ends[ends.len() - 1] {
                std::thread::yield_now();
            }
            durable = journal.durable();
        } else if !disk.was_hit() {
            return Err(format!("life {life}: refused to open"));
        }
        disk = disk.after_power_cut();
        // Before the first life had made its key there is nothing to verify.
        let keyed = disk.files().contains_key(&dir().join("checkpoint.vkey"));
        if keyed && let Err(error) = verify_on(disk.storage(), dir(), None) {
            return Err(format!("life {life}: {error}"));
        }
    }
    Ok(())
}

#[test]
fn nothing_durable_is_lost_and_every_start_succeeds() {
    for seed in 0..400 {
        if let Err(lost) = lives(MemoryDisk::new(seed), seed) {
            panic!("seed {seed}: {lost}");
        }
    }
}

#[test]
fn a_disk_that_does_not_sync_loses_and_is_found_out() {
    let lost = (0..40).filter(|seed| lives(MemoryDisk::lying(*seed), *seed).is_err()).count();
    assert!(lost > 10, "only {lost} of 40 runs without any sync were found out");
}
