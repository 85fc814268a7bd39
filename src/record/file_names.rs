//! From the names that users give to names of files: harmless and unique.

use std::collections::{HashMap, HashSet};

/// Longest name kept, in bytes: leaves room for a counter and the endings under the usual limit of 255.
const LONGEST: usize = 120;

/// Hands out one file name a given name, within one folder.
#[derive(Debug, Default)]
pub(super) struct FileNames {
    given: HashMap<String, String>,
    /// In lower case, because some file systems do not tell `W` from `w`.
    taken: HashSet<String>,
}

impl FileNames {
    /// The file name without its ending for `name`: the same whenever it is asked for, never the same for two names.
    ///
    /// `endings` are all that will be put behind it, so that `W` with `.steps.npy` cannot meet `W.steps` with `.npy`.
    pub(super) fn stem(&mut self, name: &str, endings: &[&str]) -> String {
        if let Some(stem) = self.given.get(name) {
            return stem.clone();
        }
        let stem = self.fresh_stem(name, endings);
        self.given.insert(name.to_owned(), stem.clone());
        stem
    }

    /// As [`Self::stem`], but another one each time.
    pub(super) fn fresh_stem(&mut self, name: &str, endings: &[&str]) -> String {
        let base = sanitise(name);
        let mut stem = base.clone();
        let mut counter = 2_u64;
        while endings.iter().any(|ending| self.is_taken(&stem, ending)) {
            stem = format!("{base}-{counter}");
            counter += 1;
        }
        for ending in endings {
            self.taken.insert(format!("{stem}{ending}").to_lowercase());
        }
        stem
    }

    fn is_taken(&self, stem: &str, ending: &str) -> bool {
        self.taken
            .contains(&format!("{stem}{ending}").to_lowercase())
    }
}

/// Letters, digits, `-`, `_` and `.` stay, the rest becomes `-`; never empty, never hidden, never too long.
fn sanitise(name: &str) -> String {
    let mut safe = String::with_capacity(name.len().min(LONGEST));
    for character in name.chars() {
        let keep = character.is_alphanumeric() || matches!(character, '-' | '_' | '.');
        let hidden = safe.is_empty() && character == '.';
        let character = if keep && !hidden { character } else { '-' };
        if safe.len() + character.len_utf8() > LONGEST {
            break;
        }
        safe.push(character);
    }
    if safe.is_empty() {
        safe.push_str("unnamed");
    }
    safe
}

/// Column names as given, but unique and different from the `reserved` ones; an empty one becomes `column`.
pub(super) fn unique_columns(given: &[String], reserved: &[&str]) -> Vec<String> {
    let mut taken: HashSet<String> = reserved.iter().map(|&name| name.to_owned()).collect();
    let unique = given.iter().map(|name| {
        let base = if name.is_empty() { "column" } else { name };
        let mut unique = base.to_owned();
        let mut counter = 2_u64;
        while !taken.insert(unique.clone()) {
            unique = format!("{base}-{counter}");
            counter += 1;
        }
        unique
    });
    unique.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        assert_eq!(sanitise("latent.basal_1-a"), "latent.basal_1-a");
        assert_eq!(sanitise("λ"), "λ");
    }

    #[test]
    fn hostile_names_stay_in_their_folder() {
        assert_eq!(sanitise("../../etc/passwd"), "-.-..-etc-passwd");
        assert_eq!(sanitise(".hidden"), "-hidden");
        assert_eq!(sanitise("a\0b\nc\\d:e"), "a-b-c-d-e");
        assert_eq!(sanitise(""), "unnamed");
        assert_eq!(sanitise(&"ä".repeat(500)).len(), LONGEST);
    }

    #[test]
    fn different_names_never_share_a_file() {
        let mut names = FileNames::default();
        assert_eq!(names.stem("a b", &[".npy"]), "a-b");
        assert_eq!(names.stem("a/b", &[".npy"]), "a-b-2");
        assert_eq!(names.stem("A-B", &[".npy"]), "A-B-3");
        assert_eq!(names.stem("a/b", &[".npy"]), "a-b-2");
        assert_eq!(names.fresh_stem("a/b", &[".npy"]), "a-b-4");
    }

    #[test]
    fn endings_of_one_name_do_not_meet_another_name() {
        let mut names = FileNames::default();
        let endings = [".npy", ".steps.npy"];
        assert_eq!(names.stem("W", &endings), "W");
        assert_eq!(names.stem("W.steps", &endings), "W.steps-2");
    }

    #[test]
    fn columns_keep_their_names_unless_they_collide() {
        let given = ["a[0]", "step", "a[0]", ""].map(str::to_owned);
        let unique = unique_columns(&given, &["step"]);
        assert_eq!(unique, ["a[0]", "step-2", "a[0]-2", "column"]);
    }
}
