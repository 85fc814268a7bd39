//! Rows of a trace on their way into a Parquet file.
//!
//! A file ends with a list of all its row groups, which is kept in memory until then: about 1 KiB a row group and
//! column. So row groups are large, to keep that list a small fraction of the data (of the order of one in a
//! thousand), and bounded, to keep memory flat: they share a fixed budget.

use std::fs::File;

use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::block::TraceBlock;
use super::coded_column::{Dictionary, write_coded};
use super::gathered::Group;
use super::spec::{RecorderSpec, TraceSpec};
use super::spike_block::milliseconds;

/// Values that the row groups of all traces together are meant to hold (64 MiB).
const BUDGET: usize = 1 << 23;
/// Values that one is meant to hold at most (16 MiB).
const MOST_VALUES: usize = 1 << 21;
/// Values that one is meant to hold at least (1 MiB).
const LEAST_VALUES: usize = 1 << 17;
/// Rows that one holds at least, unless that takes the whole budget.
const LEAST_ROWS: usize = 8192;
/// Rows converted at once.
const CHUNK: usize = 4096;

/// Rows gathered column by column, until there are enough of them.
#[derive(Debug)]
pub(super) struct RowGroup {
    capacity: usize,
    rows: usize,
    stage: Vec<u32>,
    /// Steps, or times (ps).
    when: Vec<i64>,
    /// Columns × `capacity`.
    values: Vec<f64>,
    /// Whether rows have times of their own.
    timed: bool,
    step_ms: Option<f64>,
    stage_names: Dictionary,
}

impl Group for RowGroup {
    type Block = TraceBlock;

    fn rows_of(block: &TraceBlock) -> usize {
        block.rows()
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn is_full(&self) -> bool {
        self.rows == self.capacity
    }

    fn clear(&mut self) {
        self.rows = 0;
    }

    fn append(&mut self, block: &TraceBlock, first: usize) -> usize {
        let taken = (self.capacity - self.rows).min(block.rows() - first);
        let (here, there) = (self.rows..self.rows + taken, first..first + taken);
        self.stage[here.clone()].copy_from_slice(&block.stage[there.clone()]);
        self.when[here.clone()].copy_from_slice(&block.when[there]);
        let columns = self.values.chunks_exact_mut(self.capacity);
        for (column, values) in columns.enumerate() {
            let given = block.values[first * block.columns + column..].iter();
            let given = given.step_by(block.columns);
            for (value, given) in values[here.clone()].iter_mut().zip(given) {
                *value = *given;
            }
        }
        self.rows += taken;
        taken
    }

    fn write(&self, writer: &mut SerializedFileWriter<File>) -> Result<(), ParquetError> {
        let stage = writer.schema_descr().column(0);
        let mut group = writer.next_row_group()?;
        let when = &self.when[..self.rows];
        let stages = &self.stage[..self.rows];
        write_coded(&mut group, stage, &self.stage_names, stages, |stage| stage)?;
        write_column::<Int64Type>(&mut group, |column| write_values(column, when))?;
        if let Some(to_ms) = self.to_ms() {
            write_column::<DoubleType>(&mut group, |column| write_each(column, when, to_ms))?;
        }
        for values in self.values.chunks_exact(self.capacity) {
            let values = &values[..self.rows];
            write_column::<DoubleType>(&mut group, |column| write_values(column, values))?;
        }
        group.close().map(drop)
    }
}

impl RowGroup {
    /// An empty one for a trace.
    pub(super) fn new(trace: &TraceSpec, spec: &RecorderSpec) -> Self {
        let columns = trace.columns.len();
        let capacity = rows_of_group(columns, spec.traces.len());
        // Zeros cost no memory before they are overwritten: a short run pays for what it records.
        Self {
            capacity,
            rows: 0,
            stage: vec![0; capacity],
            when: vec![0; capacity],
            values: vec![0.0; capacity * columns],
            timed: trace.timed,
            step_ms: spec.step_ms,
            stage_names: Dictionary::of_names(spec.stages.iter().map(|name| &**name)),
        }
    }

    /// How a step, or a time (ps), becomes a time (ms), if it does.
    fn to_ms(&self) -> Option<Box<dyn Fn(i64) -> f64>> {
        if self.timed {
            return Some(Box::new(milliseconds));
        }
        let step_ms = self.step_ms?;
        Some(Box::new(move |step| step.cast_unsigned() as f64 * step_ms))
    }
}

/// Rows of a full row group of one of `traces` traces.
fn rows_of_group(columns: usize, traces: usize) -> usize {
    // Stage, step and time count as much as two values.
    let width = columns + 2;
    let values = (BUDGET / traces.max(1)).clamp(LEAST_VALUES, MOST_VALUES);
    (values / width).max(LEAST_ROWS).min(BUDGET / width).max(1)
}

/// Writes the next column of a row group.
pub(super) fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    write: impl FnOnce(&mut ColumnWriterImpl<'_, T>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    let mut column = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("fewer columns than values".to_owned()))?;
    write(column.typed::<T>())?;
    column.close()
}

/// Appends what `value` makes of each of the values given.
pub(super) fn write_each<V: Copy, T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    given: &[V],
    value: impl Fn(V) -> T::T,
) -> Result<(), ParquetError> {
    let mut values = Vec::with_capacity(CHUNK);
    for given in given.chunks(CHUNK) {
        values.clear();
        values.extend(given.iter().map(|given| value(*given)));
        write_values(column, &values)?;
    }
    Ok(())
}

/// Appends values to a column.
pub(super) fn write_values<T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    column.write_batch(values, None, None).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_groups_are_large_but_bounded() {
        for traces in [1, 4, 64, 10_000] {
            for columns in [0, 1, 10, 32, 100, 1000, 10_000, 10_000_000] {
                let rows = rows_of_group(columns, traces);
                assert!(rows >= 1 && rows * columns <= BUDGET.max(columns));
                assert!(columns > 1000 || rows >= LEAST_ROWS, "{columns}");
            }
        }
        assert!(8 * rows_of_group(20, 8) * 20 <= BUDGET);
    }
}
