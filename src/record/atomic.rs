//! Files that appear under their name only when they are whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::RecordError;

/// What the temporary name adds to the real one.
pub(super) const PARTIAL: &str = ".partial";

/// A file under a temporary name in the folder of its real one.
#[derive(Debug)]
pub(super) struct PartialFile {
    file: File,
    partial: PathBuf,
    path: PathBuf,
}

impl PartialFile {
    /// Creates `<path>.partial`, and its folder if need be.
    pub(super) fn create(path: &Path) -> Result<Self, RecordError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(RecordError::io("create", folder))?;
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(PARTIAL);
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(RecordError::io("create", path))?;
        Ok(Self {
            file,
            partial,
            path: path.to_owned(),
        })
    }

    /// The real name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Forces the contents to the disk, gives the file its real name, and hands it back, still open.
    pub(super) fn publish(self) -> Result<File, RecordError> {
        self.file
            .sync_all()
            .map_err(RecordError::io("write", &self.path))?;
        fs::rename(&self.partial, &self.path).map_err(RecordError::io("rename", &self.path))?;
        Ok(self.file)
    }

    fn discard(self) {
        // The error that led here is the one to report; a leftover is cleared with the run.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Writes a small file at once: whoever looks sees the old contents or the new, never a part.
pub(super) fn write_whole(path: &Path, contents: &[u8]) -> Result<(), RecordError> {
    let partial = PartialFile::create(path)?;
    if let Err(cause) = partial.file().write_all(contents) {
        partial.discard();
        return Err(RecordError::io("write", path)(cause));
    }
    partial.publish().map(drop)
}
