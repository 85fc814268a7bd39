//! Where library files are: embedded in the binary, and in the folder that a user names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::files::{self, FileError};

/// The project's own models.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models");

/// The library files that can be named in `use`, by their stem.
pub(super) struct Shelf {
    books: BTreeMap<String, Book>,
}

/// One library file.
pub(super) enum Book {
    /// In the binary.
    Embedded(&'static str),
    /// On disk.
    File(PathBuf),
}

impl Shelf {
    /// The embedded files, and those of a folder, which take precedence.
    pub fn open(models: Option<&Path>) -> Result<Self, FileError> {
        let mut books = BTreeMap::new();
        for file in EMBEDDED.files() {
            if let (Some(stem), Some(text)) = (stem(file.path()), file.contents_utf8()) {
                books.insert(stem, Book::Embedded(text));
            }
        }
        if let Some(folder) = models {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if let Some(stem) = stem(&path) {
                    books.insert(stem, Book::File(path));
                }
            }
        }
        Ok(Shelf { books })
    }

    /// Stems of all files, in order.
    pub fn stems(&self) -> impl Iterator<Item = &str> + Clone {
        self.books.keys().map(String::as_str)
    }

    /// Name and text of a file; `None` if there is no such file.
    pub fn text(&self, stem: &str) -> Option<(String, Result<String, FileError>)> {
        Some(match self.books.get(stem)? {
            Book::Embedded(text) => (format!("models/{stem}.toml"), Ok((*text).to_owned())),
            Book::File(path) => (path.display().to_string(), files::read_text(path)),
        })
    }
}

/// The stem of a TOML file's name.
fn stem(path: &Path) -> Option<String> {
    let toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let stem = path.file_stem().filter(|_| toml)?;
    stem.to_str().map(str::to_owned)
}
