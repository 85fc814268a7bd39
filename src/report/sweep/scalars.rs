//! Measures with one number a point: mean ± standard error against the first parameter, or the realizations side by side.

use super::{MOST_CURVES, View};
use crate::report::learning::is_logarithmic;
use crate::report::overlay::{name_beside, over};
use crate::report::page::{Figure, Section};
use crate::report::pictures::{half, wide};
use crate::report::plot::{Canvas, Lines, Series};
use crate::report::words;
use crate::sweep::{CurveMeasure, ScalarMeasure, Summary};

/// How far lines stand apart where values stand side by side (share of their distance).
const APART: f64 = 0.07;

/// A plot a measure.
pub(super) fn section(
    view: &View<'_>,
    scalars: &[ScalarMeasure],
    curves: &[CurveMeasure],
) -> Section {
    let alone = scalars.len() == 1;
    let figure = |measure: &ScalarMeasure| {
        // An overlay of a series lies over its curve, not over its last value.
        let series = curves.iter().any(|c| c.name == measure.name);
        let lines = match &view.axis {
            Some(_) => against_parameter(view, measure, series),
            None => realizations(view, measure, series),
        };
        figure(view, measure, lines, series, alone)
    };
    let mut notes = Vec::new();
    let groups = groups(view);
    if groups > MOST_CURVES {
        notes.push(format!(
            "Lines are drawn for the first {MOST_CURVES} of {groups} combinations of the other parameters; the table above and \
             `sweep.csv` have all."
        ));
    }
    Section {
        heading: match view.names.first() {
            Some(name) => format!("Measures against {name}"),
            None => "Realizations".to_owned(),
        },
        anchor: "measures".to_owned(),
        notes,
        figures: scalars.iter().map(figure).collect(),
        ..Section::default()
    }
}

fn figure(
    view: &View<'_>,
    measure: &ScalarMeasure,
    lines: Lines,
    series: bool,
    alone: bool,
) -> Figure {
    let words = view.words(&measure.name);
    let shown = match (&view.axis, series) {
        (Some(_), true) => "The last value: mean ± standard error",
        (Some(_), false) => "Mean ± standard error",
        (None, true) => "The last value of each realization, and their mean ± standard error",
        (None, false) => "Each realization, and their mean ± standard error",
    };
    let axis = match lines.log_y {
        true => "The vertical axis is logarithmic",
        false => "",
    };
    // The expression is told with the curve; here it is needed only where nothing else says what the measure is.
    let named = match words.about {
        Some(_) => format!("`{}`", measure.name),
        None => words.named(&measure.name),
    };
    let caption = words::sentences([
        named.as_str(),
        &words.remarks(),
        shown,
        &view.legend(1),
        axis,
    ]);
    let name = format!("sweep-{}", measure.name);
    match alone {
        true => wide(&name, caption, lines.svg(Canvas::WIDE)),
        false => half(&name, caption, lines.svg(Canvas::HALF)),
    }
}

/// Combinations of all parameters but the first.
fn groups(view: &View<'_>) -> usize {
    let first = view.axis.as_ref().map_or(1, |axis| axis.places.len());
    view.combinations() / first.max(1)
}

fn against_parameter(view: &View<'_>, measure: &ScalarMeasure, is_series: bool) -> Lines {
    let Some(axis) = &view.axis else {
        return Lines::default();
    };
    let groups = groups(view);
    let drawn = groups.min(MOST_CURVES);
    let line = |group: usize| {
        // The first parameter changes slowest.
        let of = |value: usize| {
            let values = measure.values.get(value * groups + group);
            Summary::of(values.into_iter().flatten().copied())
        };
        let summaries: Vec<Summary> = (0..axis.places.len()).map(of).collect();
        let shift = match axis.categories {
            true => APART * (group as f64 - (drawn as f64 - 1.0) / 2.0),
            false => 0.0,
        };
        Series {
            name: view.label(group, 1),
            x: axis.places.iter().map(|x| x + shift).collect(),
            y: summaries.iter().map(|s| s.mean).collect(),
            bars: Some(summaries.iter().map(|s| s.se).collect()),
            marks: true,
            ..Series::default()
        }
    };
    let mut series: Vec<Series> = (0..drawn).map(line).collect();
    let references = match is_series {
        true => vec![],
        false => over(view.overlays, &measure.name, true),
    };
    name_beside(&mut series, &references);
    series.extend(references);
    let values = axis.places.len() as f64;
    Lines {
        title: measure.name.clone(),
        x_label: axis.label.clone(),
        y_label: measure.name.clone(),
        log_y: is_logarithmic(series.iter().flat_map(|s| s.y.iter().copied())),
        series,
        log_x: axis.log,
        x_names: axis.names.clone(),
        x_range: axis.categories.then_some((-0.5, values - 0.5)),
        ..Lines::default()
    }
}

/// A dot a realization, over its seed, and the mean of all.
fn realizations(view: &View<'_>, measure: &ScalarMeasure, is_series: bool) -> Lines {
    let completed = view.found.points.iter().filter_map(|p| {
        let value = p.completed()?.measures.get(&measure.name)?.headline()?;
        Some((p.seed as f64, value))
    });
    let (seeds, values): (Vec<f64>, Vec<f64>) = completed.unzip();
    let Summary { mean, se, .. } = Summary::of(values.iter().copied());
    let ends: Vec<f64> = seeds
        .first()
        .into_iter()
        .chain(seeds.last())
        .copied()
        .collect();
    let level = |y: f64| vec![y; ends.len()];
    let mut series = vec![
        Series {
            name: "mean ± SE".to_owned(),
            x: ends.clone(),
            y: level(mean),
            band: Some((level(mean - se), level(mean + se))),
            ..Series::default()
        },
        Series {
            name: "realizations".to_owned(),
            x: seeds,
            y: values,
            unjoined: true,
            ..Series::default()
        },
    ];
    if !is_series {
        // One reference value is a level too.
        series.extend(
            over(view.overlays, &measure.name, true)
                .into_iter()
                .map(|o| match o.y.as_slice() {
                    [y] => Series {
                        x: ends.clone(),
                        y: level(*y),
                        bars: None,
                        ..o
                    },
                    _ => o,
                }),
        );
    }
    Lines {
        title: measure.name.clone(),
        x_label: "seed".to_owned(),
        y_label: measure.name.clone(),
        series,
        ..Lines::default()
    }
}
