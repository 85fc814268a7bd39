//! The circuit in Graphviz's language.

use std::fmt::Write as _;

use super::anatomy::{Part, Role};
use super::net::{Net, Wire};
use super::{broadcast, schedules, words};
use crate::circuit::{Circuit, Population};
use crate::drawing::Ink;
use crate::drawing::escape;

/// Writes a digraph: populations as tables of their parts, inputs as boxes, modulators as notes.
pub(super) fn write(circuit: &Circuit, net: &Net) -> String {
    let mut out = String::new();
    let title = quoted(&[&circuit.name, &words::summary(circuit)]);
    let _ = writeln!(out, "digraph {} {{", quoted(&[&circuit.name]));
    let _ = writeln!(
        out,
        "  graph [rankdir=BT, label={title}, labelloc=t, nodesep=0.6, ranksep=0.7, fontname=\"Helvetica\"];"
    );
    let _ = writeln!(
        out,
        "  node [shape=plain, fontname=\"Helvetica\", fontsize=11];"
    );
    let _ = writeln!(
        out,
        "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.7];"
    );
    write_nodes(&mut out, circuit, net);
    for (index, wire) in net.wires.iter().enumerate() {
        write_wire(&mut out, circuit, net, index, wire);
    }
    write_modulators(&mut out, circuit);
    out.push_str("}\n");
    out
}

fn write_nodes(out: &mut String, circuit: &Circuit, net: &Net) {
    for (index, (population, parts)) in circuit.populations.iter().zip(&net.parts).enumerate() {
        let _ = write!(
            out,
            "  n{index} [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" cellpadding=\"5\">"
        );
        for (row, part) in parts.iter().enumerate() {
            write_part(out, population, row, *part);
        }
        out.push_str("</table>>];\n");
    }
    for (index, input) in circuit.inputs.iter().enumerate() {
        let size = format!("{} a step", words::count(input.size, "value"));
        let label = quoted(&[&input.name, &size, &words::process(&input.process)]);
        let _ = writeln!(
            out,
            "  n{} [shape=box, label={label}];",
            net.populations + index
        );
    }
}

/// A row of a population's table.
fn write_part(out: &mut String, population: &Population, row: usize, part: Part) {
    let mut lines = Vec::new();
    if part.role == Role::Body {
        lines.push(format!("<b>{}</b>", html(&population.name)));
        lines.push(html(&words::neurons(population)));
    }
    let compartment = part
        .compartment
        .and_then(|c| population.compartments.get(c));
    if let Some(compartment) = compartment {
        lines.push(html(&compartment.name));
        lines.extend(compartment.bias.as_ref().map(|b| html(&words::bias(b))));
    }
    let color = part.role.ink().light();
    let lines = lines.join("<br/>");
    let _ = write!(
        out,
        "<tr><td port=\"r{row}\" color=\"{color}\">{lines}</td></tr>"
    );
}

fn write_wire(out: &mut String, circuit: &Circuit, net: &Net, index: usize, wire: &Wire) {
    // Loops on one side, so that they do not cross the cell.
    let side = if wire.is_loop() { ":e" } else { "" };
    let from = match wire.from.node < net.populations {
        true => format!("n{}:r{}{side}", wire.from.node, wire.from.row),
        false => format!("n{}", wire.from.node),
    };
    let to = format!("n{}:r{}{side}", wire.to.node, wire.to.row);
    let _ = write!(
        out,
        "  {from} -> {to} [color=\"{}\"",
        wire.role.ink().light()
    );
    if let Some(projection) = circuit.projections.get(index) {
        let told = words::about(projection);
        let lines: Vec<&str> = [projection.name.as_str()]
            .into_iter()
            .chain(told.iter().map(String::as_str))
            .collect();
        let _ = write!(out, ", label={}", quoted(&lines));
    }
    if wire.learns {
        out.push_str(", penwidth=2");
    }
    // Feedback must not turn the drawing over.
    if !wire.ascends {
        out.push_str(", constraint=false");
    }
    out.push_str("];\n");
}

fn write_modulators(out: &mut String, circuit: &Circuit) {
    if circuit.modulators.is_empty() {
        return;
    }
    let _ = writeln!(out, "  subgraph cluster_modulators {{");
    let reach = quoted(&[&broadcast::reach(circuit)]);
    let _ = writeln!(
        out,
        "    label={reach}; fontsize=11; color=\"{}\";",
        Ink::Grid.light()
    );
    for (index, modulator) in circuit.modulators.iter().enumerate() {
        let lines = [
            modulator.name.as_str(),
            &schedules::drive(&modulator.drive),
            &broadcast::readers(circuit, &modulator.name),
        ];
        let color = Ink::Modulator.light();
        let _ = writeln!(
            out,
            "    m{index} [shape=note, color=\"{color}\", label={}];",
            quoted(&lines)
        );
    }
    out.push_str("  }\n");
}

/// A quoted string of lines. Backslashes are doubled: Graphviz reads `\N` and the like in labels.
fn quoted(lines: &[&str]) -> String {
    let mut out = String::from("\"");
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push_str("\\n");
        }
        for c in line.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\t' | '\n' | '\r' => out.push(' '),
                // Graphviz reads the entities of HTML in every label.
                '&' => out.push_str("&amp;"),
                c if c.is_control() => out.push('\u{fffd}'),
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}

/// Text inside a label of the HTML kind.
fn html(text: &str) -> String {
    let mut out = String::new();
    escape(text, &mut out);
    out
}
