//! What a verdict costs, remembered and asked of Cedar, by the number of rules:
//! `cargo bench -p clets-bench --bench rules`.
#![expect(clippy::unwrap_used, reason = "a measuring program, not a switch")]

use std::hint::black_box;

use clets_bench::rules::Court;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn judging(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(1));
    for rules in [None, Some(10), Some(100), Some(1_000), Some(10_000)] {
        let Court { policies, mut memo, situations, day } = Court::of(rules);
        let name = rules.map_or_else(|| "sample".to_owned(), |count| count.to_string());
        let mut next = situations.iter().cycle();
        group.bench_function(BenchmarkId::new("remembered", &name), |it| {
            it.iter(|| black_box(memo.judge(&policies, next.next().unwrap(), day).effect));
        });
        let mut next = situations.iter().take(50).cycle();
        group.bench_function(BenchmarkId::new("asked-of-cedar", &name), |it| {
            it.iter(|| black_box(policies.judge(next.next().unwrap(), day)));
        });
    }
}

criterion_group!(rules, judging);
criterion_main!(rules);
