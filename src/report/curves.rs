//! Figures of one number as a function of another, such as autocorrelations.

use indexmap::IndexMap;

use super::overlay;
use super::page::{Figure, Section};
use super::pictures::{half, wide};
use super::plot::{Canvas, Lines, Series};
use super::run::Run;
use super::words;
use crate::record::MeasureReport;

/// More curves than there are colours are told apart with effort; they go into a plot of their own.
const MOST_CURVES: usize = 7;
/// Up to this many points a curve shows where it was evaluated.
const MARKED: usize = 120;

/// A curve and its labels.
struct Curve<'a> {
    name: &'a str,
    x: &'a [f64],
    y: &'a [f64],
    y_label: &'a str,
}

/// All curves, those over the same quantity in one plot.
pub(super) fn section(run: &Run) -> Section {
    let mut notes = Vec::new();
    let groups = groups(run, &mut notes);
    let plots: Vec<(&str, &[Curve<'_>])> = groups
        .iter()
        .flat_map(|((x_label, _), curves)| curves.chunks(MOST_CURVES).map(|some| (*x_label, some)))
        .collect();
    let alone = plots.len() == 1;
    let figures = plots
        .iter()
        .map(|(label, curves)| figure(run, label, curves, alone));
    let mut all = groups.values().flatten();
    let heading = match all.all(|curve| curve.y_label == "autocorrelation") {
        true => "Autocorrelations",
        false => "Curves",
    };
    Section {
        heading: heading.to_owned(),
        figures: figures.collect(),
        notes,
        ..Section::default()
    }
}

/// The curves by what they are over and what they are.
fn groups<'a>(
    run: &'a Run,
    notes: &mut Vec<String>,
) -> IndexMap<(&'a str, &'a str), Vec<Curve<'a>>> {
    let mut groups: IndexMap<(&str, &str), Vec<Curve<'_>>> = IndexMap::new();
    for (name, measure) in &run.report.measures {
        let MeasureReport::Curve {
            x,
            y,
            x_label,
            y_label,
        } = measure
        else {
            continue;
        };
        if x.iter().zip(y).any(|(x, y)| (x + y).is_finite()) {
            let group = (x_label.as_str(), y_label.as_str());
            groups.entry(group).or_default().push(Curve {
                name,
                x,
                y,
                y_label,
            });
        } else {
            let why = "its stage was not reached, or nothing varied";
            notes.push(format!("`{name}` has no values: {why}"));
        }
    }
    groups
}

fn figure(run: &Run, x_label: &str, curves: &[Curve<'_>], alone: bool) -> Figure {
    let y_label = common_label(curves);
    let over = curves
        .iter()
        .flat_map(|c| overlay::over(&run.overlays, c.name, false));
    let lines = Lines {
        title: words::capital(&y_label),
        x_label: x_label.to_owned(),
        y_label,
        series: curves.iter().map(series).chain(over).collect(),
        ..Lines::default()
    };
    let parts = curves.iter().map(|curve| {
        let words = run.words(curve.name);
        words::sentences([words.named(curve.name).as_str(), &words.remarks()])
    });
    let caption = parts.collect::<Vec<_>>().join(" ");
    let name = curves.first().map_or("", |curve| curve.name);
    let name = format!("curve-{name}");
    match alone {
        true => wide(&name, caption, lines.svg(Canvas::WIDE)),
        false => half(&name, caption, lines.svg(Canvas::HALF)),
    }
}

fn series(curve: &Curve<'_>) -> Series {
    Series {
        name: curve.name.to_owned(),
        x: curve.x.to_vec(),
        y: curve.y.to_vec(),
        marks: curve.x.len() <= MARKED,
        ..Series::default()
    }
}

/// What all curves are, in their own words.
fn common_label(curves: &[Curve<'_>]) -> String {
    let mut labels: Vec<&str> = curves.iter().map(|curve| curve.y_label).collect();
    labels.dedup();
    labels.join(" / ")
}
