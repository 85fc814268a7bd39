//! What a measure found, as it stands in `run.json`.

use serde::{Deserialize, Serialize};

use super::nullable;

/// The result of one measure. Numbers that are not finite are `null` in JSON and come back as NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MeasureReport {
    /// One number.
    Number {
        /// The number.
        #[serde(with = "nullable::number")]
        value: f64,
        /// Its unit, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        /// What the netlist expects of it, in its own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect: Option<String>,
    },
    /// A number over the steps of a stage.
    Series {
        /// The stage.
        stage: String,
        /// The step of each value.
        step: Vec<u64>,
        /// The values, one a step listed.
        #[serde(with = "nullable::list")]
        value: Vec<f64>,
        /// What the steps are called.
        x_label: String,
        /// Whether it is to be drawn on a logarithmic axis in any case.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        logarithmic: bool,
    },
    /// One number as a function of another.
    Curve {
        /// Where it was evaluated.
        #[serde(with = "nullable::list")]
        x: Vec<f64>,
        /// Its values, one an `x`.
        #[serde(with = "nullable::list")]
        y: Vec<f64>,
        /// What `x` is, with its unit.
        x_label: String,
        /// What `y` is, with its unit.
        y_label: String,
    },
    /// Mean and ellipse of two numbers as functions of another.
    Ellipses {
        /// Where they were evaluated.
        #[serde(with = "nullable::list")]
        by: Vec<f64>,
        /// What `by` is.
        label: String,
        /// Share of a normal distribution that each ellipse holds.
        share: f64,
        /// Their centres, the means of the two numbers.
        #[serde(with = "nullable::pairs")]
        centre: Vec<[f64; 2]>,
        /// Their semi-axes, the longer first.
        #[serde(with = "nullable::pairs")]
        axes: Vec<[f64; 2]>,
        /// Angles of the longer axes to that of the first number (rad).
        #[serde(with = "nullable::list")]
        angle: Vec<f64>,
        /// Means of what the numbers should have been, if that was given.
        #[serde(
            default,
            with = "nullable::pairs",
            skip_serializing_if = "Vec::is_empty"
        )]
        target: Vec<[f64; 2]>,
    },
    /// A matrix, in a file of its own.
    Matrix {
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
        /// `measures/<name>.npy`, relative to the run directory.
        file: String,
        /// Mean of all values.
        #[serde(with = "nullable::number")]
        mean: f64,
        /// Smallest value.
        #[serde(with = "nullable::number")]
        minimum: f64,
        /// Largest value.
        #[serde(with = "nullable::number")]
        maximum: f64,
    },
    /// Images, in a file of their own.
    Images {
        /// What they are of.
        names: Vec<String>,
        /// Channels, rows, columns.
        shape: [usize; 3],
        /// How many there are of each.
        count: usize,
        /// `measures/<name>.npy`, one image a row: all of the first, then all of the second, and so on; relative to the run
        /// directory.
        file: String,
    },
    /// How what two stages gave goes together.
    Pair {
        /// Correlation over time.
        #[serde(with = "nullable::number")]
        value: f64,
        /// The two stages.
        stages: [String; 2],
        /// `measures/<name>.npy`: the last steps of the first element, a row a stage; relative to the run directory.
        sample: String,
    },
    /// How well one signal predicts another.
    Comparison {
        /// Share of the variance explained: the mean over dimensions, or pooled.
        #[serde(with = "nullable::number")]
        r_squared: f64,
        /// Whether errors and variances were summed over dimensions before they were divided.
        #[serde(default)]
        pooled: bool,
        /// The same, dimension by dimension.
        #[serde(with = "nullable::list")]
        per_dimension: Vec<f64>,
        /// `measures/<name>.npy` with samples of both, relative to the run directory.
        sample: String,
    },
}

impl MeasureReport {
    /// The report of a matrix that was written to `file`: its mean, smallest and largest value (NaN if it is empty).
    pub fn matrix(rows: usize, columns: usize, values: &[f64], file: String) -> Self {
        Self::Matrix {
            rows,
            columns,
            file,
            mean: values.iter().sum::<f64>() / values.len() as f64,
            minimum: values.iter().copied().fold(f64::NAN, f64::min),
            maximum: values.iter().copied().fold(f64::NAN, f64::max),
        }
    }

    /// The same report; a series is drawn on a logarithmic axis whatever it spans.
    pub fn on_logarithmic_axis(mut self) -> Self {
        if let Self::Series { logarithmic, .. } = &mut self {
            *logarithmic = true;
        }
        self
    }

    /// The same report; the axis of a series is called this.
    pub fn along(mut self, label: &str) -> Self {
        if let Self::Series { x_label, .. } = &mut self {
            label.clone_into(x_label);
        }
        self
    }

    /// The one number that tells most, if there is one: of a series the last.
    pub fn headline(&self) -> Option<f64> {
        match self {
            Self::Number { value, .. } | Self::Pair { value, .. } => Some(*value),
            Self::Series { value, .. } => value.last().copied(),
            Self::Comparison { r_squared, .. } => Some(*r_squared),
            Self::Curve { .. }
            | Self::Ellipses { .. }
            | Self::Matrix { .. }
            | Self::Images { .. } => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn round_trip(report: &MeasureReport) -> MeasureReport {
        serde_json::from_str(&serde_json::to_string(report).unwrap()).unwrap()
    }

    #[test]
    fn every_kind_comes_back_from_json() {
        let reports = [
            MeasureReport::Number {
                value: 0.25,
                unit: Some("mV".to_owned()),
                expect: None,
            },
            MeasureReport::Series {
                stage: "train".to_owned(),
                step: vec![1, u64::MAX],
                value: vec![1.5, -2.0],
                x_label: "step".to_owned(),
                logarithmic: true,
            },
            MeasureReport::Curve {
                x: vec![0.0, 1.0],
                y: vec![2.0, 3.0],
                x_label: "angle (rad)".to_owned(),
                y_label: "response".to_owned(),
            },
            MeasureReport::matrix(1, 3, &[2.0, 1.0, 3.0], "measures/m.npy".to_owned()),
            MeasureReport::Ellipses {
                by: vec![0.0, 1.0],
                label: "angle".to_owned(),
                share: 0.95,
                centre: vec![[0.0, 1.0], [2.0, 3.0]],
                axes: vec![[2.0, 1.0], [2.0, 0.5]],
                angle: vec![0.5, -0.5],
                target: vec![[0.0, 1.5], [2.0, 3.5]],
            },
            MeasureReport::Images {
                names: vec!["digits".to_owned()],
                shape: [1, 28, 28],
                count: 3,
                file: "measures/i.npy".to_owned(),
            },
            MeasureReport::Comparison {
                r_squared: 0.5,
                pooled: true,
                per_dimension: vec![0.25, 0.75],
                sample: "measures/c.npy".to_owned(),
            },
        ];
        for report in &reports {
            assert_eq!(&round_trip(report), report);
        }
        let headlines = reports.each_ref().map(MeasureReport::headline);
        let expected = [Some(0.25), Some(-2.0), None, None, None, None, Some(0.5)];
        assert_eq!(headlines, expected);
    }

    #[test]
    fn numbers_that_json_lacks_are_null_and_come_back_as_nan() {
        let report = MeasureReport::Comparison {
            r_squared: f64::NEG_INFINITY,
            pooled: false,
            per_dimension: vec![f64::NAN, 1.0, f64::INFINITY],
            sample: String::new(),
        };
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains("\"r_squared\":null"), "{json}");
        assert!(json.contains("[null,1.0,null]"), "{json}");
        let MeasureReport::Comparison {
            r_squared,
            per_dimension,
            ..
        } = round_trip(&report)
        else {
            unreachable!("the kind is written")
        };
        assert!(r_squared.is_nan());
        assert!(per_dimension[0].is_nan() && per_dimension[2].is_nan());
        assert_eq!(per_dimension[1].to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn kinds_are_written_in_kebab_case() {
        let json = serde_json::to_string(&MeasureReport::matrix(0, 0, &[], String::new())).unwrap();
        assert!(json.starts_with("{\"kind\":\"matrix\""), "{json}");
    }
}
