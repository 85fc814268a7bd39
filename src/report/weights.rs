//! Figures of recorded weights.

use super::fields::Fields;
use super::page::{Figure, Section};
use super::pictures::{colours, extent, half, spread};
use super::plot::{Canvas, Heatmap, Lines, Series};
use super::run::{MOST_BYTES, Run};
use super::words;
use crate::record::{WeightFile, milliseconds};

/// The most weights drawn one by one.
const MOST_WEIGHTS: usize = 30;
/// The most samples read; fewer of large matrices.
const MOST_SAMPLES: usize = 300;
/// What may be read of one file (bytes), one sample after another.
const MOST_READ: u64 = 400_000_000;
/// The most figures of the section.
const MOST_FIGURES: usize = 80;

/// All recorded weights.
pub(super) fn section(run: &Run) -> Section {
    let mut section = Section {
        heading: "Weights".to_owned(),
        ..Section::default()
    };
    let mut left_out = Vec::new();
    for weights in &run.report.weights {
        let name = &weights.name;
        if section.figures.len() >= MOST_FIGURES {
            left_out.push(format!("`{name}`"));
            continue;
        }
        match Weights::read(run, name, &weights.file) {
            Ok(weights) => {
                let cut = weights.cut.iter();
                section
                    .notes
                    .extend(cut.map(|note| format!("`{name}`: {note}")));
                section.figures.extend(weights.figures());
            }
            Err(note) => section.notes.push(format!("`{name}`: {note}")),
        }
    }
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        section.notes.push(format!(
            "Not drawn, because there are so many weights: {names}"
        ));
    }
    section
}

/// What is drawn of one file.
struct Weights {
    name: String,
    rows: usize,
    columns: usize,
    samples: usize,
    /// The steps of the samples read, or their times (ms).
    steps: Vec<f64>,
    /// Whether samples have times.
    timed: bool,
    /// The mean weight of the samples read.
    mean: Vec<f64>,
    /// Some weights over these steps: the place in the matrix, and the values.
    some: Vec<(usize, Vec<f64>)>,
    /// The first sample, row by row; kept only of vectors.
    first: Vec<f64>,
    /// The last sample, row by row.
    last: Vec<f64>,
    /// Why it ends early, if it does.
    cut: Option<String>,
}

impl Weights {
    fn read(run: &Run, name: &str, file: &str) -> Result<Self, String> {
        let path = run.file(file, u64::MAX)?;
        let mut weights = WeightFile::open(path).map_err(|error| run.remark(&error))?;
        let (rows, columns) = (weights.rows(), weights.columns());
        let bytes = (rows as u64)
            .saturating_mul(columns as u64)
            .saturating_mul(8);
        if bytes == 0 || weights.samples() == 0 {
            return Err(format!("`{file}` has no values: nothing was recorded"));
        }
        if bytes > MOST_BYTES {
            return Err(format!(
                "a sample of {rows} × {columns} weights is too large to be drawn here ({})",
                words::bytes(bytes)
            ));
        }
        let affordable = usize::try_from(MOST_READ / bytes).unwrap_or(MOST_SAMPLES);
        let mut read = Self::empty(name, &weights);
        for index in spread(weights.samples(), affordable.clamp(2, MOST_SAMPLES)) {
            let step = weights.steps().get(index).copied().unwrap_or(0);
            match weights.sample(index) {
                Ok(Some(sample)) => read.add(step, sample),
                Ok(None) => break,
                Err(error) => {
                    read.cut = Some(run.remark(&error));
                    break;
                }
            }
        }
        match read.cut {
            Some(note) if read.last.is_empty() => Err(note),
            _ => Ok(read),
        }
    }

    /// Of a file with values, none yet.
    fn empty(name: &str, weights: &WeightFile) -> Self {
        let (rows, columns) = (weights.rows(), weights.columns());
        let some = spread(rows * columns, MOST_WEIGHTS).into_iter();
        Self {
            name: name.to_owned(),
            rows,
            columns,
            samples: weights.samples(),
            steps: Vec::new(),
            timed: weights.timed(),
            mean: Vec::new(),
            some: some.map(|place| (place, Vec::new())).collect(),
            first: Vec::new(),
            last: Vec::new(),
            cut: None,
        }
    }

    fn add(&mut self, step: u64, sample: Vec<f64>) {
        self.steps.push(match self.timed {
            true => milliseconds(step.cast_signed()),
            false => step as f64,
        });
        let finite = sample.iter().filter(|weight| weight.is_finite());
        let (sum, count) = finite.fold((0.0, 0.0), |(sum, count), w| (sum + w, count + 1.0));
        self.mean.push(sum / count);
        for (place, values) in &mut self.some {
            values.push(sample.get(*place).copied().unwrap_or(f64::NAN));
        }
        if self.is_vector() && self.first.is_empty() {
            self.first.clone_from(&sample);
        }
        self.last = sample;
    }

    /// Whether each neuron, or each synapse, has one weight.
    fn is_vector(&self) -> bool {
        self.rows == 1 || self.columns == 1
    }

    fn figures(&self) -> impl Iterator<Item = Figure> {
        let last = match self.is_vector() {
            true => self.vector(),
            false => self.matrix(),
        };
        let over_time = (self.steps.len() > 1).then(|| self.over_time());
        [Some(last), over_time, self.fields()].into_iter().flatten()
    }

    /// The name without what those of recordings often begin with.
    fn short(&self) -> &str {
        self.name.strip_prefix("weights-").unwrap_or(&self.name)
    }

    /// The stem of a figure's file.
    fn stem(&self) -> String {
        format!("weights-{}", self.short())
    }

    fn at(&self, step: Option<&f64>) -> String {
        step.map_or(String::new(), |step| match self.timed {
            true => format!("at {}", words::duration(step / 1000.0)),
            false => format!("at step {}", words::count(*step as u64)),
        })
    }

    fn vector(&self) -> Figure {
        let series = |values: &[f64], step: Option<&f64>| Series {
            name: self.at(step),
            x: (0..values.len()).map(|place| place as f64).collect(),
            y: values.to_vec(),
            ..Series::default()
        };
        let first = Series {
            dashed: true,
            ..series(&self.first, self.steps.first())
        };
        let last = series(&self.last, self.steps.last());
        let mut both = vec![last, first];
        both.truncate(self.steps.len());
        let lines = Lines {
            title: self.short().to_owned(),
            x_label: "weight, counted from 0".to_owned(),
            y_label: "weight".to_owned(),
            series: both,
            ..Lines::default()
        };
        let caption = format!(
            "`{}`: {}, one a neuron or synapse, {}.",
            self.name,
            words::counted(self.last.len() as u64, "weight", "weights"),
            self.which(),
        );
        half(&self.stem(), caption, lines.svg(Canvas::HALF))
    }

    /// Which samples a figure of the last one shows.
    fn which(&self) -> String {
        match self.samples {
            1 => "the only sample".to_owned(),
            all => format!("the last of {} samples", words::count(all as u64)),
        }
    }

    fn matrix(&self) -> Figure {
        let map = Heatmap {
            title: format!("{} {}", self.short(), self.at(self.steps.last())),
            x_label: "postsynaptic neuron".to_owned(),
            y_label: "presynaptic neuron".to_owned(),
            rows: self.rows,
            columns: self.columns,
            values: self.last.clone(),
            colours: colours(extent(self.last.iter().copied())),
            value_label: "weight".to_owned(),
            aspect: (self.rows == self.columns).then_some(1.0),
            ..Heatmap::default()
        };
        let caption = format!(
            "`{}`: {} weights from {} to {} neurons, {}.",
            self.name,
            words::count((self.rows * self.columns) as u64),
            words::count(self.rows as u64),
            words::count(self.columns as u64),
            self.which(),
        );
        half(&self.stem(), caption, map.svg(Canvas::HALF))
    }

    fn over_time(&self) -> Figure {
        let series = self.some.iter().map(|(_, values)| Series {
            x: self.steps.clone(),
            y: values.clone(),
            faint: self.timed,
            ..Series::default()
        });
        let mean = self.timed.then(|| Series {
            name: "mean of all weights".to_owned(),
            x: self.steps.clone(),
            y: self.mean.clone(),
            ..Series::default()
        });
        let lines = Lines {
            title: format!("{} over time", self.short()),
            x_label: if self.timed { "time (ms)" } else { "step" }.to_owned(),
            y_label: "weight".to_owned(),
            series: mean.into_iter().chain(series).collect(),
            ..Lines::default()
        };
        let all = self.rows * self.columns;
        let which = match self.some.len() {
            some if some < all => format!(
                "{some} of {} weights, spread evenly over the matrix",
                words::count(all as u64)
            ),
            _ => "all weights".to_owned(),
        };
        let caption = format!("`{}`: {which}.", self.name);
        let name = format!("{}-over-time", self.stem());
        half(&name, caption, lines.svg(Canvas::HALF))
    }

    fn fields(&self) -> Option<Figure> {
        let fields = Fields::of(&self.name, (self.rows, self.columns), &self.last)?;
        Some(fields.figure(self.short(), &format!("{}-fields", self.stem())))
    }
}
