//! Wall time of single requests: `cargo bench -p xendless-core --bench store`.
//!
//! Times depend on the machine; what the project promises is counted in instructions by `core/cost`.

mod common;

use common::Bench;
use criterion::{Criterion, criterion_group, criterion_main};
use xendless_core::store::wire::Kind;

fn asking(nodes: u32, watches: u32, kinds: &[Kind]) -> Bench {
    let mut bench = Bench::new(nodes, watches);
    bench.prepare(kinds);
    bench
}

fn store(criterion: &mut Criterion) {
    for nodes in [1_000, 100_000] {
        let mut reads = asking(nodes, 0, &[Kind::READ]);
        criterion.bench_function(&format!("read among {nodes} nodes"), |b| b.iter(|| reads.one()));
        let mut writes = asking(nodes, 0, &[Kind::WRITE]);
        criterion.bench_function(&format!("write among {nodes} nodes"), |b| b.iter(|| writes.one()));
        let mut mixed = asking(nodes, 0, &[Kind::READ, Kind::WRITE, Kind::WRITE]);
        criterion.bench_function(&format!("read and two writes among {nodes} nodes"), |b| {
            b.iter(|| mixed.three())
        });
        criterion.bench_function(&format!("the same in a transaction, {nodes} nodes"), |b| {
            b.iter(|| mixed.transaction())
        });
    }
    let mut watched = asking(1_000, 10_000, &[Kind::WRITE]);
    criterion.bench_function("write beside 10000 unrelated watches", |b| b.iter(|| watched.one()));
}

criterion_group!(benches, store);
criterion_main!(benches);
