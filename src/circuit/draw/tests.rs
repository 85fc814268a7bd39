//! What holds for every drawing, tried on netlists made at random and on names made to break things.

use super::samples::{impression, random, samples};
use super::*;
use crate::drawing::well_formed;

#[test]
fn nothing_overlaps() {
    for circuit in samples() {
        let layout = layout(&circuit);
        assert_eq!(layout.populations.len(), circuit.populations.len());
        assert_eq!(layout.labels.len(), circuit.projections.len());
        let all: Vec<Rect> = layout
            .populations
            .iter()
            .chain(&layout.inputs)
            .chain(&layout.labels)
            .copied()
            .collect();
        for (index, a) in all.iter().enumerate() {
            for b in &all[..index] {
                assert!(
                    !a.overlaps(b),
                    "{a:?} {b:?} of {} populations",
                    circuit.populations.len()
                );
            }
        }
    }
}

#[test]
fn wires_run_outside_cells_and_labels() {
    for circuit in samples() {
        let scene = Scene::new(&circuit);
        let nodes = (0..scene.cells.len()).map(|node| scene.node(node));
        let labels = (0..scene.net.wires.len()).filter_map(|wire| scene.label(wire));
        // A pixel less on every side: wires end on the outline, and slanting sides lie within the rectangle.
        let shrink = |r: Rect| Rect {
            left: r.left + 1.0,
            top: r.top + 1.0,
            width: r.width - 2.0,
            height: r.height - 2.0,
        };
        let closed: Vec<Rect> = nodes.chain(labels).map(shrink).collect();
        for (wire, way) in scene.net.wires.iter().zip(&scene.ways) {
            let ends = [scene.node(wire.from.node), scene.node(wire.to.node)].map(shrink);
            for (index, step) in way.windows(2).enumerate() {
                let at_end = index == 0 || index + 2 == way.len();
                let around = Rect {
                    left: step[0].0.min(step[1].0) - 0.01,
                    top: step[0].1.min(step[1].1) - 0.01,
                    width: (step[0].0 - step[1].0).abs() + 0.02,
                    height: (step[0].1 - step[1].1).abs() + 0.02,
                };
                let own = |rect: &Rect| at_end && ends.contains(rect);
                let mut hit = closed
                    .iter()
                    .filter(|rect| rect.overlaps(&around) && !own(rect));
                assert!(hit.next().is_none(), "{} at {around:?}", wire.title);
            }
        }
    }
}

#[test]
fn everything_lies_on_the_drawing() {
    for circuit in samples() {
        let scene = Scene::new(&circuit);
        let rects = (0..scene.cells.len()).map(|node| scene.node(node));
        let rects = rects.chain((0..scene.net.wires.len()).filter_map(|wire| scene.label(wire)));
        let corners = rects.flat_map(|r| [(r.left, r.top), (r.right(), r.bottom())]);
        for (x, y) in corners.chain(scene.ways.iter().flatten().copied()) {
            assert!(
                x >= -0.01 && x <= scene.width + 0.01,
                "{x} of {}",
                scene.width
            );
            assert!(
                y >= -0.01 && y <= scene.height + 0.01,
                "{y} of {}",
                scene.height
            );
        }
    }
}

#[test]
fn higher_populations_are_drawn_above_what_drives_them() {
    let layout = layout(&impression());
    let (stimulus, latent, input) = (
        layout.populations[0],
        layout.populations[1],
        layout.inputs[0],
    );
    assert!(latent.bottom() < stimulus.top && stimulus.bottom() < input.top);
    let middle = |r: Rect| r.left + r.width / 2.0;
    // A stack of one population a layer stands upright, to the pixel.
    assert!(
        (middle(latent) - middle(stimulus)).abs() < 1.0
            && (middle(input) - middle(stimulus)).abs() < 1.0
    );
}

#[test]
fn every_name_is_drawn_and_written() {
    for circuit in [impression(), random(8, 12, 5)] {
        let (svg, dot) = (svg(&circuit), dot(&circuit));
        let populations = circuit.populations.iter().map(|p| &p.name);
        let projections = circuit.projections.iter().map(|p| &p.name);
        let modulators = circuit.modulators.iter().map(|m| &m.name);
        let inputs = circuit.inputs.iter().map(|i| &i.name);
        for name in populations
            .chain(projections)
            .chain(modulators)
            .chain(inputs)
        {
            assert!(svg.contains(&format!(">{name}</text>")), "{name}");
            assert!(
                dot.contains(&format!("\"{name}\\n")) || dot.contains(&format!("<b>{name}</b>")),
                "{name}"
            );
        }
    }
}

#[test]
fn labels_tell_pattern_size_rule_and_delay() {
    let (svg, dot) = (svg(&impression()), dot(&impression()));
    for words in [
        "all-to-all, 200 synapses",
        "learns by hebb",
        "one-to-one, 10 synapses",
        "delay 1 step",
        "bias learns by hebb",
        "alternates 1, 0 every 2 steps",
        "= mean(p0.soma)",
        "in the equations of p0, latent",
        "latent AR(1) of 5",
    ] {
        assert!(svg.contains(&format!(">{words}</text>")), "{words}");
        assert!(dot.contains(words), "{words}");
    }
    assert!(svg.contains(">reads lambda</text>"));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "</text><script>&\"'\\N]]>\u{0}\u{1b}\n}{ \u{5b57}";
    let mut circuit = impression();
    circuit.name = hostile.to_owned();
    for population in &mut circuit.populations {
        population.name = hostile.to_owned();
        population.neuron = hostile.repeat(200);
        population
            .compartments
            .iter_mut()
            .for_each(|c| c.name = format!("{}{hostile}", c.name));
    }
    circuit
        .projections
        .iter_mut()
        .for_each(|p| p.name = hostile.to_owned());
    circuit
        .modulators
        .iter_mut()
        .for_each(|m| m.name = hostile.to_owned());
    circuit
        .inputs
        .iter_mut()
        .for_each(|i| i.name = hostile.to_owned());
    let (svg, dot) = (svg(&circuit), dot(&circuit));
    assert_eq!(well_formed(&svg), Ok(()));
    assert!(!svg.contains("<script"));
    assert!(!svg.contains(['\u{0}', '\u{1b}']) && !dot.contains(['\u{0}', '\u{1b}']));
    // Outside of tables, which escape otherwise, each quote and backslash of a name is escaped.
    let labels = dot
        .lines()
        .filter(|line| line.contains("label=\"") && !line.contains("broadcast"));
    assert!(labels.clone().count() > 0);
    for line in labels {
        assert!(line.contains(r#"&amp;\"'\\N]]>"#), "{line}");
    }
}

#[test]
fn drawings_are_well_formed_and_always_the_same() {
    for circuit in samples() {
        let drawn = svg(&circuit);
        assert_eq!(well_formed(&drawn), Ok(()));
        assert_eq!(drawn, svg(&circuit));
        assert_eq!(dot(&circuit), dot(&circuit));
    }
}

#[test]
fn an_empty_circuit_says_so() {
    let mut circuit = impression();
    (circuit.populations, circuit.projections) = (vec![], vec![]);
    (circuit.inputs, circuit.modulators) = (vec![], vec![]);
    let drawn = svg(&circuit);
    assert_eq!(well_formed(&drawn), Ok(()));
    assert!(drawn.contains("no populations"));
    assert!(dot(&circuit).ends_with("}\n"));
}

#[test]
fn both_schemes_are_in_the_file() {
    let drawn = svg(&impression());
    assert!(drawn.contains("prefers-color-scheme:dark"));
    // Every class that is used has a dark shade.
    for class in drawn
        .split("class=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        for name in class.split(' ') {
            assert!(drawn.contains(&format!(".{name}{{")), "{name}");
        }
    }
}
