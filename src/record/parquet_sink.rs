//! A growing Parquet file: row group after row group under a temporary name, whole when it takes its own.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::atomic::PartialFile;
use super::directory::RunDirectory;
use super::error::RecordError;

/// One growing Parquet file.
#[derive(Debug)]
pub(super) struct ParquetSink {
    partial: PartialFile,
    writer: SerializedFileWriter<File>,
    rows: u64,
    /// Bytes up to the end of the last complete row group.
    complete: u64,
    failed: bool,
}

impl ParquetSink {
    /// Creates the file, under its temporary name; `relative` is its place in the run directory.
    pub(super) fn create(
        directory: &RunDirectory,
        relative: &str,
        schema: Result<Arc<Type>, ParquetError>,
        properties: WriterProperties,
    ) -> Result<Self, RecordError> {
        let path = directory.claim(relative)?;
        let partial = PartialFile::create(&path)?;
        let file = partial.file().try_clone();
        let file = file.map_err(RecordError::io("create", &path))?;
        let writer = schema
            .and_then(|schema| SerializedFileWriter::new(file, schema, Arc::new(properties)))
            .map_err(RecordError::parquet("write", &path))?;
        let mut sink = Self {
            partial,
            writer,
            rows: 0,
            complete: 0,
            failed: false,
        };
        sink.mark_complete()
            .map_err(RecordError::parquet("write", &path))?;
        Ok(sink)
    }

    /// Writes a row group of `rows` rows.
    pub(super) fn write_group(
        &mut self,
        rows: usize,
        write: impl FnOnce(&mut SerializedFileWriter<File>) -> Result<(), ParquetError>,
    ) -> Result<(), RecordError> {
        let written = write(&mut self.writer).and_then(|()| self.mark_complete());
        if let Err(cause) = written {
            self.failed = true;
            return Err(RecordError::parquet("write", self.partial.path())(cause));
        }
        self.rows += rows as u64;
        Ok(())
    }

    fn mark_complete(&mut self) -> Result<(), ParquetError> {
        self.writer.flush()?;
        self.complete = self.writer.bytes_written() as u64;
        Ok(())
    }

    /// Whether a row group could not be written: no other will be.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Rows of all complete row groups.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Gives the file its name; returns its size (bytes). After an error it ends with its last complete row group.
    pub(super) fn close(mut self) -> Result<u64, RecordError> {
        let path = self.partial.path().to_owned();
        let mut outcome = Ok(());
        if !self.failed {
            let finished = self.writer.finish();
            self.failed = finished.is_err();
            outcome = finished
                .map(drop)
                .map_err(RecordError::parquet("write", &path));
        }
        let mut salvaged = Ok(());
        if self.failed {
            salvaged = salvage(self.writer, self.partial.file(), self.complete, self.rows)
                .map_err(RecordError::parquet("write", &path));
        }
        let published = salvaged.and_then(|()| self.partial.publish());
        outcome?;
        let metadata = published?.metadata();
        Ok(metadata.map_err(RecordError::io("read", &path))?.len())
    }

    /// As if the disk had filled up within the next row group.
    #[cfg(test)]
    pub(super) fn fail_within_a_row_group(&mut self) -> std::io::Result<()> {
        self.failed = true;
        let mut file = self.partial.file().try_clone()?;
        std::io::Write::write_all(&mut file, &[7; 5000])
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
