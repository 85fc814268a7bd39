//! Figures of measured images: those of each expression in one picture, side by side, so that the same place shows the same
//! moment.

use super::page::{Figure, Section};
use super::pictures::{colours, extent, tall, wide};
use super::plot::{Canvas, Panels};
use super::run::{MOST_BYTES, Run};
use super::words;
use crate::record::{MeasureReport, read_matrix};

/// Cells between two images.
const GAP: usize = 2;

/// All measured images.
pub(super) fn section(run: &Run) -> Section {
    let mut section = Section {
        heading: "Images".to_owned(),
        ..Section::default()
    };
    for (name, measure) in &run.report.measures {
        let MeasureReport::Images {
            names,
            shape,
            count,
            file,
        } = measure
        else {
            continue;
        };
        let shown = Shown {
            name,
            names,
            shape: *shape,
            count: *count,
        };
        match shown.read(run, file) {
            Ok(values) => section.figures.push(shown.figure(run, &values)),
            Err(note) => section.notes.push(format!("`{name}`: {note}")),
        }
    }
    section
}

/// Images of one measure.
struct Shown<'a> {
    name: &'a str,
    names: &'a [String],
    shape: [usize; 3],
    count: usize,
}

impl Shown<'_> {
    fn read(&self, run: &Run, file: &str) -> Result<Vec<f64>, String> {
        let [channels, rows, columns] = self.shape;
        let pixels = channels.saturating_mul(rows).saturating_mul(columns);
        let images = self.count.saturating_mul(self.names.len());
        if images == 0 || pixels == 0 {
            return Err("no image: its stage was not reached, or `when` was always 0".to_owned());
        }
        let path = run.file(file, MOST_BYTES)?;
        let matrix = read_matrix(path).map_err(|error| run.remark(&error))?;
        if (matrix.rows, matrix.columns) != (images, pixels) {
            return Err(format!(
                "`{file}` is {} × {}, but the run says {images} × {pixels}",
                matrix.rows, matrix.columns
            ));
        }
        Ok(matrix.values)
    }

    fn figure(&self, run: &Run, values: &[f64]) -> Figure {
        let words = run.words(self.name);
        let caption = words::sentences([
            words.named(self.name).as_str(),
            "The same place in each picture is the same moment.",
            &words.remarks(),
        ]);
        let range = extent(values.iter().copied());
        let each = values.chunks(values.len() / self.names.len());
        let mosaics: Vec<Mosaic> = each.map(|images| self.mosaic(images)).collect();
        let panels = Panels {
            title: self.name.to_owned(),
            names: self.names.to_vec(),
            rows: mosaics.first().map_or(0, |m| m.rows),
            columns: mosaics.first().map_or(0, |m| m.columns),
            images: mosaics.into_iter().map(|m| m.values).collect(),
            colours: colours(range),
            value_label: "value".to_owned(),
            value_range: range,
        };
        let canvas = match self.names.len() {
            1 => Canvas::WIDE,
            _ => tall(),
        };
        wide(
            &format!("images-{}", self.name),
            caption,
            panels.svg(canvas),
        )
    }

    /// Images in rows and columns of about the same number, the means of their channels.
    fn mosaic(&self, images: &[f64]) -> Mosaic {
        let [channels, rows, columns] = self.shape;
        let across = (self.count as f64).sqrt().ceil() as usize;
        let down = self.count.div_ceil(across);
        let (high, long) = (down * (rows + GAP) - GAP, across * (columns + GAP) - GAP);
        let mut values = vec![f64::NAN; high * long];
        for (k, image) in images.chunks(channels * rows * columns).enumerate() {
            let (top, left) = (k / across * (rows + GAP), k % across * (columns + GAP));
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let channel = |c: usize| image[(c * rows + y) * columns + x];
                let mean = (0..channels).map(channel).sum::<f64>() / channels as f64;
                values[(top + y) * long + left + x] = mean;
            }
        }
        Mosaic {
            rows: high,
            columns: long,
            values,
        }
    }
}

/// A picture made of images; NaN between them.
struct Mosaic {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_lie_row_by_row_with_gaps_between_and_channels_are_averaged() {
        let shown = Shown {
            name: "i",
            names: &["a".to_owned()],
            shape: [2, 1, 2],
            count: 3,
        };
        let images = [
            1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0,
        ];
        let mosaic = shown.mosaic(&images);
        assert_eq!((mosaic.rows, mosaic.columns), (4, 6));
        assert_eq!(mosaic.values[..2], [2.0, 3.0]);
        assert_eq!(mosaic.values[4..6], [6.0, 7.0]);
        assert_eq!(mosaic.values[18..20], [10.0, 11.0]);
        assert_eq!(mosaic.values.iter().filter(|v| v.is_nan()).count(), 18);
    }
}
