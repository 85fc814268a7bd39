//! Netlist to circuit: every name is looked up, every size compared.

mod places;
mod populations;
mod projections;
mod source_inputs;
mod spike_times;
mod spiking;
mod spiking_ends;
mod transposes;

use std::collections::HashMap;

use petgraph::graph::DiGraph;

use super::{Circuit, CircuitKind, Input, Modulator, Output, PopulationId, ProjectionId};
use crate::input::{DataError, DataPaths};
use crate::netlist::model::{self, Name, Netlist, Precision};
use crate::source::{Problem, Spanned, suggest};

impl Circuit {
    /// Resolves a netlist; `paths` is where its files are looked for. Problems come with the circuit that
    /// is left without what they broke.
    pub fn build(netlist: &Netlist, paths: &DataPaths) -> (Circuit, Vec<Problem>) {
        let mut resolver = Resolver {
            netlist,
            paths,
            problems: Vec::new(),
        };
        let circuit = resolver.circuit();
        (circuit, resolver.problems)
    }
}

struct Resolver<'n> {
    netlist: &'n Netlist,
    paths: &'n DataPaths,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn circuit(&mut self) -> Circuit {
        let table = &self.netlist.circuit;
        let mut circuit = Circuit {
            name: table.name.value.clone(),
            seed: table.seed,
            kind: self.kind(),
            step: table.step.as_ref().map(|step| step.value),
            replicas: table.replicas.value as usize,
            precision: self.circuit_precision(),
            constants: self
                .netlist
                .constants
                .iter()
                .map(|(name, constant)| (name.clone(), constant.value))
                .collect(),
            populations: vec![],
            projections: vec![],
            modulators: self.modulators(),
            inputs: vec![],
            graph: DiGraph::new(),
            left_out: vec![],
        };
        circuit.inputs = self
            .netlist
            .inputs
            .iter()
            .filter_map(|(name, input)| self.input(name, input, &circuit))
            .collect();
        self.inputs_have_steps(&circuit);
        let mixed = self.mixed();
        for (name, population) in &self.netlist.populations {
            if mixed && self.is_rate(population) {
                continue;
            }
            if let Some(population) = self.population(name, population, &circuit) {
                circuit
                    .graph
                    .add_node(PopulationId(circuit.populations.len() as u32));
                circuit.populations.push(population);
            }
        }
        let inputs = self
            .netlist
            .inputs
            .keys()
            .filter(|n| circuit.input_named(n).is_none());
        let populations = self
            .netlist
            .populations
            .keys()
            .filter(|n| circuit.population_named(n).is_none());
        circuit.left_out = inputs.chain(populations).cloned().collect();
        let mut units = HashMap::new();
        for (name, projection) in &self.netlist.projections {
            if let Some(projection) = self.projection(name, projection, &circuit) {
                if circuit.kind == CircuitKind::Rate {
                    self.drive_unit(&mut circuit, &mut units, &projection);
                }
                let id = ProjectionId(circuit.projections.len() as u32);
                let ends = [projection.from, projection.to].map(|c| c.population.0.into());
                circuit.graph.add_edge(ends[0], ends[1], id);
                circuit.projections.push(projection);
            }
        }
        self.transposes(&mut circuit);
        self.read_populations(&circuit);
        circuit
    }

    fn modulators(&self) -> Vec<Modulator> {
        let make = |(name, m): (&String, &model::Modulator)| Modulator {
            name: name.clone(),
            drive: m.drive.clone(),
            per_replica: m.per_replica,
            start: m.start,
        };
        self.netlist.modulators.iter().map(make).collect()
    }

    fn input(&mut self, name: &str, input: &model::Input, circuit: &Circuit) -> Option<Input> {
        let hold = match &input.process {
            model::InputProcess::VonMises { hold, .. }
            | model::InputProcess::Random { hold, .. } => *hold,
            _ => None,
        };
        let made = |size, outputs| Input {
            name: name.to_owned(),
            size,
            outputs,
            shape: None,
            hold: hold.map(|hold| circuit.steps(hold, 1)),
            process: input.process.clone(),
        };
        let latent = |n| vec![(Output::Latent, n)];
        match &input.process {
            model::InputProcess::LatentAr1 {
                size, latent: n, ..
            } => {
                self.input_fits(size, n.value.max(circuit.replicas as u64))?;
                self.input_fits(n, circuit.replicas as u64)?;
                Some(made(size.value as usize, latent(n.value as usize)))
            }
            model::InputProcess::VonMises { .. } => Some(made(2, latent(1))),
            model::InputProcess::Random { size, draw, .. } => {
                self.input_fits(size, circuit.replicas as u64)?;
                self.list_fits(draw, size.value as usize);
                Some(made(size.value as usize, vec![]))
            }
            model::InputProcess::LogMel(mel) => {
                let mut outputs = vec![];
                if let Some(whole) = &mel.whole {
                    self.groups_fit(&whole.groups, circuit.replicas)?;
                    outputs.extend([(Output::Changed, 1), (Output::Last, 1)]);
                    let classes = whole.classes.len();
                    outputs.extend((classes > 0).then_some((Output::Label, classes)));
                }
                Some(made(mel.channels as usize, outputs))
            }
            model::InputProcess::Array { file, .. } => {
                let width = crate::input::array_width(&self.paths.find(&file.value));
                Some(made(self.read(width, file)?, vec![]))
            }
            model::InputProcess::Images(images) => {
                let source = crate::input::first_shape(images, self.paths);
                let source = self.read(source, images.files.images.first()?)?;
                self.crop_fits(images, source)?;
                let [channels, rows, columns] = images.seen(source);
                self.patch_fits(images, [rows, columns])?;
                let [high, wide] = images.patch([rows, columns]);
                let shape = [channels, high, wide];
                let label = (Output::Label, images.classes as usize);
                let moved = images.patches.as_ref().map(|_| (Output::Moved, 1));
                let mut outputs = vec![(Output::Changed, 1), (Output::Last, 1)];
                outputs.extend(moved);
                outputs.extend(images.is_labelled().then_some(label));
                let input = made(shape.iter().product(), outputs);
                Some(Input {
                    shape: Some(shape),
                    ..input
                })
            }
        }
    }

    /// Of the circuit as a whole; which only rate circuits without replicas have.
    fn circuit_precision(&mut self) -> Precision {
        let table = &self.netlist.circuit;
        let Some(precision) = &table.precision else {
            return Precision::Double;
        };
        let reason = match precision.value {
            Precision::Double => return Precision::Double,
            Precision::Single if self.kind() == CircuitKind::Event => Some((
                "only rate circuits have a precision",
                "its neurons spike",
                "leave this line out",
            )),
            Precision::Single if table.replicas.value > 1 => Some((
                "a circuit of replicas is in double precision",
                "with several replicas",
                "leave `replicas` out, or write `precision = \"single\"` at projections instead",
            )),
            Precision::Single => None,
        };
        if let Some((message, label, help)) = reason {
            let problem = Problem::new(message, precision.span, label).help(help);
            self.problems.push(problem);
        }
        precision.value
    }

    /// That so many numbers, `times` over, are not too many.
    fn input_fits(&mut self, numbers: &Spanned<u64>, times: u64) -> Option<()> {
        if numbers.value.saturating_mul(times) <= MOST {
            return Some(());
        }
        let message = format!("{} × {times} numbers do not fit into memory", numbers.value);
        let problem = Problem::new(message, numbers.span, "too large");
        self.problems
            .push(problem.help(format!("at most {MOST} in all")));
        None
    }

    /// Every replica hears one group of recordings, and every group is heard by equally many.
    fn groups_fit(&mut self, groups: &[Name], replicas: usize) -> Option<()> {
        let Some(first) = groups.first() else {
            return Some(());
        };
        if replicas.is_multiple_of(groups.len()) {
            return Some(());
        }
        let (count, most) = (groups.len(), replicas.next_multiple_of(groups.len()));
        let message = format!("{count} groups of recordings cannot share {replicas} replicas");
        let problem = Problem::new(message, first.span, "the first of them");
        let help = format!("write `replicas = {most}`, or another multiple of {count}");
        self.problems.push(problem.help(help));
        None
    }

    /// What was read of a file, or the problem with it.
    fn read<T>(&mut self, result: Result<T, DataError>, file: &Name) -> Option<T> {
        let failed = |error: DataError| Problem::new(error.to_string(), file.span, "this file");
        result
            .map_err(|error| self.problems.push(failed(error)))
            .ok()
    }

    /// A patch has to be in the image.
    fn patch_fits(&mut self, images: &model::ImagesInput, sides: [usize; 2]) -> Option<()> {
        let Some(patches) = &images.patches else {
            return Some(());
        };
        if patches.grid(sides).iter().all(|n| *n > 0) {
            return Some(());
        }
        let [rows, columns] = sides;
        let message = format!("the images have {rows} rows and {columns} columns");
        let problem = Problem::new(message, patches.size.span, "larger than the images");
        let help = format!("write at most patch = [{rows}, {columns}]");
        self.problems.push(problem.help(help));
        None
    }

    /// The part of an image that is seen has to be in it, and divide into the blocks that are averaged.
    fn crop_fits(&mut self, images: &model::ImagesInput, source: [usize; 3]) -> Option<()> {
        let [_, rows, columns] = source;
        let found = format!("the images have {rows} rows and {columns} columns");
        if let Some(crop) = &images.crop {
            let [high, wide] = crop.value;
            if high > rows as u64 || wide > columns as u64 {
                let problem = Problem::new(found, crop.span, "larger than the images");
                let help = format!("write at most crop = [{rows}, {columns}]");
                self.problems.push(problem.help(help));
                return None;
            }
        }
        let [high, wide] = images.cropped(source);
        let shrink = images.shrink as usize;
        if high.is_multiple_of(shrink) && wide.is_multiple_of(shrink) {
            return Some(());
        }
        let message =
            format!("{high} x {wide} pixels do not divide into blocks of {shrink} x {shrink}");
        let span = images.shrink_span;
        let problem = Problem::new(message, span, "no whole number of blocks");
        let [high, wide] = [high, wide].map(|side| side / shrink * shrink);
        self.problems.push(match high.min(wide) {
            0 => problem.help("write a smaller number"),
            _ => problem.help(format!("cut a border off with crop = [{high}, {wide}]")),
        });
        None
    }

    fn list_fits(&mut self, distribution: &model::Distribution, size: usize) {
        if let model::DistributionKind::List(values) = &distribution.kind
            && values.len() != size
        {
            let message = format!(
                "{size} numbers are needed here, the list has {}",
                values.len()
            );
            self.problems
                .push(Problem::new(message, distribution.span, "wrong length"));
        }
    }

    fn unknown<'a>(
        &mut self,
        what: &str,
        name: &Name,
        known: impl Iterator<Item = &'a String>,
        also: Option<&str>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let help = match (suggest(&name.value, known), also) {
            (Some(known), Some(also)) if known.starts_with("known") => {
                Some(format!("{known}; or {also}"))
            }
            (near, also) => near.or(also.map(str::to_owned)),
        };
        let problem = Problem::new(
            format!("{what} `{}`", name.value),
            name.span,
            "unknown name",
        );
        self.problems.push(Problem { help, ..problem });
    }
}

/// Names that every equation has.
const RESERVED: [&str; 4] = ["drive", "noise", "f", "x"];

/// Neurons in a population, and synapses in a projection: more would not fit into any memory.
const MOST: u64 = 1_000_000_000;

/// Whether a distribution is a plain 0, which goes with every unit.
fn is_bare_zero(distribution: &model::Distribution) -> bool {
    distribution.dimension.is_none()
        && matches!(distribution.kind, model::DistributionKind::Constant(v) if v.abs() <= 0.0)
}
