//! IDX, the format of MNIST: a magic number, sizes as big-endian 32-bit numbers, unsigned bytes.
//!
//! # Source
//! LeCun, Cortes and Burges, The MNIST database of handwritten digits: file formats.

use std::path::Path;

use super::{ImageError, Part, beginning, whole};
use crate::input::data::DataError;

/// Two zeros, unsigned bytes, the number of dimensions.
const IMAGES: [u8; 4] = [0, 0, 8, 3];
const LABELS: [u8; 4] = [0, 0, 8, 1];
/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The images of a file: one channel.
pub(super) fn images(path: &Path) -> Result<Part, DataError> {
    let mut bytes = whole(path)?;
    let length = bytes.len() as u64;
    let [_, rows, columns] = header::<3>(path, &bytes, length)?;
    bytes.drain(..16);
    Ok(Part {
        shape: [1, rows, columns],
        bytes,
        labels: Vec::new(),
    })
}

/// The labels of a file.
pub(super) fn labels(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = whole(path)?;
    let length = bytes.len() as u64;
    header::<1>(path, &bytes, length)?;
    bytes.drain(..8);
    Ok(bytes)
}

/// The shape of a file's images.
pub(super) fn shape(path: &Path) -> Result<[usize; 3], DataError> {
    let (bytes, length) = beginning(path, 16)?;
    let [_, rows, columns] = header::<3>(path, &bytes, length)?;
    Ok([1, rows, columns])
}

/// The sizes in the header, which begins the `bytes` of a file of that length.
fn header<const N: usize>(
    path: &Path,
    bytes: &[u8],
    length: u64,
) -> Result<[usize; N], ImageError> {
    let (magic, what, expected) = match N {
        1 => (LABELS, "labels", "00 00 08 01"),
        _ => (IMAGES, "images", "00 00 08 03"),
    };
    let path = path.to_owned();
    if !bytes.starts_with(&magic) {
        let shown = bytes.iter().take(4).map(|byte| format!("{byte:02x}"));
        let hint = match bytes {
            _ if bytes.starts_with(&GZIP) => "unpack it with gunzip",
            _ if bytes.starts_with(&IMAGES) => "those are images",
            _ if bytes.starts_with(&LABELS) => "those are labels",
            _ => "check the file and `format`",
        };
        return Err(ImageError::Magic {
            path,
            what,
            found: shown.collect::<Vec<_>>().join(" "),
            expected,
            hint,
        });
    }
    let mut sizes = [0; N];
    for (size, word) in sizes.iter_mut().zip(bytes[4..].chunks_exact(4)) {
        *size = word.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
    }
    let head = 4 + 4 * N;
    let product = sizes.iter().map(|size| *size as u64);
    let data = product.fold(1_u64, u64::saturating_mul);
    let expected = data.saturating_add(head as u64);
    if bytes.len() < head || data == 0 || length != expected {
        let says = match (bytes.len() < head, sizes.as_slice()) {
            (true, _) => format!("{what}, without their number"),
            (_, [count, rows, columns]) => format!("{count} images of {rows} x {columns}"),
            (_, sizes) => format!("{} labels", sizes.first().copied().unwrap_or(0)),
        };
        return Err(ImageError::Length {
            path,
            found: length,
            expected: expected.max(head as u64 + 1),
            says,
        });
    }
    Ok(sizes)
}
