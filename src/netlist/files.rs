//! Reading text files that may be anything.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest text that is read (bytes); a netlist has some kilobytes.
const SIZE_LIMIT: u64 = 16 << 20;

/// Why a file could not be read as text.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// It cannot be opened or read.
    #[error("cannot read this file: {0}")]
    Io(#[from] std::io::Error),
    /// It is a folder.
    #[error("this is a folder, not a file")]
    Folder,
    /// It is far larger than a netlist.
    #[error("this file is larger than 16 MB, so it is not a netlist")]
    Large,
    /// It is not text.
    #[error("this file is not UTF-8 text: line {line} has the byte 0x{byte:02x}")]
    NotText {
        /// Line with the first byte that is wrong, from 1.
        line: usize,
        /// That byte.
        byte: u8,
    },
}

impl FileError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            FileError::Io(_) => "check the path and that the file may be read",
            FileError::Folder => "name a file in it, ending in .toml",
            FileError::Large => "name a TOML file",
            FileError::NotText { .. } => "save the file as UTF-8",
        }
    }
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, FileError> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(FileError::Folder);
    }
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(FileError::Large);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let (before, after) = error.as_bytes().split_at(valid);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        FileError::NotText {
            line,
            byte: after.first().copied().unwrap_or(0),
        }
    })
}
