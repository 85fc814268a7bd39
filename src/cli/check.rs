//! `apical check`.

use std::fmt::Write as _;

use super::Failure;
use super::args::Check;
use super::show;
use crate::compile::explain::Explanation;
use crate::experiment::Runnable;
use crate::experiment::event::EventExperiment;

/// Says what the compiler makes of a netlist.
pub(super) fn check(arguments: &Check) -> Result<(), Failure> {
    let experiment = show::load(&arguments.source)?;
    let experiment = match experiment {
        Runnable::Rate(experiment) => experiment,
        Runnable::Event(experiment) => return check_event(&experiment, arguments.json),
    };
    let explanation = experiment.program.explain();
    if arguments.json {
        let json =
            serde_json::to_string_pretty(&explanation).map_err(|e| Failure::Run(e.to_string()))?;
        show::out(&format!("{json}\n"));
    } else {
        show::out(&text(&explanation));
    }
    Ok(())
}

/// Says what the compiler makes of a circuit of spiking neurons.
fn check_event(experiment: &EventExperiment, json: bool) -> Result<(), Failure> {
    let explanation = experiment.program.explain();
    if json {
        let json =
            serde_json::to_string_pretty(&explanation).map_err(|e| Failure::Run(e.to_string()))?;
        show::out(&format!("{json}\n"));
    } else {
        show::out(&explanation.text());
    }
    Ok(())
}

fn text(e: &Explanation) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} neurons, {} synapses, {:.2} MiB; {} engine{}, step {}",
        e.circuit,
        show::grouped(e.neurons as u64),
        show::grouped(e.synapses as u64),
        e.bytes as f64 / (1 << 20) as f64,
        e.engine,
        match e.precision.as_str() {
            "single" => " in single precision",
            _ => "",
        },
        e.step
    );
    let _ = writeln!(
        text,
        "{} synaptic multiply–adds a step, learning included",
        show::grouped(e.multiply_adds_per_step as u64)
    );
    if !e.gates.is_empty() {
        let _ = writeln!(
            text,
            "gates: {}; the program is specialised for {} combinations",
            e.gates.join(", "),
            1 << e.gates.len()
        );
    }
    for population in &e.populations {
        let source = population
            .source
            .as_ref()
            .map(|s| format!(" ({s})"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "\npopulation {}: {} × {}{source}",
            population.name, population.size, population.neuron
        );
        for c in &population.compartments {
            let f = c
                .activation
                .as_ref()
                .map(|f| format!("   f = {f}"))
                .unwrap_or_default();
            let _ = writeln!(text, "  {:<8} {}: {}{f}", c.name, c.method, c.equation);
        }
    }
    if !e.projections.is_empty() {
        let _ = writeln!(text, "\nsynapses");
    }
    for p in &e.projections {
        let _ = writeln!(
            text,
            "  {}: {}, {}, {} synapses",
            p.name,
            p.path,
            p.pattern,
            show::grouped(p.synapses as u64)
        );
        if let (Some(rule), Some(method)) = (&p.rule, &p.method) {
            let why = p.why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
            let _ = writeln!(text, "    learns by {rule}, local, {method}{why}");
        }
    }
    if !e.measured.is_empty() {
        let _ = writeln!(text, "\nmeasured, not applied");
    }
    for m in &e.measured {
        let why = m.why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
        let _ = writeln!(text, "  {}: {}, local, {}{why}", m.of, m.rule, m.method);
    }
    for note in &e.not_local {
        let _ = writeln!(text, "\nnot local: {note}");
    }
    text
}
