//! The last rows of each stage of a trace, out of a file of any length.
//!
//! A first pass over the stage and step columns finds the rows; then the values of these rows alone are read, stage by
//! stage. Memory does not grow with the file.

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::record::RecordError;

/// Rows looked at together.
const BATCH: usize = 8192;
/// A file with more stages than this is damaged.
const MOST_STAGES: usize = 10_000;

/// A trace on the disk, and which of its rows to show.
pub(super) struct TraceTail {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    /// Names of the recorded values.
    pub(super) columns: Vec<String>,
    /// The first column of recorded values in the file.
    first_value: usize,
    /// Whether rows have times (ps) in place of steps.
    pub(super) timed: bool,
    /// The first row of each row group, and the end of the last.
    bounds: Vec<u64>,
    /// The stages that occur, in order of appearance.
    pub(super) stages: Vec<StageTail>,
}

/// The last rows of a stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct StageTail {
    /// The stage.
    pub(super) name: String,
    /// How many rows were recorded in it.
    pub(super) recorded: u64,
    /// The last of them, counted from the start of the file.
    rows: VecDeque<u64>,
    /// Their steps, or their times (ps).
    pub(super) steps: VecDeque<u64>,
}

impl TraceTail {
    /// Finds the last rows of each stage: as many as `most_rows` says for the number of recorded values.
    pub(super) fn open(
        path: &Path,
        most_rows: impl Fn(usize) -> usize,
    ) -> Result<Self, RecordError> {
        guarded(path, || {
            let file = File::open(path).map_err(|cause| RecordError::Io {
                action: "read",
                path: path.to_owned(),
                cause,
            })?;
            let reader = SerializedFileReader::new(file).map_err(unreadable(path))?;
            let schema = reader.metadata().file_metadata().schema_descr();
            let names: Vec<&str> = schema.columns().iter().map(|c| c.name()).collect();
            let (first_value, columns) = match names.as_slice() {
                ["stage", "step" | "time_ps", "time_ms", values @ ..] => (3, values),
                ["stage", "step", values @ ..] => (2, values),
                _ => {
                    let found = format!("its columns are {}", names.join(", "));
                    return Err(malformed(path, found));
                }
            };
            let timed = names.get(1) == Some(&"time_ps");
            let mut tail = Self {
                timed,
                path: path.to_owned(),
                columns: columns.iter().map(|&name| name.to_owned()).collect(),
                reader,
                first_value,
                bounds: vec![0],
                stages: Vec::new(),
            };
            let most_rows = most_rows(tail.columns.len());
            tail.find_rows(most_rows).map_err(unreadable(path))?;
            Ok(tail)
        })
    }

    fn find_rows(&mut self, most_rows: usize) -> Result<(), ParquetError> {
        let (mut names, mut steps) = (Vec::new(), Vec::new());
        let (mut row, mut stage) = (0_u64, 0_usize);
        for group in 0..self.reader.num_row_groups() {
            let mut name_column = self.column::<ByteArrayType>(group, 0)?;
            let mut step_column = self.column::<Int64Type>(group, 1)?;
            loop {
                names.clear();
                steps.clear();
                read_exactly(&mut name_column, BATCH, &mut names)?;
                read_exactly(&mut step_column, BATCH, &mut steps)?;
                if names.len() != steps.len() {
                    return Err(damaged("its columns differ in length"));
                }
                if names.is_empty() {
                    break;
                }
                for (name, step) in names.iter().zip(&steps) {
                    stage = self.stage_index(name, stage)?;
                    if let Some(stage) = self.stages.get_mut(stage) {
                        stage.push(row, step.cast_unsigned(), most_rows);
                    }
                    row += 1;
                }
            }
            self.bounds.push(row);
        }
        Ok(())
    }

    /// The index of the stage called `name`, a new one if need be; mostly that of the row before.
    fn stage_index(&mut self, name: &ByteArray, before: usize) -> Result<usize, ParquetError> {
        let is_it = |stage: &StageTail| stage.name.as_bytes() == name.data();
        if self.stages.get(before).is_some_and(is_it) {
            return Ok(before);
        }
        if let Some(index) = self.stages.iter().position(is_it) {
            return Ok(index);
        }
        if self.stages.len() >= MOST_STAGES {
            return Err(damaged("it has more stages than any run"));
        }
        self.stages.push(StageTail {
            name: name.as_utf8()?.to_owned(),
            ..StageTail::default()
        });
        Ok(self.stages.len() - 1)
    }

    /// The values of the last rows of stage number `stage`, of the first `most_columns` recorded values: a vector of all
    /// rows a column.
    pub(super) fn values(
        &self,
        stage: usize,
        most_columns: usize,
    ) -> Result<Vec<Vec<f64>>, RecordError> {
        let Some(stage) = self.stages.get(stage) else {
            return Ok(Vec::new());
        };
        guarded(&self.path, || {
            let columns = self.columns.len().min(most_columns);
            let mut values = vec![Vec::with_capacity(stage.rows.len()); columns];
            for (group, bounds) in self.bounds.windows(2).enumerate() {
                let &[start, end] = bounds else { continue };
                let runs = runs(&stage.rows, start, end);
                if runs.is_empty() {
                    continue;
                }
                for (column, values) in values.iter_mut().enumerate() {
                    self.read_runs(group, column + self.first_value, &runs, values)
                        .map_err(unreadable(&self.path))?;
                }
            }
            Ok(values)
        })
    }

    /// Appends the values of some rows of a column of a row group.
    fn read_runs(
        &self,
        group: usize,
        column: usize,
        runs: &[(usize, usize)],
        values: &mut Vec<f64>,
    ) -> Result<(), ParquetError> {
        let mut reader = self.column::<DoubleType>(group, column)?;
        let mut place = 0;
        for &(first, count) in runs {
            let skipped = reader.skip_records(first - place)?;
            let read = read_exactly(&mut reader, count, values)?;
            if (skipped, read) != (first - place, count) {
                return Err(damaged("its columns differ in length"));
            }
            place = first + count;
        }
        Ok(())
    }

    fn column<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<ColumnReaderImpl<T>, ParquetError> {
        let reader = self
            .reader
            .get_row_group(group)?
            .get_column_reader(column)?;
        T::get_column_reader(reader).ok_or_else(|| damaged("a column is of another type"))
    }
}

impl StageTail {
    fn push(&mut self, row: u64, step: u64, most_rows: usize) {
        self.recorded += 1;
        self.rows.push_back(row);
        self.steps.push_back(step);
        if self.rows.len() > most_rows {
            self.rows.pop_front();
            self.steps.pop_front();
        }
    }
}

/// The rows from `start` to before `end`, as (first, count) from `start` on.
fn runs(rows: &VecDeque<u64>, start: u64, end: u64) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for row in rows.iter().filter(|&&row| row >= start && row < end) {
        // A row group has fewer rows than memory has bytes.
        let row = (row - start) as usize;
        match runs.last_mut() {
            Some((first, count)) if *first + *count == row => *count += 1,
            _ => runs.push((row, 1)),
        }
    }
    runs
}

/// Appends `count` values, fewer at the end; returns how many.
fn read_exactly<T: DataType>(
    column: &mut ColumnReaderImpl<T>,
    count: usize,
    values: &mut Vec<T::T>,
) -> Result<usize, ParquetError> {
    let mut left = count;
    while left > 0 {
        match column.read_records(left, None, None, values)?.0 {
            0 => break,
            read => left = left.saturating_sub(read),
        }
    }
    Ok(count - left)
}

/// The Parquet decoder checks much of what it reads, but not all: some damaged files make it panic.
fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, RecordError>,
) -> Result<T, RecordError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let found = "it is damaged beyond what can be decoded".to_owned();
        Err(malformed(path, found))
    })
}

fn malformed(path: &Path, found: String) -> RecordError {
    RecordError::Malformed {
        path: path.to_owned(),
        expected: "a trace",
        found,
    }
}

fn unreadable(path: &Path) -> impl FnOnce(ParquetError) -> RecordError + use<> {
    let path = path.to_owned();
    move |cause| RecordError::Parquet {
        action: "read",
        path,
        cause,
    }
}

fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::record::{Recorder, RecorderSpec, RunDirectory, TraceSpec, read_trace};

    /// Writes a trace of which some stage takes turns with another, every 700 rows.
    fn write(folder: &Path, rows: u64, columns: usize, others: usize) -> PathBuf {
        let directory = RunDirectory::create(folder, true).unwrap();
        let trace = |name: String| TraceSpec {
            name,
            columns: (0..columns).map(|i| i.to_string()).collect(),
            ..TraceSpec::default()
        };
        let spec = RecorderSpec {
            traces: (0..=others).map(|i| trace(format!("t{i}"))).collect(),
            stages: ["wake", "sleep"].map(str::to_owned).to_vec(),
            ..RecorderSpec::default()
        };
        let mut recorder = Recorder::start(&directory, spec).unwrap();
        let mut block = recorder.trace_block(0);
        for row in 0..rows {
            let values: Vec<f64> = (0..columns)
                .map(|c| (row * 1000) as f64 + c as f64)
                .collect();
            block.push(u32::from(row / 700 % 2 == 1), 10 * row, &values);
        }
        recorder.send_trace(block).unwrap();
        recorder.finish().unwrap();
        folder.join("traces/t0.parquet")
    }

    #[test]
    fn tails_are_the_last_rows_of_each_stage_across_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        // So many other traces make the row groups small: 8192 rows.
        let path = write(folder.path(), 20_000, 20, 64);
        let whole = read_trace(&path).unwrap();
        for most in [1, 600, 3000, 100_000] {
            let tail = TraceTail::open(&path, |_| most).unwrap();
            assert!(tail.bounds.len() > 3, "{:?}", tail.bounds);
            for (index, stage) in tail.stages.iter().enumerate() {
                let rows = 0..whole.rows();
                let rows: Vec<usize> = rows
                    .filter(|&row| whole.stage(row) == Some(&stage.name))
                    .collect();
                assert_eq!(stage.recorded, rows.len() as u64);
                let last = &rows[rows.len().saturating_sub(most)..];
                assert!(
                    stage
                        .steps
                        .iter()
                        .eq(last.iter().map(|&row| &whole.steps[row]))
                );
                let values = tail.values(index, 5).unwrap();
                assert_eq!(values.len(), 5);
                for (found, expected) in values.iter().zip(&whole.values) {
                    assert!(found.iter().eq(last.iter().map(|&row| &expected[row])));
                }
            }
            assert_eq!(tail.stages.len(), 2);
        }
    }

    #[test]
    fn damaged_files_are_errors_that_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), 100, 1, 0);
        let whole = std::fs::read(&path).unwrap();
        let read = || {
            let tail = TraceTail::open(&path, |_| 50)?;
            (0..tail.stages.len()).try_for_each(|stage| tail.values(stage, 9).map(drop))
        };
        read().unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read().unwrap_err().to_string().contains("t0.parquet"));
        }
        for at in 0..whole.len() {
            for byte in [0x00, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                std::fs::write(&path, &damaged).unwrap();
                if let Err(error) = read() {
                    assert!(error.to_string().contains("t0.parquet"), "{error}");
                }
            }
        }
    }
}
