//! Plots as SVG: plain data in, one self-contained SVG string out.
//!
//! A plot is a struct of data and labels; `svg` draws it on a [`Canvas`]:
//!
//! - [`Lines`]: curves, with bands, dashes and marks, linear or logarithmic,
//! - [`Scatter`]: points, such as prediction against truth,
//! - [`Heatmap`]: a matrix with axes and a colour bar,
//! - [`Raster`]: spikes, a row a neuron,
//! - [`Panels`]: many small images on one colour scale.
//!
//! # What holds for every plot
//!
//! Titles, labels and names are any text; they are escaped and, if too long, shortened. Values that are not finite are
//! missing: they break a line, leave out a point, leave a cell grey. No data at all draws empty axes that say so. Nothing
//! here fails or panics.
//!
//! The file stands alone (no scripts, fonts or links) and its size is bounded whatever the length of the data: lines keep the
//! extremes of every pixel column, clouds keep a fixed sample, matrices are averaged. Light colours are plain attributes,
//! which every viewer understands; a dark scheme lies over them where the screen asks for one.

mod axis;
mod bitmap;
mod colour;
mod colourbar;
mod dash;
mod decimate;
mod frame;
mod heatmap;
mod legend;
mod lettering;
mod lines;
mod panels;
mod path;
mod raster;
mod scale;
mod scatter;
mod ticks;

pub use colour::Colours;
pub use heatmap::{Heatmap, Origin};
pub use lines::{Lines, Rug, Series};
pub use panels::Panels;
pub use raster::{Band, Mark, Raster};
pub use scatter::Scatter;

/// The size of a drawing, in CSS pixels at its natural scale. Text keeps its size; the plot takes what is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Canvas {
    width: f64,
    height: f64,
}

impl Canvas {
    /// One of two columns of the report page.
    pub const HALF: Canvas = Canvas {
        width: 600.0,
        height: 360.0,
    };
    /// Both columns of the report page.
    pub const WIDE: Canvas = Canvas {
        width: 1240.0,
        height: 340.0,
    };

    /// A canvas of another size, held between 160 × 120 and 4000 × 4000 pixels.
    pub fn new(width: f64, height: f64) -> Self {
        let held = |length: f64, least: f64| {
            if length.is_nan() {
                least
            } else {
                length.clamp(least, 4000.0)
            }
        };
        Canvas {
            width: held(width, 160.0),
            height: held(height, 120.0),
        }
    }

    /// Both (CSS pixels).
    pub(super) fn size(self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// The width (CSS pixels).
    pub fn width(self) -> f64 {
        self.width
    }

    /// The height (CSS pixels).
    pub fn height(self) -> f64 {
        self.height
    }
}

#[cfg(test)]
mod tests;
