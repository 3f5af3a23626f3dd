//! Writing and reading a stored event, one of every kind: `cargo bench -p rollbook-events`.

#![expect(clippy::unwrap_used, reason = "a measurement without its events has failed")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rollbook_events::{Envelope, Hash, decode, encode};

/// Every golden event, which is one of each kind and version.
fn golden() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn codec(criterion: &mut Criterion) {
    let stored = golden();
    let events: Vec<Envelope> = stored.iter().map(|bytes| decode(bytes).unwrap()).collect();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(stored.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| stored.iter().for_each(|bytes| drop(black_box(decode(bytes)))));
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| events.iter().for_each(|event| drop(black_box(encode(event)))));
    });
    group.bench_function("hash", |bencher| {
        bencher.iter(|| stored.iter().for_each(|bytes| _ = black_box(Hash::of(bytes))));
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
