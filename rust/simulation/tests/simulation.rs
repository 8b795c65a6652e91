//! Seeds by the thousand, and that they reach what they are for.

use clets_simulation::{simulate, sweep};

/// Without these a sweep proves little.
const STATES: &[&str] = &[
    "answer given twice",
    "clock stepped back",
    "damage like a torn tail",
    "dead letter given up",
    "dead letter sent again",
    "delay told",
    "delivered",
    "died while starting",
    "died with records not durable",
    "expired",
    "failing call",
    "flip detected",
    "gap",
    "half-open connection",
    "in doubt",
    "late reply",
    "line ordered",
    "marked as possible duplicate",
    "minimized",
    "misdirected read detected",
    "no reply",
    "no room",
    "overdue",
    "partial call",
    "power cut",
    "power cut at a call",
    "process killed",
    "records torn off",
    "reference reused",
    "reference used again",
    "refused by its destination",
    "refused by rule",
    "resumed from older counts",
    "second connection",
    "silent",
    "skip",
    "snapshot",
    "started from a snapshot",
    "unacknowledged",
];

#[test]
fn no_seed_breaks_a_promise_and_every_rare_state_is_reached() {
    let seeds = std::env::var("CLETS_SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(2_000);
    let found = sweep(0, seeds);
    if let Some((seed, violations)) = found.violated {
        panic!("seed {seed}: {violations:#?}");
    }
    let missed: Vec<_> = STATES.iter().filter(|it| !found.reached.contains_key(**it)).collect();
    assert!(missed.is_empty(), "no seed of {seeds} has reached {missed:?}");
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..40 {
        assert_eq!(simulate(seed, false).hash, simulate(seed, true).hash, "seed {seed}");
    }
}
