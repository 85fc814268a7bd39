//! Figures of matrices, such as correlations: those of one shape side by side.

use indexmap::IndexMap;

use super::page::{Figure, Section};
use super::pictures::{SMALL, colours, extent, half, tall, wide};
use super::plot::{Canvas, Colours, Heatmap, Panels};
use super::run::{MOST_BYTES, Run};
use super::words;
use crate::record::{Matrix, MeasureReport, read_matrix};

/// The most matrices side by side.
const MOST_ABREAST: usize = 4;
/// By how much rounding may take a correlation beyond 1.
const ROUNDING: f64 = 1e-9;

/// A matrix that was read, or is to be read, from its file.
struct Entry<'a> {
    name: &'a str,
    file: &'a str,
}

/// What matrices must share to stand on one colour scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    rows: usize,
    columns: usize,
    correlations: bool,
}

/// All matrices.
pub(super) fn section(run: &Run) -> Section {
    let mut section = Section {
        heading: "Matrices".to_owned(),
        ..Section::default()
    };
    let mut groups: IndexMap<Shape, Vec<Entry<'_>>> = IndexMap::new();
    for (name, measure) in &run.report.measures {
        if let MeasureReport::Matrix { file, .. } = measure {
            let shape = shape(run, name, measure);
            if shape.rows == 0 || shape.columns == 0 {
                let note = format!("`{name}` is empty: its stage was not reached");
                section.notes.push(note);
                continue;
            }
            groups.entry(shape).or_default().push(Entry { name, file });
        }
    }
    for (shape, entries) in &groups {
        let small = shape.rows.saturating_mul(shape.columns) <= SMALL;
        for some in entries.chunks(if small { MOST_ABREAST } else { 1 }) {
            let read = some
                .iter()
                .map(|entry| (entry.name, read(run, entry, *shape)));
            let mut matrices = Vec::new();
            for (name, matrix) in read {
                match matrix {
                    Ok(matrix) => matrices.push((name, matrix)),
                    Err(note) => section.notes.push(format!("`{name}`: {note}")),
                }
            }
            section.figures.extend(figure(run, matrices, *shape));
        }
    }
    section
}

fn shape(run: &Run, name: &str, measure: &MeasureReport) -> Shape {
    let MeasureReport::Matrix {
        rows,
        columns,
        minimum,
        maximum,
        ..
    } = measure
    else {
        return Shape {
            rows: 0,
            columns: 0,
            correlations: false,
        };
    };
    let named = run.words(name).kind.as_deref() == Some("correlation-matrix");
    // The diagonal of correlations is 1, so their largest value is.
    let looks = rows == columns && *minimum >= -1.0 - ROUNDING && (maximum - 1.0).abs() <= ROUNDING;
    Shape {
        rows: *rows,
        columns: *columns,
        correlations: named || looks,
    }
}

fn read(run: &Run, entry: &Entry<'_>, shape: Shape) -> Result<Matrix, String> {
    let path = run.file(entry.file, MOST_BYTES)?;
    let matrix = read_matrix(path).map_err(|error| run.remark(&error))?;
    if (matrix.rows, matrix.columns) != (shape.rows, shape.columns) {
        return Err(format!(
            "`{}` is {} × {}, but the run says {} × {}",
            entry.file, matrix.rows, matrix.columns, shape.rows, shape.columns
        ));
    }
    Ok(matrix)
}

fn figure(run: &Run, mut matrices: Vec<(&str, Matrix)>, shape: Shape) -> Option<Figure> {
    let names: Vec<&str> = matrices.iter().map(|(name, _)| *name).collect();
    let caption = caption(run, &names);
    let name = format!("matrix-{}", names.first()?);
    let scale = Scale::of(&matrices, shape);
    if let [single] = names.as_slice() {
        let (_, matrix) = matrices.pop()?;
        let map = Heatmap {
            title: (*single).to_owned(),
            x_label: "column".to_owned(),
            y_label: "row".to_owned(),
            rows: shape.rows,
            columns: shape.columns,
            values: matrix.values,
            colours: scale.colours,
            value_label: scale.label.to_owned(),
            aspect: (shape.rows == shape.columns).then_some(1.0),
            value_range: scale.range,
            ..Heatmap::default()
        };
        return Some(half(&name, caption, map.svg(Canvas::HALF)));
    }
    let panels = Panels {
        title: format!("{} × {}, on one colour scale", shape.rows, shape.columns),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        rows: shape.rows,
        columns: shape.columns,
        images: matrices.into_iter().map(|(_, m)| m.values).collect(),
        colours: scale.colours,
        value_label: scale.label.to_owned(),
        value_range: scale.range,
    };
    Some(wide(&name, caption, panels.svg(tall())))
}

/// What the colours of a figure mean.
struct Scale {
    colours: Colours,
    range: Option<(f64, f64)>,
    label: &'static str,
}

impl Scale {
    fn of(matrices: &[(&str, Matrix)], shape: Shape) -> Self {
        if shape.correlations {
            return Self {
                colours: Colours::Diverging,
                range: Some((-1.0, 1.0)),
                label: "correlation",
            };
        }
        let values = matrices.iter().flat_map(|(_, m)| m.values.iter().copied());
        let range = extent(values);
        Self {
            colours: colours(range),
            range,
            label: "value",
        }
    }
}

fn caption(run: &Run, names: &[&str]) -> String {
    let parts = names.iter().map(|name| {
        let words = run.words(name);
        words::sentences([words.named(name).as_str(), &words.remarks()])
    });
    parts.collect::<Vec<_>>().join(" ")
}
