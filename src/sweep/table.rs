//! The tables of a sweep.
//!
//! The first has a row a point: a column for each swept parameter, named by its path, then `realization`, `seed`, `status`
//! (`completed` or `not-finite`), `stop_stage` and `stop_step` (where values left the finite numbers), `folder`, and a
//! column for each measure that has one number. The second, long one has a row for each value of a series or curve:
//! parameters, `realization`, `seed`, `measure`, `index` (from 0), `x` (the step or lag) and `value`.
//!
//! A parameter is a column of numbers if all its values are numbers, of texts otherwise. What is missing, such as the measures
//! of a point that is not finite, is null, in CSV empty. Points that are not finished have no row.

use indexmap::IndexSet;

use super::found::{Found, FoundPoint, curve};
use crate::record::{Column, StopReason, Table};

/// The tables of a sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables {
    /// A row a point.
    pub points: Table,
    /// A row a value of a series or curve.
    pub curves: Table,
}

/// The tables of what is finished.
pub fn tables(found: &Found) -> Tables {
    Tables {
        points: points_table(found),
        curves: curves_table(found),
    }
}

fn points_table(found: &Found) -> Table {
    let rows: Vec<&FoundPoint> = found.points.iter().filter(|p| p.run.is_some()).collect();
    let mut columns = of_points(found, &rows);
    let stop = |point: &&FoundPoint| match point.run.as_ref().map(|r| &r.stop) {
        Some(StopReason::NotFinite { stage, step, .. }) => Some((stage.clone(), *step)),
        _ => None,
    };
    let status = |point: &&FoundPoint| match stop(point) {
        Some(_) => Some("not-finite".to_owned()),
        None => Some("completed".to_owned()),
    };
    let column = |value: &dyn Fn(&&FoundPoint) -> Option<String>| rows.iter().map(value).collect();
    columns.push(Column::texts("status", column(&status)));
    columns.push(Column::texts("stop_stage", column(&|p| Some(stop(p)?.0))));
    let steps = rows.iter().map(|p| i64::try_from(stop(p)?.1).ok());
    columns.push(Column::wholes("stop_step", steps.collect()));
    columns.push(Column::texts("folder", column(&|p| Some(p.folder.clone()))));
    for name in scalar_names(&rows) {
        let value = |p: &&FoundPoint| p.completed()?.measures.get(name)?.headline();
        columns.push(Column::numbers(name, rows.iter().map(value).collect()));
    }
    Table::new(columns)
}

fn curves_table(found: &Found) -> Table {
    let (mut rows, mut names) = (Vec::new(), Vec::new());
    let (mut indices, mut xs, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for point in &found.points {
        for (name, measure) in point.completed().iter().flat_map(|r| &r.measures) {
            let Some((x, y)) = curve(measure) else {
                continue;
            };
            for (index, (x, y)) in x.into_iter().zip(y).enumerate() {
                rows.push(point);
                names.push(Some(name.clone()));
                indices.push(i64::try_from(index).ok());
                xs.push(Some(x));
                values.push(Some(y));
            }
        }
    }
    let mut columns = of_points(found, &rows);
    columns.push(Column::texts("measure", names));
    columns.push(Column::wholes("index", indices));
    columns.push(Column::numbers("x", xs));
    columns.push(Column::numbers("value", values));
    Table::new(columns)
}

/// The columns that say which point a row belongs to.
fn of_points(found: &Found, rows: &[&FoundPoint]) -> Vec<Column> {
    let mut columns: Vec<Column> = (0..found.report.parameters.len())
        .map(|n| parameter(found, n, rows))
        .collect();
    let whole = |n: u64| i64::try_from(n).ok();
    let realizations = rows.iter().map(|p| whole(p.realization)).collect();
    columns.push(Column::wholes("realization", realizations));
    let seeds = rows.iter().map(|p| whole(p.seed)).collect();
    columns.push(Column::wholes("seed", seeds));
    columns
}

fn parameter(found: &Found, n: usize, rows: &[&FoundPoint]) -> Column {
    let Some(parameter) = found.report.parameters.get(n) else {
        return Column::texts("", vec![]);
    };
    let typed = |point: &&FoundPoint| {
        let combination = found.report.combinations.get(point.combination)?;
        combination.values.get(n).map(String::as_str)
    };
    let path = &parameter.path;
    if parameter.values.iter().all(|v| whole(v).is_some()) {
        let values = rows.iter().map(|p| typed(p).and_then(whole));
        return Column::wholes(path, values.collect());
    }
    if parameter.values.iter().all(|v| number(v).is_some()) {
        let values = rows.iter().map(|p| typed(p).and_then(number));
        return Column::numbers(path, values.collect());
    }
    let values = rows.iter().map(|p| typed(p).map(plain));
    Column::texts(path, values.collect())
}

/// Names of the measures with one number, in the order in which they are found.
fn scalar_names<'f>(rows: &[&'f FoundPoint]) -> IndexSet<&'f str> {
    let runs = rows.iter().filter_map(|p| p.run.as_ref());
    let measures = runs.flat_map(|r| &r.measures);
    let scalars = measures.filter(|(_, m)| m.headline().is_some());
    scalars.map(|(name, _)| name.as_str()).collect()
}

/// A whole number as TOML writes it.
fn whole(text: &str) -> Option<i64> {
    toml_value(text)?.as_integer()
}

/// A number as TOML writes it, finite.
pub(crate) fn number(text: &str) -> Option<f64> {
    let value = toml_value(text)?;
    let whole = value.as_integer().map(|n| n as f64);
    value.as_float().or(whole).filter(|n| n.is_finite())
}

/// A text without the quotes it was typed with.
pub(crate) fn plain(text: &str) -> String {
    let value = toml_value(text);
    let inner = value.as_ref().and_then(toml::Value::as_str);
    inner.unwrap_or(text).to_owned()
}

fn toml_value(text: &str) -> Option<toml::Value> {
    let mut table: toml::Table = toml::from_str(&format!("x = {text}")).ok()?;
    // A text with a line break could hold more.
    table.remove("x").filter(|_| table.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_texts_as_toml_does() {
        assert_eq!(whole("40_000"), Some(40_000));
        assert_eq!(whole("1e3"), None);
        assert_eq!(number("1e-3"), Some(1e-3));
        assert_eq!(number("4"), Some(4.0));
        for text in ["10 ms", "\"1\"", "inf", "[1]", "1\ny = 2", "true", ""] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(plain("\"10 ms\""), "10 ms");
        assert_eq!(plain("10 ms"), "10 ms");
    }
}
