//! Clouds of points.

use super::Canvas;
use super::axis::Axis;
use super::decimate::{self, Point};
use super::frame::{Frame, Spec};
use super::path;
use super::scale::Range;
use super::ticks;
use crate::drawing::Ink;
use crate::drawing::Svg;

/// The most points drawn.
const MOST: usize = 4000;
/// Dots in one path do not add up where they overlap; so a dense cloud is drawn in this many.
const LAYERS: usize = 10;

/// A plot of points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scatter {
    /// The title.
    pub title: String,
    /// What the horizontal axis shows, with its unit.
    pub x_label: String,
    /// What the vertical axis shows, with its unit.
    pub y_label: String,
    /// Horizontal coordinates; if `x` and `y` differ in length, the shorter one counts.
    pub x: Vec<f64>,
    /// Vertical coordinates. A point with a coordinate that is not finite is left out.
    pub y: Vec<f64>,
    /// Whether both axes have one scale and the line of equality is drawn, as for prediction against truth.
    pub diagonal: bool,
}

impl Scatter {
    /// Draws the plot; of more than 4000 points a fixed sample, which the drawing says.
    pub fn svg(&self, canvas: Canvas) -> String {
        let pairs = self.x.iter().copied().zip(self.y.iter().copied());
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let points: Vec<(f64, f64)> = pairs.filter(finite).collect();
        let (x_range, y_range) = self.ranges(&points);
        let x = Axis::linear(&self.x_label, x_range);
        let y = Axis::linear(&self.y_label, y_range);
        let frame = Frame::new(Spec {
            note: note(points.len()),
            aspect: self.diagonal.then_some(1.0),
            empty: points.is_empty(),
            ..Spec::new(canvas, &self.title, x, y)
        });
        let mut svg = frame.begin();
        if self.diagonal && !points.is_empty() {
            let area = frame.area;
            let (from, to) = ((area.left, area.bottom()), (area.right(), area.top));
            svg.line(Ink::Muted, 1.0, from, to);
        }
        frame.open_clip(&mut svg);
        draw_dots(&mut svg, &frame, &points);
        svg.close();
        frame.end(svg)
    }

    fn ranges(&self, points: &[(f64, f64)]) -> (Range, Range) {
        let unit = Range { lo: 0.0, hi: 1.0 };
        let x = Range::of(points.iter().map(|p| p.0))
            .unwrap_or(unit)
            .padded(0.04);
        let y = Range::of(points.iter().map(|p| p.1))
            .unwrap_or(unit)
            .padded(0.04);
        if self.diagonal {
            (x.union(y), x.union(y))
        } else {
            (x, y)
        }
    }
}

fn draw_dots(svg: &mut Svg, frame: &Frame<'_>, points: &[(f64, f64)]) {
    let sample = decimate::sample(points.len(), MOST).into_iter();
    let chosen = sample.filter_map(|i| points.get(i).copied());
    let place = |(x, y)| Some((frame.x.place(x)?, frame.y.place(y)?));
    let dots: Vec<Point> = chosen.filter_map(place).collect();
    let crowded = dots.len() > 400;
    for layer in 0..LAYERS.min(dots.len()) {
        let layer = dots.iter().copied().skip(layer).step_by(LAYERS);
        svg.element("path")
            .a("d", &path::dots(layer))
            .stroke(Ink::Series(0), if crowded { 3.5 } else { 5.0 })
            .n("stroke-opacity", if crowded { 0.4 } else { 0.75 })
            .a("stroke-linecap", "round")
            .empty();
    }
}

fn note(points: usize) -> String {
    if points <= MOST {
        return String::new();
    }
    let total = ticks::labels(&[points as f64], (points as f64 / 100.0).max(1.0)).concat();
    format!("{MOST} of {total} points")
}
