//! Arrays of numbers from files: NumPy's `.npy` and comma-separated text.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use npyz::{DType, Deserialize, NpyFile, NpyHeader, Order, TypeChar};

use super::{DataError, Frames};

/// Reads a `.npy` or `.csv` file, told apart by the end of its name.
///
/// - `.npy`: floating point of 4 or 8 bytes, integers of 1 to 8 bytes, any byte order, C or Fortran order.
///   Integers beyond 2^53 are rounded.
/// - `.csv`: one frame a line, commas between numbers. A first line in which no field is a number is a header and is
///   skipped; so are empty lines and those that begin with `#`.
///
/// # Shape
/// One dimension is frames of one channel, two are frames × channels.
///
/// # Errors
/// A file that is missing, empty, malformed or cut short; NaN and infinite entries.
///
/// # Source
/// NumPy Enhancement Proposal 1 (the `.npy` format); RFC 4180 (CSV).
pub fn read_array(path: &Path) -> Result<Frames, DataError> {
    let extension = path.extension().and_then(|end| end.to_str()).unwrap_or("");
    let frames = match extension.to_ascii_lowercase().as_str() {
        "npy" => read_npy(path)?,
        "csv" => return read_csv(path),
        _ => {
            return Err(DataError::UnknownFormat {
                path: path.to_owned(),
            });
        }
    };
    match frames.values.iter().position(|value| !value.is_finite()) {
        None => Ok(frames),
        Some(at) => Err(DataError::NotFinite {
            path: path.to_owned(),
            row: (at / frames.size) as u64 + 1,
            column: at % frames.size + 1,
            value: frames.values[at],
        }),
    }
}

fn read_npy(path: &Path) -> Result<Frames, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::read(path, source))?;
    if bytes.is_empty() {
        return Err(DataError::Empty {
            path: path.to_owned(),
        });
    }
    parse_npy(&bytes)
        .map_err(|reason| DataError::Npy {
            path: path.to_owned(),
            reason,
        })?
        .ok_or_else(|| DataError::Empty {
            path: path.to_owned(),
        })
}

/// The frames, or `None` when the array has no element, or what is wrong.
fn parse_npy(bytes: &[u8]) -> Result<Option<Frames>, String> {
    guard_header(bytes)?;
    let mut rest = bytes;
    let header = NpyHeader::from_reader(&mut rest).map_err(|error| error.to_string())?;
    let (rows, columns) = match *header.shape() {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => {
            return Err(format!(
                "its shape is {:?}; reshape it to frames × channels",
                header.shape()
            ));
        }
    };
    let (count, width) = (rows * columns, item_bytes(&header)?);
    // bytes beyond the array are no part of it: NumPy ignores them too
    let data = count
        .checked_mul(width)
        .and_then(|length| rest.get(..usize::try_from(length).ok()?));
    let Some(data) = data else {
        let held = rest.len();
        return Err(format!(
            "its header says {count} numbers of {width} bytes, but only {held} bytes follow; save it again"
        ));
    };
    if count == 0 {
        return Ok(None);
    }
    let order = header.order();
    let values = numbers(NpyFile::with_header(header, data))?;
    let size = columns as usize;
    let values = match order {
        Order::C => values,
        Order::Fortran => (0..values.len())
            .map(|at| values[at % size * rows as usize + at / size])
            .collect(),
    };
    Ok(Some(Frames { size, values }))
}

/// Lets only headers of plain arrays through to the parser.
///
/// The parser recurses on brackets and multiplies the dimensions unchecked; a header that is short, flat and has at most
/// 18 digits can do neither harm (numbers with D digits in all have a product below 10^D).
fn guard_header(bytes: &[u8]) -> Result<(), String> {
    const ALPHABET: &[u8] = b"descrfotan_hpTuFli'\"<>|(){}:, \n0123456789";
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("it does not begin with NumPy's mark; write it with numpy.save".into());
    }
    // version 1 gives the header's length in two bytes, later ones in four, the least first
    let start = if bytes.get(6) == Some(&1) { 10 } else { 12 };
    let length = |digits: &[u8]| {
        digits
            .iter()
            .rev()
            .fold(0, |sum, &digit| sum << 8 | usize::from(digit))
    };
    let end = bytes
        .get(8..start)
        .map_or(usize::MAX, |digits| start.saturating_add(length(digits)));
    let text = bytes
        .get(start..end)
        .ok_or("its header is cut short; save it again")?;
    let count = |of: &[u8]| text.iter().filter(|&b| of.contains(b)).count();
    if text.len() > 1024
        || count(ALPHABET) < text.len()
        || count(b"([{") > 4
        || count(b"0123456789") > 18
    {
        return Err(
            "its header is not that of a plain array of numbers; save it as float32 or float64"
                .into(),
        );
    }
    Ok(())
}

fn item_bytes(header: &NpyHeader) -> Result<u64, String> {
    let bytes = header.dtype().num_bytes().filter(|&bytes| bytes > 0);
    bytes
        .map(|bytes| bytes as u64)
        .ok_or_else(|| unsupported(&header.dtype()))
}

fn unsupported(dtype: &DType) -> String {
    format!(
        "its type is {}; save it as float32, float64 or an integer type",
        dtype.descr()
    )
}

fn numbers(file: NpyFile<&[u8]>) -> Result<Vec<f64>, String> {
    let DType::Plain(kind) = file.dtype() else {
        return Err(unsupported(&file.dtype()));
    };
    match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 8) => converted(file, |x: f64| x),
        (TypeChar::Float, 4) => converted(file, |x: f32| x.into()),
        (TypeChar::Int, 1) => converted(file, |x: i8| x.into()),
        (TypeChar::Int, 2) => converted(file, |x: i16| x.into()),
        (TypeChar::Int, 4) => converted(file, |x: i32| x.into()),
        (TypeChar::Int, 8) => converted(file, |x: i64| x as f64),
        (TypeChar::Uint, 1) => converted(file, |x: u8| x.into()),
        (TypeChar::Uint, 2) => converted(file, |x: u16| x.into()),
        (TypeChar::Uint, 4) => converted(file, |x: u32| x.into()),
        (TypeChar::Uint, 8) => converted(file, |x: u64| x as f64),
        _ => Err(unsupported(&file.dtype())),
    }
}

fn converted<T: Deserialize>(
    file: NpyFile<&[u8]>,
    to_f64: fn(T) -> f64,
) -> Result<Vec<f64>, String> {
    let items = file.data::<T>().map_err(|error| error.to_string())?;
    items
        .map(|item| item.map(to_f64).map_err(|error| error.to_string()))
        .collect()
}

fn read_csv(path: &Path) -> Result<Frames, DataError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .trim(Trim::All)
        .comment(Some(b'#'))
        .from_path(path)
        .map_err(|error| csv_error(path, error))?;
    let mut frames = Frames {
        size: 0,
        values: Vec::new(),
    };
    let mut record = StringRecord::new();
    let mut first = true;
    while reader
        .read_record(&mut record)
        .map_err(|error| csv_error(path, error))?
    {
        let header = first && record.iter().all(|field| field.parse::<f64>().is_err());
        first = false;
        if !header {
            push_record(&mut frames, &record, path)?;
        }
    }
    if frames.is_empty() {
        Err(DataError::Empty {
            path: path.to_owned(),
        })
    } else {
        Ok(frames)
    }
}

fn push_record(frames: &mut Frames, record: &StringRecord, path: &Path) -> Result<(), DataError> {
    let line = record.position().map_or(0, csv::Position::line);
    frames.size = record.len();
    for (index, field) in record.iter().enumerate() {
        let (path, column) = (path.to_owned(), index + 1);
        match field.parse::<f64>() {
            Ok(value) if value.is_finite() => frames.values.push(value),
            Ok(value) => {
                return Err(DataError::NotFinite {
                    path,
                    row: line,
                    column,
                    value,
                });
            }
            Err(_) => {
                return Err(DataError::NotANumber {
                    path,
                    line,
                    column,
                    text: shortened(field),
                });
            }
        }
    }
    Ok(())
}

/// The text as it goes into a message: a binary file's first "field" may be megabytes long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn csv_error(path: &Path, error: csv::Error) -> DataError {
    let reason = error.to_string();
    let path = path.to_owned();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => DataError::read(&path, source),
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.map_or(0, |at| at.line());
            DataError::Ragged {
                path,
                line,
                expected: expected_len,
                found: len,
            }
        }
        _ => DataError::Csv { path, reason },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
