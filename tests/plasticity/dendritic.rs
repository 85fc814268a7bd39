//! The rule of Urbanczik and Senn against its integral on a fine grid.

use apical::plasticity::{Arrival, Channel, LazyRule, Moment, Signal, Signals};

use crate::support::*;

const C: f64 = 300.0;
const G_L: f64 = 30.0;
const G_SP: f64 = 600.0;
const REST: f64 = -70.0;
const TAU_SYN: f64 = 3.0;
const TAU_M: f64 = C / G_L;
const PRE: [f64; 2] = [1.0, 98.0];

const GIVEN: &[(&str, &str)] = &[("eta", "0.75 pA"), ("g_D", "600 nS"), ("g_L", "30 nS")];

/// The dendrite's response (mV) to an exponential current of 1 pA.
fn kernel() -> [(f64, f64); 2] {
    let size = TAU_M * TAU_SYN / (TAU_M - TAU_SYN) / C;
    [(size, 1.0 / TAU_M), (-size, 1.0 / TAU_SYN)]
}

fn psp(t: f64) -> f64 {
    if t <= 0.0 {
        return 0.0;
    }
    let size = TAU_M * TAU_SYN / (TAU_M - TAU_SYN) / C;
    size * ((-t / TAU_M).exp() - (-t / TAU_SYN).exp())
}

/// The dendrite, whose synapse has the weight `w[i]` at its i-th spike.
fn dendrite(t: f64, w: [f64; 2]) -> f64 {
    REST + w[0] * psp(t - PRE[0]) + w[1] * psp(t - PRE[1])
}

fn phi(v: f64) -> f64 {
    0.15 / (1.0 + 0.5 * ((-55.0 - v) / 3.0).exp())
}

/// φ'/φ by a difference quotient: not the formula of the rule.
fn h(v: f64) -> f64 {
    let d = 1e-4;
    (phi(v + d).ln() - phi(v - d).ln()) / (2.0 * d)
}

fn prediction(v: f64) -> f64 {
    (G_SP * v + G_L * REST) / (G_SP + G_L)
}

/// Times at which the soma spikes: it is driven from 10 to 50 ms, and spikes whenever its hazard has grown by 1.
fn spikes() -> Vec<f64> {
    let (mut u, mut hazard, mut times) = (REST, 0.5, Vec::new());
    let dt = 0.001;
    for k in 0..150_000 {
        let t = f64::from(k) * dt;
        let drive = if (10.0..50.0).contains(&t) {
            12_000.0
        } else {
            0.0
        };
        let dendrite = dendrite(t, [100.0, 100.0]);
        u += dt * (-G_L * (u - REST) + G_SP * (dendrite - u) + drive) / C;
        hazard += dt * phi(u);
        if hazard >= 1.0 {
            hazard -= 1.0;
            times.push(t);
        }
    }
    times
}

/// Weight at `end` from the integral of the paper: PI(s)·(1 − e^(−(end − s)/τ_Δ)), spikes as jumps.
fn integral(end: f64, w: [f64; 2], spikes: &[f64]) -> f64 {
    let psps = |t: f64| psp(t - PRE[0]) + psp(t - PRE[1]);
    let left = |t: f64| 1.0 - (-(end - t) / 100.0).exp();
    let smooth = |t: f64| {
        let v = prediction(dendrite(t, w));
        -phi(v) * h(v) * psps(t) * left(t)
    };
    let dt = 0.002;
    let mut sum = 0.0;
    for k in 0..(end / dt).round() as usize {
        sum += dt * smooth((k as f64 + 0.5) * dt);
    }
    for t in spikes.iter().filter(|t| **t < end) {
        sum += h(prediction(dendrite(*t, w))) * psps(*t) * left(*t);
    }
    w[0] + 0.75 * sum
}

/// Runs the rule; the dendrite sees the weight as it is at the second presynaptic spike.
fn lazily(rule: &LazyRule, spikes: &[f64], ends: &[f64]) -> (Vec<f64>, [f64; 2]) {
    let mut shared = vec![0.0; rule.shared_len()];
    let mut post = vec![0.0; rule.post_len()];
    let mut synapse = vec![0.0; rule.synapse_len()];
    let mut pre = vec![0.0; rule.pre_len()];
    rule.start_shared(&mut shared, 0.0);
    rule.start_post(&mut post);
    rule.start_synapse(&mut synapse);
    let channels: [Channel; 1] = [Channel::constant(0.0)];
    let (mut w, mut seen, mut last, mut here) = (100.0, [100.0, 0.0], f64::NEG_INFINITY, 0.0);
    let mut arrival = Arrival::default();
    let spike = Signals::of(&[Signal::Spike]);
    let mut events: Vec<(f64, u8)> = PRE.iter().map(|t| (*t, 0)).collect();
    events.extend(spikes.iter().map(|t| (*t, 1)));
    events.extend(ends.iter().map(|t| (*t, 2)));
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut weights = Vec::new();
    for (at, what) in events {
        loop {
            let (due, class) = rule.next_rebase(&shared);
            let goal = due.min(at);
            let now = Moment {
                shared: &shared,
                channels: &channels,
                at: goal,
            };
            let from = here;
            let mut course =
                |offset: f64, into: &mut [f64]| into[0] = dendrite(from + offset, seen);
            rule.advance_post(&mut post, from, now, &mut course);
            here = goal;
            if due > at {
                break;
            }
            if rule.needs_flush(class, goal - last) {
                rule.arrive(&mut arrival, &pre, goal - last, Signals::NONE, now);
                rule.flush(class, &arrival, &post, &mut synapse, &mut w);
            }
            rule.rebase_post(class, &mut post, now);
            rule.rebase_shared(class, &mut shared, &channels, goal);
        }
        let now = Moment {
            shared: &shared,
            channels: &channels,
            at,
        };
        let voltage = [dendrite(at, seen)];
        match what {
            0 => {
                rule.arrive(&mut arrival, &pre, at - last, spike, now);
                rule.deliver(&arrival, &post, &voltage, &mut synapse, &mut w);
                rule.pre_event(&mut pre, spike, at - last);
                if at > 50.0 {
                    seen[1] = w;
                }
                last = at;
            }
            1 => rule.post_event(&mut post, spike, &voltage, now),
            _ => {
                rule.arrive(&mut arrival, &pre, at - last, Signals::NONE, now);
                weights.push(rule.weight_at(&arrival, &post, &synapse, w));
            }
        }
    }
    (weights, seen)
}

#[test]
fn the_weight_follows_the_papers_integral() {
    let rule = lazy(&library("urbanczik-senn", GIVEN), Some(&kernel()));
    assert!(rule.needs_advance());
    let spikes = spikes();
    assert!(spikes.len() > 2, "{spikes:?}");
    let ends = [20.0, 50.0, 97.0, 150.0, 400.0];
    let (weights, seen) = lazily(&rule, &spikes, &ends);
    for (end, w) in ends.iter().zip(&weights) {
        let exact = integral(*end, seen, &spikes);
        let error = ((w - exact) / (exact - 100.0)).abs();
        println!("{end} ms: {w} against {exact}: the change differs by {error:.1e}");
        assert!(error < 1e-6, "{end} ms: {error:e}");
    }
}

#[test]
fn a_time_stepped_twin_converges_to_it() {
    struct Dendritic {
        w: f64,
        low: f64,
        parts: [f64; 2],
    }
    impl Twin for Dendritic {
        fn step(&mut self, t: f64, dt: f64) {
            let v = prediction(waves(t)[0]);
            let psp = kernel()[0].0 * (self.parts[0] - self.parts[1]);
            self.w += dt * 0.75 * self.low;
            self.low += dt * (-phi(v) * h(v) * psp - self.low) / 100.0;
            self.parts[0] -= dt * self.parts[0] / TAU_M;
            self.parts[1] -= dt * self.parts[1] / TAU_SYN;
        }
        fn pre(&mut self, _: Signals) {
            self.parts[0] += 1.0;
            self.parts[1] += 1.0;
        }
        fn post(&mut self, _: Signals, t: f64) {
            let v = prediction(waves(t)[0]);
            let psp = kernel()[0].0 * (self.parts[0] - self.parts[1]);
            self.low += h(v) * psp / 100.0;
        }
        fn weight(&self) -> f64 {
            self.w
        }
    }
    let rule = lazy(&library("urbanczik-senn", GIVEN), Some(&kernel()));
    let mut scene = Scene::random(51, 2_000.0, 0.5);
    scene.voltages = waves;
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    converges("urbanczik-senn", &weights, |dt| {
        let mut twin = Dendritic {
            w: 0.0,
            low: 0.0,
            parts: [0.0; 2],
        };
        dense(&scene, dt, &mut twin)
    });
}
