//! Circuits of spiking neurons, from their text to what the event engine is given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use apical::circuit::{Circuit, CircuitKind, draw};
use apical::compile::check_neurons;
use apical::input::DataPaths;
use apical::netlist::model::{DistributionKind, Dynamics, Netlist, Signal, SpikeTrigger};
use apical::netlist::{self, LoadOptions};
use apical::source::Problems;
use apical::units::Dimension;

const HEAD: &str = "use = [\"lif\", \"sources\", \"pyramidal\"]\n[circuit]\nname = \"test\"\n";

fn resolve(netlist: Netlist, folder: &Path) -> Circuit {
    let paths = DataPaths {
        netlist: folder.to_owned(),
        data: None,
    };
    let (circuit, mut problems) = Circuit::build(&netlist, &paths);
    problems.extend(check_neurons(&circuit));
    if !problems.is_empty() {
        panic!("{}", Problems::new(netlist.sources, problems));
    }
    circuit
}

fn circuit(text: &str) -> Circuit {
    let text = format!("{HEAD}{text}");
    let netlist = netlist::parse("test.toml", &text, &LoadOptions::default());
    let netlist = netlist.unwrap_or_else(|problems| panic!("{problems}"));
    resolve(netlist, Path::new("."))
}

fn equation(circuit: &Circuit, compartment: usize) -> &str {
    match &circuit.populations[0].compartments[compartment].dynamics {
        Dynamics::Derivative(text) => &text.value,
        Dynamics::Value(_) => panic!(),
    }
}

#[test]
fn every_good_circuit_resolves_and_can_be_drawn() {
    let entries = fs::read_dir("tests/corpus/circuit-good").unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    assert!(!paths.is_empty());
    for path in paths {
        let netlist = netlist::load(&path, &LoadOptions::default());
        let netlist = netlist.unwrap_or_else(|problems| panic!("{problems}"));
        let circuit = resolve(netlist, path.parent().unwrap());
        assert_eq!(circuit.kind, CircuitKind::Event);
        assert_eq!(circuit.step.is_some(), !circuit.inputs.is_empty());
        assert!(circuit.populations.iter().all(|p| p.spiking.is_some()));
        assert!(circuit.projections.iter().all(|p| p.spiking.is_some()));
        for population in &circuit.populations {
            assert!(draw::svg(&circuit).contains(&population.name));
            assert!(draw::dot(&circuit).contains(&population.name));
        }
        let bursts = if circuit.inputs.is_empty() {
            "bursts, delay 2 ms"
        } else {
            "delay 2 ms"
        };
        assert!(draw::svg(&circuit).contains(bursts));
        for population in &circuit.populations {
            let fed = population.spiking.as_ref().and_then(|s| s.input?.of);
            if let Some((input, output)) = fed {
                let input = output.of(&circuit.inputs[input.0 as usize].name);
                let wire = format!("{input} to {}", population.name);
                assert!(draw::svg(&circuit).contains(&wire), "{wire}");
            }
        }
    }
}

#[test]
fn a_coupling_is_in_the_equations_of_both_its_ends() {
    let circuit = circuit("[population.p]\nneuron = \"tree\"\nsize = 1");
    assert_eq!(
        equation(&circuit, 0),
        "((2 * g_L) * ((E_L) - soma) + (g_axial) * (trunk - soma) + drive) / (2 * C)"
    );
    assert_eq!(
        equation(&circuit, 1),
        "((g_L) * ((E_L) - trunk) + (g_axial) * (soma - trunk) + (g_axial) * (left - trunk) \
         + (g_axial) * (right - trunk) + drive) / (C)"
    );
    assert_eq!(
        equation(&circuit, 3),
        "((g_L) * ((E_L) - right) + (g_axial) * (trunk - right) + drive) / (C)"
    );
}

#[test]
fn variables_have_their_units_and_a_spike_its_effects() {
    let circuit = circuit("[population.p]\nneuron = \"alif\"\nsize = 2");
    let population = &circuit.populations[0];
    let units: Vec<Dimension> = population.compartments.iter().map(|c| c.unit).collect();
    assert_eq!(units, [Dimension::VOLTAGE, Dimension::CURRENT]);
    assert_eq!(population.compartments[0].drive_unit, Dimension::CURRENT);
    assert!(equation(&circuit, 0).contains("+ (-w) + drive) / (C)"));
    let spiking = population.spiking.as_ref().unwrap();
    assert!(matches!(&spiking.trigger, SpikeTrigger::When(text) if text.value == "soma > V_th"));
    assert_eq!((spiking.reset[0].0, spiking.add[0].0), (0, 1));
    assert_eq!(spiking.held, [0]);
    let receptors: Vec<&str> = spiking.receptors.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(receptors, ["exc", "inh"]);
}

#[test]
fn projections_find_their_receptor_and_delays_are_in_milliseconds() {
    let circuit = circuit(
        "[population]\na = { neuron = \"poisson\", size = 2 }\nb = { neuron = \"lif\", size = 2 }\n\
         [projection.inh]\nfrom = \"a\"\nto = \"b.soma\"\nreceptor = \"inh\"\nsignal = \"spike\"\nweight = \"-1 pA\"\n\
         delay = \"2 ms\"\n[projection.exc]\nlike = \"inh\"\nreceptor = \"exc\"\ndelay = { uniform = [\"1 ms\", \"0.003 s\"] }",
    );
    let ends = |i: usize| circuit.projections[i].spiking.clone().unwrap();
    assert_eq!((ends(0).receptor, ends(1).receptor), (1, 0));
    assert_eq!(ends(0).signal, Signal::Spike);
    assert_eq!(ends(0).delay.kind, DistributionKind::Constant(2.0));
    let (low, high) = (1.0, 3.0);
    assert_eq!(ends(1).delay.kind, DistributionKind::Uniform { low, high });
}

#[test]
fn with_a_step_delays_and_stages_may_be_counted_in_steps() {
    let text = HEAD.to_owned()
        + "step = \"0.5 ms\"\n[population]\na = { neuron = \"lif-delta\", size = 2 }\n\
           [projection.p]\nfrom = \"a\"\nto = \"a.soma\"\nweight = \"1 mV\"\ndelay = 3\n[[stage]]\nname = \"s\"\nsteps = 10";
    let netlist = netlist::parse("test.toml", &text, &LoadOptions::default()).unwrap();
    let circuit = resolve(netlist, Path::new("."));
    let ends = circuit.projections[0].spiking.as_ref().unwrap();
    assert_eq!(ends.delay.kind, DistributionKind::Constant(1.5));
}

#[test]
fn listed_times_are_sorted_one_list_a_neuron() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("s.csv"),
        "time,neuron\n3,1\n1.5,1\n0,0\n",
    )
    .unwrap();
    let text = HEAD.to_owned()
        + "[population]\nfile = { neuron = \"listed\", size = 3, times = \"s.csv\", repeat = \"10 ms\" }\n\
           list = { neuron = \"listed\", size = 2, times = [[4, \"0.002 s\"], []] }";
    let netlist = netlist::parse("test.toml", &text, &LoadOptions::default()).unwrap();
    let circuit = resolve(netlist, folder.path());
    let times = |i: usize| {
        circuit.populations[i]
            .spiking
            .as_ref()
            .unwrap()
            .times
            .clone()
            .unwrap()
    };
    assert_eq!(times(0).of, [vec![0.0], vec![1.5, 3.0], vec![]]);
    assert_eq!(times(0).repeat_ms, Some(10.0));
    assert_eq!(times(1).of, [vec![2.0, 4.0], vec![]]);
    assert_eq!(times(1).repeat_ms, None);
}

#[test]
fn what_is_like_another_neuron_may_spike_otherwise() {
    let circuit = circuit(
        "[neuron.mine]\nlike = \"lif\"\nreceptor.inh = { current = \"alpha\", tau = \"5 ms\" }\n\
         receptor.exc = { current = \"double-exponential\", rise = \"1 ms\", decay = \"2 ms\" }\n\
         spike = { rate = \"10 Hz\" }\n[population.p]\nneuron = \"mine\"\nsize = 1",
    );
    let spiking = circuit.populations[0].spiking.as_ref().unwrap();
    assert!(matches!(spiking.trigger, SpikeTrigger::Rate(_)));
    assert!(spiking.reset.is_empty() && spiking.refractory.is_none());
    assert_eq!(spiking.receptors.len(), 2);
}
