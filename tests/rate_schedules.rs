//! What the schedules of modulators give, step by step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{Bench, assert_close, modulator, probe};

/// Values of a modulator and of `changed` of it, with a step of half a millisecond.
fn schedule(schedule: &str, steps: u64) -> Vec<(f64, f64)> {
    let text = format!(
        "[circuit]\nname = \"schedule\"\nstep = \"0.5 ms\"\n[modulator.m]\nschedule = {schedule}\n\
         [[record]]\nwhat = \"trace\"\nof = \"changed(m)\""
    );
    let mut bench = Bench::new(&text);
    let experiment = bench.experiment.clone();
    bench.series(steps, |program, state| {
        (
            modulator(program, state, "m"),
            probe(&experiment, state, 0)[0],
        )
    })
}

#[test]
fn schedules_hold_each_value_for_its_time() {
    let cases: [(&str, &[f64]); 5] = [
        ("0.25", &[0.25; 6]),
        ("{ constant = -1 }", &[-1.0; 6]),
        (
            "{ alternate = [1, 0], every = 2 }",
            &[1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0],
        ),
        (
            "{ alternate = [1, 0, 5], every = [2, \"1.5 ms\", 1] }",
            &[1.0, 1.0, 0.0, 0.0, 0.0, 5.0, 1.0, 1.0, 0.0],
        ),
        (
            "{ list = [0, 0.5, 1], every = \"1 ms\" }",
            &[0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0],
        ),
    ];
    for (text, expected) in cases {
        let found = schedule(text, expected.len() as u64);
        for (t, (value, changed)) in found.iter().enumerate() {
            assert_close(&[*value], &[expected[t]], 0.0, text);
            let differs = t > 0 && (expected[t] - expected[t - 1]).abs() > 0.0;
            assert_close(
                &[*changed],
                &[f64::from(u8::from(differs))],
                0.0,
                &format!("changed in step {t} of {text}"),
            );
        }
    }
}

#[test]
fn a_random_schedule_draws_each_value_as_often_as_its_probability_says() {
    let found = schedule(
        "{ random = [0, 0.5, 1], probability = [0.1, 0.2, 0.7], every = \"1.5 ms\" }",
        9000,
    );
    // Each value holds for three steps.
    let blocks: Vec<f64> = found.chunks(3).map(|block| block[0].0).collect();
    assert!(
        found
            .chunks(3)
            .all(|b| b.iter().all(|(v, _)| (v - b[0].0).abs() <= 0.0))
    );
    for (value, probability) in [(0.0, 0.1), (0.5, 0.2), (1.0, 0.7)] {
        let share = blocks.iter().filter(|v| (**v - value).abs() <= 0.0).count() as f64 / 3000.0;
        // Four standard deviations of a binomial share.
        let tolerance = 4.0 * (probability * (1.0 - probability) / 3000.0_f64).sqrt();
        assert!((share - probability).abs() < tolerance, "{value}: {share}");
    }
}
