//! Columns of numbers from tables: CSV with a header, or Parquet.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// Columns of a table, in the order in which they were asked for; none for one that is not there and need not be.
pub type Columns = Vec<Option<Vec<f64>>>;

/// Reads columns by their names, and whether they have to be there. Other columns are left alone.
///
/// # Errors
/// In words: a file that cannot be read, a column that is missing, a cell that is no number.
pub fn read_columns(path: &Path, wanted: &[(&str, bool)]) -> Result<Columns, String> {
    match path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("parquet"))
    {
        true => parquet(path, wanted),
        false => csv(path, wanted),
    }
}

/// What a row is called in messages: the line of a CSV file, the row of another.
pub fn row_name(path: &Path, row: usize) -> String {
    match path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("parquet"))
    {
        true => format!("row {row}"),
        false => format!("line {}", row + 2),
    }
}

fn places(names: &[String], wanted: &[(&str, bool)]) -> Result<Vec<Option<usize>>, String> {
    let place = |name: &str| names.iter().position(|n| n == name);
    let places: Vec<Option<usize>> = wanted.iter().map(|(name, _)| place(name)).collect();
    let missing =
        |((_, needed), place): (&(&str, bool), &Option<usize>)| *needed && place.is_none();
    if wanted.iter().zip(&places).any(missing) {
        let list = |needed: bool| {
            let names = wanted.iter().filter(|(_, n)| *n == needed);
            let names: Vec<String> = names.map(|(name, _)| format!("`{name}`")).collect();
            names.join(" and ")
        };
        let optional = match list(false).as_str() {
            "" => String::new(),
            names => format!(", and {names} if it likes"),
        };
        return Err(format!("needs columns {}{optional}", list(true)));
    }
    Ok(places)
}

fn csv(path: &Path, wanted: &[(&str, bool)]) -> Result<Columns, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|e| format!("cannot be read ({e})"))?;
    let header = reader.headers().map_err(|e| e.to_string())?;
    let names: Vec<String> = header.iter().map(str::to_owned).collect();
    let places = places(&names, wanted)?;
    let mut columns: Columns = places.iter().map(|place| place.map(|_| vec![])).collect();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|e| format!("{}: {e}", row_name(path, row)))?;
        for (column, place) in columns.iter_mut().zip(&places) {
            let (Some(column), Some(place)) = (column, place) else {
                continue;
            };
            let text = record.get(*place).unwrap_or("");
            let value = text.parse::<f64>();
            let value = value.map_err(|_| {
                let name = &names[*place];
                format!(
                    "{}: `{text}` in column `{name}` is not a number",
                    row_name(path, row)
                )
            })?;
            column.push(value);
        }
    }
    Ok(columns)
}

fn parquet(path: &Path, wanted: &[(&str, bool)]) -> Result<Columns, String> {
    // The decoder checks much of what it reads, but not all: some damaged files make it panic.
    let read = catch_unwind(AssertUnwindSafe(|| parquet_columns(path, wanted)));
    read.unwrap_or_else(|_| Err("is damaged beyond what can be decoded".to_owned()))
}

fn parquet_columns(path: &Path, wanted: &[(&str, bool)]) -> Result<Columns, String> {
    let cannot = |e: &dyn std::fmt::Display| format!("cannot be read ({e})");
    let file = File::open(path).map_err(|e| cannot(&e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| cannot(&e))?;
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter();
    let names: Vec<String> = fields.map(|f| f.name().to_owned()).collect();
    let places = places(&names, wanted)?;
    let mut columns: Columns = places.iter().map(|place| place.map(|_| vec![])).collect();
    let rows = reader.get_row_iter(None).map_err(|e| cannot(&e))?;
    for (number, row) in rows.enumerate() {
        let row = row.map_err(|e: ParquetError| cannot(&e))?;
        let cells: Vec<(&String, &Field)> = row.get_column_iter().collect();
        for (column, place) in columns.iter_mut().zip(&places) {
            let (Some(column), Some(place)) = (column, place) else {
                continue;
            };
            let (name, field) = cells[*place];
            let value = number_of(field).ok_or_else(|| {
                format!("row {number}: `{field}` in column `{name}` is not a number")
            })?;
            column.push(value);
        }
    }
    Ok(columns)
}

/// A cell as a number.
fn number_of(field: &Field) -> Option<f64> {
    Some(match field {
        Field::Byte(x) => f64::from(*x),
        Field::Short(x) => f64::from(*x),
        Field::Int(x) => f64::from(*x),
        Field::Long(x) => *x as f64,
        Field::UByte(x) => f64::from(*x),
        Field::UShort(x) => f64::from(*x),
        Field::UInt(x) => f64::from(*x),
        Field::ULong(x) => *x as f64,
        Field::Float(x) => f64::from(*x),
        Field::Double(x) => *x,
        _ => return None,
    })
}
