//! Records per second by number: `cargo run --release --example read_rate [records]`.
//! Reads from the page cache, as a drain of what was written lately does.
#![allow(clippy::print_stdout, reason = "its figures are for whoever runs it")]

use std::error::Error;
use std::time::Instant;

use clets_journal::{Journal, Options};

const BODY_BYTES: usize = 512;
const QUEUES: u64 = 48;

fn main() -> Result<(), Box<dyn Error>> {
    let records: u64 = std::env::args().nth(1).map_or(Ok(300_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let options = || Options { origin: "clets.example/rate".into(), ..Options::default() };
    let (mut journal, _) = Journal::open(dir.path(), options(), Box::new(|| {}))?;
    for number in 0..records {
        journal.append(1, 0, &[number as u8; BODY_BYTES])?;
        if number % 1000 == 999 {
            journal.submit()?;
        }
    }
    journal.close()?;

    let begin = Instant::now();
    let (journal, recovery) = Journal::open(dir.path(), options(), Box::new(|| {}))?;
    let read = recovery.count();
    println!("recovery: {read} records in {:.2} s", begin.elapsed().as_secs_f64());

    let archive = journal.archive();
    let measure = |name: &str, reads: u64, number: &mut dyn FnMut(u64) -> u64| {
        let begin = Instant::now();
        for step in 0..reads {
            archive.read(number(step))?;
        }
        println!("{name}: {:.0} records/s", reads as f64 / begin.elapsed().as_secs_f64());
        Ok::<(), clets_journal::Error>(())
    };
    measure("ascending", records, &mut |step| step)?;
    let share = records / QUEUES;
    measure("48 places in turn", share * QUEUES, &mut |step| {
        step % QUEUES * share + step / QUEUES
    })?;
    let mut random = 1_u64;
    measure("anywhere", records / 10, &mut |_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % records
    })?;
    Ok(())
}
