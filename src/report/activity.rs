//! Figures of recorded traces: the last rows of each stage.

use std::collections::VecDeque;

use super::page::{Figure, Section};
use super::pictures::{colours, extent, half, wide};
use super::plot::{Canvas, Heatmap, Lines, Origin, Series};
use super::run::Run;
use super::trace_tail::{StageTail, TraceTail};
use super::words;
use crate::record::{TraceOf, TraceRecord, milliseconds};

/// Traces of more values than this are drawn as pictures.
const MOST_CURVED: usize = 16;
/// The most curves in one plot.
const MOST_CURVES: usize = 6;
/// The most rows drawn as curves.
const CURVE_ROWS: usize = 400;
/// The most rows drawn as a picture.
const PICTURE_ROWS: usize = 600;
/// The most values of a row drawn as a picture: with as many rows and stages 40 MB.
const PICTURE_VALUES: usize = 1024;
/// The most stages of a trace that are drawn.
const MOST_STAGES: usize = 8;
/// The most figures of the section.
const MOST_FIGURES: usize = 80;

/// Every trace.
pub(super) fn section(run: &Run) -> Section {
    let mut section = Section {
        heading: "Activity".to_owned(),
        ..Section::default()
    };
    let mut left_out = Vec::new();
    for trace in &run.report.traces {
        if is_shown_elsewhere(trace) {
            continue;
        }
        if section.figures.len() >= MOST_FIGURES {
            left_out.push(format!("`{}`", trace.name));
        } else if let Err(note) = draw(run, &trace.name, &trace.file, &mut section) {
            section.notes.push(format!("`{}`: {note}", trace.name));
        }
    }
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        section.notes.push(format!(
            "Not drawn, because there are so many traces: {names}"
        ));
    }
    section
}

/// Membranes and modulators have sections of their own; but many membranes are a picture as well.
fn is_shown_elsewhere(trace: &TraceRecord) -> bool {
    match trace.of {
        Some(TraceOf::Membrane { .. }) => trace.columns <= MOST_CURVED,
        Some(TraceOf::Modulators) => true,
        None => false,
    }
}

fn most_rows(columns: usize) -> usize {
    if columns > MOST_CURVED {
        PICTURE_ROWS
    } else {
        CURVE_ROWS
    }
}

fn draw(run: &Run, name: &str, file: &str, section: &mut Section) -> Result<(), String> {
    let path = run.file(file, u64::MAX)?;
    let tail = TraceTail::open(&path, most_rows).map_err(|error| run.remark(&error))?;
    if tail.stages.is_empty() || tail.columns.is_empty() {
        return Err(format!("`{file}` has no values: nothing was recorded"));
    }
    let is_picture = tail.columns.len() > MOST_CURVED;
    let most = if is_picture {
        PICTURE_VALUES
    } else {
        MOST_CURVES
    };
    let stages = 0..tail.stages.len().min(MOST_STAGES);
    let values: Result<Vec<_>, _> = stages.map(|stage| tail.values(stage, most)).collect();
    let values = values.map_err(|error| run.remark(&error))?;
    // One scale, so that stages can be compared.
    let range = extent(values.iter().flatten().flatten().copied());
    for (stage, values) in tail.stages.iter().zip(values) {
        let shown = Shown {
            name,
            stage,
            columns: &tail.columns,
            alone: tail.stages.len() == 1,
            timed: tail.timed,
        };
        section.figures.push(match is_picture {
            true => shown.picture(&values, range),
            false => shown.curves(values),
        });
    }
    if tail.stages.len() > MOST_STAGES {
        let more = tail.stages.len() - MOST_STAGES;
        section.notes.push(format!(
            "`{name}` was also recorded in {more} further stages"
        ));
    }
    Ok(())
}

/// The last rows of one stage of a trace.
struct Shown<'a> {
    name: &'a str,
    stage: &'a StageTail,
    columns: &'a [String],
    /// Whether it is the trace's only stage.
    alone: bool,
    /// Whether its rows have times (ps) and not steps.
    timed: bool,
}

impl Shown<'_> {
    /// The name without what those of recordings often begin with.
    fn short(&self) -> &str {
        self.name.strip_prefix("trace-").unwrap_or(self.name)
    }

    fn title(&self) -> String {
        format!("{}, stage {}", self.short(), self.stage.name)
    }

    fn figure(&self, caption: &str, draw: impl Fn(Canvas) -> String) -> Figure {
        let name = format!("trace-{}-{}", self.short(), self.stage.name);
        let rows = self.stage.steps.len() as u64;
        let rows = match self.stage.recorded {
            all if all == rows => format!("all {}", words::counted(rows, "row", "rows")),
            all => format!("the last {rows} of {} rows", words::count(all)),
        };
        let what = format!(
            "`{}`: {rows} recorded in stage `{}`",
            self.name, self.stage.name
        );
        let caption = words::sentences([what.as_str(), caption]);
        match self.alone {
            true => wide(&name, caption, draw(Canvas::WIDE)),
            false => half(&name, caption, draw(Canvas::HALF)),
        }
    }

    /// Whether the columns have the numbers of the elements that they hold, from 0 on.
    fn is_counted(&self, columns: usize) -> bool {
        let mut columns = self.columns.iter().take(columns).enumerate();
        columns.all(|(place, name)| *name == place.to_string())
    }

    fn curves(&self, values: Vec<Vec<f64>>) -> Figure {
        let gaps = gaps(&self.stage.steps, self.timed);
        let steps = self.stage.steps.iter();
        let steps: Vec<f64> = match self.timed {
            true => steps.map(|ps| milliseconds(ps.cast_signed())).collect(),
            false => steps.map(|&step| step as f64).collect(),
        };
        let series = values
            .into_iter()
            .zip(self.columns)
            .map(|(values, name)| Series {
                name: element(name),
                x: broken(&steps, &gaps),
                y: broken(&values, &gaps),
                ..Series::default()
            });
        let lines = Lines {
            title: self.title(),
            x_label: if self.timed { "time (ms)" } else { "step" }.to_owned(),
            y_label: "value".to_owned(),
            series: series.collect(),
            ..Lines::default()
        };
        let caption = match self.columns.len() {
            all if all > MOST_CURVES => {
                format!("The first {MOST_CURVES} of {all} values are shown")
            }
            _ => String::new(),
        };
        self.figure(&caption, |canvas| lines.svg(canvas))
    }

    fn picture(&self, values: &[Vec<f64>], range: Option<(f64, f64)>) -> Figure {
        let mut steps = step_range(&self.stage.steps);
        if self.timed {
            steps = steps.map(|(from, to)| (from / 1e9, to / 1e9));
        }
        let map = Heatmap {
            title: self.title(),
            x_label: match steps {
                Some(_) if self.timed => "time (ms)",
                Some(_) => "step",
                None => "recorded row",
            }
            .to_owned(),
            y_label: match self.is_counted(values.len()) {
                true => "element",
                false => "recorded value",
            }
            .to_owned(),
            rows: values.len(),
            columns: self.stage.steps.len(),
            values: values.concat(),
            colours: colours(range),
            value_label: "value".to_owned(),
            origin: Origin::Bottom,
            x_range: steps,
            value_range: range,
            ..Heatmap::default()
        };
        let caption = match self.columns.len() {
            all if all > values.len() => {
                format!(
                    "The first {} of {all} values of a row are shown",
                    values.len()
                )
            }
            _ => String::new(),
        };
        self.figure(&caption, |canvas| map.svg(canvas))
    }
}

/// The name of a column; a mere number is that of an element.
fn element(column: &str) -> String {
    match column.parse::<u64>() {
        Ok(number) => format!("element {number}"),
        Err(_) => column.to_owned(),
    }
}

/// The distance from each step to the next.
fn strides(steps: &VecDeque<u64>) -> impl Iterator<Item = u64> {
    let next = steps.iter().skip(1);
    steps
        .iter()
        .zip(next)
        .map(|(this, next)| next.saturating_sub(*this))
}

/// The places before which steps are missing: where a stage was left and entered again. Samples at times may be a little
/// uneven.
fn gaps(steps: &VecDeque<u64>, timed: bool) -> Vec<usize> {
    let mut usual = strides(steps).min().unwrap_or(0);
    if timed {
        usual = usual.saturating_mul(2);
    }
    let far = strides(steps)
        .enumerate()
        .filter(|(_, stride)| *stride > usual);
    far.map(|(place, _)| place + 1).collect()
}

/// `values` with a missing one at each gap, where a curve breaks.
fn broken(values: &[f64], gaps: &[usize]) -> Vec<f64> {
    let mut all = Vec::with_capacity(values.len() + gaps.len());
    let mut gaps = gaps.iter().peekable();
    for (place, value) in values.iter().enumerate() {
        if gaps.next_if(|&&gap| gap == place).is_some() {
            all.push(f64::NAN);
        }
        all.push(*value);
    }
    all
}

/// The edges of the first and the last column of a picture, if its steps are evenly spaced.
fn step_range(steps: &VecDeque<u64>) -> Option<(f64, f64)> {
    let (first, last) = (*steps.front()? as f64, *steps.back()? as f64);
    let mut strides = strides(steps);
    let stride = strides.next().unwrap_or(1);
    if stride == 0 || strides.any(|other| other != stride) {
        return None;
    }
    let half = stride as f64 / 2.0;
    Some((first - half, last + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_break_where_steps_are_missing() {
        let steps = VecDeque::from([10, 20, 30, 70, 80]);
        assert_eq!(gaps(&steps, false), [3]);
        assert_eq!(gaps(&VecDeque::from([10, 21, 30, 48, 80]), true), [4]);
        let broken = broken(&[1.0, 2.0, 3.0, 4.0, 5.0], &gaps(&steps, false));
        assert_eq!(broken.len(), 6);
        assert!(broken[3].is_nan() && broken.iter().filter(|v| v.is_nan()).count() == 1);
        assert!(gaps(&VecDeque::from([5, 6, 7]), false).is_empty());
        assert!(gaps(&VecDeque::new(), false).is_empty());
    }

    #[test]
    fn pictures_have_steps_only_where_these_are_evenly_spaced() {
        assert_eq!(step_range(&VecDeque::from([10, 20, 30])), Some((5.0, 35.0)));
        assert_eq!(step_range(&VecDeque::from([7])), Some((6.5, 7.5)));
        assert_eq!(step_range(&VecDeque::from([10, 20, 40])), None);
        assert_eq!(step_range(&VecDeque::from([10, 10])), None);
        assert_eq!(step_range(&VecDeque::from([30, 20])), None);
        assert_eq!(step_range(&VecDeque::new()), None);
    }
}
