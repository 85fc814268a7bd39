//! Traces into `traces/<name>.parquet`, one row group after another.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, Type};

use super::block::TraceBlock;
use super::directory::RunDirectory;
use super::error::RecordError;
use super::file_names::unique_columns;
use super::gathered::Gathered;
use super::parquet_sink::ParquetSink;
use super::row_group::RowGroup;
use super::spec::{RecorderSpec, TraceSpec};
use super::writer::TraceRecord;

/// What follows the name of a trace.
pub(super) const ENDING: &str = ".parquet";
/// Columns that are not recorded values.
pub(super) const STAGE: &str = "stage";
/// See [`STAGE`].
pub(super) const STEP: &str = "step";
/// See [`STAGE`].
pub(super) const TIME: &str = "time_ms";
/// See [`STAGE`].
pub(super) const PICOSECONDS: &str = "time_ps";

/// One growing trace.
#[derive(Debug)]
pub(super) struct TraceSink {
    spec: TraceSpec,
    /// Relative to the run directory.
    relative: String,
    rows: Gathered<RowGroup>,
}

impl TraceSink {
    /// Creates the file, under its temporary name.
    pub(super) fn create(
        directory: &RunDirectory,
        trace: &TraceSpec,
        spec: &RecorderSpec,
        stem: &str,
    ) -> Result<Self, RecordError> {
        let relative = format!("traces/{stem}{ENDING}");
        let schema = schema(trace, spec);
        Ok(Self {
            spec: trace.clone(),
            rows: Gathered {
                file: ParquetSink::create(directory, &relative, schema, properties(trace.timed))?,
                group: RowGroup::new(trace, spec),
            },
            relative,
        })
    }

    /// Appends the rows of a block, which has the columns of this trace.
    pub(super) fn append(&mut self, block: &TraceBlock) -> Result<(), RecordError> {
        self.rows.append(block)
    }

    /// Writes the rest and gives the file its name. After an error the file ends with its last complete row group.
    pub(super) fn close(self) -> Result<(TraceRecord, u64), RecordError> {
        let (rows, bytes) = self.rows.close()?;
        let record = TraceRecord {
            name: self.spec.name,
            file: self.relative,
            rows,
            columns: self.spec.columns.len(),
            timed: self.spec.timed,
            of: self.spec.of,
        };
        Ok((record, bytes))
    }
}

fn schema(trace: &TraceSpec, spec: &RecorderSpec) -> Result<Arc<Type>, ParquetError> {
    let when = if trace.timed { PICOSECONDS } else { STEP };
    let mut fields = vec![
        field(STAGE, Physical::BYTE_ARRAY, Some(LogicalType::String))?,
        field(when, Physical::INT64, None)?,
    ];
    if trace.timed || spec.step_ms.is_some() {
        fields.push(field(TIME, Physical::DOUBLE, None)?);
    }
    for name in unique_columns(&trace.columns, &[STAGE, when, TIME]) {
        fields.push(field(&name, Physical::DOUBLE, None)?);
    }
    Type::group_type_builder("trace")
        .with_fields(fields)
        .build()
        .map(Arc::new)
}

/// A required column.
pub(super) fn field(
    name: &str,
    physical: Physical,
    logical: Option<LogicalType>,
) -> Result<Arc<Type>, ParquetError> {
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(logical)
        .build()
        .map(Arc::new)
}

fn properties(timed: bool) -> WriterProperties {
    let version = env!("CARGO_PKG_VERSION");
    let when = match timed {
        true => PICOSECONDS,
        false => STEP,
    };
    let unit = match timed {
        true => ("apical.unit.time_ps", "ps since the run began"),
        false => ("apical.unit.step", "steps since the run began"),
    };
    let about = [
        ("apical.version", version),
        ("apical.unit.time_ms", "ms"),
        unit,
        ("apical.unit.values", "as the netlist's models state"),
    ];
    let about = about.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    // Recorded values hardly ever repeat: a dictionary would cost time and save nothing (stages have one of their own).
    // Statistics and the page index would make the end of the file grow faster.
    WriterProperties::builder()
        .set_created_by(format!("apical {version}"))
        .set_key_value_metadata(Some(about.to_vec()))
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_column_encoding(ColumnPath::from(when), Encoding::DELTA_BINARY_PACKED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(when), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::gathered::Group;
    use super::super::read_trace;
    use super::*;

    #[test]
    fn trace_that_failed_keeps_its_complete_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path(), false).unwrap();
        let spec = RecorderSpec {
            stages: vec!["train".to_owned()],
            ..RecorderSpec::default()
        };
        let trace = TraceSpec {
            name: "a".to_owned(),
            columns: (0..100).map(|i| i.to_string()).collect(),
            ..TraceSpec::default()
        };
        let mut sink = TraceSink::create(&directory, &trace, &spec, "a").unwrap();
        let mut block = TraceBlock::new(0, 100, false);
        for step in 0..50_000 {
            block.push(0, step, &[step as f64; 100]);
            if block.is_full() {
                sink.append(&block).unwrap();
                block.clear();
            }
        }
        let whole = sink.rows.file.rows();
        assert!(whole > 0 && sink.rows.group.rows() > 0);
        sink.rows.file.fail_within_a_row_group().unwrap();
        let (record, _) = sink.close().unwrap();
        assert_eq!(record.rows, whole);
        let read = read_trace(folder.path().join("traces/a.parquet")).unwrap();
        assert!(read.steps.iter().copied().eq(0..whole));
        let expected: Vec<f64> = (0..whole).map(|step| step as f64).collect();
        assert_eq!(read.values[99], expected);
    }
}
