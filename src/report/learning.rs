//! Figures of what a run measured step by step: losses, errors, norms.

use super::overlay;
use super::page::{Figure, Section};
use super::pictures::{extent, half, wide};
use super::plot::{Canvas, Lines, Series};
use super::run::Run;
use super::words;
use crate::record::MeasureReport;

/// From this ratio of the largest to the smallest value on, a curve is drawn on a logarithmic axis.
const LOGARITHMIC_FROM: f64 = 20.0;
/// Longer expressions do not fit beside an axis.
const LONGEST_LABEL: usize = 40;

/// Every series, one plot each.
pub(super) fn section(run: &Run) -> Section {
    let measures = &run.report.measures;
    let is_series = |measure: &MeasureReport| matches!(measure, MeasureReport::Series { .. });
    let alone = measures.values().filter(|m| is_series(m)).count() == 1;
    let mut section = Section {
        heading: "Learning".to_owned(),
        ..Section::default()
    };
    for (name, measure) in measures {
        if let MeasureReport::Series { value, .. } = measure {
            if value.is_empty() {
                let note =
                    format!("`{name}` has no values: its stage was not reached, or too short");
                section.notes.push(note);
            } else {
                section.figures.extend(figure(run, name, measure, alone));
            }
        }
    }
    section
}

fn figure(run: &Run, name: &str, measure: &MeasureReport, alone: bool) -> Option<Figure> {
    let MeasureReport::Series {
        stage,
        step,
        value,
        x_label,
        logarithmic,
    } = measure
    else {
        return None;
    };
    let words = run.words(name);
    let of = words.of.as_deref();
    let of = of.filter(|of| of.chars().count() <= LONGEST_LABEL);
    let over = overlay::over(&run.overlays, name, false);
    let all = over.iter().flat_map(|s| &s.y).chain(value).copied();
    let positive = value.iter().any(|v| *v > 0.0);
    let log_y = (*logarithmic && positive) || is_logarithmic(all);
    let legend = if over.is_empty() { "" } else { name };
    let curve = Series {
        name: legend.to_owned(),
        x: step.iter().map(|&step| step as f64).collect(),
        y: value.clone(),
        ..Series::default()
    };
    let lines = Lines {
        title: name.to_owned(),
        x_label: x_label.clone(),
        y_label: of.unwrap_or(name).to_owned(),
        series: std::iter::once(curve).chain(over).collect(),
        log_y,
        ..Lines::default()
    };
    let mut during = words.named(name);
    if !stage.is_empty() {
        during.push_str(&format!(", during {stage}"));
    }
    let axis = match log_y {
        true => "The vertical axis is logarithmic",
        false => "",
    };
    let caption = words::sentences([during.as_str(), &words.remarks(), axis]);
    let figure_name = format!("learning-{name}");
    Some(match alone {
        true => wide(&figure_name, caption, lines.svg(Canvas::WIDE)),
        false => half(&figure_name, caption, lines.svg(Canvas::HALF)),
    })
}

/// Whether values are drawn on a logarithmic axis.
pub(super) fn is_logarithmic(values: impl IntoIterator<Item = f64>) -> bool {
    extent(values).is_some_and(|(low, high)| low > 0.0 && high / low > LOGARITHMIC_FROM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_values_of_many_sizes_are_logarithmic() {
        assert!(is_logarithmic([1.0, 21.0, f64::NAN]));
        assert!(!is_logarithmic([1.0, 20.0]));
        assert!(!is_logarithmic([0.0, 21.0]));
        assert!(!is_logarithmic([-1.0, 100.0]));
        assert!(!is_logarithmic([f64::NAN]));
    }
}
