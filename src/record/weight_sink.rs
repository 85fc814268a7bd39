//! Weights into `weights/<name>.npy`, with the steps (or times) and stages of the samples beside it.

use super::directory::RunDirectory;
use super::error::RecordError;
use super::npy::NpyWriter;
use super::spec::WeightSpec;
use super::writer::WeightRecord;

/// What follows the name: matrices, steps or times, stages.
pub(super) const ENDINGS: [&str; 4] = [".npy", ".steps.npy", ".times_ps.npy", ".stages.npy"];

/// One growing array of matrices.
#[derive(Debug)]
pub(super) struct WeightSink {
    spec: WeightSpec,
    /// Relative to the run directory.
    relative: String,
    matrices: NpyWriter<f64>,
    /// Steps, or times (ps).
    steps: NpyWriter<i64>,
    stages: NpyWriter<i64>,
}

impl WeightSink {
    /// Creates the three files, empty but valid.
    pub(super) fn create(
        directory: &RunDirectory,
        spec: &WeightSpec,
        stem: &str,
    ) -> Result<Self, RecordError> {
        let [matrices, steps, times, stages] =
            ENDINGS.map(|ending| format!("weights/{stem}{ending}"));
        let steps = if spec.timed { times } else { steps };
        let item = [spec.rows as u64, spec.columns as u64];
        Ok(Self {
            spec: spec.clone(),
            matrices: NpyWriter::create(&directory.claim(&matrices)?, &item)?,
            steps: NpyWriter::create(&directory.claim(&steps)?, &[])?,
            stages: NpyWriter::create(&directory.claim(&stages)?, &[])?,
            relative: matrices,
        })
    }

    /// Appends one sample. The header of the matrices comes last, so that none is told of without its step.
    pub(super) fn append(
        &mut self,
        stage: u32,
        step: u64,
        matrix: &[f64],
    ) -> Result<(), RecordError> {
        self.matrices.write_item(matrix)?;
        self.steps.write_item(&[step.cast_signed()])?;
        self.stages.write_item(&[i64::from(stage)])?;
        self.steps.commit()?;
        self.stages.commit()?;
        self.matrices.commit()
    }

    /// Closes the three files, each of them even if another fails.
    pub(super) fn close(self) -> Result<(WeightRecord, u64), RecordError> {
        let bytes = self.matrices.bytes() + self.steps.bytes() + self.stages.bytes();
        let record = WeightRecord {
            name: self.spec.name,
            file: self.relative,
            samples: self.matrices.items(),
            rows: self.spec.rows,
            columns: self.spec.columns,
            timed: self.spec.timed,
        };
        let closed = [
            self.matrices.close(),
            self.steps.close(),
            self.stages.close(),
        ];
        closed.into_iter().collect::<Result<(), _>>()?;
        Ok((record, bytes))
    }
}
