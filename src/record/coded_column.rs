//! Columns of a few values that repeat without end: names of populations, kinds and stages.
//!
//! The writer of `parquet` looks every value of such a column up in a hash table, which took two thirds of the time of
//! recording a spike. Who records knows the values beforehand and has their numbers at hand. So the dictionary and the
//! numbers are packed here, as Apache Parquet's encoding "RLE/bit-packing hybrid" of a dictionary's indices has it, and
//! the finished pages are handed to the writer.

use std::fs::File;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Values looked at together: where all are the same, one is written. A multiple of 8, as packed ones come in eights.
const PIECE: usize = 4096;

/// The values that a column may have, by number.
#[derive(Debug, Clone)]
pub(super) struct Dictionary {
    /// As a dictionary page holds them (encoding PLAIN).
    plain: Bytes,
    entries: u32,
}

impl Dictionary {
    /// One of names.
    pub(super) fn of_names<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let (mut plain, mut entries) = (Vec::new(), 0);
        for name in names {
            plain.extend((name.len() as u32).to_le_bytes());
            plain.extend(name.as_bytes());
            entries += 1;
        }
        let plain = plain.into();
        Self { plain, entries }
    }

    /// The numbers 0 to `entries` − 1.
    pub(super) fn of_numbers(entries: usize) -> Self {
        let entries = entries as u32;
        let plain: Vec<u8> = (0..entries).flat_map(u32::to_le_bytes).collect();
        let plain = plain.into();
        Self { plain, entries }
    }

    /// Bits that a number of an entry takes.
    fn bits(&self) -> u32 {
        u32::BITS - self.entries.saturating_sub(1).max(1).leading_zeros()
    }
}

/// Writes the next column of a row group: `codes` number the entries of `dictionary`.
pub(super) fn write_coded<C: Copy + PartialEq>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    column: ColumnDescPtr,
    dictionary: &Dictionary,
    codes: &[C],
    number: impl Fn(C) -> u32 + Copy,
) -> Result<(), ParquetError> {
    if codes.iter().any(|code| number(*code) >= dictionary.entries) {
        let name = column.name();
        let error = format!("column `{name}` has a number that stands for nothing");
        return Err(ParquetError::General(error));
    }
    let rows = codes.len() as u32;
    let dictionary_page = Page::DictionaryPage {
        buf: dictionary.plain.clone(),
        num_values: dictionary.entries,
        encoding: Encoding::PLAIN,
        is_sorted: false,
    };
    let data_page = Page::DataPage {
        buf: packed(codes, dictionary.bits(), number).into(),
        num_values: rows,
        encoding: Encoding::RLE_DICTIONARY,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    let mut pages = TrackedWrite::new(Vec::new());
    let mut writer = SerializedPageWriter::new(&mut pages);
    writer.write_page(uncompressed(dictionary_page))?;
    let data = writer.write_page(uncompressed(data_page))?;
    let pages = Bytes::from(pages.into_inner()?);
    let size = pages.len() as i64;
    let metadata = ColumnChunkMetaData::builder(column)
        .set_encodings(vec![
            Encoding::PLAIN,
            Encoding::RLE,
            Encoding::RLE_DICTIONARY,
        ])
        .set_compression(Compression::UNCOMPRESSED)
        .set_num_values(i64::from(rows))
        .set_total_compressed_size(size)
        .set_total_uncompressed_size(size)
        .set_dictionary_page_offset(Some(0))
        .set_data_page_offset(data.offset as i64)
        .build()?;
    let closed = ColumnCloseResult {
        bytes_written: pages.len() as u64,
        rows_written: u64::from(rows),
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    group.append_column(&pages, closed)
}

fn uncompressed(page: Page) -> CompressedPage {
    let size = page.buffer().len();
    CompressedPage::new(page, size)
}

/// The data of a page: the number of bits, then a run of the same code or of packed ones for each piece.
fn packed<C: Copy + PartialEq>(codes: &[C], bits: u32, number: impl Fn(C) -> u32) -> Vec<u8> {
    let mut page = Vec::with_capacity(1 + codes.len() * bits as usize / 8);
    page.push(bits as u8);
    for piece in codes.chunks(PIECE) {
        let [first, rest @ ..] = piece else { continue };
        if rest.iter().all(|code| code == first) {
            push_varint(&mut page, piece.len() << 1);
            let bytes = number(*first).to_le_bytes();
            page.extend(&bytes[..bits.div_ceil(8) as usize]);
        } else {
            push_varint(&mut page, piece.len().div_ceil(8) << 1 | 1);
            piece
                .chunks(8)
                .for_each(|eight| push_eight(&mut page, eight, bits, &number));
        }
    }
    page
}

/// Eight codes (the last ones may be missing), least significant bit first.
fn push_eight<C: Copy>(page: &mut Vec<u8>, codes: &[C], bits: u32, number: impl Fn(C) -> u32) {
    let mut held = 0u64;
    let mut filled = 0;
    for at in 0..8 {
        let code = codes.get(at).map_or(0, |code| number(*code));
        held |= u64::from(code) << filled;
        filled += bits;
        while filled >= 8 {
            page.push(held as u8);
            held >>= 8;
            filled -= 8;
        }
    }
}

fn push_varint(page: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        page.push(value as u8 | 0x80);
        value >>= 7;
    }
    page.push(value as u8);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use parquet::basic::Type as Physical;
    use parquet::column::reader::ColumnReader;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;
    use proptest::prelude::*;

    use super::super::trace_sink::field;
    use super::*;

    /// What `parquet` reads of a column of these codes.
    fn read_back(entries: usize, codes: &[u32]) -> Vec<u32> {
        let file = tempfile::tempfile().unwrap();
        let fields = vec![field("code", Physical::INT32, None).unwrap()];
        let schema = Type::group_type_builder("codes").with_fields(fields);
        let schema = Arc::new(schema.build().unwrap());
        let kept = file.try_clone().unwrap();
        let mut writer = SerializedFileWriter::new(kept, schema, Arc::default()).unwrap();
        let column = writer.schema_descr().column(0);
        let mut group = writer.next_row_group().unwrap();
        let dictionary = Dictionary::of_numbers(entries);
        write_coded(&mut group, column, &dictionary, codes, |code| code).unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let column = reader.get_row_group(0).unwrap().get_column_reader(0);
        let ColumnReader::Int32ColumnReader(mut column) = column.unwrap() else {
            panic!("another type");
        };
        let mut read = Vec::new();
        column
            .read_records(codes.len() + 1, None, None, &mut read)
            .unwrap();
        read.into_iter().map(i32::cast_unsigned).collect()
    }

    #[test]
    fn column_that_never_changes_takes_a_few_bytes() {
        assert_eq!(packed(&[2; 40_000], 2, |code| code).len(), 1 + 10 * 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn codes_are_read_as_they_were_written(
            entries in 1usize..70_000,
            runs in prop::collection::vec((any::<u32>(), 1usize..3000, any::<bool>()), 1..8),
        ) {
            let mut codes = Vec::new();
            for (code, length, steady) in runs {
                let step = u32::from(!steady);
                let run = (0..length as u32).map(|k| code.wrapping_add(k * step) % entries as u32);
                codes.extend(run);
            }
            prop_assert_eq!(read_back(entries, &codes), codes);
        }
    }
}
