//! What is measured and recorded: expressions are resolved, names looked up.

use crate::circuit::connect::Connectivity;
use crate::circuit::{Circuit, CompartmentId, ProjectionId};
use crate::compile::Expr;
use crate::compile::expressions::read;
use crate::compile::scope::{Place, PlaceScope};
use crate::lang::Shape;
use crate::measure::Bins;
use crate::netlist::model::{
    Binning, Expression, Measure, MeasureKind, Name, Netlist, Recording, RecordingKind, Sampling,
    Stage, StageLength, Statistic,
};
use crate::source::{Problem, suggest};

/// A measure whose expressions are probes of the program, by number.
#[derive(Debug, Clone)]
pub struct MeasurePlan {
    /// Its name.
    pub name: String,
    /// What it computes.
    pub kind: PlannedKind,
    /// Stages in which it looks; all if empty.
    pub during: Vec<String>,
    /// What one should see.
    pub expect: Option<String>,
    /// One line about it.
    pub about: Option<String>,
}

/// Bins of a number.
#[derive(Debug, Clone)]
pub struct PlannedBins {
    /// The number.
    pub by: usize,
    /// Steps count where this is not 0.
    pub when: Option<usize>,
    /// The bins.
    pub bins: Bins,
    /// What the number is, as written.
    pub axis: String,
}

/// Samples of a vector with their labels.
#[derive(Debug, Clone)]
pub struct PlannedSamples {
    /// The vector.
    pub of: usize,
    /// Its number of elements.
    pub size: usize,
    /// Its label.
    pub label: usize,
    /// Number of classes.
    pub classes: usize,
    /// Samples are taken where this is not 0.
    pub when: Option<usize>,
    /// They are means since this was last not 0.
    pub since: Option<usize>,
}

/// Kinds of measure, with probes by number.
#[derive(Debug, Clone)]
pub enum PlannedKind {
    /// Mean over windows.
    Mean {
        /// The number.
        of: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
        /// Steps in a window.
        window: Option<u64>,
    },
    /// R² of a prediction.
    RSquared {
        /// The truth.
        truth: usize,
        /// The prediction.
        prediction: usize,
        /// Whether errors and variances are summed over elements first.
        pooled: bool,
    },
    /// Autocorrelation function.
    Autocorrelation {
        /// The vector.
        of: usize,
        /// Longest lag.
        lags: usize,
    },
    /// All pairwise correlations.
    CorrelationMatrix {
        /// The vector.
        of: usize,
    },
    /// Correlation over time between what two stages gave.
    StageCorrelation {
        /// The vector.
        of: usize,
        /// The stages.
        between: [String; 2],
    },
    /// A statistic of a vector in bins of a number.
    Tuning {
        /// The vector.
        of: usize,
        /// The bins.
        bins: PlannedBins,
        /// What is taken in each bin.
        statistic: Statistic,
    },
    /// Means and ellipses of two numbers in bins of another.
    Ellipses {
        /// The two numbers.
        of: usize,
        /// What they should be.
        target: Option<usize>,
        /// The bins.
        bins: PlannedBins,
    },
    /// The fraction of a vector's noise that a readout sees, in bins of a number.
    VolumeFraction {
        /// The vector.
        of: usize,
        /// Its number of elements.
        size: usize,
        /// The readout.
        readout: ProjectionId,
        /// The bins.
        bins: PlannedBins,
    },
    /// Peaks of a tuning measure.
    Peaks(String),
    /// d′ over windows.
    Sensitivity {
        /// The number.
        of: usize,
        /// The class.
        class: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
        /// Steps in a window.
        window: Option<u64>,
    },
    /// Share of steps and replicas with the largest score at the class.
    Accuracy {
        /// The scores.
        of: usize,
        /// The class.
        class: usize,
        /// How many there are of both.
        size: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
        /// Steps in a window.
        window: Option<u64>,
    },
    /// Vectors shown as images.
    Images {
        /// The vectors.
        of: Vec<usize>,
        /// What they are, as written.
        names: Vec<String>,
        /// Channels, rows, columns.
        shape: [usize; 3],
        /// How many.
        count: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
    },
    /// How often a linear classifier finds the label.
    LinearReadout {
        /// What it reads.
        samples: PlannedSamples,
        /// The stage that trains it.
        train: String,
        /// Penalty/2 is the price of the squared weights.
        penalty: f64,
        /// Samples that train at most.
        most: usize,
    },
    /// Updates that a rule would make.
    Update {
        /// The measured rule of the program.
        rule: usize,
        /// What it would change.
        of: Weighted,
        /// Steps in a sample where the stage has no trials.
        sample: Option<u64>,
    },
    /// Cosine of two measures' mean updates.
    Cosine([String; 2]),
    /// Correlation between two measures' matrices.
    MatrixAgreement([String; 2]),
    /// Largest difference of two measures' curves.
    CurveDifference([String; 2], Vec<u64>),
}

/// A recorded vector.
#[derive(Debug, Clone)]
pub struct TracePlan {
    /// File stem.
    pub name: String,
    /// The probe.
    pub probe: usize,
    /// Elements that are kept.
    pub elements: Vec<usize>,
    /// Every so many steps of a stage.
    pub every: u64,
    /// Stages in which it is recorded; all if empty.
    pub during: Vec<String>,
}

/// Recorded weights.
#[derive(Debug, Clone)]
pub struct WeightPlan {
    /// File stem.
    pub name: String,
    /// What is recorded.
    pub of: Weighted,
    /// Every so many steps.
    pub every: u64,
    /// Stages in which they are recorded; all if empty.
    pub during: Vec<String>,
}

/// Weights that can be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighted {
    /// A projection's.
    Projection(ProjectionId),
    /// A compartment's biases.
    Bias(CompartmentId),
}

/// Everything that is measured and recorded.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub exprs: Vec<Expr>,
    pub measures: Vec<MeasurePlan>,
    pub traces: Vec<TracePlan>,
    pub weights: Vec<WeightPlan>,
}

/// Plans the measures and recordings of a netlist.
pub(super) fn plan(netlist: &Netlist, circuit: &Circuit, problems: &mut Vec<Problem>) -> Planned {
    let mut planner = Planner {
        netlist,
        circuit,
        problems,
        planned: Planned::default(),
    };
    for (name, measure) in &netlist.measures {
        planner.refuse_spiking(measure);
        let Some(kind) = planner.measure(&measure.kind) else {
            continue;
        };
        let during = match &measure.kind {
            MeasureKind::StageCorrelation { between, .. } => planner.during(between),
            MeasureKind::LinearReadout { train, test, .. } => {
                planner.during(&[train.clone(), test.clone()])
            }
            _ => planner.during(&measure.during),
        };
        planner.planned.measures.push(MeasurePlan {
            name: name.clone(),
            kind,
            during,
            expect: measure.expect.clone(),
            about: measure.about.clone(),
        });
    }
    for recording in &netlist.recordings {
        planner.recording(recording);
    }
    planner.planned
}

pub(super) struct Planner<'n> {
    netlist: &'n Netlist,
    pub(super) circuit: &'n Circuit,
    pub(super) problems: &'n mut Vec<Problem>,
    planned: Planned,
}

impl Planner<'_> {
    /// The probe of an expression, with its size: 1 for a number.
    pub(super) fn probe(&mut self, text: &Expression) -> Option<(usize, usize, bool)> {
        let scope = PlaceScope::new(self.circuit, Place::Broadcast, None);
        match read(text, scope) {
            Ok((expr, _)) => {
                let (size, vector) = match expr.formula.shape() {
                    Shape::Vector(n) => (n as usize, true),
                    _ => (1, false),
                };
                self.planned.exprs.push(expr);
                Some((self.planned.exprs.len() - 1, size, vector))
            }
            Err(found) => {
                self.problems.extend(found);
                None
            }
        }
    }

    pub(super) fn number(&mut self, text: &Expression) -> Option<usize> {
        let (probe, size, vector) = self.probe(text)?;
        if vector {
            let problem = Problem::new(
                format!("this takes one number a step, not {size}"),
                text.span,
                "a vector",
            );
            self.problems
                .push(problem.help("reduce it with sum(…) or mean(…)"));
            return None;
        }
        Some(probe)
    }

    fn vector(&mut self, text: &Expression) -> Option<usize> {
        self.probe(text).map(|(probe, ..)| probe)
    }

    /// An expression of two elements.
    fn pair(&mut self, text: &Expression) -> Option<usize> {
        let (probe, size, _) = self.probe(text)?;
        if size != 2 {
            let message = format!("an ellipse is drawn of two numbers, not of {size}");
            let problem = Problem::new(message, text.span, "not a pair");
            self.problems
                .push(problem.help("give a population of two neurons, such as output.soma"));
        }
        Some(probe)
    }

    /// Samples, with what says when they are taken.
    fn samples(&mut self, sampling: &Sampling) -> Option<PlannedSamples> {
        let (of, label) = (self.probe(&sampling.of), self.probe(&sampling.label));
        let when = sampling.when.as_ref().map(|w| self.one(w));
        let since = sampling.since.as_ref().map(|s| self.one(s));
        let ((of, size, _), (label, classes, _)) = (of?, label?);
        if classes < 2 {
            let problem = Problem::new("a label has at least two classes", sampling.label.span, "");
            let help = "give a vector with an element for each class, such as digits.label";
            self.problems.push(problem.help(help));
        }
        Some(PlannedSamples {
            of,
            size,
            label,
            classes,
            when: when.flatten(),
            since: since.flatten(),
        })
    }

    /// A number, or a vector of one element, which may differ between replicas.
    fn one(&mut self, text: &Expression) -> Option<usize> {
        let (probe, size, _) = self.probe(text)?;
        if size == 1 {
            return Some(probe);
        }
        let message = format!("this takes one number a step, not {size}");
        let problem = Problem::new(message, text.span, "a vector");
        self.problems
            .push(problem.help("give a modulator, or an output such as digits.last"));
        None
    }

    fn bins(&mut self, binning: &Binning) -> Option<PlannedBins> {
        let by = self.number(&binning.by);
        let when = binning.when.as_ref().map(|w| self.number(w));
        Some(PlannedBins {
            by: by?,
            when: when.flatten(),
            bins: Bins::new(binning.count.value as usize, binning.range),
            axis: binning.by.value.trim().to_owned(),
        })
    }

    /// A readout: a projection all to all, and the number of neurons that it reads.
    fn readout(&mut self, name: &Name) -> Option<(ProjectionId, usize)> {
        let Weighted::Projection(id) = self.weighted(name)? else {
            let message = format!("`{}` is a bias, not a projection", name.value);
            let problem = Problem::new(message, name.span, "not a readout");
            self.problems
                .push(problem.help("name the projection that reads the neurons"));
            return None;
        };
        match &self.circuit.projections[id.0 as usize].connectivity {
            Connectivity::Dense { pre, post } if post <= pre => Some((id, *pre)),
            Connectivity::Dense { pre, post } => {
                let message = format!("`{}` has {post} outputs of {pre} neurons", name.value);
                let problem = Problem::new(message, name.span, "more than it reads");
                self.problems.push(
                    problem.help("a readout has at most as many outputs as it reads neurons"),
                );
                None
            }
            _ => {
                let message = format!("`{}` does not connect all neurons to all", name.value);
                let problem = Problem::new(message, name.span, "not a readout");
                self.problems
                    .push(problem.help("a readout is an all-to-all projection"));
                None
            }
        }
    }

    fn measure(&mut self, kind: &MeasureKind) -> Option<PlannedKind> {
        Some(match kind {
            MeasureKind::Mean { of, when, every } => {
                let (of, when) = (self.number(of), when.as_ref().map(|w| self.number(w)));
                let window = every.as_ref().map(|e| self.circuit.steps(e.value, 1));
                PlannedKind::Mean {
                    of: of?,
                    when: when.flatten(),
                    window,
                }
            }
            MeasureKind::RSquared {
                truth,
                prediction,
                pooled,
                every: _,
            } => {
                let (a, b) = (self.probe(truth), self.probe(prediction));
                let ((a, size_a, _), (b, size_b, _)) = (a?, b?);
                if size_a != size_b {
                    let message = format!("truth has {size_a} elements, the prediction {size_b}");
                    self.problems
                        .push(Problem::new(message, prediction.span, "sizes differ"));
                }
                PlannedKind::RSquared {
                    truth: a,
                    prediction: b,
                    pooled: *pooled,
                }
            }
            MeasureKind::Correlation { .. }
            | MeasureKind::Spikes { .. }
            | MeasureKind::MeanWeight { .. } => return None,
            MeasureKind::Autocorrelation { of, lags } => PlannedKind::Autocorrelation {
                of: self.vector(of)?,
                lags: lags.value as usize,
            },
            MeasureKind::CorrelationMatrix { of } => PlannedKind::CorrelationMatrix {
                of: self.vector(of)?,
            },
            MeasureKind::StageCorrelation { of, between } => PlannedKind::StageCorrelation {
                of: self.vector(of)?,
                between: between.each_ref().map(|n| n.value.clone()),
            },
            MeasureKind::Tuning {
                of,
                bins,
                statistic,
            } => {
                let (of, bins) = (self.vector(of), self.bins(bins));
                PlannedKind::Tuning {
                    of: of?,
                    bins: bins?,
                    statistic: *statistic,
                }
            }
            MeasureKind::Ellipses { of, target, bins } => {
                let (of, target) = (self.pair(of), target.as_ref().map(|t| self.pair(t)));
                let bins = self.bins(bins);
                PlannedKind::Ellipses {
                    of: of?,
                    target: target.flatten(),
                    bins: bins?,
                }
            }
            MeasureKind::VolumeFraction { of, readout, bins } => {
                let span = of.span;
                let found = (self.probe(of), self.readout(readout), self.bins(bins));
                let ((of, size, _), (readout, read), bins) = (found.0?, found.1?, found.2?);
                if size != read {
                    let message = format!("this has {size} elements, the readout reads {read}");
                    let help = "give the values that the projection carries, such as circuit.soma";
                    self.problems
                        .push(Problem::new(message, span, "sizes differ").help(help));
                }
                PlannedKind::VolumeFraction {
                    of,
                    size,
                    readout,
                    bins,
                }
            }
            MeasureKind::Peaks { of } => {
                self.other_measures(std::slice::from_ref(of), "tuning", |k| {
                    matches!(k, MeasureKind::Tuning { .. })
                });
                PlannedKind::Peaks(of.value.clone())
            }
            MeasureKind::Sensitivity {
                of,
                class,
                when,
                every,
            } => {
                let (of, class) = (self.number(of), self.number(class));
                let when = when.as_ref().map(|w| self.number(w));
                let window = every.as_ref().map(|e| self.circuit.steps(e.value, 1));
                PlannedKind::Sensitivity {
                    of: of?,
                    class: class?,
                    when: when.flatten(),
                    window,
                }
            }
            MeasureKind::Accuracy { .. } => self.accuracy(kind)?,
            MeasureKind::Images { .. } => self.images(kind)?,
            MeasureKind::LinearReadout {
                samples,
                train,
                penalty,
                most,
                ..
            } => PlannedKind::LinearReadout {
                samples: self.samples(samples)?,
                train: train.value.clone(),
                penalty: *penalty,
                most: *most as usize,
            },
            MeasureKind::Update { of, sample, .. } => {
                let before = self.planned.measures.iter();
                let rule = before.filter(|m| matches!(m.kind, PlannedKind::Update { .. }));
                let rule = rule.count();
                PlannedKind::Update {
                    rule,
                    of: self.weighted(of)?,
                    sample: sample.as_ref().map(|s| self.circuit.steps(s.value, 1)),
                }
            }
            MeasureKind::Cosine { of } => {
                self.other_measures(of, "update", |k| matches!(k, MeasureKind::Update { .. }));
                self.same_target(of);
                PlannedKind::Cosine(of.each_ref().map(|n| n.value.clone()))
            }
            MeasureKind::MatrixAgreement { of } => {
                self.other_measures(of, "correlation-matrix", |k| {
                    matches!(k, MeasureKind::CorrelationMatrix { .. })
                });
                PlannedKind::MatrixAgreement(of.each_ref().map(|n| n.value.clone()))
            }
            MeasureKind::CurveDifference { of, at } => {
                self.other_measures(of, "autocorrelation", |k| {
                    matches!(k, MeasureKind::Autocorrelation { .. })
                });
                PlannedKind::CurveDifference(of.each_ref().map(|n| n.value.clone()), at.clone())
            }
        })
    }

    /// What only circuits of spiking neurons have.
    fn refuse_spiking(&mut self, measure: &Measure) {
        let (what, span, help) = match &measure.kind {
            MeasureKind::Correlation { .. } => (
                "this kind of measure is for spiking neurons",
                measure.span,
                "kind = \"r-squared\" compares two signals here, kind = \"stage-correlation\" two stages",
            ),
            MeasureKind::Spikes { .. } => (
                "this kind of measure is for spiking neurons",
                measure.span,
                "kind = \"mean\" of a modulator made of the population, such as mean(cells.soma)",
            ),
            MeasureKind::MeanWeight { .. } => (
                "this kind of measure is for spiking neurons",
                measure.span,
                "record the weights: [[record]] what = \"weights\"",
            ),
            MeasureKind::RSquared {
                every: Some(every), ..
            } => (
                "here an r-squared looks at every step",
                every.span,
                "leave out `every`",
            ),
            _ => return,
        };
        let problem = Problem::new(what, span, "a circuit of rates");
        self.problems.push(problem.help(help));
    }

    fn other_measures(&mut self, names: &[Name], kind: &str, fits: impl Fn(&MeasureKind) -> bool) {
        for name in names {
            let known = self
                .netlist
                .measures
                .iter()
                .filter(|(_, m)| fits(&m.kind))
                .map(|(n, _)| n.as_str());
            let known: Vec<&str> = known.collect();
            if !known.contains(&name.value.as_str()) {
                let problem = Problem::new(
                    format!("there is no {kind} measure `{}`", name.value),
                    name.span,
                    "unknown measure",
                );
                self.problems.push(Problem {
                    help: suggest(&name.value, known),
                    ..problem
                });
            }
        }
    }

    /// The updates of two measures are compared entry by entry: they must be of the same weights, at the same times.
    fn same_target(&mut self, names: &[Name; 2]) {
        let find = |name: &Name| {
            let measure = self.netlist.measures.get(&name.value)?;
            let MeasureKind::Update { of, .. } = &measure.kind else {
                return None;
            };
            let mut during: Vec<&str> = measure.during.iter().map(|d| d.value.as_str()).collect();
            during.sort_unstable();
            Some((of, during))
        };
        let [Some(a), Some(b)] = names.each_ref().map(find) else {
            return;
        };
        if a.0.value != b.0.value {
            let message = format!(
                "`{}` is of `{}`, `{}` of `{}`",
                names[0].value, a.0.value, names[1].value, b.0.value
            );
            let problem = Problem::new(message, names[1].span, "of other weights");
            self.problems
                .push(problem.help("compare two updates of the same projection or bias"));
        } else if a.1 != b.1 {
            let message = format!(
                "`{}` and `{}` look in different stages",
                names[0].value, names[1].value
            );
            let problem = Problem::new(message, names[1].span, "at other times");
            self.problems
                .push(problem.help("give both the same `during`"));
        }
    }

    fn during(&mut self, names: &[Name]) -> Vec<String> {
        during(self.netlist, names, self.problems)
    }

    fn recording(&mut self, recording: &Recording) {
        let during = self.during(&recording.during);
        let every = self.circuit.steps(recording.every.value, 1);
        let name = recording.name.clone();
        match &recording.what {
            RecordingKind::Weights(of) => {
                if let Some(of) = self.weighted(of) {
                    self.planned.weights.push(WeightPlan {
                        name,
                        of,
                        every,
                        during,
                    });
                }
            }
            // Told by the compiler: a rate circuit has no spikes.
            RecordingKind::Spikes(_) => {}
            RecordingKind::Trace { of, elements } => {
                let Some((probe, size, _)) = self.probe(of) else {
                    return;
                };
                let elements: Vec<usize> = match elements {
                    Some(list) => list.iter().map(|e| *e as usize).collect(),
                    None => (0..size).collect(),
                };
                if let Some(beyond) = elements.iter().find(|e| **e >= size) {
                    let message =
                        format!("there is no element {beyond}: they are 0 to {}", size - 1);
                    self.problems
                        .push(Problem::new(message, recording.span, "in this recording"));
                }
                self.planned.traces.push(TracePlan {
                    name,
                    probe,
                    elements,
                    every,
                    during,
                });
            }
        }
    }

    fn weighted(&mut self, name: &Name) -> Option<Weighted> {
        if let Some(index) = self
            .circuit
            .projections
            .iter()
            .position(|p| p.name == name.value)
        {
            if let Some(of) = self.circuit.projections[index].transpose_of {
                let of = &self.circuit.projection(of).name;
                let message = format!("`{}` has no weights of its own", name.value);
                let note = format!("it has those of `{of}`");
                let problem = Problem::new(message, name.span, note);
                self.problems.push(problem.help(format!("write `{of}`")));
                return None;
            }
            return Some(Weighted::Projection(ProjectionId(index as u32)));
        }
        let bias = name
            .value
            .split_once('.')
            .and_then(|(population, compartment)| {
                let id = self
                    .circuit
                    .compartment_named(self.circuit.population_named(population)?, compartment)?;
                self.circuit
                    .compartment(id)
                    .bias
                    .as_ref()
                    .map(|_| Weighted::Bias(id))
            });
        if bias.is_none() && !self.netlist.projections.contains_key(&name.value) {
            let known: Vec<&str> = self
                .netlist
                .projections
                .keys()
                .map(String::as_str)
                .collect();
            let problem = Problem::new(
                format!("there is no projection `{}`", name.value),
                name.span,
                "unknown name",
            );
            self.problems.push(Problem {
                help: suggest(&name.value, known),
                ..problem
            });
        }
        bias
    }
}

/// The names of stages, each of which must exist.
pub(super) fn during(
    netlist: &Netlist,
    names: &[Name],
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut known = Vec::new();
    stage_names(&netlist.stages, &mut known);
    for name in names {
        if !known.contains(&name.value.as_str()) {
            let problem = Problem::new(
                format!("there is no stage `{}`", name.value),
                name.span,
                "unknown stage",
            );
            problems.push(Problem {
                help: suggest(&name.value, known.clone()),
                ..problem
            });
        }
    }
    names.iter().map(|n| n.value.clone()).collect()
}

/// All names of stages and their parts.
fn stage_names<'s>(stages: &'s [Stage], names: &mut Vec<&'s str>) {
    for stage in stages {
        names.push(&stage.name.value);
        if let StageLength::Parts(parts) = &stage.length {
            stage_names(parts, names);
        }
    }
}
