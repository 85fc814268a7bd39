//! How long does a normal deviate take?
//!
//! Workload: 260 deviates, as many as a step of the impression circuit draws, and 65,536. Counted: deviates. Beside the
//! vectorised source stands the ziggurat of `rand_distr` on the same kind of generator.

use std::hint::black_box;

use apical::random::{Normals, stream};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pulp::Arch;
use rand_distr::{Distribution, StandardNormal};

fn noise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normal deviates");
    for size in [260_usize, 65_536] {
        let mut out = vec![0.0; size];
        group.throughput(Throughput::Elements(size as u64));
        let mut normals = Normals::new(1, "bench", 0);
        group.bench_function(format!("sixteen lanes, {size}"), |bencher| {
            bencher.iter(|| normals.fill(Arch::new(), black_box(&mut out)));
        });
        let mut ziggurat = stream(1, "bench", 0);
        group.bench_function(format!("ziggurat, {size}"), |bencher| {
            bencher.iter(|| {
                for o in black_box(&mut out).iter_mut() {
                    *o = StandardNormal.sample(&mut ziggurat);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, noise);
criterion_main!(benches);
