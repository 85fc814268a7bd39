//! Reference curves that a user lays over the plot of a measure, such as a control computed elsewhere.

use std::path::Path;

use super::error::ReportError;
use super::plot::Series;
use super::sweep::SweptAxis;
use crate::input::read_array;
use crate::sweep::{Found, Summary, curve_summary, is_sweep};

/// A reference curve for the plot of a measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// The measure.
    pub measure: String,
    /// What the legend calls the curve.
    pub label: String,
    /// Places on the horizontal axis of the plot.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Standard errors of the values.
    pub se: Option<Vec<f64>>,
}

impl Overlay {
    /// Reads `MEASURE=FILE` or `MEASURE=FILE,label=TEXT`. The file has columns x, y and, if there are errors, their standard
    /// errors: CSV with or without a line of names, or `.npy`. It may be the folder of a sweep instead: what that found of the
    /// measure, against its swept parameter if there is one. Without a label the curve is called by its file.
    ///
    /// # Errors
    /// [`ReportError::Overlay`] if it is written otherwise, or the file cannot be used.
    pub fn read(argument: &str) -> Result<Self, ReportError> {
        let wrong = |reason: String, help: &str| ReportError::Overlay {
            argument: argument.to_owned(),
            reason,
            help: help.to_owned(),
        };
        let Some((measure, rest)) = argument.split_once('=') else {
            let help = "write a measure, `=` and a file: `--overlay loss=control.csv`";
            return Err(wrong("no file is named".to_owned(), help));
        };
        let (file, label) = match rest.split_once(",label=") {
            Some((file, label)) => (Path::new(file), Some(label.trim())),
            None => (Path::new(rest), None),
        };
        let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned());
        let measure = measure.trim();
        let label = label.map(str::to_owned).or(stem).unwrap_or_default();
        if is_sweep(file) {
            let found = Found::open(file).map_err(|e| wrong(e.to_string(), "name its folder"))?;
            return Self::of_sweep(&found, measure, label).map_err(|reason| {
                wrong(
                    reason,
                    "name a measure of that sweep, of one swept parameter or none",
                )
            });
        }
        let columns =
            "give the file columns x,y or x,y,se, with x as on the horizontal axis of the plot";
        let read = read_array(file).map_err(|e| wrong(e.to_string(), columns))?;
        if !(2..=3).contains(&read.size()) {
            let columns_found = format!("`{}` has {} columns", file.display(), read.size());
            return Err(wrong(columns_found, columns));
        }
        let column = |n: usize| (0..read.len()).map(|row| read.frame(row)[n]).collect();
        Ok(Self {
            measure: measure.to_owned(),
            label,
            x: column(0),
            y: column(1),
            se: (read.size() == 3).then(|| column(2)),
        })
    }

    /// What another sweep found of a measure.
    fn of_sweep(found: &Found, measure: &str, label: String) -> Result<Self, String> {
        let (x, summaries): (Vec<f64>, Vec<Summary>) = match &found.report.parameters[..] {
            [] => {
                let curves = found.curves();
                let curve = curves.iter().find(|m| m.name == measure);
                let curve = curve.and_then(|m| m.curves.first());
                curve_summary(curve.ok_or_else(|| format!("it has no curve `{measure}`"))?)
            }
            [parameter] => {
                let axis = SweptAxis::new(&parameter.path, &parameter.values);
                let scalars = found.scalars();
                let scalar = scalars.iter().find(|m| m.name == measure);
                let scalar = scalar.ok_or_else(|| format!("it has no measure `{measure}`"))?;
                let values = scalar.values.iter();
                let summaries = values.map(|v| Summary::of(v.iter().copied()));
                (axis.places, summaries.collect())
            }
            more => return Err(format!("{} parameters are swept in it", more.len())),
        };
        Ok(Self {
            measure: measure.to_owned(),
            label,
            x,
            y: summaries.iter().map(|s| s.mean).collect(),
            se: Some(summaries.iter().map(|s| s.se).collect()),
        })
    }

    /// Makes sure that the measure of each overlay is one of `known`, those that have a plot.
    ///
    /// # Errors
    /// [`ReportError::Overlay`] for the first that is not.
    pub fn check<'a>(
        overlays: &[Self],
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), ReportError> {
        let unknown = |o: &&Self| !known.clone().any(|name| name == o.measure);
        match overlays.iter().find(unknown) {
            None => Ok(()),
            Some(overlay) => {
                let help = crate::source::suggest(&overlay.measure, known.clone());
                Err(ReportError::Overlay {
                    argument: overlay.measure.clone(),
                    reason: format!("there is no plot of a measure `{}`", overlay.measure),
                    help: help.unwrap_or_else(|| "there are no plots of measures".to_owned()),
                })
            }
        }
    }

    /// The curve, dashed; its errors are a band, or bars through the points.
    pub(super) fn series(&self, bars: bool) -> Series {
        let edge = |sign: f64, se: &[f64]| {
            let pairs = self.y.iter().zip(se);
            pairs.map(|(y, se)| y + sign * se).collect()
        };
        let band = self.se.as_ref().filter(|_| !bars);
        Series {
            name: self.label.clone(),
            x: self.x.clone(),
            y: self.y.clone(),
            band: band.map(|se| (edge(-1.0, se), edge(1.0, se))),
            bars: self.se.clone().filter(|_| bars),
            dashed: true,
            ..Series::default()
        }
    }
}

/// The curves that are laid over the plot of a measure.
pub(super) fn over(overlays: &[Overlay], measure: &str, bars: bool) -> Vec<Series> {
    let of = overlays.iter().filter(|o| o.measure == measure);
    of.map(|o| o.series(bars)).collect()
}

/// A sweep's own curve needs a name only beside others.
pub(super) fn name_beside(own: &mut [Series], references: &[Series]) {
    if let ([one], false) = (own, references.is_empty()) {
        one.name = "this sweep".to_owned();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn in_file(text: &str, argument: impl Fn(&str) -> String) -> Result<Overlay, ReportError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("control.csv");
        std::fs::write(&file, text).unwrap();
        Overlay::read(&argument(&file.display().to_string()))
    }

    #[test]
    fn two_or_three_columns_are_a_curve() {
        let plain = in_file("x,y\n1,2\n3,4\n", |f| format!("loss={f}")).unwrap();
        assert_eq!(
            (plain.measure.as_str(), plain.label.as_str()),
            ("loss", "control")
        );
        assert_eq!(
            (plain.x, plain.y, plain.se),
            (vec![1.0, 3.0], vec![2.0, 4.0], None)
        );
        let more = in_file("1,2,0.5\n", |f| format!("loss={f},label=by hand, twice")).unwrap();
        assert_eq!(more.label, "by hand, twice");
        assert_eq!(more.series(false).band, Some((vec![1.5], vec![2.5])));
        assert_eq!(more.series(true).bars, Some(vec![0.5]));
    }

    #[test]
    fn another_sweep_is_a_curve_of_means_and_errors() {
        use crate::input::DataPaths;
        use crate::sweep::{Sweep, SweepOptions, Unwatched};
        let folder = tempfile::tempdir().unwrap();
        let netlist = folder.path().join("a.toml");
        let text = r#"
            constant.size = 1
            circuit = { name = "a", step = "1 ms" }
            neuron.n.soma.value = "size * noise"
            population.p = { neuron = "n", size = "size" }
            stage = [{ name = "run", steps = 8 }]
            measure.power = { kind = "mean", of = "sum(p^2)", during = "run" }
        "#;
        std::fs::write(&netlist, text).unwrap();
        let out = folder.path().join("out");
        let options = SweepOptions {
            netlist,
            models: None,
            set: vec!["constant.size=1,3".to_owned()],
            realizations: 2,
            seed: None,
            paths: DataPaths::default(),
            out: Some(out.clone()),
            overwrite: false,
            record: false,
            threads: 1,
            interrupt: Default::default(),
        };
        Sweep::plan(options).unwrap().run(&Unwatched).unwrap();
        let overlay = Overlay::read(&format!("power={},label=other", out.display())).unwrap();
        assert_eq!(overlay.x, [1.0, 3.0]);
        assert!(overlay.y[1] > overlay.y[0] && overlay.se.unwrap().iter().all(|e| *e > 0.0));
        let unknown = Overlay::read(&format!("force={}", out.display()));
        assert!(
            unknown
                .unwrap_err()
                .to_string()
                .contains("no measure `force`")
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_with_what_to_write() {
        for argument in ["loss", "loss=no-such.csv"] {
            let error = Overlay::read(argument).unwrap_err();
            assert!(error.to_string().contains(argument), "{error}");
            assert!(error.help().is_some());
        }
        assert!(in_file("1\n2\n", |f| format!("loss={f}")).is_err());
        let overlay = in_file("1,2\n", |f| format!("los={f}")).unwrap();
        let error = Overlay::check(&[overlay], ["loss", "error"].into_iter()).unwrap_err();
        assert_eq!(error.help().as_deref(), Some("did you mean `loss`?"));
    }
}
