//! Tables of columns as CSV and as Parquet: the same table, the same bytes.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::file_names::unique_columns;

/// A table: columns of one length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values, one a row.
    pub values: Values,
}

/// The values of a column; what is missing is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Texts.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
    /// Numbers; one that is not finite counts as missing.
    Number(Vec<Option<f64>>),
}

impl Table {
    /// A table whose columns have names of their own: one that repeats an earlier name is given a number.
    pub fn new(mut columns: Vec<Column>) -> Self {
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        for (column, name) in columns.iter_mut().zip(unique_columns(&names, &[])) {
            column.name = name;
        }
        for column in &mut columns {
            if let Values::Number(values) = &mut column.values {
                for value in values {
                    *value = value.filter(|v| v.is_finite());
                }
            }
        }
        Self { columns }
    }

    /// Number of rows: those of the longest column.
    pub fn rows(&self) -> usize {
        self.columns.iter().map(Column::len).max().unwrap_or(0)
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Values> {
        let found = self.columns.iter().find(|c| c.name == name)?;
        Some(&found.values)
    }

    /// The table as CSV with a line of names; what is missing is empty. Numbers are written so that reading gives the same
    /// number.
    ///
    /// # Errors
    ///
    /// If the table is ragged.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|c| c.name.as_str()))?;
        for row in 0..self.rows() {
            let cells = self.columns.iter().filter_map(|c| c.cell(row));
            writer.write_record(cells)?;
        }
        writer.into_inner().map_err(|e| e.into_error().into())
    }

    /// The table as a Parquet file of one row group; columns of texts are in UTF-8, what is missing is null.
    ///
    /// # Errors
    ///
    /// If the table is ragged.
    pub fn parquet(&self) -> Result<Vec<u8>, ParquetError> {
        let mut writer = SerializedFileWriter::new(Vec::new(), self.schema()?, properties())?;
        let mut group = writer.next_row_group()?;
        for column in &self.columns {
            match &column.values {
                Values::Text(texts) => {
                    let bytes = |text: &String| ByteArray::from(text.as_bytes().to_vec());
                    write::<ByteArrayType, _>(&mut group, texts, bytes)?;
                }
                Values::Whole(numbers) => write::<Int64Type, _>(&mut group, numbers, |n| *n)?,
                Values::Number(numbers) => write::<DoubleType, _>(&mut group, numbers, |n| *n)?,
            }
        }
        group.close()?;
        writer.into_inner()
    }

    fn schema(&self) -> Result<Arc<Type>, ParquetError> {
        let field = |column: &Column| {
            let (physical, logical) = match &column.values {
                Values::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                Values::Whole(_) => (Physical::INT64, None),
                Values::Number(_) => (Physical::DOUBLE, None),
            };
            Type::primitive_type_builder(&column.name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        };
        let fields: Result<Vec<_>, _> = self.columns.iter().map(field).collect();
        Type::group_type_builder("table")
            .with_fields(fields?)
            .build()
            .map(Arc::new)
    }
}

impl Column {
    /// A column of texts.
    pub fn texts(name: &str, values: Vec<Option<String>>) -> Self {
        Self {
            name: name.to_owned(),
            values: Values::Text(values),
        }
    }

    /// A column of whole numbers.
    pub fn wholes(name: &str, values: Vec<Option<i64>>) -> Self {
        Self {
            name: name.to_owned(),
            values: Values::Whole(values),
        }
    }

    /// A column of numbers.
    pub fn numbers(name: &str, values: Vec<Option<f64>>) -> Self {
        Self {
            name: name.to_owned(),
            values: Values::Number(values),
        }
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Text(values) => values.len(),
            Values::Whole(values) => values.len(),
            Values::Number(values) => values.len(),
        }
    }

    /// What stands in a row, as text; none beyond the end.
    fn cell(&self, row: usize) -> Option<String> {
        Some(match &self.values {
            Values::Text(values) => values.get(row)?.clone().unwrap_or_default(),
            Values::Whole(values) => values.get(row)?.map(|n| n.to_string()).unwrap_or_default(),
            // The shortest digits that read back as the same number, with an exponent where it is large or small.
            Values::Number(values) => values
                .get(row)?
                .map(|n| format!("{n:?}"))
                .unwrap_or_default(),
        })
    }
}

fn write<T: DataType, V>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[Option<V>],
    convert: impl Fn(&V) -> T::T,
) -> Result<(), ParquetError> {
    let present: Vec<T::T> = values.iter().flatten().map(convert).collect();
    let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
    let mut column = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("fewer columns than values".to_owned()))?;
    column
        .typed::<T>()
        .write_batch(&present, Some(&levels), None)?;
    column.close()
}

fn properties() -> Arc<WriterProperties> {
    let version = env!("CARGO_PKG_VERSION");
    let about = KeyValue::new("apical.version".to_owned(), version.to_owned());
    let properties = WriterProperties::builder()
        .set_created_by(format!("apical {version}"))
        .set_key_value_metadata(Some(vec![about]))
        .set_compression(Compression::SNAPPY)
        .build();
    Arc::new(properties)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    fn table() -> Table {
        Table::new(vec![
            Column::texts("a", vec![Some("x, \"y\"".to_owned()), None]),
            Column::wholes("b", vec![Some(-3), None]),
            Column::numbers("b", vec![Some(1e-7), Some(f64::NAN)]),
        ])
    }

    #[test]
    fn csv_quotes_what_needs_it_and_leaves_missing_cells_empty() {
        let text = String::from_utf8(table().csv().unwrap()).unwrap();
        assert_eq!(text, "a,b,b-2\n\"x, \"\"y\"\"\",-3,1e-7\n,,\n");
    }

    #[test]
    fn parquet_comes_back_with_nulls_for_missing_cells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        std::fs::write(&path, table().parquet().unwrap()).unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let rows: Vec<Vec<Field>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| {
                row.unwrap()
                    .into_columns()
                    .into_iter()
                    .map(|(_, f)| f)
                    .collect()
            })
            .collect();
        let first = [
            Field::Str("x, \"y\"".to_owned()),
            Field::Long(-3),
            Field::Double(1e-7),
        ];
        assert_eq!(rows, [first.to_vec(), vec![Field::Null; 3]]);
    }

    #[test]
    fn table_without_rows_is_a_table() {
        let empty = Table::new(vec![Column::numbers("x", vec![])]);
        assert_eq!(empty.csv().unwrap(), b"x\n");
        assert!(!empty.parquet().unwrap().is_empty());
    }
}
