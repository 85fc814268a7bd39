//! What `--set` says of a sweep: which values are swept, and the product of all of them.

/// A value of the netlist that is swept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Parameter {
    /// Its path, `projection.W.learn.eta`.
    pub path: String,
    /// Its values as they were typed, in order.
    pub values: Vec<String>,
}

/// Something that cannot be swept, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

/// Overrides, told apart by how many values they list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Overrides {
    /// Those of one value, which hold for all points, as typed.
    pub fixed: Vec<String>,
    /// Those of several.
    pub swept: Vec<Parameter>,
}

impl Overrides {
    /// Reads overrides `path=value,value,…`.
    pub fn read(set: &[String]) -> Result<Self, Vec<Mistake>> {
        let mut overrides = Self::default();
        let mut mistakes = Vec::new();
        let mut seen: Vec<(String, bool)> = Vec::new();
        for text in set {
            let Some((path, values)) = text.split_once('=') else {
                // The netlist says what is wrong with it.
                overrides.fixed.push(text.clone());
                continue;
            };
            let path = plain_path(path);
            let values = split_values(values);
            let several = values.len() > 1;
            if seen.iter().any(|(p, s)| *p == path && (*s || several)) {
                mistakes.push(Mistake {
                    message: format!("`{path}` is set more than once"),
                    help: format!(
                        "list all its values in one place: `--set {path}={}`",
                        values.join(",")
                    ),
                });
                continue;
            }
            seen.push((path.clone(), several));
            match several {
                false => overrides.fixed.push(text.clone()),
                true => {
                    mistakes.extend(mistakes_in(&path, &values));
                    overrides.swept.push(Parameter {
                        path,
                        values: values.into_iter().map(str::to_owned).collect(),
                    });
                }
            }
        }
        match mistakes.is_empty() {
            true => Ok(overrides),
            false => Err(mistakes),
        }
    }

    /// All combinations as indices of values, the last parameter changing fastest; one empty one without parameters.
    pub fn combinations(&self) -> Vec<Vec<usize>> {
        let mut all = vec![vec![]];
        for parameter in &self.swept {
            let longer = |start: &Vec<usize>| {
                let start = start.clone();
                (0..parameter.values.len()).map(move |value| {
                    let mut combination = start.clone();
                    combination.push(value);
                    combination
                })
            };
            all = all.iter().flat_map(longer).collect();
        }
        all
    }

    /// The overrides of a combination: those of one value, then one for each parameter.
    pub fn of(&self, combination: &[usize]) -> Vec<String> {
        let swept = self.swept.iter().zip(combination);
        let swept = swept.filter_map(|(p, v)| Some(format!("{}={}", p.path, p.values.get(*v)?)));
        self.fixed.iter().cloned().chain(swept).collect()
    }
}

/// A path without spaces around its keys.
fn plain_path(path: &str) -> String {
    let keys: Vec<&str> = path.split('.').map(str::trim).collect();
    keys.join(".")
}

fn mistakes_in(path: &str, values: &[&str]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if path == "circuit.seed" {
        mistakes.push(Mistake {
            message: "`circuit.seed` cannot be swept".to_owned(),
            help: format!(
                "each realization has its own seed: write `--realizations {}`, and `--seed` for the first of them",
                values.len()
            ),
        });
    }
    if values.iter().any(|v| v.is_empty()) {
        mistakes.push(Mistake {
            message: format!("`{path}` has an empty value in `{}`", values.join(",")),
            help: "write values with one comma between, and quote a value that holds a comma"
                .to_owned(),
        });
    }
    for (n, value) in values.iter().enumerate() {
        if !value.is_empty() && values[..n].contains(value) {
            mistakes.push(Mistake {
                message: format!("`{path}` has the value `{value}` twice"),
                help: "list each value once; `--realizations` repeats a point with other seeds"
                    .to_owned(),
            });
        }
    }
    mistakes
}

/// The values of a list, split at commas that are not within brackets or quotes.
pub(super) fn split_values(text: &str) -> Vec<&str> {
    let mut values = Vec::new();
    let (mut start, mut depth, mut quote, mut before) = (0, 0_usize, None, ' ');
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            (Some(_), _) => {}
            // An apostrophe after a letter is a derivative in an expression, or just one.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                values.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        escaped = false;
        before = c;
    }
    values.push(text[start..].trim());
    values
}

/// The seed of realization k: the first one's plus k.
pub(super) fn seed_of_realization(first: u64, realization: u64) -> Option<u64> {
    // TOML has no whole numbers beyond this.
    first
        .checked_add(realization)
        .filter(|seed| i64::try_from(*seed).is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(set: &[&str]) -> Result<Overrides, Vec<Mistake>> {
        Overrides::read(&set.iter().map(|&s| s.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_split_only_at_commas_at_the_top() {
        let cases: [(&str, &[&str]); 10] = [
            ("1,2, 4", &["1", "2", "4"]),
            ("", &[""]),
            ("1,", &["1", ""]),
            ("[1, 2],[3]", &["[1, 2]", "[3]"]),
            (
                "{ normal = { mean = 0, sd = 1 } },2",
                &["{ normal = { mean = 0, sd = 1 } }", "2"],
            ),
            (r#""a,b",c"#, &[r#""a,b""#, "c"]),
            (r#""a\",b",c"#, &[r#""a\",b""#, "c"]),
            (r"'a\',b", &[r"'a\'", "b"]),
            (
                "mean(x, 2),f'(dend), pre",
                &["mean(x, 2)", "f'(dend)", "pre"],
            ),
            ("[\"],\", 1],2", &["[\"],\", 1]", "2"]),
        ];
        for (text, values) in cases {
            assert_eq!(split_values(text), values, "{text}");
        }
    }

    #[test]
    fn the_last_parameter_changes_fastest() {
        let overrides = read(&["a.x=1,2", "b=7", "c.y=u,v,w"]).unwrap();
        assert_eq!(overrides.fixed, ["b=7"]);
        let all: Vec<Vec<String>> = overrides
            .combinations()
            .iter()
            .map(|c| overrides.of(c))
            .collect();
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], ["b=7", "a.x=1", "c.y=u"]);
        assert_eq!(all[1], ["b=7", "a.x=1", "c.y=v"]);
        assert_eq!(all[3], ["b=7", "a.x=2", "c.y=u"]);
    }

    #[test]
    fn without_lists_there_is_one_combination() {
        let overrides = read(&["a=[1,2]"]).unwrap();
        assert_eq!(overrides.combinations(), [Vec::<usize>::new()]);
        assert_eq!(overrides.of(&[]), ["a=[1,2]"]);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mistakes = read(&["a=1,,2,1", "circuit.seed=1,2", "b.c=1,2", "b. c=3"]).unwrap_err();
        let messages: Vec<&str> = mistakes.iter().map(|m| m.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`a` has an empty value in `1,,2,1`",
                "`a` has the value `1` twice",
                "`circuit.seed` cannot be swept",
                "`b.c` is set more than once",
            ]
        );
        // As for `run`, the later of two plain overrides holds.
        assert_eq!(read(&["a=1", "a=2"]).unwrap().fixed, ["a=1", "a=2"]);
    }

    #[test]
    fn seeds_count_up_from_the_first() {
        assert_eq!(seed_of_realization(7, 0), Some(7));
        assert_eq!(seed_of_realization(7, 19), Some(26));
        assert_eq!(seed_of_realization(u64::MAX, 1), None);
        assert_eq!(seed_of_realization(i64::MAX as u64, 1), None);
    }
}
