//! Rules of events alone: weights equal those of a script that goes from event to event, to nine digits.

use apical::plasticity::{Channel, Signal, Signals};

use crate::support::*;

/// All a script needs: its traces decay exactly from one event to the next.
#[derive(Default, Clone)]
struct Script {
    t: f64,
    w: f64,
    /// Fast presynaptic and postsynaptic traces, slow ones, eligibility.
    x: f64,
    y: f64,
    x_slow: f64,
    y_slow: f64,
    c: f64,
    dopamine: Option<Channel>,
}

/// Runs a script over a scene; `happen` is told each event, after `decay` has been told the time since the last.
fn script(
    scene: &Scene,
    w: f64,
    decay: impl Fn(&mut Script, f64),
    happen: impl Fn(&mut Script, &What),
) -> Vec<f64> {
    let mut s = Script {
        w,
        ..Script::default()
    };
    let mut weights = Vec::new();
    for (at, what) in &scene.events {
        let passed = at - s.t;
        decay(&mut s, passed);
        s.t = *at;
        happen(&mut s, what);
        if let What::Pre(_) = what {
            weights.push(s.w);
        }
    }
    let rest = scene.end - s.t;
    decay(&mut s, rest);
    weights.push(s.w);
    weights
}

fn pair_script(scene: &Scene) -> Vec<f64> {
    script(
        scene,
        10.0,
        |s, d| {
            s.x *= (-d / 17.0).exp();
            s.y *= (-d / 30.0).exp();
        },
        |s, what| match what {
            What::Pre(_) => {
                s.w -= 0.12 * s.y;
                s.x += 1.0;
            }
            What::Post(_) => {
                s.w += 0.1 * s.x;
                s.y += 1.0;
            }
            _ => {}
        },
    )
}

const PAIR: &[(&str, &str)] = &[
    ("A_plus", "0.1 pA"),
    ("A_minus", "0.12 pA"),
    ("tau_plus", "17 ms"),
    ("tau_minus", "30 ms"),
];

const TRIPLET: &[(&str, &str)] = &[
    ("A2_plus", "0.01 pA"),
    ("A3_plus", "0.06 pA"),
    ("A2_minus", "0.07 pA"),
    ("A3_minus", "0.002 pA"),
];

const REWARDED: &[(&str, &str)] = &[("A_plus", "1 pA"), ("A_minus", "1.5 pA")];

#[test]
fn a_pair_rule_keeps_one_number_a_synapse() {
    let rule = lazy(&library("stdp-pair", PAIR), None);
    assert_eq!((rule.pre_len(), rule.synapse_len()), (1, 1));
    assert!(!rule.needs_advance());
    assert!(rule.explain().starts_with("lazy"), "{}", rule.explain());
}

#[test]
fn a_pair_before_and_after_gives_the_window() {
    let rule = lazy(&library("stdp-pair", PAIR), None);
    let spike = Signals::of(&[Signal::Spike]);
    let cases: [(f64, f64, f64); 3] = [
        (10.0, 15.0, 0.1 * (-5.0_f64 / 17.0).exp()),
        (15.0, 10.0, -0.12 * (-5.0_f64 / 30.0).exp()),
        // At the same time the presynaptic spike comes first: a full step up.
        (10.0, 10.0, 0.1),
    ];
    for (pre, post, change) in cases {
        let mut events = vec![(pre, What::Pre(spike)), (post, What::Post(spike))];
        events.sort_by(|a, b| a.0.total_cmp(&b.0));
        let scene = Scene {
            events,
            end: 50.0,
            voltages: still,
        };
        let weights = run_lazy(&rule, &scene, 1.0, 0);
        assert!((weights[1] - 1.0 - change).abs() < 1e-14, "{weights:?}");
    }
}

#[test]
fn pairs_equal_the_script_and_the_twin() {
    struct Pair(f64, f64, f64);
    impl Twin for Pair {
        fn step(&mut self, _: f64, dt: f64) {
            self.1 -= dt * self.1 / 17.0;
            self.2 -= dt * self.2 / 30.0;
        }
        fn pre(&mut self, _: Signals) {
            self.0 -= 0.12 * self.2;
            self.1 += 1.0;
        }
        fn post(&mut self, _: Signals, _: f64) {
            self.0 += 0.1 * self.1;
            self.2 += 1.0;
        }
        fn weight(&self) -> f64 {
            self.0
        }
    }
    let rule = lazy(&library("stdp-pair", PAIR), None);
    let scene = Scene::random(3, 60_000.0, 0.0);
    let weights = run_lazy(&rule, &scene, 10.0, 0);
    assert!(difference(&pair_script(&scene), &weights) < 1e-9);
    let scene = Scene::random(3, 5_000.0, 0.5);
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    converges("pair", &weights, |dt| {
        dense(&scene, dt, &mut Pair(0.0, 0.0, 0.0))
    });
}

#[test]
fn an_hour_neither_overflows_nor_loses_digits() {
    let rule = lazy(&library("stdp-pair", PAIR), None);
    let scene = Scene::random(8, 3_600_000.0, 0.0);
    let weights = run_lazy(&rule, &scene, 10.0, 0);
    let error = difference(&pair_script(&scene), &weights);
    println!("after an hour: {error:e}");
    assert!(error < 1e-9);
}

fn triplet_script(scene: &Scene) -> Vec<f64> {
    script(
        scene,
        10.0,
        |s, d| {
            s.x *= (-d / 16.8).exp();
            s.y *= (-d / 33.7).exp();
            s.x_slow *= (-d / 101.0).exp();
            s.y_slow *= (-d / 125.0).exp();
        },
        |s, what| match what {
            What::Pre(_) => {
                s.w -= s.y * (0.07 + 0.002 * s.x_slow);
                s.x += 1.0;
                s.x_slow += 1.0;
            }
            What::Post(_) => {
                s.w += s.x * (0.01 + 0.06 * s.y_slow);
                s.y += 1.0;
                s.y_slow += 1.0;
            }
            _ => {}
        },
    )
}

#[test]
fn triplets_equal_the_script_and_the_twin() {
    #[derive(Default)]
    struct Triplet([f64; 5]);
    impl Twin for Triplet {
        fn step(&mut self, _: f64, dt: f64) {
            for (k, tau) in [(1, 16.8), (2, 33.7), (3, 101.0), (4, 125.0)] {
                self.0[k] -= dt * self.0[k] / tau;
            }
        }
        fn pre(&mut self, _: Signals) {
            self.0[0] -= self.0[2] * (0.07 + 0.002 * self.0[3]);
            self.0[1] += 1.0;
            self.0[3] += 1.0;
        }
        fn post(&mut self, _: Signals, _: f64) {
            self.0[0] += self.0[1] * (0.01 + 0.06 * self.0[4]);
            self.0[2] += 1.0;
            self.0[4] += 1.0;
        }
        fn weight(&self) -> f64 {
            self.0[0]
        }
    }
    let rule = lazy(&library("stdp-triplet", TRIPLET), None);
    let scene = Scene::random(4, 60_000.0, 0.0);
    let weights = run_lazy(&rule, &scene, 10.0, 0);
    let error = difference(&triplet_script(&scene), &weights);
    assert!(error < 1e-9, "{error:e}");
    let scene = Scene::random(4, 5_000.0, 0.5);
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    converges("triplet", &weights, |dt| {
        dense(&scene, dt, &mut Triplet::default())
    });
}

fn rewarded_script(scene: &Scene) -> Vec<f64> {
    script(
        scene,
        10.0,
        |s, d| {
            if let Some(channel) = s.dopamine {
                // ∫ c·d over the interval, both decaying.
                let fall = 1.0 / 1000.0 + channel.rate;
                let level = channel.value * (-channel.rate * (s.t - channel.since)).exp();
                s.w += 0.001 * s.c * level * (1.0 - (-fall * d).exp()) / fall;
            }
            s.c *= (-d / 1000.0).exp();
            s.x *= (-d / 20.0).exp();
            s.y *= (-d / 20.0).exp();
        },
        |s, what| match what {
            What::Pre(_) => {
                s.c -= 1.5 * s.y;
                s.x += 1.0;
            }
            What::Post(_) => {
                s.c += s.x;
                s.y += 1.0;
            }
            What::Change(channel) => s.dopamine = Some(*channel),
            What::Update => {}
        },
    )
}

#[test]
fn dopamine_equals_the_script_and_the_twin() {
    #[derive(Default)]
    struct Rewarded {
        w: f64,
        x: f64,
        y: f64,
        c: f64,
        d: f64,
        fall: f64,
    }
    impl Twin for Rewarded {
        fn step(&mut self, _: f64, dt: f64) {
            self.w += dt * 0.001 * self.c * self.d;
            self.c -= dt * self.c / 1000.0;
            self.d -= dt * self.d * self.fall;
            self.x -= dt * self.x / 20.0;
            self.y -= dt * self.y / 20.0;
        }
        fn pre(&mut self, _: Signals) {
            self.c -= 1.5 * self.y;
            self.x += 1.0;
        }
        fn post(&mut self, _: Signals, _: f64) {
            self.c += self.x;
            self.y += 1.0;
        }
        fn change(&mut self, channel: Channel) {
            (self.d, self.fall) = (channel.value, channel.rate);
        }
        fn weight(&self) -> f64 {
            self.w
        }
    }
    let rule = lazy(&library("r-stdp", REWARDED), None);
    assert!(
        !rule.needs_advance(),
        "a change of dopamine costs no neuron anything"
    );
    let scene = Scene::random(5, 60_000.0, 0.0).with_dopamine(6, 0.0);
    let weights = run_lazy(&rule, &scene, 10.0, 0);
    let error = difference(&rewarded_script(&scene), &weights);
    assert!(error < 1e-9, "{error:e}");
    // Its simplest form gives the same bits: `take` compares them at each arrival.
    let mut run = LazyRun::new(&rule, still, 10.0);
    for (at, what) in &scene.events {
        run.take(*at, *what);
    }
    assert!(run.simple > 1_000, "{}", run.simple);
    let scene = Scene::random(5, 5_000.0, 0.5).with_dopamine(6, 0.5);
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    converges("r-stdp", &weights, |dt| {
        dense(&scene, dt, &mut Rewarded::default())
    });
}

#[test]
fn inhibitory_plasticity_equals_the_script() {
    let given = &[("eta", "0.1 pA"), ("rho", "5 Hz")];
    let rule = lazy(&library("inhibitory-homeostatic", given), None);
    let scene = Scene::random(11, 20_000.0, 0.0);
    let exact = script(
        &scene,
        1.0,
        |s, d| {
            s.x *= (-d / 20.0).exp();
            s.y *= (-d / 20.0).exp();
        },
        |s, what| match what {
            What::Pre(_) => {
                s.w += 0.1 * (s.y - 2.0 * 0.005 * 20.0);
                s.x += 1.0;
            }
            What::Post(_) => {
                s.w += 0.1 * s.x;
                s.y += 1.0;
            }
            _ => {}
        },
    );
    assert!(difference(&exact, &run_lazy(&rule, &scene, 1.0, 0)) < 1e-9);
}

#[test]
fn ojas_rule_equals_the_script() {
    let given = &[("eta", "0.02 pA"), ("w_norm", "2 pA")];
    let rule = lazy(&library("oja", given), None);
    let scene = Scene::random(12, 60_000.0, 0.0);
    let exact = script(
        &scene,
        1.0,
        |s, d| {
            s.x *= (-d / 20.0).exp();
            s.y *= (-d / 20.0).exp();
        },
        |s, what| match what {
            What::Pre(_) => s.x += 1.0,
            What::Post(_) => {
                s.w += 0.02 * (s.x - s.y * s.w / 2.0);
                s.y += 1.0;
            }
            _ => {}
        },
    );
    let error = difference(&exact, &run_lazy(&rule, &scene, 1.0, 0));
    assert!(error < 1e-9, "{error:e}");
}

#[test]
fn bursts_equal_the_script() {
    let given = &[("eta", "0.3 pA"), ("tau_pre", "50 ms"), ("tau_avg", "2 s")];
    let rule = lazy(&library("burst", given), None);
    let scene = Scene::random(13, 60_000.0, 0.0);
    // y_slow and y: decaying sums of events and of bursts; the correction of both is the same.
    let exact = script(
        &scene,
        1.0,
        |s, d| {
            s.x *= (-d / 50.0).exp();
            s.y *= (-d / 2000.0).exp();
            s.y_slow *= (-d / 2000.0).exp();
        },
        |s, what| match what {
            What::Pre(signals) if is(*signals, Signal::Event) => s.x += 1.0,
            What::Post(signals) => {
                let share = if s.y_slow > 0.0 { s.y / s.y_slow } else { 0.0 };
                if is(*signals, Signal::Event) {
                    s.w -= 0.3 * share * s.x;
                    s.y_slow += 1.0;
                }
                if is(*signals, Signal::Burst) {
                    s.w += 0.3 * s.x;
                    s.y += 1.0;
                }
            }
            _ => {}
        },
    );
    let error = difference(&exact, &run_lazy(&rule, &scene, 1.0, 0));
    assert!(error < 1e-9, "{error:e}");
}

#[test]
fn averages_are_corrected_from_the_start() {
    // avg of a train is its rate at once, as far as it is known: here 1/t after one spike at 0+.
    let dw = "(1 pA) * avg(post.spike, 100 ms) * (1 ms) * pre.spike";
    let rule = lazy(&compiled("own", dw, &[]).unwrap(), None);
    let spike = Signals::of(&[Signal::Spike]);
    let scene = Scene {
        events: vec![(1.0, What::Post(spike)), (5.0, What::Pre(spike))],
        end: 10.0,
        voltages: still,
    };
    let low = (-4.0_f64 / 100.0).exp() / 100.0;
    let expected = low / (1.0 - (-5.0_f64 / 100.0).exp());
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    assert!((weights[0] - expected).abs() < 1e-14);
}

#[test]
fn moving_references_at_odd_times_changes_nothing() {
    let burst = &[("eta", "0.3 pA"), ("tau_pre", "50 ms"), ("tau_avg", "2 s")];
    let rules = [
        ("stdp-pair", PAIR),
        ("stdp-triplet", TRIPLET),
        ("r-stdp", REWARDED),
        ("burst", burst),
        ("oja", &[("eta", "0.02 pA"), ("w_norm", "2 pA")]),
    ];
    for (name, given) in rules {
        let rule = lazy(&library(name, given), None);
        let scene = Scene::random(21, 20_000.0, 0.0).with_dopamine(22, 0.0);
        let (few, many) = (
            run_lazy(&rule, &scene, 10.0, 0),
            run_lazy(&rule, &scene, 10.0, 500),
        );
        assert!(
            few.iter()
                .zip(&many)
                .any(|(a, b)| a.to_bits() != b.to_bits()),
            "{name}: nothing was moved"
        );
        let error = difference(&few, &many);
        assert!(error < 1e-10, "{name}: {error:e}");
    }
}

#[test]
fn silent_neurons_are_flushed_a_few_times_only() {
    let rule = lazy(&library("stdp-pair", PAIR), None);
    let spike = Signals::of(&[Signal::Spike]);
    let mut run = LazyRun::new(&rule, still, 1.0);
    run.take(10.0, What::Pre(spike));
    for k in 1..100 {
        run.take(f64::from(k) * 100.0, What::Post(spike));
    }
    assert!((1..=4).contains(&run.flushes), "{}", run.flushes);
}

#[test]
fn bounds_hold_when_a_weight_is_used() {
    let expr = library("stdp-pair", PAIR);
    let rule = apical::plasticity::PlasticRule::new(&expr, None, Some([9.9, 9.95])).unwrap();
    let apical::plasticity::PlasticRule::Lazy(rule) = rule else {
        panic!("not lazy")
    };
    let scene = Scene::random(3, 20_000.0, 0.0);
    let weights = run_lazy(&rule, &scene, 9.93, 0);
    // A weight may leave the bounds between two presynaptic spikes; it is stopped when it is used.
    let exact = script(
        &scene,
        9.93,
        |s, d| {
            s.x *= (-d / 17.0).exp();
            s.y *= (-d / 30.0).exp();
        },
        |s, what| match what {
            What::Pre(_) => {
                s.w = (s.w.clamp(9.9, 9.95) - 0.12 * s.y).clamp(9.9, 9.95);
                s.x += 1.0;
            }
            What::Post(_) => {
                s.w += 0.1 * s.x;
                s.y += 1.0;
            }
            _ => {}
        },
    );
    let used = weights.len() - 1;
    assert!(difference(&exact[..used], &weights[..used]) < 1e-12);
    assert!(weights.iter().any(|w| *w <= 9.9) && weights.iter().any(|w| *w > 9.94));
}
