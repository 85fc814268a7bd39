//! Reading recorded weights back, one sample at a time or all at once.

use std::path::Path;

use super::error::RecordError;
use super::npy::NpyReader;

const EXPECTED: &str = "samples of a weight matrix";

/// Recorded weights on the disk; samples are read one by one, so that a long recording needs little memory.
///
/// A recording that was cut off (the process was killed, the disk was full) has as many samples as are complete.
#[derive(Debug)]
pub struct WeightFile {
    matrices: NpyReader<f64>,
    steps: Vec<u64>,
    timed: bool,
    stages: Vec<u32>,
    rows: usize,
    columns: usize,
}

impl WeightFile {
    /// Opens `weights/<name>.npy`, and with it `<name>.steps.npy` (or `<name>.times_ps.npy`) and `<name>.stages.npy`.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`] or [`RecordError::Malformed`], naming the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let path = path.as_ref();
        let matrices = NpyReader::<f64>::open(path, 3, EXPECTED)?;
        let times = path.with_extension("times_ps.npy");
        let timed = times.exists();
        let steps = match timed {
            true => read_numbers(&times)?,
            false => read_numbers(&path.with_extension("steps.npy"))?,
        };
        let stages = read_numbers(&path.with_extension("stages.npy"))?;
        let samples = matrices.items().min(steps.len()).min(stages.len());
        let (rows, columns) = match *matrices.item_shape() {
            [rows, columns] => (rows, columns),
            _ => (0, 0),
        };
        let stage = |stage: &i64| u32::try_from(*stage).unwrap_or(u32::MAX);
        Ok(Self {
            matrices,
            timed,
            steps: steps
                .iter()
                .take(samples)
                .map(|step| step.cast_unsigned())
                .collect(),
            stages: stages.iter().take(samples).map(stage).collect(),
            rows,
            columns,
        })
    }

    /// Number of complete samples.
    pub fn samples(&self) -> usize {
        self.steps.len()
    }

    /// Rows (presynaptic neurons) of a sample.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns (postsynaptic neurons) of a sample.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whether samples have times (ps) in place of steps.
    pub fn timed(&self) -> bool {
        self.timed
    }

    /// The step of each sample, or its time (ps).
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// The stage of each sample, as an index into the stages of the run.
    pub fn stages(&self) -> &[u32] {
        &self.stages
    }

    /// Reads sample `index`: `rows` × `columns` values in C order; none behind the last.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`], naming the file.
    pub fn sample(&mut self, index: usize) -> Result<Option<Vec<f64>>, RecordError> {
        if index >= self.samples() {
            return Ok(None);
        }
        let mut values = Vec::new();
        self.matrices.read(index, 1, &mut values)?;
        Ok(Some(values))
    }
}

/// All samples of recorded weights, in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Rows (presynaptic neurons) of a sample.
    pub rows: usize,
    /// Columns (postsynaptic neurons) of a sample.
    pub columns: usize,
    /// The step of each sample, or its time (ps).
    pub steps: Vec<u64>,
    /// The stage of each sample, as an index into the stages of the run.
    pub stages: Vec<u32>,
    /// Samples × `rows` × `columns` values in C order.
    pub values: Vec<f64>,
}

/// Reads all samples of `weights/<name>.npy`.
///
/// # Errors
///
/// As [`WeightFile::open`].
pub fn read_weights(path: impl AsRef<Path>) -> Result<Weights, RecordError> {
    let mut file = WeightFile::open(path)?;
    let mut values = Vec::new();
    file.matrices.read(0, file.samples(), &mut values)?;
    Ok(Weights {
        rows: file.rows,
        columns: file.columns,
        steps: file.steps,
        stages: file.stages,
        values,
    })
}

fn read_numbers(path: &Path) -> Result<Vec<i64>, RecordError> {
    let mut reader = NpyReader::<i64>::open(path, 1, "one number a sample")?;
    let mut numbers = Vec::new();
    reader.read(0, usize::MAX, &mut numbers)?;
    Ok(numbers)
}
