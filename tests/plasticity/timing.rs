//! How long one call takes. Run with `cargo test --release --test plasticity -- --ignored --nocapture timing`.

use std::hint::black_box;
use std::time::Instant;

use apical::plasticity::{Arrival, Channel, LazyRule, Moment, Signal, Signals};

use crate::support::*;

const SYNAPSES: usize = 1000;

fn time(name: &str, rule: &LazyRule) {
    let mut shared = vec![0.0; rule.shared_len()];
    rule.start_shared(&mut shared, 0.0);
    let channels = [Channel::constant(0.5)];
    let spike = Signals::of(&[Signal::Spike, Signal::Event]);
    let (posts, each) = (rule.post_len(), rule.synapse_len());
    let mut post = vec![0.0; posts * SYNAPSES];
    post.chunks_mut(posts).for_each(|p| rule.start_post(p));
    let mut synapses = vec![0.0; each * SYNAPSES];
    synapses
        .chunks_mut(each)
        .for_each(|s| rule.start_synapse(s));
    let mut weights = vec![1.0; SYNAPSES];
    let pre = vec![1.0; rule.pre_len()];
    let mut arrival = Arrival::default();
    let rounds = 400;
    let (mut arrive, mut deliver, mut events, mut advance) = (0.0, 0.0, 0.0, 0.0);
    for k in 0..rounds {
        let at = 0.01 * f64::from(k);
        let now = Moment {
            shared: &shared,
            channels: &channels,
            at,
        };
        let start = Instant::now();
        for p in post.chunks_mut(posts) {
            rule.post_event(p, spike, &[-60.0], now);
        }
        events += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for p in post.chunks_mut(posts) {
            let mut course = |_: f64, into: &mut [f64]| into.fill(-60.0);
            rule.advance_post(p, at - 0.5, now, &mut course);
        }
        advance += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for _ in 0..SYNAPSES {
            rule.arrive(&mut arrival, black_box(&pre), 3.0, spike, now);
        }
        arrive += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for ((p, s), w) in post
            .chunks(posts)
            .zip(synapses.chunks_mut(each))
            .zip(&mut weights)
        {
            rule.deliver(&arrival, p, &[-60.0], s, w);
        }
        deliver += start.elapsed().as_secs_f64();
    }
    black_box(&weights);
    let ns = |total: f64| 1e9 * total / f64::from(rounds) / SYNAPSES as f64;
    println!(
        "{name:24} deliver {:6.1} ns, post_event {:6.1} ns, arrive {:6.1} ns, advance by 0.5 ms {:7.1} ns; {} bytes a synapse with its target",
        ns(deliver),
        ns(events),
        ns(arrive),
        ns(advance),
        8 * each + 8 + 4
    );
}

#[test]
#[ignore = "measures"]
fn timing() {
    let pair: &[(&str, &str)] = &[("A_plus", "0.1 pA"), ("A_minus", "0.12 pA")];
    let triplet: &[(&str, &str)] = &[
        ("A2_plus", "0.01 pA"),
        ("A3_plus", "0.06 pA"),
        ("A2_minus", "0.07 pA"),
        ("A3_minus", "0.002 pA"),
    ];
    let dendritic: &[(&str, &str)] = &[("eta", "0.75 pA"), ("g_D", "600 nS"), ("g_L", "30 nS")];
    let kernel = [(0.014, 0.1), (-0.014, 1.0 / 3.0)];
    time("stdp-pair", &lazy(&library("stdp-pair", pair), None));
    time(
        "stdp-triplet",
        &lazy(&library("stdp-triplet", triplet), None),
    );
    time("r-stdp", &lazy(&library("r-stdp", pair), None));
    time(
        "urbanczik-senn",
        &lazy(&library("urbanczik-senn", dendritic), Some(&kernel)),
    );
}
