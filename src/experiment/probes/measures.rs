//! Measures: their kinds, and what they need of each other.

use super::{PlannedKind, Planner};
use crate::netlist::model::{Binning, Duration, Expression, Measure, MeasureKind, Name};
use crate::source::{Problem, Spanned, suggest};

impl Planner<'_> {
    pub(super) fn measure(&mut self, kind: &MeasureKind) -> Option<PlannedKind> {
        use MeasureKind as Kind;
        Some(match kind {
            Kind::Correlation { .. } | Kind::Spikes { .. } | Kind::MeanWeight { .. } => {
                return None;
            }
            Kind::Mean { of, when, every } => self.mean(of, when.as_ref(), every.as_ref())?,
            Kind::RSquared {
                truth,
                prediction,
                pooled,
                every: _,
            } => self.r_squared(truth, prediction, *pooled)?,
            Kind::Autocorrelation { of, lags } => PlannedKind::Autocorrelation {
                of: self.vector(of)?,
                lags: lags.value as usize,
            },
            Kind::CorrelationMatrix { of } => PlannedKind::CorrelationMatrix {
                of: self.vector(of)?,
            },
            Kind::StageCorrelation { of, between } => PlannedKind::StageCorrelation {
                of: self.vector(of)?,
                between: between.each_ref().map(|n| n.value.clone()),
            },
            Kind::Tuning {
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
            Kind::Ellipses { of, target, bins } => {
                let (of, target) = (self.pair(of), target.as_ref().map(|t| self.pair(t)));
                let bins = self.bins(bins);
                PlannedKind::Ellipses {
                    of: of?,
                    target: target.flatten(),
                    bins: bins?,
                }
            }
            Kind::VolumeFraction { of, readout, bins } => {
                self.volume_fraction(of, readout, bins)?
            }
            Kind::Sensitivity {
                of,
                class,
                when,
                every,
            } => self.sensitivity([of, class], when.as_ref(), every.as_ref())?,
            Kind::Accuracy { .. } => self.accuracy(kind)?,
            Kind::Images { .. } => self.images(kind)?,
            Kind::LinearReadout {
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
            Kind::Update { of, sample, .. } => self.update(of, sample.as_ref())?,
            Kind::Peaks { .. }
            | Kind::Cosine { .. }
            | Kind::MatrixAgreement { .. }
            | Kind::CurveDifference { .. } => self.of_measures(kind)?,
        })
    }

    fn mean(
        &mut self,
        of: &Expression,
        when: Option<&Expression>,
        every: Option<&Spanned<Duration>>,
    ) -> Option<PlannedKind> {
        let (of, when) = (self.number(of), when.map(|w| self.number(w)));
        Some(PlannedKind::Mean {
            of: of?,
            when: when.flatten(),
            window: every.map(|e| self.circuit.steps(e.value, 1)),
        })
    }

    fn sensitivity(
        &mut self,
        [of, class]: [&Expression; 2],
        when: Option<&Expression>,
        every: Option<&Spanned<Duration>>,
    ) -> Option<PlannedKind> {
        let (of, class) = (self.number(of), self.number(class));
        let when = when.map(|w| self.number(w));
        Some(PlannedKind::Sensitivity {
            of: of?,
            class: class?,
            when: when.flatten(),
            window: every.map(|e| self.circuit.steps(e.value, 1)),
        })
    }

    fn r_squared(
        &mut self,
        truth: &Expression,
        prediction: &Expression,
        pooled: bool,
    ) -> Option<PlannedKind> {
        let (a, b) = (self.probe(truth), self.probe(prediction));
        let ((a, size_a, _), (b, size_b, _)) = (a?, b?);
        if size_a != size_b {
            let message = format!("truth has {size_a} elements, the prediction {size_b}");
            self.problems
                .push(Problem::new(message, prediction.span, "sizes differ"));
        }
        Some(PlannedKind::RSquared {
            truth: a,
            prediction: b,
            pooled,
        })
    }

    fn volume_fraction(
        &mut self,
        of: &Expression,
        readout: &Name,
        bins: &Binning,
    ) -> Option<PlannedKind> {
        let span = of.span;
        let found = (self.probe(of), self.readout(readout), self.bins(bins));
        let ((of, size, _), (readout, read), bins) = (found.0?, found.1?, found.2?);
        if size != read {
            let message = format!("this has {size} elements, the readout reads {read}");
            let help = "give the values that the projection carries, such as circuit.soma";
            self.problems
                .push(Problem::new(message, span, "sizes differ").help(help));
        }
        Some(PlannedKind::VolumeFraction {
            of,
            size,
            readout,
            bins,
        })
    }

    fn update(&mut self, of: &Name, sample: Option<&Spanned<Duration>>) -> Option<PlannedKind> {
        let before = self.planned.measures.iter();
        let rules = before.filter(|m| matches!(m.kind, PlannedKind::Update { .. }));
        Some(PlannedKind::Update {
            rule: rules.count(),
            of: self.weighted(of)?,
            sample: sample.map(|s| self.circuit.steps(s.value, 1)),
        })
    }

    /// Measures that are made of other measures.
    fn of_measures(&mut self, kind: &MeasureKind) -> Option<PlannedKind> {
        use MeasureKind as Kind;
        let values = |of: &[Name; 2]| of.each_ref().map(|n| n.value.clone());
        Some(match kind {
            Kind::Peaks { of } => {
                self.other_measures(std::slice::from_ref(of), "tuning", |k| {
                    matches!(k, Kind::Tuning { .. })
                });
                PlannedKind::Peaks(of.value.clone())
            }
            Kind::Cosine { of } => {
                self.other_measures(of, "update", |k| matches!(k, Kind::Update { .. }));
                self.same_target(of);
                PlannedKind::Cosine(values(of))
            }
            Kind::MatrixAgreement { of } => {
                self.other_measures(of, "correlation-matrix", |k| {
                    matches!(k, Kind::CorrelationMatrix { .. })
                });
                PlannedKind::MatrixAgreement(values(of))
            }
            Kind::CurveDifference { of, at } => {
                self.other_measures(of, "autocorrelation", |k| {
                    matches!(k, Kind::Autocorrelation { .. })
                });
                PlannedKind::CurveDifference(values(of), at.clone())
            }
            _ => return None,
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
