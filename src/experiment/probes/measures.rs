//! Measures: their kinds, and what they need of each other.

use super::{PlannedKind, Planner};
use crate::netlist::model::{Measure, MeasureKind, Name};
use crate::source::{Problem, suggest};

impl Planner<'_> {
    pub(super) fn measure(&mut self, kind: &MeasureKind) -> Option<PlannedKind> {
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
    pub(super) fn refuse_spiking(&mut self, measure: &Measure) {
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
}
