//! Figures of estimates of two numbers: what each should be, its mean, and where most of the estimates lie.

use super::page::Section;
use super::pictures::half;
use super::plot::{Canvas, Lines, Series};
use super::run::Run;
use super::words;
use crate::record::MeasureReport;

/// Corners of a drawn ellipse.
const CORNERS: usize = 48;
/// Square, so that both axes have one scale.
const SIDE: f64 = 480.0;
/// What breaks a curve.
const BREAK: [f64; 2] = [f64::NAN; 2];

/// All measured ellipses.
pub(super) fn section(run: &Run) -> Section {
    let figure = |(name, measure): (&String, &MeasureReport)| {
        let MeasureReport::Ellipses {
            centre,
            axes,
            angle,
            target,
            share,
            label,
            ..
        } = measure
        else {
            return None;
        };
        let words = run.words(name);
        let outlines = centre.iter().zip(axes).zip(angle);
        let outlines = outlines.flat_map(|((centre, axes), angle)| outline(*centre, *axes, *angle));
        let errors = target.iter().zip(centre);
        let errors = errors.flat_map(|(target, centre)| [*target, *centre, BREAK]);
        let what = format!("{:.0} % of the estimates", 100.0 * share);
        let mut series = vec![
            curve(&what, outlines, false),
            curve("mean", centre.iter().flat_map(|c| [*c, BREAK]), true),
        ];
        if !target.is_empty() {
            series.push(curve(
                "target",
                target.iter().flat_map(|t| [*t, BREAK]),
                true,
            ));
            series.push(curve("bias", errors, false));
        }
        let lines = Lines {
            title: format!("Estimates by {label}"),
            x_label: "first number".to_owned(),
            y_label: "second number".to_owned(),
            series,
            ..Lines::default()
        };
        let caption = words::sentences([words.named(name).as_str(), &words.remarks()]);
        let svg = lines.svg(Canvas::new(SIDE, SIDE));
        Some(half(&format!("ellipses-{name}"), caption, svg))
    };
    Section {
        heading: "Estimates".to_owned(),
        figures: run.report.measures.iter().filter_map(figure).collect(),
        ..Section::default()
    }
}

/// Points along an ellipse, and a break.
fn outline(centre: [f64; 2], axes: [f64; 2], angle: f64) -> impl Iterator<Item = [f64; 2]> {
    let (sin, cos) = angle.sin_cos();
    let point = move |corner: usize| {
        let (up, along) = (corner as f64 * std::f64::consts::TAU / CORNERS as f64).sin_cos();
        let (along, up) = (axes[0] * along, axes[1] * up);
        [
            centre[0] + cos * along - sin * up,
            centre[1] + sin * along + cos * up,
        ]
    };
    (0..=CORNERS).map(point).chain([BREAK])
}

fn curve(name: &str, points: impl Iterator<Item = [f64; 2]>, marks: bool) -> Series {
    let (x, y) = points.map(|[x, y]| (x, y)).unzip();
    Series {
        name: name.to_owned(),
        x,
        y,
        marks,
        ..Series::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outline_goes_once_around() {
        let points: Vec<[f64; 2]> =
            outline([1.0, 2.0], [3.0, 1.0], std::f64::consts::FRAC_PI_2).collect();
        assert_eq!(points.len(), CORNERS + 2);
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-12;
        // The longer axis points upwards.
        assert!(near(points[0], [1.0, 5.0]) && near(points[CORNERS], points[0]));
        assert!(near(points[CORNERS / 4], [0.0, 2.0]));
        assert!(points[CORNERS + 1][0].is_nan());
    }
}
