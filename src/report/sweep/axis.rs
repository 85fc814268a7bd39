//! The first swept parameter as a horizontal axis.

use crate::sweep::{number, plain};

/// From this ratio of the largest to the smallest value on, an axis is logarithmic.
const LOGARITHMIC_FROM: f64 = 10.0;

/// A parameter as an axis: its values on a line, if they are numbers, or side by side.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct SweptAxis {
    /// Its label, with the unit.
    pub(super) label: String,
    /// Where each value stands.
    pub(in crate::report) places: Vec<f64>,
    /// What is written there.
    pub(super) names: Vec<(f64, String)>,
    /// Whether the axis is logarithmic.
    pub(super) log: bool,
    /// Whether values stand side by side because they are no numbers.
    pub(super) categories: bool,
}

impl SweptAxis {
    /// The axis of a parameter of that name and those values, as typed.
    pub(in crate::report) fn new(name: &str, values: &[String]) -> Self {
        let texts: Vec<String> = values.iter().map(|v| plain(v)).collect();
        let quantities: Option<Vec<(f64, &str)>> = texts.iter().map(|t| quantity(t)).collect();
        let unit = quantities.as_ref().and_then(|q| q.first()).map(|q| q.1);
        let common = quantities.filter(|all| all.iter().all(|(_, u)| Some(*u) == unit));
        let Some(quantities) = common else {
            let place = |n: usize| n as f64;
            return Self {
                label: name.to_owned(),
                places: (0..texts.len()).map(place).collect(),
                names: texts
                    .into_iter()
                    .enumerate()
                    .map(|(n, t)| (place(n), t))
                    .collect(),
                log: false,
                categories: true,
            };
        };
        let places: Vec<f64> = quantities.iter().map(|q| q.0).collect();
        let unit = unit.unwrap_or_default();
        let (low, high) = places
            .iter()
            .fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
        let bare = texts
            .iter()
            .map(|t| t.trim_end_matches(unit).trim_end().to_owned());
        Self {
            label: match unit {
                "" => name.to_owned(),
                unit => format!("{name} ({unit})"),
            },
            names: places.iter().copied().zip(bare).collect(),
            log: low > 0.0 && high / low > LOGARITHMIC_FROM,
            places,
            categories: false,
        }
    }
}

/// A number and the unit behind it; the unit of a plain number is empty.
fn quantity(text: &str) -> Option<(f64, &str)> {
    let (digits, unit) = text.split_once(' ').unwrap_or((text, ""));
    Some((number(digits)?, unit.trim()))
}

/// The last keys of each path, as few as it takes to tell them apart.
pub(super) fn short_names<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let end = |path: &str, keys: usize| {
        let all: Vec<&str> = path.split('.').collect();
        all[all.len().saturating_sub(keys)..].join(".")
    };
    let name = |path: &str| {
        let alone = |keys: &usize| {
            let mut others = paths.clone().filter(|p| *p != path);
            !others.any(|p| end(p, *keys) == end(path, *keys))
        };
        let longest = path.split('.').count();
        let keys = (1..=longest).find(alone).unwrap_or(longest);
        end(path, keys)
    };
    paths.clone().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[&str]) -> SweptAxis {
        let values: Vec<String> = values.iter().map(|&v| v.to_owned()).collect();
        SweptAxis::new("x", &values)
    }

    #[test]
    fn numbers_over_more_than_a_decade_are_logarithmic() {
        assert!(axis(&["1e-4", "1e-3", "2e-3"]).log);
        assert!(!axis(&["1", "10"]).log);
        assert!(!axis(&["0", "1", "100"]).log);
        assert!(!axis(&["-1", "100"]).log);
    }

    #[test]
    fn quantities_of_one_unit_are_numbers_and_others_stand_side_by_side() {
        let times = axis(&["5 ms", "\"20 ms\""]);
        assert_eq!((times.label.as_str(), times.categories), ("x (ms)", false));
        assert_eq!(
            times.names,
            [(5.0, "5".to_owned()), (20.0, "20".to_owned())]
        );
        assert!(axis(&["5 ms", "1 s"]).categories);
        let rules = axis(&["\"hebb\"", "oja"]);
        assert_eq!(
            rules.names,
            [(0.0, "hebb".to_owned()), (1.0, "oja".to_owned())]
        );
    }

    #[test]
    fn names_are_as_short_as_they_can_be_told_apart() {
        let names = |paths: &[&str]| short_names(paths.iter().copied());
        assert_eq!(names(&["projection.W.learn.eta"]), ["eta"]);
        assert_eq!(
            names(&["projection.W.learn.eta", "projection.D.learn.eta", "a.b"]),
            ["W.learn.eta", "D.learn.eta", "b"]
        );
    }
}
