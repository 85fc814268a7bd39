//! The files of a folder that match a pattern.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::DataError;

/// A file and its name relative to the folder, with `/` between sub-folders on every system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// A pattern for names of files; `*` and `?` stop at `/`.
pub(super) struct Pattern(GlobMatcher);

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Self, DataError> {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        glob.map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| DataError::Pattern {
                pattern: pattern.to_owned(),
                reason: error.kind().to_string(),
            })
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// The files below `folder` whose names match, in order of name; at least one.
///
/// Sub-folders are only looked into when the pattern has a `/`; links to folders are not followed, so that no loop of links
/// is walked.
pub(super) fn matching_files(folder: &Path, pattern: &str) -> Result<Vec<NamedFile>, DataError> {
    let matcher = Pattern::new(pattern)?;
    if !folder.is_dir() {
        return Err(DataError::NoFolder {
            folder: folder.to_owned(),
        });
    }
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        let failed = |source| DataError::Read {
            path: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, name) = (
                entry.path(),
                format!("{prefix}{}", entry.file_name().to_string_lossy()),
            );
            if entry.file_type().map_err(failed)?.is_dir() {
                if pattern.contains('/') {
                    folders.push((format!("{name}/"), path));
                }
            } else if matcher.matches(&name) && path.is_file() {
                files.push(NamedFile { name, path });
            }
        }
    }
    files.sort_unstable_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    match files.is_empty() {
        true => Err(DataError::NoMatch {
            folder: folder.to_owned(),
            pattern: pattern.to_owned(),
        }),
        false => Ok(files),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn folder_with(names: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    fn names(folder: &TempDir, pattern: &str) -> Vec<String> {
        matching_files(folder.path(), pattern)
            .unwrap()
            .into_iter()
            .map(|file| file.name)
            .collect()
    }

    #[test]
    fn files_come_in_order_of_name() {
        let folder = folder_with(&["b.wav", "a.wav", "10.wav", "9.wav", "c.txt"]);
        assert_eq!(
            names(&folder, "*.wav"),
            ["10.wav", "9.wav", "a.wav", "b.wav"]
        );
    }

    #[test]
    fn sub_folders_are_searched_only_when_the_pattern_says_so() {
        let folder = folder_with(&["top.wav", "yes/one.wav", "no/deep/two.wav"]);
        assert_eq!(names(&folder, "*.wav"), ["top.wav"]);
        assert_eq!(names(&folder, "*/*.wav"), ["yes/one.wav"]);
        assert_eq!(
            names(&folder, "**/*.wav"),
            ["no/deep/two.wav", "top.wav", "yes/one.wav"]
        );
    }

    #[test]
    fn what_cannot_be_matched_is_told_apart() {
        let folder = folder_with(&["a.wav"]);
        let error = |path: &Path, pattern| matching_files(path, pattern).unwrap_err();
        assert!(matches!(
            error(&folder.path().join("none"), "*"),
            DataError::NoFolder { .. }
        ));
        assert!(matches!(
            error(&folder.path().join("a.wav"), "*"),
            DataError::NoFolder { .. }
        ));
        assert!(matches!(
            error(folder.path(), "*.flac"),
            DataError::NoMatch { .. }
        ));
        assert!(matches!(
            error(folder.path(), "[0-"),
            DataError::Pattern { .. }
        ));
    }
}
