//! What arrives at synapses of the event engine: short-term plasticity and delays.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use event_support::{Random, program, run, run_on, sampled, times_of};

#[test]
fn short_term_plasticity_gives_each_spike_the_strength_of_a_script() {
    let mut random = Random(3);
    let mut times = vec![1.0];
    while times.len() < 60 {
        let last: f64 = times[times.len() - 1];
        let gap = 1.0 + 10_f64.powf(random.between(0.0, 2.3));
        times.push(((last + gap) * 1e3).round() / 1e3);
    }
    for (u, recovery, facilitation) in [(0.5, 800.0, 0.0), (0.1, 100.0, 900.0), (0.02, 5.0, 1000.0)]
    {
        // The target adds up jumps.
        let text = format!(
            r#"
[neuron.counter]
soma = {{ capacitance = "1 pF", leak = "0 nS", rest = "0 mV" }}
receptor.jump = {{ on = ["soma"], current = "delta" }}
spike = {{ when = "soma > 1000 mV", reset = {{ soma = "0 mV" }} }}
[population.source]
neuron = "listed"
size = 1
times = [{times:?}]
[population.counter]
neuron = "counter"
size = 1
[projection.P]
from = "source"
to = "counter.soma"
weight = "2 mV"
delay = "0.5 ms"
short-term = {{ U = {u}, recovery = "{recovery} ms", facilitation = "{facilitation} ms" }}
"#
        );
        let end = times[times.len() - 1] + 2.0;
        let all = sampled(&program(&text), end, 0.25, &[(1, 0, 0)]);
        // The script keeps utilisation and resources, both relax between spikes.
        let (mut used, mut left, mut last, mut sum) = (0.0_f64, 1.0_f64, 0.0, 0.0);
        let mut strengths = Vec::new();
        for time in &times {
            let elapsed = time - last;
            left = 1.0 - (1.0 - left) * (-elapsed / recovery).exp();
            used = match facilitation > 0.0 {
                true => used * (-elapsed / facilitation).exp(),
                false => 0.0,
            };
            used += u * (1.0 - used);
            sum += 2.0 * used * left;
            left -= used * left;
            last = *time;
            strengths.push((time + 0.5, sum));
        }
        for (time, values) in &all.samples {
            let t = *time as f64 * 1e-9;
            let expected = strengths
                .iter()
                .take_while(|(at, _)| *at <= t + 1e-10)
                .last()
                .map_or(0.0, |(_, sum)| *sum);
            assert!(
                (values[0] - expected).abs() < 1e-10,
                "at {t}: {} and not {expected}",
                values[0]
            );
        }
    }
}

#[test]
fn drawn_delays_are_those_after_which_spikes_arrive() {
    for (distribution, low, high, exact) in [
        (r#"{ uniform = ["0.5 ms", "3.9 ms"] }"#, 0.5, 3.9, 0.0),
        // Delays above 4 ms are kept to a nanosecond.
        (r#"{ uniform = ["1 ms", "30 ms"] }"#, 1.0, 30.0, 0.0),
        (
            r#"{ normal = { mean = "2 ms", sd = "1 ms" }, clip = ["0.1 ms", "4 ms"] }"#,
            0.1,
            4.0,
            0.0,
        ),
        (
            r#"["3 ms", "1 ms", "2 ms", "5.000000001 ms"]"#,
            1.0,
            5.1,
            1.0,
        ),
    ] {
        let size = if exact > 0.0 { 4 } else { 300 };
        let text = format!(
            r#"
[population.source]
neuron = "listed"
size = 1
times = [[1.5, 60]]
[population.cell]
neuron = "lif-delta"
size = {size}
[projection.P]
from = "source"
to = "cell.soma"
weight = "30 mV"
delay = {distribution}
"#
        );
        let program = program(&text);
        let emitted = run(&program, 100.0);
        assert_eq!(emitted, run_on(&program, 100.0, 3));
        let table = program.synapses(0, 0..size, 0, false);
        let mut delays = Vec::new();
        for neuron in 0..size {
            let times = times_of(&emitted, 1 + neuron as u32);
            let delay = table.delays.of(neuron) as f64 * 1e-9;
            assert_eq!(times.len(), 2);
            assert!((times[0] - 1.5 - delay).abs() < 1e-12);
            assert!((times[1] - 60.0 - delay).abs() < 1e-12);
            delays.push(delay);
        }
        assert!(delays.iter().all(|d| (low..=high).contains(d)));
        if exact > 0.0 {
            assert_eq!(delays, [3.0, 1.0, 2.0, 5.0]);
        } else {
            let mean = delays.iter().sum::<f64>() / size as f64;
            let expected = if low < 0.2 { 2.0 } else { (low + high) / 2.0 };
            let spread = (high - low) / 12_f64.sqrt() / (size as f64).sqrt();
            assert!((mean - expected).abs() < 5.0 * spread, "{mean}");
            delays.sort_by(f64::total_cmp);
            delays.dedup();
            // Values at the ends of a clipped distribution may be there more than once.
            assert!(delays.len() + 20 > size);
        }
    }
}
