//! `measures/<name>.npy`: one matrix, written and read as a whole.

use std::path::Path;

use super::error::RecordError;
use super::npy::{NpyNumber, NpyReader, header};

/// A matrix in C order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// `rows` × `columns` values, row by row.
    pub values: Vec<f64>,
}

/// The bytes of a `.npy` file of shape (`rows`, `columns`).
pub(super) fn matrix_bytes(rows: usize, columns: usize, values: &[f64]) -> Vec<u8> {
    array_bytes(&[rows, columns], values)
}

/// The bytes of a `.npy` file of that shape.
pub(super) fn array_bytes(shape: &[usize], values: &[f64]) -> Vec<u8> {
    let shape: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
    let mut bytes = header::<f64>(&shape);
    bytes.reserve_exact(values.len() * 8);
    for value in values {
        bytes.extend_from_slice(&value.to_bytes());
    }
    bytes
}

/// Reads a matrix that [`RunDirectory::write_matrix`](super::RunDirectory::write_matrix) wrote.
///
/// # Errors
///
/// [`RecordError::Io`] or [`RecordError::Malformed`], naming the file; so does a file that was cut off.
pub fn read_matrix(path: impl AsRef<Path>) -> Result<Matrix, RecordError> {
    let path = path.as_ref();
    let mut reader = NpyReader::<f64>::open(path, 2, "a matrix")?;
    let rows = reader.items();
    if rows < reader.promised() {
        let found = format!("only {rows} of its {} rows are there", reader.promised());
        return Err(RecordError::malformed(path, "a matrix", found));
    }
    let columns = reader.item_shape().first().copied().unwrap_or(0);
    let mut values = Vec::new();
    reader.read(0, rows, &mut values)?;
    Ok(Matrix {
        rows,
        columns,
        values,
    })
}
