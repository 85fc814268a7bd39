//! How fast is the language's virtual machine, and how much does it gain over walking the tree?
//!
//! Workload: the postsynaptic factor of the impression rule, `eta * (1 - lambda) * (soma - tanh(dend)) * (1 - tanh(dend)^2)`,
//! over 104 and 4,096 neurons. Counted: neurons. The tree walker is the oracle of the tests; the ratio is the gain.
#![allow(
    clippy::expect_used,
    reason = "a bench that cannot be set up has to stop"
)]

use std::hint::black_box;

use apical::lang::code::compile;
use apical::lang::graph::{Graph, NodeId};
use apical::lang::ops::{Binary, Unary};
use apical::lang::vm::Machine;
use apical::lang::walk::walk;
use apical::lang::{Shape, Symbol};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ETA: Symbol = Symbol::Outer(0);
const SOMA: Symbol = Symbol::Outer(1);
const DEND: Symbol = Symbol::Outer(2);

fn factor(graph: &mut Graph, size: u32) -> NodeId {
    let shape = Shape::Vector(size);
    let eta = graph.variable(ETA, Shape::Scalar);
    let (soma, dend) = (graph.variable(SOMA, shape), graph.variable(DEND, shape));
    let tanh = graph.unary(Unary::Tanh, dend);
    let error = graph.binary(Binary::Sub, soma, tanh);
    let square = graph.binary(Binary::Mul, tanh, tanh);
    let one = graph.number(1.0);
    let slope = graph.binary(Binary::Sub, one, square);
    let scaled = graph.binary(Binary::Mul, eta, error);
    let root = graph.binary(Binary::Mul, scaled, slope);
    graph.contract(root)
}

fn language(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("postsynaptic factor");
    for size in [104_usize, 4096] {
        let mut graph = Graph::default();
        let root = factor(&mut graph, size as u32);
        let code = compile(&graph, root, |shape| shape == Shape::Scalar).expect("it is small");
        let values: Vec<f64> = (0..size).map(|i| (i as f64 * 0.37).sin()).collect();
        let order: Vec<&[f64]> = code
            .vector_inputs
            .iter()
            .map(|_| values.as_slice())
            .collect();
        let mut out = vec![0.0; size];
        let mut machine = Machine::default();
        machine.reserve(&code);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("machine, {size}"), |bencher| {
            bencher.iter(|| machine.run(&code, |_| black_box(1e-3), black_box(&order), &mut out));
        });
        group.bench_function(format!("walker, {size}"), |bencher| {
            bencher.iter(|| {
                for (o, x) in out.iter_mut().zip(&values) {
                    let read = |symbol| if symbol == ETA { 1e-3 } else { *x };
                    *o = walk(&graph, root, &read, &|_| 0.0);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, language);
criterion_main!(benches);
