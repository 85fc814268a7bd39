//! Inputs of event circuits: rows that sources turn into spikes, and that sampled modulators read.
//!
//! Seeds are fixed, so that a test that passes goes on passing; bounds are five standard errors.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use std::sync::Arc;

use apical::compile::event::EventProgram;
use apical::engine::event::inputs::Inputs;
use apical::engine::event::simulation::Simulation;
use apical::engine::event::time::from_ms;
use apical::engine::event::turn::Emitted;
use apical::input::DataPaths;
use apical::record::MeasureReport;
use event_support::{Everything, paths, program, refused, run, times_of};

/// Runs a circuit with its inputs from one of these times (ms) to the next, on so many threads, and samples modulator 0
/// every millisecond.
fn run_with(program: &Arc<EventProgram>, until: &[f64], threads: usize) -> Everything {
    let inputs = Inputs::new(program, &paths(), threads).unwrap();
    let mut simulation = Simulation::with_inputs(program.clone(), inputs, threads).unwrap();
    let mut all = Everything {
        every: Some(from_ms(1.0)),
        modulators: (0..program.circuit.modulators.len()).collect(),
        ..Everything::default()
    };
    for end in until {
        simulation.run_until(from_ms(*end), &mut all).unwrap();
    }
    all
}

/// A circuit whose input is an array with these rows, beside other text, in a folder of its own.
fn with_rows(rows: &[&[f64]], text: &str) -> (Arc<EventProgram>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let line = |row: &&[f64]| {
        let numbers: Vec<String> = row.iter().map(f64::to_string).collect();
        numbers.join(",") + "\n"
    };
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, rows.iter().map(line).collect::<String>()).unwrap();
    let text = format!(
        "step = \"1 ms\"\n[input.world]\nprocess = \"array\"\nfile = \"{}\"\n{text}",
        file.display()
    );
    (program(&text), folder)
}

const SOURCES: &str = "
[population.eyes]
neuron = \"rate-coded\"
size = 2
input = \"world\"
parameter.gain = \"2 kHz\"
";

/// How many spikes of a neuron fall into milliseconds whose remainder by `of` is `at`.
fn count(emitted: &[Emitted], neuron: u32, (at, of): (i64, i64)) -> f64 {
    let here = |e: &&Emitted| e.neuron == neuron && (e.time / from_ms(1.0)) % of == at;
    emitted.iter().filter(here).count() as f64
}

#[test]
fn spikes_come_at_the_rate_of_the_row_that_holds() {
    // Four rows of a millisecond, round and round for 20 s.
    let rows: [&[f64]; 4] = [&[0.0, 1.0], &[0.5, 0.25], &[-3.0, 1.0], &[1.5, 0.125]];
    let (program, _folder) = with_rows(&rows, SOURCES);
    let emitted = run_with(&program, &[20_000.0], 1).emitted;
    for (at, row) in rows.iter().enumerate() {
        for (neuron, value) in row.iter().enumerate() {
            // 2 per ms and unit of the input, over 5,000 ms.
            let expected = 2.0 * value.max(0.0) * 5_000.0;
            let found = count(&emitted, neuron as u32, (at as i64, 4));
            assert!(
                (found - expected).abs() <= 5.0 * expected.sqrt(),
                "neuron {neuron} at row {at}: {found} spikes, expected {expected}"
            );
        }
    }
}

#[test]
fn waits_measured_in_expected_spikes_are_exponential() {
    let rows: [&[f64]; 3] = [&[0.1, 0.3], &[0.7, 0.0], &[0.05, 1.0]];
    let (program, _folder) = with_rows(&rows, SOURCES);
    let emitted = run_with(&program, &[20_000.0], 1).emitted;
    for neuron in [0, 1] {
        // The integral of the rate up to a time (ms).
        let integral = |t: f64| {
            let (whole, part) = (t.floor() as usize, t.fract());
            let rate = |step: usize| 2.0 * rows[step % 3][neuron];
            let round: f64 = (0..3).map(rate).sum();
            let begun: f64 = (whole / 3 * 3..whole).map(rate).sum();
            (whole / 3) as f64 * round + begun + part * rate(whole)
        };
        let times = times_of(&emitted, neuron as u32);
        let waits: Vec<f64> = times
            .windows(2)
            .map(|w| integral(w[1]) - integral(w[0]))
            .collect();
        let (n, all) = (waits.len() as f64, waits.iter().sum::<f64>());
        // Mean and variance of an exponential are 1; the variance of its sample variance is 8/n.
        let mean = all / n;
        let variance = waits.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n;
        assert!(n > 5_000.0, "{n} waits");
        assert!((mean - 1.0).abs() < 5.0 / n.sqrt(), "mean {mean} of {n}");
        assert!(
            (variance - 1.0).abs() < 5.0 * (8.0 / n).sqrt(),
            "variance {variance} of {n}"
        );
        let short = waits.iter().filter(|w| **w < 0.1).count() as f64 / n;
        let share = 1.0 - (-0.1_f64).exp();
        assert!(
            (short - share).abs() < 5.0 * (share / n).sqrt(),
            "{short} are short"
        );
    }
}

#[test]
fn a_rate_may_read_time_and_modulators_beside_the_input() {
    let rows: [&[f64]; 2] = [&[1.0], &[0.5]];
    let text = "
[modulator.gate]
schedule = { alternate = [1, 0], every = \"10 ms\" }
[neuron.swinging]
parameter = { gain = \"1 kHz\" }
spike = { rate = \"gate * gain * input * (1 + sin(6.283185307179586 * t / 1 ms))\" }
[population.eyes]
neuron = \"swinging\"
size = 1
input = \"world\"
";
    let (program, _folder) = with_rows(&rows, text);
    let emitted = run_with(&program, &[20_000.0], 1).emitted;
    let in_gate = |e: &&Emitted| (e.time / from_ms(10.0)) % 2 == 1;
    assert_eq!(
        emitted.iter().filter(in_gate).count(),
        0,
        "the gate is closed"
    );
    let mut counts = [[0.0; 2]; 2];
    for e in &emitted {
        let half = e.time % from_ms(1.0) / from_ms(0.5);
        counts[((e.time / from_ms(1.0)) % 2) as usize][half as usize] += 1.0;
    }
    for (row, value) in [1.0, 0.5].iter().enumerate() {
        // 5,000 ms of each row while the gate is open; the halves of the sine have means of ±2/π.
        for (half, sign) in [1.0, -1.0].iter().enumerate() {
            let expected = 2_500.0 * value * (1.0 + sign * std::f64::consts::FRAC_2_PI);
            let found: f64 = counts[row][half];
            assert!(
                (found - expected).abs() < 5.0 * expected.sqrt(),
                "row {row}, half {half}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn an_input_of_nothing_gives_no_spikes() {
    let rows: [&[f64]; 2] = [&[0.0, -1.0], &[-0.0, 0.0]];
    let (silent, _folder) = with_rows(&rows, SOURCES);
    assert_eq!(run_with(&silent, &[1_000.0], 1).emitted.len(), 0);
    // Without its inputs a circuit is silent, too.
    let rows: [&[f64]; 1] = [&[1.0, 1.0]];
    let (loud, _folder) = with_rows(&rows, SOURCES);
    assert_eq!(run(&loud, 100.0).len(), 0);
    assert!(run_with(&loud, &[100.0], 1).emitted.len() > 300);
}

/// Neurons that two inputs drive through sources, one of which changes now and then, and modulators that read them.
const CIRCUIT: &str = "step = \"0.7 ms\"
[input.walk]
process = \"latent-ar1\"
size = 30
latent = 4
decay = 0.9
noise = 0.4
mixing = { normal = { mean = 0, sd = 1 } }
[input.held]
process = \"random\"
size = 7
draw = { uniform = [0, 1] }
hold = \"21 ms\"
[modulator.jumped]
value = \"changed(held)\"
every = \"0.7 ms\"
[modulator.level]
value = \"sum(walk) + sum(held)\"
every = \"3 ms\"
[population.a]
neuron = \"rate-coded\"
size = 30
input = \"walk\"
[population.b]
neuron = \"rate-coded\"
size = 7
input = \"held\"
parameter.gain = { uniform = [\"50 Hz\", \"300 Hz\"] }
[population.cells]
neuron = \"lif\"
size = 40
[projection.ab]
from = \"a\"
to = \"cells.soma\"
receptor = \"exc\"
weight = \"60 pA\"
delay = { uniform = [\"1 ms\", \"4 ms\"] }
[projection.bb]
from = \"b\"
to = \"cells.soma\"
receptor = \"exc\"
weight = \"90 pA\"
delay = \"1.5 ms\"
";

fn circuit() -> Arc<EventProgram> {
    program(CIRCUIT)
}

#[test]
fn threads_and_pieces_do_not_change_a_bit() {
    let program = circuit();
    let whole = run_with(&program, &[300.0], 1);
    let cells = whole.emitted.iter().filter(|e| e.neuron >= 37).count();
    assert!(cells > 50, "{cells} spikes of neurons");
    assert!(whole.levels.iter().any(|l| l[0] == 1.0), "the input jumps");
    for threads in [2, 4] {
        let other = run_with(&program, &[300.0], threads);
        assert_eq!(whole.emitted, other.emitted, "{threads} threads");
        assert_eq!(whole.levels, other.levels, "{threads} threads");
    }
    // Pieces that end on steps, between them and at changes of the held input.
    let pieces: Vec<f64> = [
        0.35, 0.7, 14.0, 21.0, 21.0, 29.4, 100.1, 147.0, 299.6, 300.0,
    ]
    .into();
    let cut = run_with(&program, &pieces, 2);
    assert_eq!(whole.emitted, cut.emitted);
    assert_eq!(whole.levels, cut.levels);
}

#[test]
fn a_modulator_sees_that_an_input_changes() {
    // The input changes at every third step; the first modulator looks at each step, the other at every third.
    let rows: [&[f64]; 6] = [&[1.0], &[1.0], &[1.0], &[4.0], &[4.0], &[4.0]];
    let text = "
[modulator.saccade]
value = \"changed(world)\"
every = \"1 ms\"
[modulator.slow]
value = \"changed(world)\"
every = \"6 ms\"
[modulator.doubled]
value = \"2 * sum(world)\"
every = \"1 ms\"
[modulator.lately]
value = \"trace(changed(world), 2 ms)\"
every = \"1 ms\"
[population.p]
neuron = \"poisson\"
size = 1
";
    let (program, _folder) = with_rows(&rows, text);
    let levels = run_with(&program, &[18.5], 1).levels;
    let of = |m: usize| -> Vec<f64> { levels.iter().map(|l| l[m]).collect() };
    let saccade = |k: usize| f64::from(u8::from(k > 0 && k.is_multiple_of(3)));
    let expected: Vec<f64> = (0..levels.len()).map(saccade).collect();
    assert_eq!(of(0), expected);
    // At every sixth step the row is the same as six steps before.
    assert!(of(1).iter().all(|x| *x == 0.0));
    let expected: Vec<f64> = (0..levels.len()).map(|k| 2.0 * rows[k % 6][0]).collect();
    assert_eq!(of(2), expected);
    let (mut trace, decay) = (0.0, (-0.5_f64).exp());
    for (k, found) in of(3).into_iter().enumerate() {
        trace = decay * trace + saccade(k);
        assert!(
            (found - trace).abs() < 1e-12,
            "step {k}: {found}, expected {trace}"
        );
    }
}

#[test]
fn rows_are_those_of_a_rate_circuit_with_the_same_seed() {
    let input = "[input.walk]
process = \"latent-ar1\"
size = 3
latent = 2
decay = 0.9
noise = 0.4
mixing = { normal = { mean = 0, sd = 1 } }
";
    let modulators = "[modulator.m]
value = \"sum(walk)\"
every = \"1 ms\"
[population.p]
neuron = \"poisson\"
size = 1
";
    let event = program(&format!("step = \"1 ms\"\n{input}{modulators}"));
    let levels = run_with(&event, &[40.0], 1).levels;
    let rate = rate_rows(input, 40);
    assert_eq!(levels.len(), rate.len());
    for (level, row) in levels.iter().zip(&rate) {
        assert!((level[0] - row.iter().sum::<f64>()).abs() < 1e-12);
    }
}

/// The first rows of the input `walk` as the rate machine's process gives them.
fn rate_rows(input: &str, steps: usize) -> Vec<Vec<f64>> {
    use apical::circuit::{Circuit, Output};
    use apical::input::process::Process;
    let text = format!("[circuit]\nname = \"rate\"\nseed = 1\nstep = \"1 ms\"\n{input}");
    let netlist = apical::netlist::parse("rate.toml", &text, &Default::default()).unwrap();
    let (circuit, problems) = Circuit::build(&netlist, &DataPaths::default());
    assert!(problems.is_empty(), "{problems:?}");
    let mut process = Process::new(
        &circuit.inputs[0],
        circuit.seed,
        1,
        &DataPaths::default(),
        1,
    )
    .unwrap();
    let row = apical::lang::vm::padded(3);
    let mut block = apical::vector::Vector::zeros(steps * row);
    // In one block, as the rate machine asks for them.
    process.advance(
        pulp::Arch::new(),
        steps,
        &mut [(Output::Values, &mut block[..])],
    );
    block.chunks(row).map(|r| r[..3].to_vec()).collect()
}

#[test]
fn stages_choose_splits_and_count_passes() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, rows: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, rows).unwrap();
        path.display().to_string()
    };
    let (train, test) = (
        file("train.csv", "1\n2\n3\n4\n"),
        file("test.csv", "10\n20\n"),
    );
    let stage = |name: &str, keys: &str| format!("[[stage]]\nname = \"{name}\"\n{keys}\n");
    let text = event_support::head("")
        + "step = \"1 ms\"\n"
        + &format!(
            "[input.world]\nprocess = \"array\"\nfile = \"{train}\"\nsplit.test = \"{test}\"\n"
        )
        + "[modulator.m]\nvalue = \"sum(world)\"\nevery = \"0.5 ms\"\n\
           [population.p]\nneuron = \"rate-coded\"\nsize = 1\ninput = \"world\"\n\
           [measure.rows]\nkind = \"mean\"\nof = \"m\"\nevery = \"0.5 ms\"\n"
        + &stage("both", "epochs = 2\nover = \"world\"")
        + &stage("test", "epochs = 1\ninput = { world = \"test\" }")
        + &stage("on", "steps = 3")
        + &stage(
            "half",
            "duration = \"1.5 ms\"\ninput = { world = \"train\" }",
        )
        + &stage("then", "duration = \"2 ms\"");
    let (report, _out) = event_support::report(&text);
    let MeasureReport::Series { value, .. } = &report.measures["rows"] else {
        panic!("{:?}", report.measures["rows"]);
    };
    // Two a row, until a stage begins between two steps: then rows go on where they were.
    let rows = [1, 2, 3, 4, 1, 2, 3, 4, 10, 20, 10, 20, 10];
    let mut expected: Vec<f64> = rows.iter().flat_map(|r| [f64::from(*r); 2]).collect();
    expected.extend([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0]);
    assert_eq!(*value, expected);
    assert_eq!(report.steps, 17, "ms, rounded");
}

#[test]
fn what_cannot_be_is_told() {
    let without_bound = refused(
        "step = \"1 ms\"\n[input.world]\nprocess = \"random\"\nsize = 2\ndraw = 1\n[population.p]\nneuron = \"rate-coded\"\n\
         size = 3\ninput = \"world\"",
    );
    assert!(
        without_bound.contains("input `world` has 2 values a step, the population has 3 neurons"),
        "{without_bound}"
    );
}

#[test]
fn a_rate_beyond_all_bounds_ends_the_run() {
    let rows: [&[f64]; 2] = [&[1.0, 1.0], &[1.0, 1e5]];
    let (program, _folder) = with_rows(&rows, SOURCES);
    let inputs = Inputs::new(&program, &paths(), 1).unwrap();
    let mut simulation = Simulation::with_inputs(program.clone(), inputs, 1).unwrap();
    let mut all = Everything::default();
    let result = simulation.run_until(from_ms(10.0), &mut all);
    assert!(matches!(
        result,
        Err(apical::engine::event::turn::EventError::Unbounded { neuron: 1 })
    ));
}
