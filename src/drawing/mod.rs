//! What drawings are made of: a small SVG writer, one palette, the width of text. Plots of the report and drawings of circuits
//! share it, so that they look alike side by side.

mod palette;
mod svg;
mod text;
#[cfg(test)]
mod well_formed;

pub(crate) use palette::{FONT, Ink, SERIES};
pub(crate) use svg::{Anchor, Point, Svg, escape, number};
pub(crate) use text::{BOLD, fit, width};
#[cfg(test)]
pub(crate) use well_formed::well_formed;
