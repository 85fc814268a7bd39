//! What the measures of a run have found.

use indexmap::IndexMap;

use super::collect::Accumulator;
use super::probes::{MeasurePlan, PlannedKind};
use super::run::RunError;
use crate::measure::agreement;
use crate::record::{MeasureReport, RunDirectory};

/// The reports of all measures; matrices and samples go into files of their own.
pub(super) fn reports(
    plans: &[MeasurePlan],
    accumulators: &[Accumulator],
    directory: &RunDirectory,
) -> Result<IndexMap<String, MeasureReport>, RunError> {
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
            Accumulator::Derived => continue,
        };
        found.insert(plan.name.clone(), report);
    }
    for plan in plans {
        let value = match &plan.kind {
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

/// One number, or a series of them.
fn mean_report(found: &[(u64, f64)], during: &[String], expect: Option<String>) -> MeasureReport {
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
        },
    }
}
