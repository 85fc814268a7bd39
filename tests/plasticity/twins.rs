//! Time-stepped twins of the rules for bursts, inhibition and normalised weights: Euler's method with a step that shrinks.

use apical::plasticity::{Signal, Signals};

use crate::support::*;

#[test]
fn a_twin_of_the_burst_rule_converges_to_it() {
    /// The averages as they are defined: low-pass filters of the trains, over how far such a filter has come by then.
    #[derive(Default)]
    struct Bursting {
        w: f64,
        x: f64,
        events: f64,
        bursts: f64,
        come: f64,
    }
    impl Twin for Bursting {
        fn step(&mut self, _: f64, dt: f64) {
            self.x -= dt * self.x / 50.0;
            self.events -= dt * self.events / 2000.0;
            self.bursts -= dt * self.bursts / 2000.0;
            self.come += dt * (1.0 - self.come) / 2000.0;
        }
        fn pre(&mut self, signals: Signals) {
            if is(signals, Signal::Event) {
                self.x += 1.0;
            }
        }
        fn post(&mut self, signals: Signals, _: f64) {
            let [events, bursts] = [self.events, self.bursts].map(|low| low / self.come);
            if is(signals, Signal::Event) {
                let share = if events > 0.0 { bursts / events } else { 0.0 };
                self.w -= 0.3 * share * self.x;
                self.events += 1.0 / 2000.0;
            }
            if is(signals, Signal::Burst) {
                self.w += 0.3 * self.x;
                self.bursts += 1.0 / 2000.0;
            }
        }
        fn weight(&self) -> f64 {
            self.w
        }
    }
    let given = &[("eta", "0.3 pA"), ("tau_pre", "50 ms"), ("tau_avg", "2 s")];
    let rule = lazy(&library("burst", given), None);
    let scene = Scene::random(13, 10_000.0, 0.5);
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    converges("burst", &weights, |dt| {
        dense(&scene, dt, &mut Bursting::default())
    });
}

#[test]
fn a_twin_of_inhibitory_plasticity_converges_to_it() {
    #[derive(Default)]
    struct Homeostatic {
        w: f64,
        x: f64,
        y: f64,
    }
    impl Twin for Homeostatic {
        fn step(&mut self, _: f64, dt: f64) {
            self.x -= dt * self.x / 20.0;
            self.y -= dt * self.y / 20.0;
        }
        fn pre(&mut self, _: Signals) {
            // α = 2·ρ₀·τ with 5 Hz and 20 ms.
            self.w += 0.1 * (self.y - 0.2);
            self.x += 1.0;
        }
        fn post(&mut self, _: Signals, _: f64) {
            self.w += 0.1 * self.x;
            self.y += 1.0;
        }
        fn weight(&self) -> f64 {
            self.w
        }
    }
    let given = &[("eta", "0.1 pA"), ("rho", "5 Hz")];
    let rule = lazy(&library("inhibitory-homeostatic", given), None);
    let scene = Scene::random(11, 5_000.0, 0.5);
    let weights = run_lazy(&rule, &scene, 0.0, 0);
    converges("inhibitory-homeostatic", &weights, |dt| {
        dense(&scene, dt, &mut Homeostatic::default())
    });
}

#[test]
fn a_twin_of_ojas_rule_converges_to_it() {
    struct Oja {
        w: f64,
        x: f64,
        y: f64,
    }
    impl Twin for Oja {
        fn step(&mut self, _: f64, dt: f64) {
            self.x -= dt * self.x / 20.0;
            self.y -= dt * self.y / 20.0;
        }
        fn pre(&mut self, _: Signals) {
            self.x += 1.0;
        }
        fn post(&mut self, _: Signals, _: f64) {
            self.w += 0.02 * (self.x - self.y * self.w / 2.0);
            self.y += 1.0;
        }
        fn weight(&self) -> f64 {
            self.w
        }
    }
    let given = &[("eta", "0.02 pA"), ("w_norm", "2 pA")];
    let rule = lazy(&library("oja", given), None);
    let scene = Scene::random(12, 5_000.0, 0.5);
    let weights = run_lazy(&rule, &scene, 1.0, 0);
    converges("oja", &weights, |dt| {
        let mut twin = Oja {
            w: 1.0,
            x: 0.0,
            y: 0.0,
        };
        dense(&scene, dt, &mut twin)
    });
}
