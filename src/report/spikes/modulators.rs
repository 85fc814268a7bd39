//! Modulators over time, drawn as the steps that they are.

use super::super::page::{Figure, Section};
use super::super::pictures::wide;
use super::super::plot::{Canvas, Lines, Series};
use super::super::run::Run;
use super::super::trace_tail::TraceTail;
use super::super::words;
use super::MOST_CURVES;
use super::gather::Spikes;
use crate::record::{TraceOf, TraceRecord, milliseconds};

/// The most samples that are drawn, the last ones.
const MOST_ROWS: usize = 4000;
/// The most modulators.
const MOST_COLUMNS: usize = 4 * MOST_CURVES;

/// Every recorded modulator.
pub(in crate::report) fn section(run: &Run, spikes: &Spikes) -> Section {
    let mut section = Section {
        heading: "Modulators".to_owned(),
        ..Section::default()
    };
    let traces = run.report.traces.iter();
    let traces = traces.filter(|trace| trace.timed && trace.of == Some(TraceOf::Modulators));
    for trace in traces {
        match figures(run, trace, spikes) {
            Ok(figures) => section.figures.extend(figures),
            Err(note) => section.notes.push(format!("`{}`: {note}", trace.name)),
        }
    }
    section
}

fn figures(run: &Run, trace: &TraceRecord, spikes: &Spikes) -> Result<Vec<Figure>, String> {
    let path = run.file(&trace.file, u64::MAX)?;
    let remark = |error| run.remark(&error);
    let tail = TraceTail::open(&path, |_| MOST_ROWS).map_err(remark)?;
    let mut rows: Vec<(f64, Vec<f64>)> = Vec::new();
    for (index, stage) in tail.stages.iter().enumerate() {
        let values = tail.values(index, MOST_COLUMNS).map_err(remark)?;
        for (row, time) in stage.steps.iter().enumerate() {
            let at = |column: &Vec<f64>| column.get(row).copied().unwrap_or(f64::NAN);
            let time = milliseconds(time.cast_signed());
            rows.push((time, values.iter().map(at).collect()));
        }
    }
    if rows.is_empty() || tail.columns.is_empty() {
        let file = &trace.file;
        return Err(format!("`{file}` has no values: nothing was recorded"));
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let recorded: u64 = tail.stages.iter().map(|stage| stage.recorded).sum();
    let excess = rows.len().saturating_sub(MOST_ROWS);
    rows.drain(..excess);
    let end = spikes.duration_ms.max(rows.last().map_or(0.0, |row| row.0));
    let which = match recorded == rows.len() as u64 {
        true => String::new(),
        false => format!(
            "Only the last {} of {} samples are drawn",
            words::count(rows.len() as u64),
            words::count(recorded)
        ),
    };
    let series = |(column, name): (usize, &String)| {
        let value = |row: &Vec<f64>| row.get(column).copied().unwrap_or(f64::NAN);
        let changes = rows.iter().map(|(time, row)| (*time, value(row)));
        let (x, y) = held(changes, end);
        Series {
            name: name.clone(),
            x,
            y,
            ..Series::default()
        }
    };
    let names = tail.columns.iter().take(MOST_COLUMNS).enumerate();
    let series: Vec<Series> = names.map(series).collect();
    let plots = series.chunks(MOST_CURVES).map(|some| {
        let lines = Lines {
            title: trace.name.clone(),
            x_label: "time (ms)".to_owned(),
            y_label: "value".to_owned(),
            series: some.to_vec(),
            ..Lines::default()
        };
        let what = format!("`{}`: modulators, constant between samples", trace.name);
        let caption = words::sentences([what.as_str(), &which]);
        let name = format!("modulators-{}", trace.name);
        wide(&name, caption, lines.svg(Canvas::WIDE))
    });
    Ok(plots.collect())
}

/// Each value from its time to that of the next, the last one to the end.
fn held(samples: impl Iterator<Item = (f64, f64)>, end: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut before = None;
    for (time, value) in samples {
        if let Some(before) = before {
            x.push(time);
            y.push(before);
        }
        x.push(time);
        y.push(value);
        before = Some(value);
    }
    x.extend(before.map(|_| end));
    y.extend(before);
    (x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_until_the_next_and_the_last_to_the_end() {
        let samples = [(0.0, 1.0), (5.0, 0.0)];
        let (x, y) = held(samples.into_iter(), 8.0);
        assert_eq!(x, [0.0, 5.0, 5.0, 8.0]);
        assert_eq!(y, [1.0, 1.0, 0.0, 0.0]);
        assert!(held(std::iter::empty(), 8.0).0.is_empty());
    }
}
