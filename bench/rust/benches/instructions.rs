//! How many instructions each stage takes: the same on any machine and at any time of the day.
//! `bench/instructions.py` runs this on valgrind and compares with `instructions.json`.
#![expect(
    clippy::unwrap_used,
    missing_docs,
    unused_qualifications,
    reason = "a measuring program, not a switch; the macros write it so"
)]

use std::hint::black_box;

use clets_bench::rules::Court;
use clets_bench::{Bench, NOTE, PLATE, Switch, bundle, message, reply_in_xml};
use clets_wire::{Dialect, decode, text_form};
use gungraun::{LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

/// Calls of what is small, so that the frame around it does not count.
const CALLS: usize = 100;
const BATCH: usize = 32;

fn plate() -> String {
    message(PLATE, 1)
}

fn judge_of(form: &str) -> (Bench, String) {
    let text = message(form, 1);
    (Bench::knowing(&bundle(), text.as_bytes()), text)
}

fn switch_with(form: &str) -> (Switch, Vec<u8>) {
    let mut switch = Switch::new(&bundle());
    for _ in 0..4 {
        let read = switch.read(form, BATCH);
        switch.advance(&read);
    }
    let read = switch.read(form, BATCH);
    (switch, read)
}

#[library_benchmark]
#[bench::clets(setup = plate)]
fn decode_100(plate: String) {
    for _ in 0..CALLS {
        black_box(decode(black_box(plate.as_bytes()), Dialect::Clets).unwrap());
    }
}

#[library_benchmark]
#[bench::nlets(setup = reply_in_xml)]
fn decode_xml(xml: Vec<u8>) {
    let text = text_form(black_box(&xml), Dialect::NiemOut).unwrap();
    black_box(decode(&text, Dialect::NiemOut).unwrap());
}

#[library_benchmark]
#[bench::inquiry(args = (PLATE), setup = judge_of)]
#[bench::message(args = (NOTE), setup = judge_of)]
fn decode_and_decide_100((mut bench, text): (Bench, String)) -> Bench {
    for _ in 0..CALLS {
        assert!(bench.decode_and_decide(black_box(text.as_bytes())));
    }
    bench
}

#[library_benchmark]
#[bench::sample(args = (None), setup = Court::of)]
fn judge_1000_remembered(mut court: Court) -> Court {
    for situation in &court.situations {
        black_box(court.memo.judge(&court.policies, black_box(situation), court.day));
    }
    court
}

#[library_benchmark]
#[bench::inquiry_3_legs(args = (PLATE), setup = switch_with)]
#[bench::message_1_leg(args = (NOTE), setup = switch_with)]
fn advance_32((mut switch, read): (Switch, Vec<u8>)) -> Switch {
    assert!(switch.advance(black_box(&read)) > 0);
    switch
}

fn overloaded_with(form: &str) -> (Switch, Vec<u8>) {
    Switch::overloaded(&bundle(), form, BATCH)
}

#[library_benchmark]
#[bench::inquiry(args = (PLATE), setup = overloaded_with)]
#[bench::message(args = (NOTE), setup = overloaded_with)]
fn refuse_32((mut switch, read): (Switch, Vec<u8>)) -> Switch {
    assert!(switch.refuse(black_box(&read)) > 0);
    switch
}

library_benchmark_group!(
    name = stages,
    benchmarks = [
        decode_100,
        decode_xml,
        decode_and_decide_100,
        judge_1000_remembered,
        advance_32,
        refuse_32
    ]
);

main!(
    config = LibraryBenchmarkConfig::default().pass_through_env("CLETS_BENCH_DOCUMENT"),
    library_benchmark_groups = stages
);
