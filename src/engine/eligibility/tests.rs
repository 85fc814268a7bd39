//! Passes against the sums written out, and on narrow vectors.

use super::simple::Form;
use super::*;

fn numbers(n: usize, name: &str) -> Vec<f64> {
    use rand::RngExt;
    let mut stream = crate::random::stream(7, name, 0);
    (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
}

/// All numbers of products and short and long rows, against the definition; and the instruction set changes no bit.
#[test]
fn a_pass_is_its_definition() {
    type Owned = (f64, Vec<f64>, Vec<f64>);
    fn borrowed(all: &[Owned]) -> Vec<Product<'_>> {
        fn one((scale, pre, post): &Owned) -> Product<'_> {
            let scale = *scale;
            Product { scale, pre, post }
        }
        all.iter().map(one).collect()
    }
    let cases = [
        (0, 0, 0),
        (1, 0, 0),
        (1, 0, 1),
        (1, 1, 1),
        (0, 1, 0),
        (2, 1, 3),
        (4, 4, 4),
        (1, 0, 2),
        (1, 1, 0),
    ];
    let pre = 5;
    let forms = [(false, false), (true, false), (false, true), (true, true)];
    for (row, (i, u, o), (shrinks, keeps)) in [16, 40, 72]
        .into_iter()
        .flat_map(|row| cases.map(|case| (row, case)))
        .flat_map(|(row, case)| forms.map(|form| (row, case, form)))
    {
        let make = |name: &str, n: usize| -> Vec<Owned> {
            let one = |k| {
                (
                    0.5 + k as f64,
                    numbers(pre, &format!("{name}{k}")),
                    numbers(row, &format!("{k}{name}")),
                )
            };
            (0..n).map(one).collect()
        };
        let (shrink, keep) = (make("s", 1), make("k", 1));
        // The form of traces that a neuron keeps has neither.
        let (share, growth) = if keeps { (0.0, 0.0) } else { (-0.375, 0.125) };
        let (inputs, uses, outer) = (make("i", i), make("u", u), make("o", o));
        let (states, weights) = (numbers(pre * row, "e"), numbers(pre * row, "w"));
        let pass = |arch: Arch| {
            let (mut e, mut w) = (states.clone(), weights.clone());
            let pass = Pass {
                states: &mut e,
                decay: 0.75,
                kept: keeps.then(|| borrowed(&keep)[0]),
                weights: &mut w,
                inputs: &borrowed(&inputs),
                share,
                uses: &borrowed(&uses),
                growth,
                shrink: shrinks.then(|| borrowed(&shrink)[0]),
                outer: &borrowed(&outer),
                row,
                scaled: &mut Vector::default(),
            };
            run(arch, pass);
            (e, w)
        };
        let (e, w) = pass(Arch::new());
        assert_eq!((e.clone(), w.clone()), pass(Arch::Scalar));
        for j in 0..pre {
            for k in 0..row {
                let at = j * row + k;
                let sum =
                    |all: &[Owned]| -> f64 { all.iter().map(|(s, a, b)| s * a[j] * b[k]).sum() };
                let decay = 0.75 + if keeps { sum(&keep) } else { 0.0 };
                let state = decay * states[at] + sum(&inputs);
                let kept = (1.0 + growth) * if shrinks { 1.0 + sum(&shrink) } else { 1.0 };
                let weight = weights[at] * kept + (sum(&uses) + share) * state + sum(&outer);
                // At most ten products of numbers below 20 in size.
                assert!((e[at] - state).abs() < 1e-13 && (w[at] - weight).abs() < 1e-12);
            }
        }
    }
}

/// The shorter forms of a pass do what the whole one does.
#[test]
fn forms_agree() {
    let (pre, row) = (5, 40);
    let (x, y) = (numbers(pre, "x"), numbers(row, "y"));
    let (states, weights) = (numbers(pre * row, "e"), numbers(pre * row, "w"));
    let input = Product {
        scale: 0.25,
        pre: &x,
        post: &y,
    };
    let run = |arch: Arch, share: f64, growth: f64, outer: Product<'_>| {
        let (mut e, mut w) = (states.clone(), weights.clone());
        let pass = Pass {
            states: &mut e,
            decay: 0.75,
            kept: None,
            weights: &mut w,
            inputs: &[input],
            share,
            uses: &[],
            growth,
            shrink: None,
            outer: &[outer],
            row,
            scaled: &mut Vector::default(),
        };
        let form = Form::of(&pass, [input, outer]);
        arch.dispatch(pass);
        (form, e, w)
    };
    let scaled = |scale: f64| Product { scale, ..input };
    let (form, e, w) = run(Arch::new(), 0.0, 0.0, scaled(0.0));
    assert_eq!((form, &w), (Form::Filter, &weights));
    // The same factors elsewhere in memory are not seen to be the same.
    let (x2, y2) = (x.clone(), y.clone());
    let apart = Product {
        scale: 0.5,
        pre: &x2,
        post: &y2,
    };
    let whole = run(Arch::new(), -0.5, -1e-3, apart);
    let short = run(Arch::new(), -0.5, -1e-3, scaled(0.5));
    assert_eq!((whole.0, short.0), (Form::Whole, Form::Deviation));
    assert_eq!(short, run(Arch::Scalar, -0.5, -1e-3, scaled(0.5)));
    assert_eq!(whole.1, e);
    for (a, b) in whole.1.iter().zip(&short.1) {
        assert!((a - b).abs() < 1e-15);
    }
    for (a, b) in whole.2.iter().zip(&short.2) {
        assert!((a - b).abs() < 1e-15);
    }
}
