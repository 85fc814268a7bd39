//! The `.npy` format (NumPy, NEP 1, version 1.0): writing arrays that grow along their first axis, and reading them.
//!
//! The header is padded so that the length of the first axis can be rewritten in place. Data go first, the header
//! follows: whenever the process dies, the header tells of complete items only, and what it does not tell of is
//! ignored by every reader.
//!
//! The crate `npyz`, with which inputs are read, can do neither: it writes the length of a growing array only when the
//! array is finished, for one and two axes, and reads no array that was cut off. The tests read with it what is written here.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::atomic::PartialFile;
use super::error::RecordError;

/// Bytes before the data: a multiple of 64, with room for three axes of any length.
const HEADER: usize = 192;
const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
/// Values converted at once.
const CHUNK: usize = 8192;

/// A number of eight bytes that `.npy` files hold here.
pub(super) trait NpyNumber: Copy {
    /// NumPy's name of the type.
    const DESCR: &'static str;
    /// Its little-endian bytes.
    fn to_bytes(self) -> [u8; 8];
    /// From its little-endian bytes.
    fn from_bytes(bytes: [u8; 8]) -> Self;
}

impl NpyNumber for f64 {
    const DESCR: &'static str = "<f8";
    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }
    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl NpyNumber for i64 {
    const DESCR: &'static str = "<i8";
    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }
    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

/// The bytes before the data of an array of `shape` in C order; always as many.
pub(super) fn header<T: NpyNumber>(shape: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    put_header::<T>(shape, &mut bytes);
    bytes
}

/// Replaces the contents of `bytes` by [`header`], without asking for memory if it had room for that before.
fn put_header<T: NpyNumber>(shape: &[u64], bytes: &mut Vec<u8>) {
    const LENGTH: u16 = (HEADER - MAGIC.len() - 2) as u16;
    bytes.clear();
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&LENGTH.to_le_bytes());
    let mut put = |text: std::fmt::Arguments| {
        // Writing to memory does not fail.
        let _ = bytes.write_fmt(text);
    };
    put(format_args!("{{'descr': '{}', ", T::DESCR));
    put(format_args!("'fortran_order': False, 'shape': ("));
    for (index, axis) in shape.iter().enumerate() {
        // A tuple of one is `(3,)`, and of more `(3, 2)`.
        put(format_args!("{}{axis}", if index > 0 { ", " } else { "" }));
    }
    put(format_args!(
        "{}), }}",
        if shape.len() == 1 { "," } else { "" }
    ));
    bytes.resize(HEADER - 1, b' ');
    bytes.push(b'\n');
}

/// An array that grows by one item at a time.
#[derive(Debug)]
pub(super) struct NpyWriter<T> {
    file: File,
    path: PathBuf,
    /// Lengths of all axes; the first counts the items told of in the header.
    shape: Vec<u64>,
    /// Bytes of one item.
    item: u64,
    /// Scratch: the bytes of at most [`CHUNK`] values.
    bytes: Vec<u8>,
    number: PhantomData<T>,
}

impl<T: NpyNumber> NpyWriter<T> {
    /// A new array of items of shape `item`, empty but valid.
    pub(super) fn create(path: &Path, item: &[u64]) -> Result<Self, RecordError> {
        let shape: Vec<u64> = std::iter::once(0).chain(item.iter().copied()).collect();
        let partial = PartialFile::create(path)?;
        partial
            .file()
            .write_all(&header::<T>(&shape))
            .map_err(RecordError::io("write", path))?;
        Ok(Self {
            file: partial.publish()?,
            path: path.to_owned(),
            shape,
            item: item
                .iter()
                .fold(8, |bytes: u64, &axis| bytes.saturating_mul(axis)),
            bytes: Vec::with_capacity(CHUNK * 8),
            number: PhantomData,
        })
    }

    /// Bytes of the file, as far as its header tells.
    pub(super) fn bytes(&self) -> u64 {
        self.items()
            .saturating_mul(self.item)
            .saturating_add(HEADER as u64)
    }

    /// Items that the header tells of.
    pub(super) fn items(&self) -> u64 {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Writes the values of the next item behind the others. The header does not tell of it before
    /// [`Self::commit`]; without that, the next call writes to the same place.
    pub(super) fn write_item(&mut self, values: &[T]) -> Result<(), RecordError> {
        let end = self.bytes();
        self.file
            .seek(SeekFrom::Start(end))
            .map_err(RecordError::io("write", &self.path))?;
        for chunk in values.chunks(CHUNK) {
            self.bytes.clear();
            for value in chunk {
                self.bytes.extend_from_slice(&value.to_bytes());
            }
            self.file
                .write_all(&self.bytes)
                .map_err(RecordError::io("write", &self.path))?;
        }
        Ok(())
    }

    /// Tells of one more item in the header.
    pub(super) fn commit(&mut self) -> Result<(), RecordError> {
        if let Some(items) = self.shape.first_mut() {
            *items += 1;
        }
        put_header::<T>(&self.shape, &mut self.bytes);
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&self.bytes))
            .map_err(RecordError::io("write", &self.path))
    }

    /// Cuts off what the header does not tell of, and forces the rest to the disk.
    pub(super) fn close(self) -> Result<(), RecordError> {
        self.file
            .set_len(self.bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(RecordError::io("write", &self.path))
    }
}

/// An array on the disk, read item by item; a file that was cut off has as many items as are complete.
#[derive(Debug)]
pub(super) struct NpyReader<T> {
    file: File,
    path: PathBuf,
    /// Complete items.
    items: u64,
    /// Items that the header tells of.
    promised: u64,
    /// Lengths of the axes after the first.
    item_shape: Vec<usize>,
    /// Values of one item.
    item: usize,
    start: u64,
    number: PhantomData<T>,
}

impl<T: NpyNumber> NpyReader<T> {
    /// Opens an array of `axes` axes.
    pub(super) fn open(
        path: &Path,
        axes: usize,
        expected: &'static str,
    ) -> Result<Self, RecordError> {
        let mut file = File::open(path).map_err(RecordError::io("read", path))?;
        let length = file
            .metadata()
            .map_err(RecordError::io("read", path))?
            .len();
        let malformed = |found: String| RecordError::malformed(path, expected, found);
        let text = read_header(&mut file).ok_or_else(|| {
            malformed("it does not begin with the header of a `.npy` file".to_owned())
        })?;
        let start = (MAGIC.len() + 2 + text.len()) as u64;
        let shape = parse_shape::<T>(&text)
            .filter(|shape| shape.len() == axes)
            .ok_or_else(|| malformed(format!("its header says {}", text.trim_end())))?;
        let item_shape = shape.get(1..).unwrap_or_default().to_vec();
        let promised = shape.first().copied().unwrap_or(0) as u64;
        let (item, present) = fit(&item_shape, length.saturating_sub(start))
            .ok_or_else(|| malformed("its shape is larger than any file".to_owned()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            items: present.map_or(promised, |present| present.min(promised)),
            promised,
            item_shape,
            item,
            start,
            number: PhantomData,
        })
    }

    /// Number of complete items.
    pub(super) fn items(&self) -> usize {
        usize::try_from(self.items).unwrap_or(usize::MAX)
    }

    /// Number of items that the header tells of, complete or not.
    pub(super) fn promised(&self) -> usize {
        usize::try_from(self.promised).unwrap_or(usize::MAX)
    }

    /// The shape of an item.
    pub(super) fn item_shape(&self) -> &[usize] {
        &self.item_shape
    }

    /// Appends the values of `count` items from item `first` on to `values`; fewer at the end of the array.
    pub(super) fn read(
        &mut self,
        first: usize,
        count: usize,
        values: &mut Vec<T>,
    ) -> Result<(), RecordError> {
        let count = count.min(self.items().saturating_sub(first));
        let mut left = self.item.saturating_mul(count);
        let offset = self.start + (first as u64).saturating_mul(self.item as u64 * 8);
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(RecordError::io("read", &self.path))?;
        values.reserve(left);
        let mut bytes = vec![0; left.min(CHUNK) * 8];
        while left > 0 {
            let chunk = &mut bytes[..left.min(CHUNK) * 8];
            self.file
                .read_exact(chunk)
                .map_err(RecordError::io("read", &self.path))?;
            let (numbers, _) = chunk.as_chunks::<8>();
            values.extend(numbers.iter().map(|&number| T::from_bytes(number)));
            left -= numbers.len();
        }
        Ok(())
    }
}

/// The text of a header of version 1.0; none if the file does not begin with one.
fn read_header(file: &mut File) -> Option<String> {
    let mut start = [0; MAGIC.len() + 2];
    file.read_exact(&mut start).ok()?;
    let (magic, length) = start.split_first_chunk::<8>()?;
    let length = u16::from_le_bytes(length.try_into().ok()?);
    let mut text = vec![0; usize::from(length)];
    file.read_exact(&mut text).ok()?;
    (magic == MAGIC).then(|| String::from_utf8(text).ok())?
}

/// The shape that a header tells of; none if it is not of an array of `T` in C order.
fn parse_shape<T: NpyNumber>(text: &str) -> Option<Vec<usize>> {
    let (_, descr) = text.split_once("'descr': '")?;
    let (descr, _) = descr.split_once('\'')?;
    if descr != T::DESCR || !text.contains("'fortran_order': False") {
        return None;
    }
    let (_, shape) = text.split_once("'shape': (")?;
    let (shape, _) = shape.split_once(')')?;
    let axes = shape
        .split(',')
        .map(str::trim)
        .filter(|axis| !axis.is_empty());
    axes.map(|axis| axis.parse().ok()).collect()
}

/// Values of one item and how many items `bytes` hold (none: any number, because an item is empty).
fn fit(item_shape: &[usize], bytes: u64) -> Option<(usize, Option<u64>)> {
    let item = item_shape
        .iter()
        .try_fold(1_usize, |product, &axis| product.checked_mul(axis))?;
    let item_bytes = u64::try_from(item).ok()?.checked_mul(8)?;
    Some((item, bytes.checked_div(item_bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn header_has_room_for_the_longest_shape() {
        let short = header::<f64>(&[0, 1, 1]);
        let long = header::<f64>(&[u64::MAX, u64::MAX, u64::MAX]);
        assert_eq!((short.len(), long.len()), (HEADER, HEADER));
        assert_eq!(long.iter().filter(|&&byte| byte == b'\n').count(), 1);
        assert!(String::from_utf8_lossy(&long).contains("18446744073709551615), }"));
    }

    #[test]
    fn another_reader_agrees_after_every_item() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.npy");
        let mut writer = NpyWriter::<f64>::create(&path, &[2, 3]).unwrap();
        let mut sent = Vec::new();
        for sample in 0..5_u64 {
            let file = npyz::NpyFile::new(File::open(&path).unwrap()).unwrap();
            assert_eq!(file.shape(), [sample, 2, 3]);
            assert_eq!(file.into_vec::<f64>().unwrap(), sent);
            let item = [1.0, -0.0, f64::MIN_POSITIVE, 1e308, 0.1, sample as f64];
            writer.write_item(&item).unwrap();
            writer.commit().unwrap();
            sent.extend(item);
        }
    }

    #[test]
    fn item_without_commit_is_not_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.npy");
        let mut writer = NpyWriter::<f64>::create(&path, &[2]).unwrap();
        writer.write_item(&[1.0, 2.0]).unwrap();
        writer.commit().unwrap();
        writer.write_item(&[3.0, 4.0]).unwrap();
        let file = npyz::NpyFile::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(file.into_vec::<f64>().unwrap(), [1.0, 2.0]);
        writer.close().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), HEADER as u64 + 16);
    }

    #[test]
    fn hostile_headers_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.npy");
        let huge = header::<f64>(&[3, u64::MAX, u64::MAX]);
        let wrong_type = header::<i64>(&[3, 1, 1]);
        let wrong_axes = header::<f64>(&[3, 1]);
        let cut = &huge[..100];
        let cases: [&[u8]; 6] = [
            b"",
            b"not numpy at all",
            cut,
            &huge,
            &wrong_type,
            &wrong_axes,
        ];
        for bytes in cases {
            std::fs::write(&path, bytes).unwrap();
            let error = NpyReader::<f64>::open(&path, 3, "samples of a matrix").unwrap_err();
            assert!(matches!(error, RecordError::Malformed { .. }), "{error}");
        }
    }

    #[test]
    fn header_that_promises_too_much_gives_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.npy");
        let mut bytes = header::<i64>(&[u64::MAX / 2]);
        bytes.extend_from_slice(&7_i64.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let mut reader = NpyReader::<i64>::open(&path, 1, "numbers").unwrap();
        let mut values = Vec::new();
        reader.read(0, usize::MAX, &mut values).unwrap();
        assert_eq!(values, [7]);
    }
}
