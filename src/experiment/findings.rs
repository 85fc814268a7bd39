//! What the measures of a run have found.

use indexmap::IndexMap;

use super::Experiment;
use super::collect::Accumulator;
use super::probes::{MeasurePlan, PlannedKind};
use super::run::RunError;
use super::weights::weight_shape;
use crate::measure::{Covariance, Ellipse, Images, Tuning, UpdateBlock, agreement};
use crate::netlist::model::Statistic;
use crate::record::{MeasureReport, RunDirectory};

/// The reports of all measures; matrices and samples go into files of their own.
pub(super) fn reports(
    experiment: &Experiment,
    accumulators: &[Accumulator],
    directory: &RunDirectory,
) -> Result<IndexMap<String, MeasureReport>, RunError> {
    let plans = &experiment.measures;
    let mut found: IndexMap<String, MeasureReport> = IndexMap::new();
    let mut matrices: IndexMap<String, Vec<f64>> = IndexMap::new();
    for (plan, accumulator) in plans.iter().zip(accumulators) {
        let report = match accumulator {
            Accumulator::Mean(mean) => mean_report(mean.found(), &plan.during, plan.expect.clone()),
            Accumulator::RSquared(m) => {
                let pooled = matches!(plan.kind, PlannedKind::RSquared { pooled: true, .. });
                let (rows, columns, values) = m.sample();
                let sample = directory.write_matrix(&plan.name, rows, columns, &values)?;
                let r_squared = if pooled {
                    m.pooled()
                } else {
                    m.mean_of_elements()
                };
                MeasureReport::Comparison {
                    r_squared,
                    pooled,
                    per_dimension: m.per_element(),
                    sample,
                }
            }
            Accumulator::Autocorrelation(m) => {
                let y = m.curve();
                let x = (0..y.len()).map(|k| k as f64).collect();
                MeasureReport::Curve {
                    x,
                    y,
                    x_label: "lag (steps)".to_owned(),
                    y_label: "autocorrelation".to_owned(),
                }
            }
            Accumulator::CorrelationMatrix(m) => {
                let (n, values) = m.matrix();
                let file = directory.write_matrix(&plan.name, n, n, &values)?;
                let report = MeasureReport::matrix(n, n, &values, file);
                matrices.insert(plan.name.clone(), values);
                report
            }
            Accumulator::Tuning(m) => tuning_report(plan, m, directory)?,
            Accumulator::Ellipses(m, target) => ellipses_report(plan, m, target.as_ref()),
            Accumulator::VolumeFraction(m, found) => MeasureReport::Curve {
                x: m.centres(),
                y: found.clone(),
                x_label: axis(plan).to_owned(),
                y_label: "noise volume fraction".to_owned(),
            },
            Accumulator::Images(m) => images_report(plan, m, directory)?,
            Accumulator::Sensitivity(m) => {
                mean_report(m.found(), &plan.during, plan.expect.clone())
            }
            Accumulator::Readout(_, readout) => {
                mean_report(readout.found(), &plan.during, plan.expect.clone())
            }
            Accumulator::StageCorrelation(m) => match (m.found(), &plan.during[..]) {
                ([(_, value)], [first, second]) => {
                    let example = m.example().concat();
                    let steps = m.example()[0].len();
                    MeasureReport::Pair {
                        value: *value,
                        stages: [first.clone(), second.clone()],
                        sample: directory.write_matrix(&plan.name, 2, steps, &example)?,
                    }
                }
                (found, during) => mean_report(found, during, plan.expect.clone()),
            },
            Accumulator::Updates(blocks) => {
                write_updates(experiment, plan, blocks, directory)?;
                let ratios: Vec<(u64, f64)> = blocks
                    .iter()
                    .map(|block| (block.when, block.signal_to_noise()))
                    .collect();
                let report = mean_report(&ratios, &plan.during, plan.expect.clone());
                report.on_logarithmic_axis()
            }
            Accumulator::Derived => continue,
        };
        found.insert(plan.name.clone(), report);
    }
    for plan in plans {
        let value = match &plan.kind {
            PlannedKind::Cosine(names) => {
                let cosines = cosines(plans, accumulators, names);
                let report = mean_report(&cosines, &plan.during, plan.expect.clone());
                found.insert(plan.name.clone(), report);
                continue;
            }
            PlannedKind::Peaks(of) => {
                let mut both = plans.iter().zip(accumulators);
                if let Some((tuning, Accumulator::Tuning(m))) = both.find(|(p, _)| p.name == *of) {
                    let peaks = MeasureReport::Curve {
                        x: m.centres(),
                        y: m.peaks(),
                        x_label: format!("{} at the peak", axis(tuning)),
                        y_label: "elements".to_owned(),
                    };
                    found.insert(plan.name.clone(), peaks);
                }
                continue;
            }
            PlannedKind::MatrixAgreement([a, b]) => match (matrices.get(a), matrices.get(b)) {
                (Some(a), Some(b)) => agreement::correlation(a, b),
                _ => f64::NAN,
            },
            PlannedKind::CurveDifference([a, b], at) => match (found.get(a), found.get(b)) {
                (
                    Some(MeasureReport::Curve { y: a, .. }),
                    Some(MeasureReport::Curve { y: b, .. }),
                ) => agreement::largest_difference(a, b, at),
                _ => f64::NAN,
            },
            _ => continue,
        };
        found.insert(
            plan.name.clone(),
            MeasureReport::Number {
                value,
                unit: None,
                expect: plan.expect.clone(),
            },
        );
    }
    Ok(found)
}

/// Images of each expression, in one file.
fn images_report(
    plan: &MeasurePlan,
    images: &Images,
    directory: &RunDirectory,
) -> Result<MeasureReport, RunError> {
    let PlannedKind::Images { names, shape, .. } = &plan.kind else {
        return Ok(mean_report(&[], &plan.during, plan.expect.clone()));
    };
    let rows = names.len() * images.count();
    let columns = if rows == 0 { 0 } else { shape.iter().product() };
    let file = directory.write_matrix(&plan.name, rows, columns, &images.values())?;
    Ok(MeasureReport::Images {
        names: names.clone(),
        shape: *shape,
        count: images.count(),
        file,
    })
}

/// What a tuning measure's bins are of.
fn axis(plan: &MeasurePlan) -> &str {
    match &plan.kind {
        PlannedKind::Tuning { bins, .. }
        | PlannedKind::Ellipses { bins, .. }
        | PlannedKind::VolumeFraction { bins, .. } => &bins.axis,
        _ => "",
    }
}

/// A curve, or the means of many elements as a matrix, bins × elements.
fn tuning_report(
    plan: &MeasurePlan,
    tuning: &Tuning,
    directory: &RunDirectory,
) -> Result<MeasureReport, RunError> {
    let curve = |y: Vec<f64>, y_label: &str| MeasureReport::Curve {
        x: tuning.centres(),
        y,
        x_label: axis(plan).to_owned(),
        y_label: y_label.to_owned(),
    };
    let PlannedKind::Tuning { statistic, .. } = plan.kind else {
        return Ok(curve(vec![], ""));
    };
    Ok(match statistic {
        Statistic::Variance => curve(tuning.variances(), SECOND_MOMENTS),
        Statistic::SquaredMean => curve(tuning.squared_means(), SECOND_MOMENTS),
        Statistic::Mean => match tuning.means() {
            (1, means) => curve(means, "mean"),
            (elements, means) => {
                let bins = tuning.centres().len();
                let file = directory.write_matrix(&plan.name, bins, elements, &means)?;
                MeasureReport::matrix(bins, elements, &means, file)
            }
        },
    })
}

/// Share of a normal distribution that an ellipse holds.
const SHARE: f64 = 0.95;

fn ellipses_report(
    plan: &MeasurePlan,
    covariance: &Covariance,
    target: Option<&Tuning>,
) -> MeasureReport {
    let found = covariance.ellipses(SHARE);
    let none = [f64::NAN; 2];
    let of = |f: &dyn Fn(&Ellipse) -> [f64; 2]| -> Vec<[f64; 2]> {
        found.iter().map(|e| e.as_ref().map_or(none, f)).collect()
    };
    let targets = target.map(|target| {
        let (_, means) = target.means();
        let pairs = means.as_chunks::<2>().0;
        (0..found.len())
            .map(|bin| pairs.get(bin).copied().unwrap_or(none))
            .collect()
    });
    MeasureReport::Ellipses {
        by: covariance.centres(),
        label: axis(plan).to_owned(),
        share: SHARE,
        centre: of(&|e| e.centre),
        axes: of(&|e| e.axes),
        angle: found
            .iter()
            .map(|e| e.map_or(f64::NAN, |e| e.angle))
            .collect(),
        target: targets.unwrap_or_default(),
    }
}

/// What squared means and variances are drawn under, in one plot.
const SECOND_MOMENTS: &str = "squared mean, variance";

/// The cosines of two measures' mean updates, block by block.
fn cosines(
    plans: &[MeasurePlan],
    accumulators: &[Accumulator],
    names: &[String; 2],
) -> Vec<(u64, f64)> {
    let blocks = |name: &String| {
        let mut both = plans.iter().zip(accumulators);
        match both.find(|(plan, _)| plan.name == *name)?.1 {
            Accumulator::Updates(blocks) => Some(blocks),
            _ => None,
        }
    };
    let [Some(a), Some(b)] = names.each_ref().map(blocks) else {
        return vec![];
    };
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a.when, a.cosine(b))).collect()
}

/// Means and variances of updates: blocks × presynaptic × postsynaptic neurons.
fn write_updates(
    experiment: &Experiment,
    plan: &MeasurePlan,
    blocks: &[UpdateBlock],
    directory: &RunDirectory,
) -> Result<(), RunError> {
    let PlannedKind::Update { of, .. } = plan.kind else {
        return Ok(());
    };
    let (rows, columns) = weight_shape(&experiment.program, of);
    let shape = [blocks.len(), rows, columns];
    let means: Vec<f64> = blocks.iter().flat_map(|b| &b.mean).copied().collect();
    let variances: Vec<f64> = blocks.iter().flat_map(|b| &b.variance).copied().collect();
    directory.write_array(&plan.name, &shape, &means)?;
    directory.write_array(&format!("{}.variance", plan.name), &shape, &variances)?;
    Ok(())
}

/// One number, or a series of them.
pub(super) fn mean_report(
    found: &[(u64, f64)],
    during: &[String],
    expect: Option<String>,
) -> MeasureReport {
    match found {
        [] => MeasureReport::Number {
            value: f64::NAN,
            unit: None,
            expect,
        },
        [(_, value)] => MeasureReport::Number {
            value: *value,
            unit: None,
            expect,
        },
        many => MeasureReport::Series {
            stage: during.join(", "),
            step: many.iter().map(|(step, _)| *step).collect(),
            value: many.iter().map(|(_, value)| *value).collect(),
            x_label: "steps of learning".to_owned(),
            logarithmic: false,
        },
    }
}
