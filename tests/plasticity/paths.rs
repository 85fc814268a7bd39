//! The lazy and the general path give the same weights; what is not separable takes the general one.

use apical::plasticity::{PlasticRule, Signal};

use crate::support::*;

/// Rules and their largest accepted differences: the general path integrates by steps what is smooth.
fn cases() -> Vec<(&'static str, f64)> {
    let pair = "(0.1 pA) * trace(pre.spike, 17 ms) * post.spike - (0.12 pA) * trace(post.spike, 30 ms) * pre.spike";
    vec![
        (pair, 1e-11),
        // Eligibility and a modulator.
        (
            "(1 Hz) * dopamine * trace((1 pA) * trace(pre.spike, 20 ms) * post.spike, 300 ms)",
            1e-7,
        ),
        // A filter that is faster than the trace it follows.
        (
            "(10 Hz) * trace((1 pA) * trace(pre.spike, 40 ms) * post.spike, 11 ms)",
            1e-7,
        ),
        // Smooth products of traces, with modulators: closed forms.
        (
            "(1 pA) * (10 Hz) * dopamine * trace(pre.spike, 20 ms) * trace(post.spike, 30 ms)",
            1e-7,
        ),
        (
            "(1 pA) * (10 Hz) * trace(pre.spike, 20 ms) * trace(post.spike, 30 ms)^2",
            1e-7,
        ),
        // Voltages: quadrature.
        (
            "(0.001 pA) / (1 ms) * exp((dend + 60 mV) / (4 mV)) * trace(pre.spike, 20 ms)",
            1e-7,
        ),
        (
            "(0.001 pA) / (1 ms) * lowpass(dend + 60 mV, 15 ms) / (1 mV) * trace(pre.spike, 20 ms)",
            1e-7,
        ),
        (
            "(0.01 pA) * lowpass((post.spike - (20 Hz) * exp((dend + 60 mV) / (4 mV))) * trace(pre.spike, 10 ms), 100 ms) * dopamine",
            1e-7,
        ),
        // A voltage at the moment of a spike, a low-pass filtered voltage at the moment of another.
        (
            "(0.01 pA) / (1 mV) * (dend + 60 mV) * trace(pre.spike, 20 ms) * post.spike",
            1e-7,
        ),
        (
            "(0.01 pA) / (1 mV) * (lowpass(dend, 30 ms) + 60 mV) * pre.spike",
            1e-7,
        ),
        // The weight's own decay, and its scaling by postsynaptic events.
        (
            "(0.1 pA) * trace(pre.spike, 17 ms) * post.spike - w / (400 ms)",
            1e-7,
        ),
        (
            "(0.1 pA) * trace(pre.spike, 17 ms) * post.spike - w / (400 ms) - 0.05 * w * post.spike",
            1e-7,
        ),
        (
            "(0.1 pA) * trace(pre.spike, 17 ms) * trace(post.spike, 20 ms) * (10 Hz) - 0.05 * w * post.spike",
            1e-7,
        ),
        (
            "(1 Hz) * dopamine * trace((1 pA) * trace(pre.spike, 20 ms) * post.spike, 300 ms) - w / (900 ms)",
            1e-7,
        ),
        // The weight at presynaptic events, filters of filters, constants.
        (
            "(0.1 pA) * trace(pre.spike, 17 ms) * post.spike - 0.05 * w * trace(post.spike, 20 ms) * pre.spike",
            1e-11,
        ),
        (
            "(0.1 pA) * lowpass(trace(pre.spike, 17 ms), 50 ms) * post.spike - (0.001 pA) * pre.spike",
            1e-11,
        ),
        ("(0.001 pA) / (1 ms) - (0.01 pA) * post.spike", 1e-7),
        // avg decays otherwise than exponentially.
        (
            "(0.1 pA) * avg(pre.spike, 100 ms) * (10 ms) * post.spike",
            1e-11,
        ),
        (
            "(0.01 pA) * avg(post.spike, 100 ms) * trace(pre.spike, 20 ms)",
            1e-6,
        ),
    ]
}

#[test]
fn lazy_and_general_paths_agree() {
    for (dw, most) in cases() {
        let expr = compiled("own", dw, &[]).unwrap_or_else(|e| panic!("{dw}: {e}"));
        let mut scene = Scene::random(31, 3_000.0, 0.0).with_dopamine(32, 0.0);
        scene.voltages = waves;
        let fast = run_lazy(&lazy(&expr, None), &scene, 1.0, 0);
        let slow = run_general(
            &PlasticRule::general(&expr, None, None).unwrap(),
            &scene,
            1.0,
        );
        assert!(
            fast.iter().any(|w| (w - fast[0]).abs() > 1e-3),
            "{dw} does nothing"
        );
        let error = difference(&slow, &fast);
        println!("{error:9.1e} {dw}");
        assert!(error < most, "{dw}: {error:e}");
        let moved = run_lazy(&lazy(&expr, None), &scene, 1.0, 60);
        let error = difference(&fast, &moved);
        assert!(error < 1e-9, "{dw}: moving references makes {error:e}");
    }
}

#[test]
fn soft_bounds_take_the_general_path_and_equal_a_script() {
    let dw = "0.1 * ((5 pA) - w) * trace(pre.spike, 17 ms) * post.spike - 0.1 * w * trace(post.spike, 30 ms) * pre.spike";
    let expr = compiled("own", dw, &[]).unwrap();
    let PlasticRule::General(rule) = PlasticRule::new(&expr, None, None).unwrap() else {
        panic!("soft bounds depend on both sides")
    };
    let reason = "because the weight is multiplied by what depends on both of its neurons";
    assert!(rule.explain().ends_with(reason), "{}", rule.explain());
    assert!(!rule.needs_advance());
    let scene = Scene::random(41, 20_000.0, 0.0);
    let (mut t, mut x, mut y, mut w) = (0.0, 0.0, 0.0, 1.0);
    let mut exact = Vec::new();
    for (at, what) in &scene.events {
        x *= ((t - at) / 17.0_f64).exp();
        y *= ((t - at) / 30.0_f64).exp();
        t = *at;
        match what {
            What::Pre(_) => {
                w -= 0.1 * w * y;
                x += 1.0;
                exact.push(w);
            }
            _ => {
                w += 0.1 * (5.0 - w) * x;
                y += 1.0;
            }
        }
    }
    exact.push(w);
    assert!(difference(&exact, &run_general(&rule, &scene, 1.0)) < 1e-11);
}

#[test]
fn what_is_not_separable_says_why() {
    for (dw, reason) in [
        (
            "(1 pA) * exp(-trace(pre.spike, 20 ms)) * post.spike",
            "its presynaptic side is no sum of products of traces",
        ),
        (
            "(1 pA) * max(trace(pre.spike, 20 ms), trace(post.spike, 20 ms)) * post.spike",
            "a function mixes its presynaptic and postsynaptic sides",
        ),
        (
            "w^2 * post.spike / (1 pA)",
            "it is not linear in its own weight",
        ),
        (
            "-w * dopamine * (1 Hz)",
            "the weight decays at a rate that changes with time",
        ),
        (
            "lowpass(lowpass((1 pA) * trace(pre.spike, 20 ms) * post.spike, 50 ms), 90 ms) * (1 Hz) * (1 ms)",
            "a filter at the synapse follows another",
        ),
        (
            "trace((1 pA) * trace(pre.spike, 20 ms) * post.spike, 50 ms) * trace(post.spike, 9 ms) * (1 Hz)",
            "a filter at the synapse is multiplied by what one of its neurons does",
        ),
    ] {
        let expr = compiled("own", dw, &[]).unwrap_or_else(|e| panic!("{dw}: {e}"));
        match PlasticRule::new(&expr, None, None).unwrap() {
            PlasticRule::General(rule) => {
                assert!(rule.explain().contains(reason), "{dw}: {}", rule.explain())
            }
            PlasticRule::Lazy(rule) => panic!("{dw}: {}", rule.explain()),
        }
    }
}

#[test]
fn plans_and_states_survive_being_written() {
    let rule = lazy(
        &library("r-stdp", &[("A_plus", "1 pA"), ("A_minus", "1.5 pA")]),
        None,
    );
    let text = serde_json::to_string(&PlasticRule::Lazy(Box::new(rule.clone()))).unwrap();
    let PlasticRule::Lazy(back) = serde_json::from_str(&text).unwrap() else {
        panic!("another path")
    };
    assert_eq!(*back, rule);
    assert!(rule.pre_signals() == apical::plasticity::Signals::of(&[Signal::Spike]));
}
