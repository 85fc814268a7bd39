//! Reports of a run of spiking neurons, of spikes that were made up.
#![allow(clippy::unwrap_used)]

use std::fs;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::fixture::{NETLIST, run_of, signal};
use super::super::style::{SCRIPT, STYLE};
use super::super::{Built, build, write};
use crate::drawing::well_formed;
use crate::measure::SpikeTally;
use crate::record::{
    Recorder, RecorderSpec, RunDirectory, Spike, SpikeKind, SpikePopulation, SpikeReport,
    SpikeSpec, TraceOf, TraceSpec, WeightSpec, read_run_json,
};

const MS: i64 = 1_000_000_000;
const DURATION: i64 = 3000;
/// Name, neurons, rate (Hz), whether they burst.
const POPULATIONS: [(&str, u32, f64, bool); 4] = [
    ("stimulus", 2000, 5.0, false),
    ("pyramidal", 200, 8.0, true),
    ("interneurons", 50, 30.0, false),
    ("silent", 10, 0.0, false),
];
const RECORDED: [u32; 3] = [0, 40, 80];

/// A run with spikes of a few populations, membranes, modulators and weights over 3 s.
fn run() -> tempfile::TempDir {
    let folder = run_of(signal, |report| {
        report.traces.clear();
        report.weights.clear();
    });
    // The files of the fixture go, the report stays.
    let mut report = read_run_json(folder.path()).unwrap();
    let directory = RunDirectory::create(folder.path(), true).unwrap();
    directory.write_netlist(NETLIST).unwrap();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    let tally = send_spikes(&mut recorder);
    send_samples(&mut recorder);
    let summary = recorder.finish().unwrap();
    report.traces = summary.traces;
    report.weights = summary.weights;
    report.measures.clear();
    let file = summary.spikes.map(|spikes| spikes.file);
    report.spikes = Some(tally.report(file, DURATION as f64));
    directory.write_run_json(&report).unwrap();
    folder
}

fn spec() -> RecorderSpec {
    let population = |(name, neurons, _, _): (&str, u32, f64, bool)| SpikePopulation {
        name: name.to_owned(),
        neurons,
    };
    let membrane = |compartment: &str| TraceSpec {
        name: format!("pyramidal.{compartment}"),
        columns: RECORDED.map(|neuron| neuron.to_string()).to_vec(),
        timed: true,
        of: Some(TraceOf::Membrane {
            population: "pyramidal".to_owned(),
            compartment: compartment.to_owned(),
        }),
    };
    let modulators = TraceSpec {
        name: "modulators".to_owned(),
        columns: vec!["lambda".to_owned(), "dopamine".to_owned()],
        timed: true,
        of: Some(TraceOf::Modulators),
    };
    RecorderSpec {
        traces: vec![
            membrane("soma"),
            membrane("basal"),
            membrane("apical"),
            modulators,
        ],
        weights: vec![WeightSpec {
            name: "weights-W".to_owned(),
            rows: 1,
            columns: 100,
            timed: true,
        }],
        spikes: Some(SpikeSpec {
            populations: POPULATIONS.map(population).to_vec(),
        }),
        stages: vec!["train".to_owned(), "test".to_owned()],
        step_ms: None,
    }
}

/// Poisson spikes; every fourth of those that burst is followed by two more, and preceded by a plateau.
fn send_spikes(recorder: &mut Recorder) -> SpikeTally {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut spikes = Vec::new();
    for (population, (_, neurons, rate, bursts)) in (0..).zip(POPULATIONS) {
        for neuron in 0..neurons {
            let mut time = 0;
            let mean = 1e12 / rate * (0.5 + f64::from(neuron) / f64::from(neurons));
            loop {
                time += (-(1.0 - random.random::<f64>()).ln() * mean).min(1e16) as i64;
                if time >= (DURATION - 20) * MS {
                    break;
                }
                let spike = |time_ps, kind| Spike {
                    time_ps,
                    population,
                    neuron,
                    kind,
                };
                if bursts && random.random::<f64>() < 0.25 {
                    spikes.push(spike(time - MS / 2, SpikeKind::Plateau));
                    spikes.push(spike(time, SpikeKind::Burst));
                    spikes.push(spike(time + 5 * MS, SpikeKind::InBurst));
                    spikes.push(spike(time + 10 * MS, SpikeKind::InBurst));
                    time += 10 * MS;
                } else {
                    spikes.push(spike(time, SpikeKind::Spike));
                }
            }
        }
    }
    spikes.sort_by_key(|spike| spike.time_ps);
    let mut tally = SpikeTally::new(&spec().spikes.unwrap().populations);
    let mut block = recorder.spike_block(0);
    for spike in spikes {
        let stage = u32::from(spike.time_ps >= 2000 * MS);
        if block.is_full() || block.stage() != stage {
            tally.add_block(&block);
            recorder.send_spikes(block).unwrap();
            block = recorder.spike_block(stage);
        }
        block.push(spike);
    }
    tally.add_block(&block);
    recorder.send_spikes(block).unwrap();
    tally
}

fn send_samples(recorder: &mut Recorder) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut noise = || random.random::<f64>() - 0.5;
    for trace in 0..3 {
        let mut block = recorder.trace_block(trace);
        let mut v = [-70.0; 3];
        for sample in 0..2 * DURATION {
            for v in &mut v {
                *v += 0.05 * (-62.0 - 4.0 * trace as f64 - *v) + 2.0 * noise();
            }
            block.push_at(u32::from(sample >= 4000), sample * MS / 2, &v);
        }
        recorder.send_trace(block).unwrap();
    }
    let mut block = recorder.trace_block(3);
    for (switch, lambda) in (0..12).zip([1.0, 0.0].into_iter().cycle()) {
        let stage = u32::from(switch >= 8);
        block.push_at(stage, switch * 250 * MS, &[lambda, noise().abs()]);
    }
    recorder.send_trace(block).unwrap();
    let mut weights = vec![0.5; 100];
    for sample in 0..=100 {
        recorder
            .send_weights(0, 0, sample * 30 * MS as u64, weights.clone())
            .unwrap();
        weights.iter_mut().for_each(|w| *w += 0.05 * noise());
    }
}

fn html(built: &Built) -> String {
    let html = built.page.html();
    let markup = html.replace(SCRIPT, "").replace(STYLE, "");
    assert_eq!(well_formed(&markup), Ok(()));
    html
}

fn figures(built: &Built) -> Vec<&super::super::page::Figure> {
    built
        .page
        .sections
        .iter()
        .flat_map(|s| &s.figures)
        .collect()
}

#[test]
fn spiking_run_has_a_raster_rates_statistics_membranes_and_modulators() {
    let folder = run();
    let built = build(folder.path()).unwrap();
    assert_eq!(built.notes, [""; 0]);
    let names: Vec<&str> = figures(&built).iter().map(|f| f.name.as_str()).collect();
    let expected = [
        "spikes",
        "spikes-rate",
        "spikes-rate-window",
        "spikes-events",
        "spikes-burst-fraction",
        "spikes-rates",
        "spikes-isi-cv",
        "membrane-pyramidal-0",
        "membrane-pyramidal-40",
        "membrane-pyramidal-80",
        "modulators-modulators",
        "weights-W",
        "weights-W-over-time",
    ];
    assert_eq!(names, expected);
    let html = html(&built);
    let words = [
        "burst: first spike",
        "burst: further spikes",
        "plateau begins",
        "the last 1 s of the run",
        "spread evenly over each population",
        "burst fraction",
        "mean of all weights",
        "spikes.parquet",
        "first of a burst",
    ];
    for expected in words {
        assert!(html.contains(expected), "{expected}");
    }
    write(folder.path()).unwrap();
    assert!(folder.path().join("plots/spikes.svg").exists());
}

#[test]
fn raster_draws_a_few_thousand_marks_of_an_even_sample() {
    let folder = run();
    let run = super::super::Run::open(folder.path()).unwrap();
    let spikes = super::Spikes::of(&run);
    let marks = spikes.marks.of_rows.len();
    assert!((2000..=6000).contains(&marks), "{marks}");
    let start = 2000 * MS;
    assert!(spikes.marks.of_rows.iter().all(|mark| mark.0 >= start));
    let rows = &spikes.marks.rows;
    assert!(
        rows[0].len() > 100 && rows[0].len() < 2000,
        "{}",
        rows[0].len()
    );
    assert_eq!(rows[3].len(), 10, "a small population keeps its rows");
    let written = run.report.spikes.unwrap().populations;
    // What is not a number does not equal itself.
    assert_eq!(format!("{:?}", spikes.summaries()), format!("{written:?}"));
}

#[test]
fn table_says_what_each_population_did() {
    let built = build(run().path()).unwrap();
    let section = built.page.sections.iter().find(|s| s.heading == "Spikes");
    let grid = section.and_then(|s| s.grid.as_ref()).unwrap();
    assert_eq!(grid.head.len(), 9);
    let silent = ["silent", "10", "0", "0", "100.0 %", "–", "0", "–", "0"];
    assert_eq!(grid.rows[3], silent);
    // A Poisson process, whose neurons have few spikes each: the estimate is a little low.
    let cv: f64 = grid.rows[2][5].parse().unwrap();
    assert!((0.9..1.05).contains(&cv), "{cv}");
    let fraction: f64 = grid.rows[1][7].trim_end_matches(" %").parse().unwrap();
    assert!((fraction - 25.0).abs() < 3.0, "{fraction}");
}

#[test]
fn populations_whose_spikes_were_not_recorded_are_in_the_table_but_not_drawn() {
    let folder = run();
    let mut report = read_run_json(folder.path()).unwrap();
    report.spikes.as_mut().unwrap().recorded = vec!["interneurons".to_owned()];
    let json = serde_json::to_string(&report).unwrap();
    fs::write(folder.path().join("run.json"), json).unwrap();
    let built = build(folder.path()).unwrap();
    let section = built.page.sections.iter().find(|s| s.heading == "Spikes");
    let section = section.unwrap();
    assert_eq!(section.grid.as_ref().unwrap().rows.len(), 4);
    let drawn = |name: &str| {
        let figure = section.figures.iter().find(|f| f.name == name);
        figure.unwrap().svg.clone()
    };
    for name in ["spikes", "spikes-rate"] {
        let svg = drawn(name);
        assert!(svg.contains("interneurons"), "{svg}");
        assert!(
            !svg.contains("pyramidal") && !svg.contains("silent"),
            "{svg}"
        );
    }
}

#[test]
fn missing_and_damaged_spikes_become_remarks_and_the_table_stays() {
    let damages: [fn(&std::path::Path); 4] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| fs::write(path, &fs::read(path).unwrap()[..900]).unwrap(),
        |path| fs::rename(path, path.with_extension("parquet.partial")).unwrap(),
    ];
    for damage in damages {
        let folder = run();
        damage(&folder.path().join("spikes.parquet"));
        let built = build(folder.path()).unwrap();
        let notes = built.notes.join("\n");
        assert!(notes.contains("spikes.parquet"), "{notes}");
        assert!(
            !notes.contains(&folder.path().display().to_string()),
            "{notes}"
        );
        let html = html(&built);
        assert!(html.contains("interneurons") && !html.contains("\"spikes-rate\""));
    }
    for trace in ["pyramidal.soma", "modulators"] {
        let folder = run();
        fs::write(folder.path().join(format!("traces/{trace}.parquet")), "x").unwrap();
        let notes = build(folder.path()).unwrap().notes.join("\n");
        assert!(notes.contains(trace), "{notes}");
    }
}

#[test]
fn run_that_was_silent_or_does_not_know_its_length_still_has_a_report() {
    for (duration, populations) in [(0.0, 0), (f64::NAN, 2), (10.0, 1)] {
        let folder = run_of(signal, |report| {
            report.spikes = Some(SpikeReport {
                recorded: vec![],
                file: Some("spikes.parquet".to_owned()),
                duration_ms: duration,
                ..SpikeReport::default()
            });
        });
        let report = read_run_json(folder.path()).unwrap();
        let directory = RunDirectory::create(folder.path(), true).unwrap();
        let spikes = SpikeSpec {
            populations: (0..populations)
                .map(|n| SpikePopulation {
                    name: format!("p{n}"),
                    neurons: n,
                })
                .collect(),
        };
        let spec = RecorderSpec {
            spikes: Some(spikes),
            ..RecorderSpec::default()
        };
        Recorder::start(&directory, spec).unwrap().finish().unwrap();
        directory.write_run_json(&report).unwrap();
        let html = html(&build(folder.path()).unwrap());
        assert!(!html.contains("NaN") && !html.contains("inf\""));
    }
}

#[test]
fn many_membranes_are_a_picture_too_and_other_samples_are_activity() {
    let folder = run_of(signal, |_| {});
    let mut report = read_run_json(folder.path()).unwrap();
    let directory = RunDirectory::create(folder.path(), true).unwrap();
    let trace = |name: &str, columns: usize, of| TraceSpec {
        name: name.to_owned(),
        columns: (0..columns).map(|i| (3 * i).to_string()).collect(),
        timed: true,
        of,
    };
    let membrane = TraceOf::Membrane {
        population: "p".to_owned(),
        compartment: "soma".to_owned(),
    };
    let spec = RecorderSpec {
        traces: vec![trace("p.soma", 20, Some(membrane)), trace("x", 2, None)],
        stages: vec!["train".to_owned()],
        ..RecorderSpec::default()
    };
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    for (index, columns) in [(0, 20), (1, 2)] {
        let mut block = recorder.trace_block(index);
        for sample in 0..30_000 {
            block.push_at(0, sample * MS / 50, &vec![sample as f64; columns]);
        }
        recorder.send_trace(block).unwrap();
    }
    report.traces = recorder.finish().unwrap().traces;
    report.weights.clear();
    report.measures.clear();
    directory.write_run_json(&report).unwrap();
    let built = build(folder.path()).unwrap();
    let figures = figures(&built);
    let names: Vec<&str> = figures.iter().map(|f| f.name.as_str()).collect();
    let panels = [0, 9, 21, 33, 45, 57].map(|neuron| format!("membrane-p-{neuron}"));
    let mut expected: Vec<&str> = panels.iter().map(String::as_str).collect();
    expected.extend(["trace-p.soma-train", "trace-x-train"]);
    assert_eq!(names, expected);
    let panel = &figures[0].caption;
    assert!(panel.contains("6 of 20 recorded neurons"), "{panel}");
    assert!(panel.contains("only the last ones are shown"), "{panel}");
    assert!(
        figures
            .iter()
            .all(|figure| figure.svg.contains("time (ms)"))
    );
    html(&built);
}
