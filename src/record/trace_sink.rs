//! Traces into `traces/<name>.parquet`, one row group after another.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataWriter};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

use super::atomic::PartialFile;
use super::block::TraceBlock;
use super::directory::RunDirectory;
use super::error::RecordError;
use super::file_names::unique_columns;
use super::recorder::{RecorderSpec, TraceSpec};
use super::row_group::RowGroup;
use super::writer::TraceRecord;

/// What follows the name of a trace.
pub(super) const ENDING: &str = ".parquet";
/// Columns that are not recorded values.
pub(super) const STAGE: &str = "stage";
/// See [`STAGE`].
pub(super) const STEP: &str = "step";
/// See [`STAGE`].
pub(super) const TIME: &str = "time_ms";

/// One growing Parquet file.
#[derive(Debug)]
pub(super) struct TraceSink {
    name: String,
    /// Relative to the run directory.
    relative: String,
    columns: usize,
    partial: PartialFile,
    writer: SerializedFileWriter<File>,
    group: RowGroup,
    rows: u64,
    /// Bytes up to the end of the last complete row group.
    complete: u64,
    failed: bool,
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
        let path = directory.claim(&relative)?;
        let partial = PartialFile::create(&path)?;
        let file = partial.file().try_clone();
        let file = file.map_err(RecordError::io("create", &path))?;
        let writer = schema(trace, spec)
            .and_then(|schema| SerializedFileWriter::new(file, schema, properties()))
            .map_err(RecordError::parquet("write", &path))?;
        let mut sink = Self {
            name: trace.name.clone(),
            relative,
            columns: trace.columns.len(),
            partial,
            writer,
            group: RowGroup::new(trace.columns.len(), spec),
            rows: 0,
            complete: 0,
            failed: false,
        };
        sink.mark_complete()
            .map_err(RecordError::parquet("write", &path))?;
        Ok(sink)
    }

    /// Appends the rows of a block, which has the columns of this trace.
    pub(super) fn append(&mut self, block: &TraceBlock) -> Result<(), RecordError> {
        let mut first = 0;
        while first < block.rows() {
            first += self.group.append(block, first);
            if self.group.is_full() {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), RecordError> {
        let written = self
            .group
            .write(&mut self.writer)
            .and_then(|()| self.mark_complete());
        if let Err(cause) = written {
            self.failed = true;
            return Err(RecordError::parquet("write", self.partial.path())(cause));
        }
        self.rows += self.group.rows() as u64;
        self.group.clear();
        Ok(())
    }

    fn mark_complete(&mut self) -> Result<(), ParquetError> {
        self.writer.flush()?;
        self.complete = self.writer.bytes_written() as u64;
        Ok(())
    }

    /// Writes the rest and gives the file its name. After an error the file ends with its last complete row group.
    pub(super) fn close(mut self) -> Result<(TraceRecord, u64), RecordError> {
        let outcome = if self.failed {
            Ok(())
        } else {
            self.write_rest()
        };
        let path = self.partial.path().to_owned();
        let mut salvaged = Ok(());
        if self.failed {
            salvaged = salvage(self.writer, self.partial.file(), self.complete, self.rows)
                .map_err(RecordError::parquet("write", &path));
        }
        let published = salvaged.and_then(|()| self.partial.publish());
        outcome?;
        let metadata = published?.metadata();
        let bytes = metadata.map_err(RecordError::io("read", &path))?.len();
        let record = TraceRecord {
            name: self.name,
            file: self.relative,
            rows: self.rows,
            columns: self.columns,
        };
        Ok((record, bytes))
    }

    fn write_rest(&mut self) -> Result<(), RecordError> {
        if self.group.rows() > 0 {
            self.write_group()?;
        }
        let finished = self.writer.finish();
        self.failed = finished.is_err();
        finished
            .map(drop)
            .map_err(RecordError::parquet("write", self.partial.path()))
    }
}

/// Cuts off what came after the last complete row group and writes the end of the file behind it, so that a full
/// disk costs the last rows and not all of them.
fn salvage(
    writer: SerializedFileWriter<File>,
    mut file: &File,
    complete: u64,
    rows: u64,
) -> Result<(), ParquetError> {
    let properties = writer.properties().clone();
    let about = FileMetaData::new(
        properties.writer_version().as_num(),
        rows.cast_signed(),
        Some(properties.created_by().to_owned()),
        properties.key_value_metadata().cloned(),
        Arc::new(writer.schema_descr().clone()),
        None,
    );
    let metadata = ParquetMetaData::new(about, writer.flushed_row_groups().to_vec());
    // It may write once more when it is dropped, hence before the file is cut.
    drop(writer);
    file.set_len(complete)?;
    file.seek(SeekFrom::Start(complete))?;
    ParquetMetaDataWriter::new(file, &metadata).finish()
}

fn schema(trace: &TraceSpec, spec: &RecorderSpec) -> Result<Arc<Type>, ParquetError> {
    let field = |name: &str, physical, logical| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let mut fields = vec![
        field(STAGE, Physical::BYTE_ARRAY, Some(LogicalType::String))?,
        field(STEP, Physical::INT64, None)?,
    ];
    if spec.step_ms.is_some() {
        fields.push(field(TIME, Physical::DOUBLE, None)?);
    }
    for name in unique_columns(&trace.columns, &[STAGE, STEP, TIME]) {
        fields.push(field(&name, Physical::DOUBLE, None)?);
    }
    Type::group_type_builder("trace")
        .with_fields(fields)
        .build()
        .map(Arc::new)
}

fn properties() -> Arc<WriterProperties> {
    let version = env!("CARGO_PKG_VERSION");
    let about = [
        ("apical.version", version),
        ("apical.unit.time_ms", "ms"),
        ("apical.unit.step", "steps since the run began"),
        ("apical.unit.values", "as the netlist's models state"),
    ];
    let about = about.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    // Recorded values hardly ever repeat: a dictionary would cost time and save nothing. Statistics and the page
    // index would make the end of the file grow faster.
    let properties = WriterProperties::builder()
        .set_created_by(format!("apical {version}"))
        .set_key_value_metadata(Some(about.to_vec()))
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(ColumnPath::from(STAGE), true)
        .set_column_encoding(ColumnPath::from(STEP), Encoding::DELTA_BINARY_PACKED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(STEP), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build();
    Arc::new(properties)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
        };
        let mut sink = TraceSink::create(&directory, &trace, &spec, "a").unwrap();
        let mut block = TraceBlock::new(0, 100);
        for step in 0..50_000 {
            block.push(0, step, &[step as f64; 100]);
            if block.is_full() {
                sink.append(&block).unwrap();
                block.clear();
            }
        }
        let whole = sink.rows;
        assert!(whole > 0 && sink.group.rows() > 0);
        // As if the disk had filled up within the next row group.
        sink.failed = true;
        let mut file = sink.partial.file().try_clone().unwrap();
        std::io::Write::write_all(&mut file, &[7; 5000]).unwrap();
        let (record, _) = sink.close().unwrap();
        assert_eq!(record.rows, whole);
        let read = read_trace(folder.path().join("traces/a.parquet")).unwrap();
        assert!(read.steps.iter().copied().eq(0..whole));
        let expected: Vec<f64> = (0..whole).map(|step| step as f64).collect();
        assert_eq!(read.values[99], expected);
    }
}
