//! Measures with a curve a point: the mean over realizations with its standard error as a band.

use indexmap::IndexMap;

use super::{MOST_CURVES, View};
use crate::report::learning::is_logarithmic;
use crate::report::overlay::{name_beside, over};
use crate::report::page::{Figure, Section};
use crate::report::pictures::{half, wide};
use crate::report::plot::{Canvas, Lines, Series};
use crate::report::words;
use crate::sweep::{CurveMeasure, curve_summary};

/// Curves of several measures in one plot, at most.
const MOST_MEASURES: usize = 7;

/// A plot a measure, with a curve a combination; with a single combination, curves over the same quantity in one plot.
pub(super) fn section(view: &View<'_>, curves: &[CurveMeasure]) -> Section {
    let plots = match view.combinations() {
        1 => together(curves),
        _ => curves.iter().map(|c| vec![c]).collect(),
    };
    let alone = plots.len() == 1;
    let mut notes = Vec::new();
    if view.combinations() > MOST_CURVES && !curves.is_empty() {
        notes.push(format!(
            "The first {MOST_CURVES} of {} combinations are drawn; `sweep-curves.csv` has all.",
            view.combinations()
        ));
    }
    Section {
        heading: "Curves".to_owned(),
        notes,
        figures: plots.iter().map(|plot| figure(view, plot, alone)).collect(),
        ..Section::default()
    }
}

/// Measures that share a plot: curves over the same quantity, each series by itself.
fn together(curves: &[CurveMeasure]) -> Vec<Vec<&CurveMeasure>> {
    let mut groups: IndexMap<(&str, &str), Vec<&CurveMeasure>> = IndexMap::new();
    for measure in curves {
        let alone = if measure.y_label.is_empty() {
            measure.name.as_str()
        } else {
            measure.y_label.as_str()
        };
        groups
            .entry((&measure.x_label, alone))
            .or_default()
            .push(measure);
    }
    let chunks = groups
        .values()
        .flat_map(|group| group.chunks(MOST_MEASURES));
    chunks.map(<[_]>::to_vec).collect()
}

fn figure(view: &View<'_>, measures: &[&CurveMeasure], alone: bool) -> Figure {
    let first = measures.first();
    let name = first.map_or("", |m| m.name.as_str());
    let mut series: Vec<Series> = measures
        .iter()
        .flat_map(|measure| {
            let drawn = 0..view.combinations().min(MOST_CURVES);
            drawn.map(|combination| curve(view, measure, combination, measures.len() > 1))
        })
        .collect();
    let references: Vec<Series> = measures
        .iter()
        .flat_map(|m| over(view.overlays, &m.name, false))
        .collect();
    name_beside(&mut series, &references);
    series.extend(references);
    let log_y = is_logarithmic(series.iter().flat_map(|s| s.y.iter().copied()));
    let y_label = first.map_or("", |m| m.y_label.as_str());
    let y_label = if y_label.is_empty() { name } else { y_label };
    let lines = Lines {
        title: match measures.len() {
            1 => name.to_owned(),
            _ => words::capital(y_label),
        },
        x_label: first.map(|m| m.x_label.clone()).unwrap_or_default(),
        y_label: y_label.to_owned(),
        series,
        log_y,
        ..Lines::default()
    };
    let mut caption: Vec<String> = measures
        .iter()
        .map(|m| {
            let words = view.words(&m.name);
            words::sentences([words.named(&m.name).as_str(), &words.remarks()])
        })
        .collect();
    let axis = match log_y {
        true => "The vertical axis is logarithmic",
        false => "",
    };
    caption.push(words::sentences([
        "Mean over realizations; the band is ± its standard error",
        &view.legend(0),
        axis,
    ]));
    let figure_name = format!("sweep-curve-{name}");
    let caption = caption.join(" ");
    match alone {
        true => wide(&figure_name, caption, lines.svg(Canvas::WIDE)),
        false => half(&figure_name, caption, lines.svg(Canvas::HALF)),
    }
}

fn curve(view: &View<'_>, measure: &CurveMeasure, combination: usize, by_measure: bool) -> Series {
    let none = vec![];
    let found = measure.curves.get(combination).unwrap_or(&none);
    let (x, summaries) = curve_summary(found);
    let edge = |sign: f64| summaries.iter().map(|s| s.mean + sign * s.se).collect();
    Series {
        name: match by_measure {
            true => measure.name.clone(),
            false => view.label(combination, 0),
        },
        x,
        y: summaries.iter().map(|s| s.mean).collect(),
        band: Some((edge(-1.0), edge(1.0))),
        ..Series::default()
    }
}
