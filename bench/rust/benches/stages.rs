//! What each stage of the hot path costs, on one core: `cargo bench -p clets-bench --bench stages`.
#![expect(clippy::unwrap_used, reason = "a measuring program, not a switch")]

use std::hint::black_box;

use clets_bench::{
    Bench, NOTE, PLATE, Switch, bundle, bundle_of, catalogue, message, reply_in_xml,
};
use clets_journal::{Journal, Options};
use clets_wire::{Dialect, decode, text_form};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Messages of one read of a busy line's socket.
const BATCH: usize = 32;

fn decoding(criterion: &mut Criterion) {
    let plate = message(PLATE, 1);
    let bytes = plate.as_bytes();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(1));
    group.bench_function("clets", |it| it.iter(|| decode(black_box(bytes), Dialect::Clets)));
    let xml = reply_in_xml();
    group.bench_function("nlets-xml", |it| {
        it.iter(|| {
            let text = text_form(black_box(&xml), Dialect::NiemOut).unwrap();
            black_box(decode(&text, Dialect::NiemOut).unwrap());
        });
    });
    let envelope = decode(bytes, Dialect::Clets).unwrap();
    for keys in [400, 40_000] {
        let catalogue = catalogue(keys);
        group.bench_function(BenchmarkId::new("find-key", keys), |it| {
            it.iter(|| black_box(&catalogue).find_message(black_box(bytes), &envelope));
        });
    }
}

fn deciding(criterion: &mut Criterion) {
    let plate = message(PLATE, 1);
    let (bytes, note) = (plate.as_bytes(), message(NOTE, 1));
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));
    let bundle = bundle();
    for (name, bytes) in [("inquiry", bytes), ("message", note.as_bytes())] {
        let mut bench = Bench::knowing(&bundle, bytes);
        group.bench_function(name, |it| it.iter(|| bench.decode_and_decide(black_box(bytes))));
    }
    group.bench_function("asked-of-cedar", |it| {
        let envelope = decode(bytes, Dialect::Clets).unwrap();
        let fresh = || Bench::new(&bundle);
        it.iter_batched_ref(fresh, |it| it.decide(bytes, &envelope), BatchSize::PerIteration);
    });
    for users in [1_000, 1_000_000] {
        let bundle = bundle_of(users);
        let named =
            |place: usize| plate.replace("U000031", &format!("V{:07}", place * 7_919 % users));
        let messages: Vec<String> = (0..10_000).map(named).collect();
        let mut bench = Bench::knowing(&bundle, named(0).as_bytes());
        let mut next = messages.iter().cycle();
        group.bench_function(BenchmarkId::new("users", users), |it| {
            it.iter(|| bench.decode_and_decide(next.next().unwrap().as_bytes()));
        });
    }
}

fn advancing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("advance");
    group.throughput(Throughput::Elements(BATCH as u64));
    let bundle = bundle();
    for (name, form) in [("inquiry-3-legs", PLATE), ("message-1-leg", NOTE)] {
        // Each batch of a switch of its own: what waits for answers is not to grow without end.
        group.bench_function(name, |it| {
            it.iter_batched_ref(
                || {
                    let mut switch = Switch::new(&bundle);
                    let first = switch.read(form, BATCH);
                    switch.advance(&first);
                    let read = switch.read(form, BATCH);
                    (switch, read)
                },
                |(switch, read)| {
                    black_box(switch.advance(read));
                    assert_eq!(switch.refused(), 0);
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn refusing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("refuse");
    group.throughput(Throughput::Elements(BATCH as u64));
    let bundle = bundle();
    for (name, form) in [("inquiry", PLATE), ("message", NOTE)] {
        group.bench_function(name, |it| {
            let made = || Switch::overloaded(&bundle, form, BATCH);
            let refused = |(switch, read): &mut (Switch, Vec<u8>)| switch.refuse(read);
            it.iter_batched_ref(made, refused, BatchSize::PerIteration);
        });
    }
}

fn journalling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("journal");
    let body = message(NOTE, 1);
    for batch in [1, 32, 1_024] {
        let folder = tempfile::tempdir().unwrap();
        let (told, durable) = std::sync::mpsc::channel();
        let on_durable = Box::new(move || {
            let _ = told.send(());
        });
        let options = Options { origin: "clets.example/bench".to_owned(), ..Options::default() };
        let (mut journal, _) = Journal::open(folder.path(), options, on_durable).unwrap();
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::new("append-and-sync", batch), |it| {
            it.iter(|| {
                let mut last = 0;
                for _ in 0..batch {
                    last = journal.append(1, 0, body.as_bytes()).unwrap();
                }
                journal.submit().unwrap();
                while journal.durable() <= last {
                    durable.recv().unwrap();
                }
            });
        });
    }
}

criterion_group!(stages, decoding, deciding, advancing, refusing, journalling);
criterion_main!(stages);
