//! The known-bad controls of the simulation: each planted defect is found.

use clets_simulation::{Defect, choose, sweep};

const SEEDS: u64 = 500;

#[test]
fn every_planted_defect_is_found() {
    let mut missed = Vec::new();
    let only = std::env::var("CLETS_DEFECT").ok();
    let wanted = |it: &Defect| only.as_ref().is_none_or(|name| *name == format!("{it:?}"));
    for defect in Defect::ALL.into_iter().filter(wanted) {
        choose(Some(defect));
        match sweep(0, SEEDS).violated {
            Some((seed, violations)) => eprintln!("{defect:?}: seed {seed}: {}", violations[0]),
            None => missed.push(defect),
        }
    }
    assert!(missed.is_empty(), "{SEEDS} seeds do not find {missed:?}");
}
