//! The real engine and the real journal in a world that one number decides.
//!
//! Lines break at any byte, peers repeat, refuse, stay silent and lose their counts, hosts answer
//! late or astray, the process dies between any two steps, the disk fails at any call, tears what
//! was not synced, and the clock steps. At the end all is well again, and the promises of the
//! delivery contract (I1 to I10) are judged by what the peers know and what the journal says.
//!
//! The same seed gives the same run, byte for byte: [`simulate`] gives a hash over it.
#![forbid(unsafe_code)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a simulation is a test: what it does not expect is to end it"
)]

mod chance;
#[expect(dead_code, reason = "the journal's own tests need more of it")]
#[path = "../../journal/tests/journal/disk.rs"]
mod disk;
mod oracle;
mod peer;
#[path = "../../switch/tests/engine/policies.rs"]
mod policies;
mod switch;
mod world;

pub use clets_defect::Defect;
#[cfg(feature = "defects")]
pub use clets_defect::choose;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What came of one run.
#[derive(Debug)]
pub struct Run {
    /// Over every record and every byte sent: equal for the same seed.
    pub hash: u64,
    /// What was found wrong, each with the invariant that it breaks.
    pub violations: Vec<String>,
    /// Rare states that it came through, and how often.
    pub reached: BTreeMap<&'static str, u64>,
    /// Each step in words, when asked for.
    pub trace: Vec<String>,
}

/// Runs the world of a seed.
#[must_use]
pub fn simulate(seed: u64, traced: bool) -> Run {
    let mut world = world::World::new(seed, traced);
    world.run();
    Run {
        hash: world.hash(),
        violations: world.violations,
        reached: world.reached,
        trace: world.trace.unwrap_or_default(),
    }
}

/// What came of many runs.
#[derive(Debug, Default)]
pub struct Sweep {
    /// How often each rare state was reached.
    pub reached: BTreeMap<&'static str, u64>,
    /// The first seed that broke a promise, and how.
    pub violated: Option<(u64, Vec<String>)>,
}

/// Runs these seeds, on every core, until one of them breaks a promise.
#[must_use]
pub fn sweep(from: u64, seeds: u64) -> Sweep {
    let next = AtomicU64::new(from);
    let sweep = Mutex::new(Sweep::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds || sweep.lock().unwrap().violated.is_some() {
                return;
            }
            let run = simulate(seed, false);
            let mut sweep = sweep.lock().unwrap();
            for (state, count) in run.reached {
                *sweep.reached.entry(state).or_default() += count;
            }
            if !run.violations.is_empty() {
                sweep.violated.get_or_insert((seed, run.violations));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    sweep.into_inner().unwrap()
}
