//! Reading traces back.

use std::collections::HashMap;
use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;

use parquet::data_type::{ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::error::RecordError;
use super::trace_sink::{PICOSECONDS, STAGE, STEP, TIME};

/// Values read at once.
const PAGE: usize = 1 << 16;

/// A recorded trace, in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// Names of the stages that occur, in order of appearance.
    pub stage_names: Vec<String>,
    /// The stage of each row, as an index into `stage_names`.
    pub stages: Vec<u32>,
    /// The step of each row; none if rows have times of their own.
    pub steps: Vec<u64>,
    /// The exact time of each row (ps), if rows have times of their own.
    pub times_ps: Option<Vec<i64>>,
    /// The time of each row (ms), if rows have times of their own or steps have a length.
    pub times_ms: Option<Vec<f64>>,
    /// Names of the recorded values.
    pub columns: Vec<String>,
    /// Recorded values, one vector of all rows a column.
    pub values: Vec<Vec<f64>>,
}

impl Trace {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.stages.len()
    }

    /// The name of the stage of `row`.
    pub fn stage(&self, row: usize) -> Option<&str> {
        let index = *self.stages.get(row)?;
        self.stage_names.get(index as usize).map(String::as_str)
    }

    /// All rows of the column called `name`.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let index = self.columns.iter().position(|column| column == name)?;
        self.values.get(index).map(Vec::as_slice)
    }
}

/// Reads a whole trace, `traces/<name>.parquet`.
///
/// # Errors
///
/// [`RecordError::Io`], [`RecordError::Parquet`] or [`RecordError::Malformed`], naming the file.
pub fn read_trace(path: impl AsRef<Path>) -> Result<Trace, RecordError> {
    read_trace_thinned(path, usize::MAX)
}

/// Reads at most `most_rows` rows of a trace: every n-th, n as small as possible. For pictures of long runs.
///
/// # Errors
///
/// As [`read_trace`].
pub fn read_trace_thinned(path: impl AsRef<Path>, most_rows: usize) -> Result<Trace, RecordError> {
    let path = path.as_ref();
    // The Parquet decoder checks much of what it reads, but not all: some damaged files make it panic.
    let read = catch_unwind(|| read_rows(path, most_rows));
    read.unwrap_or_else(|_| {
        let found = "it is damaged beyond what can be decoded";
        Err(RecordError::malformed(path, "a trace", found))
    })
}

fn read_rows(path: &Path, most_rows: usize) -> Result<Trace, RecordError> {
    let file = File::open(path).map_err(RecordError::io("read", path))?;
    let reader = SerializedFileReader::new(file).map_err(RecordError::parquet("read", path))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let names = schema.columns().iter().map(|column| column.name());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let is_time = names.get(2).is_some_and(|name| name == TIME);
    let first_value = if is_time { 3 } else { 2 };
    let name = |place: usize| names.get(place).map(String::as_str);
    let timed = name(1) == Some(PICOSECONDS) && is_time;
    if name(0) != Some(STAGE) || !(timed || name(1) == Some(STEP)) {
        let found = format!("its columns are {}", names.join(", "));
        return Err(RecordError::malformed(path, "a trace", found));
    }
    let columns = names.get(first_value..).unwrap_or_default().to_vec();
    let rows = reader.metadata().file_metadata().num_rows();
    let rows = usize::try_from(rows).unwrap_or(0);
    let mut gathering = Gathering {
        stride: rows.div_ceil(most_rows.max(1)).max(1),
        seen: 0,
        index: HashMap::new(),
        trace: Trace {
            times_ps: timed.then(Vec::new),
            times_ms: is_time.then(Vec::new),
            values: vec![Vec::new(); columns.len()],
            columns,
            ..Trace::default()
        },
    };
    for index in 0..reader.num_row_groups() {
        reader
            .get_row_group(index)
            .and_then(|group| gathering.add(&*group))
            .map_err(RecordError::parquet("read", path))?;
    }
    Ok(gathering.trace)
}

/// A trace on its way into memory.
struct Gathering {
    /// Every how many rows one is kept.
    stride: usize,
    /// Rows of the row groups before.
    seen: usize,
    index: HashMap<String, u32>,
    trace: Trace,
}

impl Gathering {
    fn add(&mut self, group: &dyn RowGroupReader) -> Result<(), ParquetError> {
        let steps = read_column::<Int64Type>(group, 1)?;
        let rows = steps.len();
        let skipped = (self.stride - self.seen % self.stride) % self.stride;
        let names = read_column::<ByteArrayType>(group, 0)?;
        if names.len() != rows {
            return Err(wrong(0, "length"));
        }
        for name in names.iter().skip(skipped).step_by(self.stride) {
            let stage = self.stage(name.as_utf8()?)?;
            self.trace.stages.push(stage);
        }
        let steps = steps.iter().skip(skipped).step_by(self.stride);
        match &mut self.trace.times_ps {
            Some(times) => times.extend(steps),
            None => self
                .trace
                .steps
                .extend(steps.map(|step| step.cast_unsigned())),
        }
        let times = self.trace.times_ms.iter_mut();
        for (index, column) in times.chain(&mut self.trace.values).enumerate() {
            let values = read_column::<DoubleType>(group, index + 2)?;
            if values.len() != rows {
                return Err(wrong(index + 2, "length"));
            }
            column.extend(values.iter().skip(skipped).step_by(self.stride));
        }
        self.seen += rows;
        Ok(())
    }

    /// The index of the stage called `name`, a new one if need be.
    fn stage(&mut self, name: &str) -> Result<u32, ParquetError> {
        if let Some(&stage) = self.index.get(name) {
            return Ok(stage);
        }
        let stage = u32::try_from(self.index.len())?;
        self.index.insert(name.to_owned(), stage);
        self.trace.stage_names.push(name.to_owned());
        Ok(stage)
    }
}

/// The values of a column of a row group, as many as there are.
fn read_column<T: DataType>(
    group: &dyn RowGroupReader,
    column: usize,
) -> Result<Vec<T::T>, ParquetError> {
    let reader = group.get_column_reader(column)?;
    let mut reader = T::get_column_reader(reader).ok_or_else(|| wrong(column, "type"))?;
    let mut values = Vec::new();
    // Asking for a page's worth at a time, not for all that the file promises, keeps a damaged file from asking
    // for any amount of memory.
    while reader.read_records(PAGE, None, None, &mut values)?.0 > 0 {}
    Ok(values)
}

fn wrong(column: usize, what: &str) -> ParquetError {
    ParquetError::General(format!(
        "column {column} does not have the {what} that it has in a trace"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Recorder, RecorderSpec, RunDirectory, TraceSpec};
    use super::*;

    #[test]
    fn damaged_files_are_errors_that_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path(), false).unwrap();
        let spec = RecorderSpec {
            traces: vec![TraceSpec {
                name: "a".to_owned(),
                columns: vec!["x".to_owned()],
                ..TraceSpec::default()
            }],
            stages: vec!["train".to_owned()],
            ..RecorderSpec::default()
        };
        let mut recorder = Recorder::start(&directory, spec).unwrap();
        let mut block = recorder.trace_block(0);
        for step in 0..100 {
            block.push(0, step, &[1.0]);
        }
        recorder.send_trace(block).unwrap();
        recorder.finish().unwrap();
        let path = folder.path().join("traces/a.parquet");
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(read_trace(&path).unwrap().rows(), 100);
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = read_trace(&path).unwrap_err();
            assert!(error.to_string().contains("a.parquet"), "{error}");
        }
        for at in 0..whole.len() {
            for byte in [0x00, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                std::fs::write(&path, &damaged).unwrap();
                if let Err(error) = read_trace(&path) {
                    assert!(error.to_string().contains("a.parquet"), "{error}");
                }
            }
        }
    }
}
