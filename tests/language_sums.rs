//! Sums over populations: their order, and how they are taken out of an expression.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use apical::lang::Symbol;
use apical::lang::graph::Node;
use apical::lang::vm::Machine;
use apical::lang::walk::walk;
use language_support::{TestScope, formula, place};

#[test]
fn a_sum_takes_eight_interleaved_parts_and_then_a_fixed_tree() {
    let machine = Machine::default();
    for n in (0..40).chain([511, 512, 1023, 1100]) {
        // Large and small numbers of both signs: another order gives other bits.
        let values: Vec<f64> = (0..n)
            .map(|i| {
                let x = place(7, Symbol::Sum(n as u32), i);
                (x as f64 / u64::MAX as f64 - 0.5) * 10_f64.powi((x % 17) as i32)
            })
            .collect();
        let part = |k: usize| {
            values[k.min(n)..]
                .iter()
                .step_by(8)
                .fold(0.0, |sum, x| sum + x)
        };
        let [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(part);
        let documented = ((a + b) + (c + d)) + ((e + f) + (g + h));
        assert_eq!(
            machine.sum(&values).to_bits(),
            documented.to_bits(),
            "{n} values"
        );
        let plain = values.iter().fold(0.0, |sum, x| sum + x);
        if n > 500 {
            assert_ne!(
                plain.to_bits(),
                documented.to_bits(),
                "the order is seen in the bits"
            );
        }
    }
}

#[test]
fn sums_that_are_taken_out_are_the_sums_the_walker_takes() {
    let n = 100;
    let mut scope = TestScope::population(n);
    let text = "sum(a * mean(b) + sum(tanh(c) * mean(b))) / (1 + sum(a)^2)";
    let formula = formula(text, &mut scope);
    let mut graph = formula.graph;
    let tame = |symbol: Symbol, i: usize| language_support::tame(place(5, symbol, i));
    let machine = Machine::default();
    // Inner sums first: `order` gives operands before their users.
    let mut known = std::collections::HashMap::new();
    for id in graph.order(formula.root) {
        if let Node::Sum(summed) = graph.node(id) {
            let value = |i: usize| walk(&graph, summed, &|s| tame(s, i), &|sum| known[&sum]);
            let vector: Vec<f64> = (0..n as usize).map(value).collect();
            let total = machine.sum(&vector);
            known.insert(summed, total);
        }
    }
    let whole = walk(&graph, formula.root, &|s| tame(s, 0), &|sum| known[&sum]);
    let (root, sums) = graph.take_sums(formula.root);
    assert_eq!(
        sums.len(),
        4,
        "mean(b) is taken once, sum(a) is not sum(a * …)"
    );
    let mut totals: Vec<f64> = Vec::new();
    for summed in sums {
        let read = |symbol, i| match symbol {
            Symbol::Sum(k) => totals[k as usize],
            other => tame(other, i),
        };
        let value = |i: usize| walk(&graph, summed, &|s| read(s, i), &|_| f64::NAN);
        let vector: Vec<f64> = (0..n as usize).map(value).collect();
        let total = machine.sum(&vector);
        totals.push(total);
    }
    let read = |symbol| match symbol {
        Symbol::Sum(k) => totals[k as usize],
        other => tame(other, 0),
    };
    assert_eq!(
        walk(&graph, root, &read, &|_| f64::NAN).to_bits(),
        whole.to_bits()
    );
}

#[test]
fn a_sum_over_a_branch_that_a_gate_closes_counts_every_neuron() {
    let texts = [
        ("sum(gate * a)", 0.0),
        ("mean(gate * a)", 0.0),
        ("sum(if(gate, a, 2))", 60.0),
        ("mean(gate * a + 3)", 3.0),
    ];
    for (text, value) in texts {
        let formula = formula(text, &mut TestScope::population(30));
        let mut graph = formula.graph;
        let closed = graph.fix(formula.root, |s| (s == Symbol::Outer(0)).then_some(0.0));
        assert_eq!(
            graph.constant(closed).map(f64::to_bits),
            Some(f64::to_bits(value)),
            "{text}"
        );
    }
}
