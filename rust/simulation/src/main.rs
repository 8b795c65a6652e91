//! `clets-simulation [--seeds N] [--from SEED]`, or `--seed SEED` for one run in words.

use std::process::ExitCode;

use clets_simulation::{simulate, sweep};

#[expect(clippy::print_stdout, reason = "it is what a command does")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut from, mut seeds, mut one) = (0, 2_000, None);
    while let Some(name) = arguments.next() {
        let number = arguments.next().and_then(|it| it.parse().ok());
        match (name.as_str(), number) {
            ("--seeds", Some(number)) => seeds = number,
            ("--from", Some(number)) => from = number,
            ("--seed", Some(number)) => one = Some(number),
            _ => {
                println!("expected --seeds N, --from SEED or --seed SEED, not `{name}`");
                return ExitCode::from(2);
            }
        }
    }
    if let Some(seed) = one {
        let run = simulate(seed, true);
        run.trace.iter().for_each(|line| println!("{line}"));
        println!("seed {seed}: hash {:016x}, {:?}", run.hash, run.violations);
        return ExitCode::from(u8::from(!run.violations.is_empty()));
    }
    let found = sweep(from, seeds);
    for (state, count) in &found.reached {
        println!("{count:9} {state}");
    }
    if let Some((seed, violations)) = found.violated {
        println!("seed {seed}: {violations:?}");
        return ExitCode::FAILURE;
    }
    println!("{seeds} seeds from {from}: no violation");
    ExitCode::SUCCESS
}
