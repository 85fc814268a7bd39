//! Spiking neurons against an independent integration: thresholds, grazes, parameters, teaching.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use apical::engine::event::simulation::{Simulation, Unobserved};
use apical::engine::event::time::from_ms;
use event_support::{Random, program, run, sampled, times_of};

type Matrix = Vec<Vec<f64>>;

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let n = a.len();
    let entry = |i: usize, j: usize| (0..n).map(|k| a[i][k] * b[k][j]).sum();
    (0..n)
        .map(|i| (0..n).map(|j| entry(i, j)).collect())
        .collect()
}

/// e^(A·t), by scaling, the Taylor series and squaring.
fn exponential(a: &Matrix, t: f64) -> Matrix {
    let n = a.len();
    let norm = a
        .iter()
        .map(|row| row.iter().map(|x| x.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let halvings = (norm * t).log2().ceil().max(0.0) as i32 + 4;
    let h = t / 2_f64.powi(halvings);
    let identity = |i: usize, j: usize| f64::from(u8::from(i == j));
    let mut sum: Matrix = (0..n)
        .map(|i| (0..n).map(|j| identity(i, j)).collect())
        .collect();
    let mut term = sum.clone();
    for k in 1..14 {
        term = product(&term, a);
        term.iter_mut()
            .flatten()
            .for_each(|x| *x *= h / f64::from(k));
        for (row, add) in sum.iter_mut().zip(&term) {
            row.iter_mut().zip(add).for_each(|(x, y)| *x += y);
        }
    }
    (0..halvings).for_each(|_| sum = product(&sum, &sum));
    sum
}

fn apply(m: &Matrix, x: &[f64]) -> Vec<f64> {
    m.iter()
        .map(|row| row.iter().zip(x).map(|(m, x)| m * x).sum())
        .collect()
}

/// x after t (ms), where x′ = A·x and the last of x is the constant 1.
fn flow(a: &Matrix, x: &[f64], t: f64) -> Vec<f64> {
    apply(&exponential(a, t), x)
}

/// A neuron of two compartments with adaptation, an exponential current at the soma and an alpha current at the apical
/// compartment. Variables: soma, apical, w, exponential current, alpha current, what feeds it, 1.
struct Neuron {
    c: [f64; 2],
    g: [f64; 2],
    coupling: f64,
    bias: f64,
    adaptation: [f64; 3],
    tau: [f64; 2],
    threshold: f64,
    reset: f64,
    kick: f64,
    refractory: f64,
}

impl Neuron {
    fn random(random: &mut Random, seed: usize) -> Neuron {
        let mut between = |low, high| random.between(low, high);
        Neuron {
            c: [between(100.0, 300.0), between(50.0, 300.0)],
            g: [between(5.0, 30.0), between(3.0, 20.0)],
            // Some are plain neurons: nothing coupled, nothing adapts.
            coupling: if seed.is_multiple_of(3) {
                0.0
            } else {
                between(1.0, 50.0)
            },
            bias: between(0.0, 250.0),
            adaptation: if seed.is_multiple_of(4) {
                [0.0, 0.0, 50.0]
            } else {
                [between(-1.0, 6.0), between(0.0, 80.0), between(20.0, 300.0)]
            },
            tau: [between(0.5, 10.0), between(0.5, 8.0)],
            threshold: between(-58.0, -50.0),
            reset: between(-75.0, -60.0),
            kick: between(-3.0, 8.0),
            refractory: if seed.is_multiple_of(5) {
                0.0
            } else {
                between(0.5, 5.0)
            },
        }
    }

    fn text(&self, times: &[Vec<f64>; 2], weights: [f64; 2]) -> String {
        let Neuron {
            c,
            g,
            coupling,
            bias,
            adaptation,
            tau,
            threshold,
            reset,
            kick,
            refractory,
        } = self;
        let [a, b, tau_w] = adaptation;
        format!(
            r#"
[neuron.two]
soma = {{ capacitance = "{} pF", leak = "{} nS", rest = "-70 mV", current = "-w" }}
apical = {{ capacitance = "{} pF", leak = "{} nS", rest = "-70 mV", couples = {{ to = "soma", by = "{coupling} nS" }} }}
w = {{ derivative = "({a} nS * (soma + 70 mV) - w) / ({tau_w} ms)", start = "0 pA" }}
receptor.e = {{ on = ["soma"], current = "exponential", tau = "{} ms" }}
receptor.a = {{ on = ["apical"], current = "alpha", tau = "{} ms" }}
spike = {{ when = "soma > {threshold} mV", reset = {{ soma = "{reset} mV" }}, add = {{ w = "{b} pA", apical = "{kick} mV" }}, refractory = "{refractory} ms" }}
[population.cell]
neuron = "two"
size = 1
soma.bias = "{bias} pA"
[population.source]
neuron = "listed"
size = 1
times = [{:?}]
[projection.E]
from = "source"
to = "cell.soma"
weight = "{} pA"
delay = "1 ms"
[population.other]
neuron = "listed"
size = 1
times = [{:?}]
[projection.A]
from = "other"
to = "cell.apical"
weight = "{} pA"
delay = "1 ms"
"#,
            c[0], g[0], c[1], g[1], tau[0], tau[1], times[0], weights[0], times[1], weights[1]
        )
    }

    /// x′ = A·x; while it is refractory the soma is held.
    fn matrix(&self, held: bool) -> Matrix {
        let ([c, d], [g, h], k) = (self.c, self.g, self.coupling);
        let [a, _, tau_w] = self.adaptation;
        let [te, ta] = self.tau;
        let soma = vec![
            -(g + k) / c,
            k / c,
            -1.0 / c,
            1.0 / c,
            0.0,
            0.0,
            (-70.0 * g + self.bias) / c,
        ];
        vec![
            if held { vec![0.0; 7] } else { soma },
            vec![k / d, -(h + k) / d, 0.0, 0.0, 1.0 / d, 0.0, -70.0 * h / d],
            vec![
                a / tau_w,
                0.0,
                -1.0 / tau_w,
                0.0,
                0.0,
                0.0,
                70.0 * a / tau_w,
            ],
            vec![0.0, 0.0, 0.0, -1.0 / te, 0.0, 0.0, 0.0],
            vec![0.0, 0.0, 0.0, 0.0, -1.0 / ta, 1.0, 0.0],
            vec![0.0, 0.0, 0.0, 0.0, 0.0, -1.0 / ta, 0.0],
            vec![0.0; 7],
        ]
    }

    /// Spikes (ps) by a dense scan, each located by bisection, with arrivals (ps) of the two kinds.
    fn spikes(&self, arrivals: &[(i64, usize)], weights: [f64; 2], end: i64) -> Vec<i64> {
        const STEP: i64 = 20_000_000;
        let systems = [self.matrix(false), self.matrix(true)];
        let steps = [false, true].map(|held| exponential(&systems[usize::from(held)], 0.02));
        let mut x = vec![-70.0, -70.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let (mut now, mut free) = (0, i64::MIN);
        let mut spikes = Vec::new();
        let mut arrivals = arrivals.iter().peekable();
        while now < end {
            while let Some((_, kind)) = arrivals.next_if(|(t, _)| *t == now) {
                match kind {
                    0 => x[3] += weights[0],
                    _ => x[5] += weights[1] * std::f64::consts::E / self.tau[1],
                }
            }
            let held = now < free;
            let mut next = arrivals.peek().map_or(end, |(t, _)| *t).min(end);
            if held {
                next = next.min(free);
            }
            let (system, whole) = (&systems[usize::from(held)], &steps[usize::from(held)]);
            let to = next.min(now + STEP);
            let at = |ps: i64| flow(system, &x, ps as f64 * 1e-9);
            let later = if to - now == STEP {
                apply(whole, &x)
            } else {
                at(to - now)
            };
            if !held && later[0] >= self.threshold {
                // The first whole picosecond at or above the threshold.
                let (mut low, mut high) = (-1, to - now);
                while high - low > 1 {
                    let middle = (low + high) / 2;
                    if at(middle)[0] >= self.threshold {
                        high = middle;
                    } else {
                        low = middle;
                    }
                }
                x = at(high);
                now += high;
                spikes.push(now);
                x[0] = self.reset;
                x[1] += self.kick;
                x[2] += self.adaptation[1];
                free = now + from_ms(self.refractory);
                continue;
            }
            x = later;
            now = to;
        }
        spikes
    }
}

#[test]
fn random_neurons_spike_when_a_dense_scan_says_and_never_miss_a_threshold() {
    let mut random = Random(11);
    let mut count = 0;
    for seed in 0..24 {
        let neuron = Neuron::random(&mut random, seed);
        let mut times = [vec![], vec![]];
        let mut arrivals = Vec::new();
        for (kind, times) in times.iter_mut().enumerate() {
            let mut t = 0;
            loop {
                t += (-4e9 * (1.0 - random.unit()).ln()) as i64 + 1;
                if t >= 98_000_000_000 {
                    break;
                }
                times.push(t as f64 * 1e-9);
                arrivals.push((t + 1_000_000_000, kind));
            }
        }
        arrivals.sort_unstable();
        let weights = [random.between(50.0, 400.0), random.between(-200.0, 400.0)];
        let expected = neuron.spikes(&arrivals, weights, 100_000_000_000);
        let program = program(&neuron.text(&times, weights));
        let emitted = run(&program, 100.0);
        let found: Vec<i64> = emitted
            .iter()
            .filter(|e| e.neuron == 0)
            .map(|e| e.time)
            .collect();
        count += expected.len();
        assert_eq!(
            found.len(),
            expected.len(),
            "neuron {seed}: {found:?} and not {expected:?}"
        );
        for (found, expected) in found.iter().zip(&expected) {
            // A spike a picosecond late moves the next one by as much or less; all within 1e-9 ms of the root.
            assert!(
                (found - expected).abs() <= 2,
                "neuron {seed}: {found} and not {expected}"
            );
        }
    }
    assert!(count > 200, "{count} spikes");
}

#[test]
fn a_graze_between_two_inputs_is_a_spike() {
    // A narrow peak that passes the threshold by 1e-9 mV between two samples of any grid; a hair less is none.
    let text = |threshold: f64| {
        format!(
            r#"
[neuron.n]
soma = {{ capacitance = "100 pF", leak = "10 nS", rest = "0 mV" }}
receptor.r = {{ on = ["soma"], current = "exponential", tau = "2 ms" }}
spike = {{ when = "soma > {threshold:.15} mV", reset = {{ soma = "0 mV" }}, refractory = "50 ms" }}
[population.cell]
neuron = "n"
size = 1
[population.a]
neuron = "listed"
size = 1
times = [[1, 9]]
[projection.P]
from = "a"
to = "cell.soma"
weight = "100 pA"
delay = "1 ms"
"#
        )
    };
    // w/C · (e^(−t/10) − e^(−t/2))/(1/2 − 1/10), largest at t = ln(5)/(1/2 − 1/10).
    let peak_at = 5_f64.ln() / 0.4;
    let peak = ((-peak_at / 10.0).exp() - (-peak_at / 2.0).exp()) / 0.4;
    let spikes = times_of(&run(&program(&text(peak - 1e-9)), 9.9), 0);
    assert_eq!(spikes.len(), 1);
    assert!((spikes[0] - 2.0 - peak_at).abs() < 1e-3);
    assert_eq!(
        run(&program(&text(peak + 1e-9)), 9.9)
            .iter()
            .filter(|e| e.neuron == 0)
            .count(),
        0
    );
}

#[test]
fn every_neuron_has_its_own_parameters_bias_and_start() {
    let text = r#"
[population.cell]
neuron = "lif"
size = 4
parameter = { C = ["100 pF", "200 pF", "250 pF", "300 pF"], g_L = "20 nS", E_L = "-70 mV", V_th = ["-55 mV", "-54 mV", "-53 mV", "-52 mV"], t_ref = ["0 ms", "1 ms", "2 ms", "3 ms"] }
soma = { bias = ["500 pA", "600 pA", "700 pA", "800 pA"], start = ["-70 mV", "-69 mV", "-68 mV", "-67 mV"] }
"#;
    for threads in [1, 3] {
        let emitted = event_support::run_on(&program(text), 60.0, threads);
        for k in 0..4 {
            let f = k as f64;
            let tau = [100.0, 200.0, 250.0, 300.0][k] / 20.0;
            let rise = (500.0 + 100.0 * f) / 20.0;
            let to = 15.0 + f;
            let first = tau * ((rise - f) / (rise - to)).ln();
            let period = tau * (rise / (rise - to)).ln() + f;
            let spikes = times_of(&emitted, k as u32);
            assert!(spikes.len() > 2);
            for (index, time) in spikes.iter().enumerate() {
                let exact = first + index as f64 * period;
                assert!(
                    (time - exact).abs() < 1e-9 * (index + 1) as f64,
                    "neuron {k}: {time} and not {exact}"
                );
            }
        }
    }
}

#[test]
fn drawn_parameters_are_those_that_the_seed_gives() {
    let text = r#"
[population.cell]
neuron = "lif"
size = 200
parameter = { V_th = { uniform = ["-58 mV", "-52 mV"] } }
soma.bias = "600 pA"
"#;
    let emitted = run(&program(text), 30.0);
    let thresholds: Vec<f64> = (0..200)
        .map(|n| -70.0 + 24.0 * -(-times_of(&emitted, n)[0] / 10.0).exp_m1())
        .collect();
    let mean = thresholds.iter().sum::<f64>() / 200.0;
    assert!(thresholds.iter().all(|v| (-58.0..-52.0).contains(v)));
    assert!((mean + 55.0).abs() < 5.0 * 6.0 / 12_f64.sqrt() / 200_f64.sqrt());
    let mut sorted = thresholds;
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    assert_eq!(sorted.len(), 200);
}

const TAUGHT: &str = r#"
[modulator.teach]
schedule = { alternate = [0, 1, 0, 2.5], every = "7 ms" }
[neuron.taught]
soma = { capacitance = "300 pF", leak = "30 nS", rest = "-70 mV", current = "teach * (20 nS) * (10 mV - soma)" }
dend = { capacitance = "200 pF", leak = "10 nS", rest = "-65 mV", couples = { to = "soma", by = "15 nS" } }
spike = { when = "soma > 1000 mV", reset = { soma = "-70 mV" } }
[population.cell]
neuron = "taught"
size = 1
"#;

#[test]
fn a_teaching_conductance_is_exact_while_its_modulator_holds() {
    let all = sampled(&program(TAUGHT), 100.0, 0.7, &[(0, 0, 0), (0, 0, 1)]);
    let system = |teach: f64| {
        let g = 20.0 * teach;
        vec![
            vec![
                -(30.0 + 15.0 + g) / 300.0,
                15.0 / 300.0,
                (-70.0 * 30.0 + 10.0 * g) / 300.0,
            ],
            vec![15.0 / 200.0, -25.0 / 200.0, -65.0 * 10.0 / 200.0],
            vec![0.0; 3],
        ]
    };
    let levels = [0.0, 1.0, 0.0, 2.5];
    let mut x = vec![-70.0, -65.0, 1.0];
    // Samples every 0.7 ms, ten to each value.
    for (k, (_, values)) in all.samples.iter().enumerate() {
        for v in 0..2 {
            assert!(
                (values[v] - x[v]).abs() < 1e-11,
                "variable {v} at sample {k}: {} and not {}",
                values[v],
                x[v]
            );
        }
        x = flow(&system(levels[k / 10 % 4]), &x, 0.7);
    }
}

#[test]
fn values_that_come_back_give_the_same_linear_systems() {
    // Another modulator that no equation reads takes ever new values.
    let text = TAUGHT.to_owned() + "[modulator.clock]\nvalue = \"t / (1 ms)\"\nevery = \"1 ms\"\n";
    let mut simulation = Simulation::new(program(&text), 1).unwrap();
    simulation
        .run_until(from_ms(30.0), &mut Unobserved)
        .unwrap();
    let known = simulation.regimes();
    assert!(
        known <= 4,
        "one at the start and one for each value: {known}"
    );
    simulation
        .run_until(from_ms(300.0), &mut Unobserved)
        .unwrap();
    assert_eq!(simulation.regimes(), known);
}

#[test]
fn what_is_held_besides_the_reset_stays_and_what_is_not_goes_on() {
    let text = |hold: &str| {
        format!(
            r#"
[neuron.n]
soma = {{ capacitance = "100 pF", leak = "10 nS", rest = "-70 mV" }}
apical = {{ capacitance = "100 pF", leak = "10 nS", rest = "-70 mV" }}
receptor.jump = {{ on = ["soma", "apical"], current = "delta" }}
spike = {{ when = "soma > -50 mV", reset = {{ soma = "-70 mV" }}, refractory = "5 ms" {hold} }}
[population.cell]
neuron = "n"
size = 1
[population.a]
neuron = "listed"
size = 1
times = [[1]]
[projection.A]
from = "a"
to = "cell.apical"
weight = "10 mV"
delay = "1 ms"
[projection.S]
from = "a"
to = "cell.soma"
weight = "30 mV"
delay = "1 ms"
"#
        )
    };
    let at_seven =
        |hold: &str| sampled(&program(&text(hold)), 8.0, 7.0, &[(0, 0, 1)]).samples[1].1[0];
    assert!((at_seven("") + 70.0 - 10.0 * (-0.5_f64).exp()).abs() < 1e-12);
    assert!((at_seven(", hold = [\"apical\"]") + 60.0).abs() < 1e-12);
}
