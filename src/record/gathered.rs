//! Rows gathered until there are enough of them for a row group of a growing Parquet file.

use std::fs::File;

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::error::RecordError;
use super::parquet_sink::ParquetSink;

/// Rows on their way into a file.
pub(super) trait Group {
    /// What rows come in.
    type Block;

    /// Rows of a block.
    fn rows_of(block: &Self::Block) -> usize;
    /// Rows gathered so far.
    fn rows(&self) -> usize;
    /// True when it should be written.
    fn is_full(&self) -> bool;
    /// Takes as many rows of `block` from row `first` on as there is room for; returns how many.
    fn append(&mut self, block: &Self::Block, first: usize) -> usize;
    /// Writes all rows as one row group.
    fn write(&self, writer: &mut SerializedFileWriter<File>) -> Result<(), ParquetError>;
    /// Makes room for new rows.
    fn clear(&mut self);
}

/// A growing file and the rows that will be its next row group.
#[derive(Debug)]
pub(super) struct Gathered<G> {
    pub file: ParquetSink,
    pub group: G,
}

impl<G: Group> Gathered<G> {
    /// Appends the rows of a block.
    pub(super) fn append(&mut self, block: &G::Block) -> Result<(), RecordError> {
        let mut first = 0;
        while first < G::rows_of(block) {
            first += self.group.append(block, first);
            if self.group.is_full() {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), RecordError> {
        let group = &self.group;
        self.file
            .write_group(group.rows(), |writer| group.write(writer))?;
        self.group.clear();
        Ok(())
    }

    /// Writes the rest and gives the file its name; returns its rows and its size (bytes). After an error the file ends with its
    /// last complete row group.
    pub(super) fn close(mut self) -> Result<(u64, u64), RecordError> {
        let mut rest = Ok(());
        if !self.file.failed() && self.group.rows() > 0 {
            rest = self.write_group();
        }
        let rows = self.file.rows();
        let closed = self.file.close();
        rest?;
        Ok((rows, closed?))
    }
}
