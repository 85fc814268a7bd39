//! Figures of how well one signal predicts another.

use super::page::{Figure, Section};
use super::pictures::{colours, extent, half, wide};
use super::plot::{Canvas, Heatmap, Lines, Origin, Scatter, Series};
use super::run::{MOST_BYTES, Run};
use super::words;
use crate::record::{Matrix, MeasureReport, read_matrix};

/// The most dimensions of a sample that are drawn.
const DIMENSIONS: usize = 128;
/// The most steps of a sample that are drawn, the last.
const STEPS: usize = 400;
/// From this many dimensions on, a sample is also drawn as pictures.
const PICTURES_FROM: usize = 16;
/// What the horizontal axis of a sample counts.
const STEP: &str = "step, from the first one kept";

/// Every comparison: its sample, and its R² by dimension.
pub(super) fn section(run: &Run) -> Section {
    let mut section = Section {
        heading: "Predictions".to_owned(),
        ..Section::default()
    };
    for (name, measure) in &run.report.measures {
        if let MeasureReport::Pair {
            value,
            stages,
            sample,
        } = measure
        {
            match Sample::read(run, sample) {
                Ok(sample) => section
                    .figures
                    .push(pair(run, name, *value, stages, &sample)),
                Err(note) => section.notes.push(format!("`{name}`: {note}")),
            }
        }
        let MeasureReport::Comparison {
            r_squared,
            pooled,
            per_dimension,
            sample,
        } = measure
        else {
            continue;
        };
        let words = run.words(name);
        let comparison = Comparison {
            name,
            named: words.named(name),
            remarks: words.remarks(),
            r_squared: *r_squared,
            pooled: *pooled,
            per_dimension,
        };
        match Sample::read(run, sample) {
            Ok(sample) => comparison.draw_sample(&sample, &mut section.figures),
            Err(note) => section.notes.push(format!("`{name}`: {note}")),
        }
        if per_dimension.len() > 1 {
            section.figures.push(comparison.by_dimension());
        }
    }
    section
}

/// What two stages gave for the same noise and input.
fn pair(run: &Run, name: &str, value: f64, stages: &[String; 2], sample: &Sample) -> Figure {
    let [first, second] = stages;
    let words = run.words(name);
    let lines = Lines {
        title: format!("{name}: the first element in both stages"),
        x_label: "step, of the last ones".to_owned(),
        y_label: "value".to_owned(),
        series: vec![
            Series {
                name: first.clone(),
                ..sample.row(&sample.truth, 0)
            },
            Series {
                name: second.clone(),
                ..sample.row(&sample.prediction, 0)
            },
        ],
        ..Lines::default()
    };
    let caption = words::sentences([
        words.named(name).as_str(),
        &words.remarks(),
        &format!("Over all steps and elements the correlation is {value:.3}"),
    ]);
    wide(&format!("pair-{name}"), caption, lines.svg(Canvas::WIDE))
}

/// Truth and prediction, dimensions × steps each, row by row.
#[derive(Debug, PartialEq)]
struct Sample {
    dimensions: usize,
    steps: usize,
    truth: Vec<f64>,
    prediction: Vec<f64>,
}

impl Sample {
    fn read(run: &Run, file: &str) -> Result<Self, String> {
        let path = run.file(file, MOST_BYTES)?;
        let matrix = read_matrix(path).map_err(|error| run.remark(&error))?;
        if matrix.values.is_empty() {
            return Err("nothing was compared: its stage was not reached".to_owned());
        }
        Self::of(&matrix).ok_or_else(|| {
            format!(
                "`{file}` should hold as many rows of truth as of prediction, but is {} × {}",
                matrix.rows, matrix.columns
            )
        })
    }

    /// The part of the matrix that is drawn; none if it does not have two halves.
    fn of(matrix: &Matrix) -> Option<Self> {
        let all = matrix.rows / 2;
        if !matrix.rows.is_multiple_of(2) || all == 0 || matrix.columns == 0 {
            return None;
        }
        let (dimensions, steps) = (all.min(DIMENSIONS), matrix.columns.min(STEPS));
        let rows = |first: usize| {
            let rows = matrix.values.chunks_exact(matrix.columns);
            let rows = rows.skip(first).take(dimensions);
            rows.flat_map(|row| row.iter().skip(matrix.columns - steps).copied())
                .collect()
        };
        Some(Self {
            dimensions,
            steps,
            truth: rows(0),
            prediction: rows(all),
        })
    }

    fn row(&self, values: &[f64], dimension: usize) -> Series {
        let values = values.chunks(self.steps).nth(dimension);
        Series {
            x: (0..self.steps).map(|step| step as f64).collect(),
            y: values.unwrap_or_default().to_vec(),
            ..Series::default()
        }
    }
}

/// A comparison as it stands in `run.json`, without its sample.
struct Comparison<'a> {
    name: &'a str,
    /// How captions begin.
    named: String,
    /// What the netlist says of it.
    remarks: String,
    r_squared: f64,
    pooled: bool,
    per_dimension: &'a [f64],
}

impl Comparison<'_> {
    fn draw_sample(&self, sample: &Sample, figures: &mut Vec<Figure>) {
        figures.push(self.trace(sample));
        if sample.dimensions >= PICTURES_FROM {
            figures.extend(self.pictures(sample));
        }
        figures.push(self.scatter(sample));
    }

    fn trace(&self, sample: &Sample) -> Figure {
        let dimension = self.typical(sample.dimensions);
        let lines = Lines {
            title: format!("{}: truth and prediction, dimension {dimension}", self.name),
            x_label: STEP.to_owned(),
            y_label: "value".to_owned(),
            series: vec![
                Series {
                    name: "truth".to_owned(),
                    ..sample.row(&sample.truth, dimension)
                },
                Series {
                    name: "prediction".to_owned(),
                    ..sample.row(&sample.prediction, dimension)
                },
            ],
            ..Lines::default()
        };
        let which = match (sample.dimensions, self.per_dimension.get(dimension)) {
            (1, _) | (_, None) => String::new(),
            (_, Some(r)) => format!(
                "Dimension {dimension} is shown because its R² of {} is in the middle of all",
                words::value(*r)
            ),
        };
        let name = format!("prediction-{}-trace", self.name);
        let caption = words::sentences([self.named.as_str(), &self.remarks, &which]);
        wide(&name, caption, lines.svg(Canvas::WIDE))
    }

    /// The dimension whose R² is the median of those in the sample.
    fn typical(&self, dimensions: usize) -> usize {
        let known = self.per_dimension.iter().take(dimensions).enumerate();
        let mut known: Vec<(usize, f64)> = known
            .map(|(dimension, r)| (dimension, *r))
            .filter(|(_, r)| r.is_finite())
            .collect();
        known.sort_by(|a, b| a.1.total_cmp(&b.1));
        known
            .get(known.len() / 2)
            .map_or(0, |(dimension, _)| *dimension)
    }

    /// Truth above prediction, on one colour scale.
    fn pictures(&self, sample: &Sample) -> [Figure; 2] {
        let both = sample.truth.iter().chain(&sample.prediction).copied();
        let range = extent(both);
        [("truth", &sample.truth), ("prediction", &sample.prediction)].map(|(what, values)| {
            let map = Heatmap {
                title: format!("{}: {what}", self.name),
                x_label: STEP.to_owned(),
                y_label: "dimension".to_owned(),
                rows: sample.dimensions,
                columns: sample.steps,
                values: values.clone(),
                colours: colours(range),
                value_label: "value".to_owned(),
                origin: Origin::Bottom,
                value_range: range,
                ..Heatmap::default()
            };
            let name = format!("prediction-{}-{what}", self.name);
            let caption = format!(
                "`{}`: the {what} in {} dimensions; the colours are those of the other picture",
                self.name, sample.dimensions
            );
            let svg = map.svg(Canvas::WIDE);
            wide(&name, words::sentences([caption.as_str()]), svg)
        })
    }

    fn scatter(&self, sample: &Sample) -> Figure {
        let scatter = Scatter {
            title: format!("{}: prediction against truth", self.name),
            x_label: "truth".to_owned(),
            y_label: "prediction".to_owned(),
            x: sample.truth.clone(),
            y: sample.prediction.clone(),
            diagonal: true,
        };
        let shown = format!(
            "Each point is one dimension at one of the last {}; on the line the prediction is exact",
            words::counted(sample.steps as u64, "step", "steps")
        );
        let name = format!("prediction-{}-scatter", self.name);
        let caption = words::sentences([self.named.as_str(), &shown]);
        half(&name, caption, scatter.svg(Canvas::HALF))
    }

    fn by_dimension(&self) -> Figure {
        let below = self.per_dimension.iter().filter(|r| **r < -1.0).count() as u64;
        let lines = Lines {
            title: format!("{}: R² by dimension", self.name),
            x_label: "dimension".to_owned(),
            y_label: "R²".to_owned(),
            series: vec![Series {
                x: (0..self.per_dimension.len()).map(|d| d as f64).collect(),
                y: self.per_dimension.to_vec(),
                marks: true,
                ..Series::default()
            }],
            // R² has no lower bound, and one useless dimension would hide all others.
            y_range: (below > 0).then_some((-1.0, 1.0)),
            ..Lines::default()
        };
        let all = format!(
            "The share of the variance that is predicted, dimension by dimension; {} is {}",
            match self.pooled {
                true => "that of all together",
                false => "their mean",
            },
            words::value(self.r_squared)
        );
        let outside = match below {
            0 => String::new(),
            1 => "One dimension lies below −1".to_owned(),
            n => format!("{n} dimensions lie below −1"),
        };
        let caption = words::sentences([self.named.as_str(), &all, &outside]);
        let name = format!("prediction-{}-dimensions", self.name);
        half(&name, caption, lines.svg(Canvas::HALF))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_the_first_dimensions_over_the_last_steps() {
        let (dimensions, steps) = (130, 500);
        let value = |row: usize, step: usize| (row * 1000 + step) as f64;
        let rows = 0..2 * dimensions;
        let matrix = Matrix {
            rows: 2 * dimensions,
            columns: steps,
            values: rows
                .flat_map(|row| (0..steps).map(move |step| value(row, step)))
                .collect(),
        };
        let sample = Sample::of(&matrix).unwrap_or_else(|| unreachable!("it has two halves"));
        assert_eq!((sample.dimensions, sample.steps), (128, 400));
        assert_eq!(sample.truth.len(), 128 * 400);
        let (truth, prediction) = (&sample.truth, &sample.prediction);
        assert_eq!(sample.row(truth, 5).y.first(), Some(&value(5, 100)));
        assert_eq!(sample.row(prediction, 5).y.last(), Some(&value(135, 499)));
    }

    #[test]
    fn matrix_without_two_halves_is_no_sample() {
        for (rows, columns) in [(0, 3), (3, 3), (1, 3), (2, 0)] {
            let values = vec![0.0; rows * columns];
            assert_eq!(
                Sample::of(&Matrix {
                    rows,
                    columns,
                    values
                }),
                None
            );
        }
    }

    #[test]
    fn typical_dimension_has_the_median_of_the_defined_ones() {
        let comparison = |per_dimension| Comparison {
            name: "",
            named: String::new(),
            remarks: String::new(),
            r_squared: 0.0,
            pooled: false,
            per_dimension,
        };
        let r = [0.9, f64::NAN, -5.0, 0.5, 2.0];
        assert_eq!(comparison(&r).typical(4), 3);
        assert_eq!(comparison(&[]).typical(4), 0);
    }
}
