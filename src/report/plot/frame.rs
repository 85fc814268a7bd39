//! What surrounds the data: title, legend, axes, ticks, grid.

use super::Canvas;
use super::axis::{ACROSS, Axis, DOWN, Kind};
use super::legend::{Entry, Legend};
use super::lettering::{
    CENTRED, LABEL, NOTE, TICK, label_width, title_width, write, write_no_data, write_number,
    write_title, write_upwards,
};
use super::scale::Scale;
use super::ticks::Ticks;
use crate::drawing as text;
use crate::drawing::Anchor;
use crate::drawing::Ink;
use crate::drawing::{Svg, number};

/// Distance of everything from the edges of the canvas.
const MARGIN: f64 = 8.0;
/// The least side of the data, on canvases too small for anything.
const LEAST: f64 = 20.0;

/// A frame as asked for.
#[derive(Debug, Clone)]
pub(super) struct Spec<'a> {
    pub(super) canvas: Canvas,
    pub(super) title: &'a str,
    /// A remark in small type at the top right.
    pub(super) note: String,
    pub(super) x: Axis<'a>,
    pub(super) y: Axis<'a>,
    pub(super) legend: Vec<Entry>,
    /// Room kept free right of the plot (pixels).
    pub(super) right: f64,
    /// Width over height of the plot, if it matters.
    pub(super) aspect: Option<f64>,
    /// Whether the plot is a picture: an outline all round and no grid.
    pub(super) picture: bool,
    /// Whether there is nothing to show; the drawing then says so, and its axes bear no numbers.
    pub(super) empty: bool,
}

/// The rectangle of the data (pixels).
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A frame laid out on its canvas.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    spec: Spec<'a>,
    legend: Legend,
    pub(super) area: Area,
    pub(super) x: Scale,
    pub(super) y: Scale,
    x_ticks: Ticks,
    y_ticks: Ticks,
}

impl<'a> Spec<'a> {
    /// A plain frame with a grid, to be varied.
    pub(super) fn new(canvas: Canvas, title: &'a str, x: Axis<'a>, y: Axis<'a>) -> Self {
        Spec {
            canvas,
            title,
            note: String::new(),
            x,
            y,
            legend: Vec::new(),
            right: 0.0,
            aspect: None,
            picture: false,
            empty: false,
        }
    }

    /// Where the legend begins: under the title.
    fn head(&self) -> f64 {
        MARGIN + if self.title.is_empty() { 10.0 } else { 26.0 }
    }

    /// The height between legend and numbers, and where it begins.
    fn band(&self, legend: &Legend) -> (f64, f64) {
        let top = self.head() + legend.height();
        let foot = if self.x.label.is_empty() { 20.0 } else { 38.0 };
        (top, (self.canvas.height() - top - foot - MARGIN).max(LEAST))
    }

    fn y_ticks(&self, height: f64) -> Ticks {
        if self.empty {
            return Ticks::default();
        }
        if !self.y.named.is_empty() {
            return self.y.names();
        }
        // Where shape matters the axes mostly share a scale; then they bear the same numbers, as far apart as the
        // horizontal ones must be.
        let apart = if self.aspect.is_some() { ACROSS } else { DOWN };
        self.y.ticks(height, apart)
    }

    fn x_ticks(&self, scale: &Scale, width: f64) -> Ticks {
        if self.empty {
            return Ticks::default();
        }
        self.x.fitting_ticks(scale, width)
    }

    /// Room for the label and the numbers of the vertical axis.
    fn side(&self, ticks: &Ticks) -> f64 {
        let label = if self.y.label.is_empty() { 0.0 } else { 20.0 };
        MARGIN + label + widest(ticks) + 9.0
    }
}

impl Area {
    /// The right edge.
    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The lower edge.
    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The largest rectangle of the wanted shape within, in the middle across and at the top.
    fn with_aspect(self, aspect: Option<f64>) -> Area {
        let Some(aspect) = aspect.filter(|a| a.is_finite() && *a > 0.0) else {
            return self;
        };
        let width = self.width.min(self.height * aspect).max(LEAST);
        Area {
            left: self.left + (self.width - width) / 2.0,
            width,
            height: self.height.min(self.width / aspect).max(LEAST),
            ..self
        }
    }

    /// A thin line round it.
    pub(super) fn outline(&self, svg: &mut Svg) {
        svg.element("rect")
            .n("x", self.left)
            .n("y", self.top)
            .n("width", self.width)
            .n("height", self.height)
            .stroke(Ink::Axis, 0.75)
            .empty();
    }
}

impl<'a> Frame<'a> {
    /// Finds the place of everything.
    pub(super) fn new(mut spec: Spec<'a>) -> Self {
        let width = spec.canvas.width();
        let legend = Legend::new(std::mem::take(&mut spec.legend), width - 120.0);
        let (top, height) = spec.band(&legend);
        let y_ticks = spec.y_ticks(height);
        let left = spec.side(&y_ticks);
        let room = Area {
            left,
            top,
            width: (width - left - spec.right - 2.0 * MARGIN).max(LEAST),
            height,
        };
        let area = room.with_aspect(spec.aspect);
        let x = spec.x.scale(area.left, area.right());
        let y = match spec.y.downwards {
            true => spec.y.scale(area.top, area.bottom()),
            false => spec.y.scale(area.bottom(), area.top),
        };
        Frame {
            x_ticks: spec.x_ticks(&x, area.width),
            spec,
            legend,
            area,
            x,
            y,
            y_ticks,
        }
    }

    /// Starts the drawing with what lies under the data.
    pub(super) fn begin(&self) -> Svg {
        let mut svg = Svg::new(self.spec.canvas.size(), self.spec.title);
        let area = self.area;
        self.draw_head(&mut svg);
        self.legend.draw(&mut svg, (area.left, self.spec.head()));
        if !self.spec.picture {
            self.draw_grid(&mut svg);
        }
        if self.spec.empty {
            write_no_data(&mut svg, (area.left, area.top), (area.width, area.height));
        }
        svg
    }

    /// Ends the drawing with what lies over the data.
    pub(super) fn end(&self, mut svg: Svg) -> String {
        self.draw_axis_lines(&mut svg);
        self.draw_x_ticks(&mut svg);
        self.draw_y_ticks(&mut svg);
        self.draw_labels(&mut svg);
        svg.finish()
    }

    /// Opens a nested drawing that shows only what lies in the plot, and of marks on its edge the other half.
    pub(super) fn open_clip(&self, svg: &mut Svg) {
        let (x, y) = (self.area.left - 3.0, self.area.top - 3.0);
        let (width, height) = (self.area.width + 6.0, self.area.height + 6.0);
        let view = [x, y, width, height].map(number).join(" ");
        svg.element("svg")
            .n("x", x)
            .n("y", y)
            .n("width", width)
            .n("height", height)
            .a("viewBox", &view)
            .open();
    }

    fn draw_head(&self, svg: &mut Svg) {
        let (area, baseline) = (self.area, MARGIN + 13.0);
        let note = text::width(&self.spec.note, TICK);
        let wanted = area.left + title_width(self.spec.title) + 24.0 + note;
        let edge = self.spec.canvas.width() - 2.0 * MARGIN;
        let right = area.right().max(wanted).min(edge);
        let room = right - area.left - note - 12.0;
        write_title(svg, (area.left, baseline), room, self.spec.title);
        write(svg, NOTE, (right, baseline), &self.spec.note);
    }

    fn draw_grid(&self, svg: &mut Svg) {
        let area = self.area;
        let mut line = |ink, width, value| {
            if let Some(y) = self.y.place(value) {
                svg.line(ink, width, (area.left, y), (area.right(), y));
            }
        };
        for tick in &self.y_ticks.major {
            line(Ink::Grid, 1.0, tick.value);
        }
        let Axis { range, kind, .. } = self.spec.y;
        if kind == Kind::Linear && range.lo < 0.0 && range.hi > 0.0 && !self.spec.empty {
            line(Ink::Missing, 1.25, 0.0);
        }
    }

    fn draw_axis_lines(&self, svg: &mut Svg) {
        let area = self.area;
        if self.spec.picture {
            area.outline(svg);
            return;
        }
        let corner = (area.left, area.bottom());
        svg.line(Ink::Axis, 1.0, (area.left, area.top), corner);
        let (from, to) = ((corner.0 - 0.5, corner.1), (area.right(), corner.1));
        svg.line(Ink::Axis, 1.0, from, to);
    }

    fn draw_x_ticks(&self, svg: &mut Svg) {
        let bottom = self.area.bottom();
        for &value in &self.x_ticks.minor {
            if let Some(x) = self.x.place(value) {
                svg.line(Ink::Axis, 0.75, (x, bottom), (x, bottom + 2.5));
            }
        }
        for tick in &self.x_ticks.major {
            if let Some(x) = self.x.place(tick.value) {
                svg.line(Ink::Axis, 1.0, (x, bottom), (x, bottom + 4.5));
                // A long number at the end of the axis stays on the canvas.
                let most = self.spec.canvas.width() - 2.0 - label_width(&tick.label) / 2.0;
                write_number(
                    svg,
                    Anchor::Middle,
                    (x.min(most), bottom + 16.5),
                    &tick.label,
                );
            }
        }
    }

    fn draw_y_ticks(&self, svg: &mut Svg) {
        let left = self.area.left;
        for &value in &self.y_ticks.minor {
            if let Some(y) = self.y.place(value) {
                svg.line(Ink::Axis, 0.75, (left - 2.5, y), (left, y));
            }
        }
        for tick in &self.y_ticks.major {
            if let Some(y) = self.y.place(tick.value) {
                svg.line(Ink::Axis, 1.0, (left - 4.5, y), (left, y));
                write_number(svg, Anchor::End, (left - 8.0, y + 3.9), &tick.label);
            }
        }
    }

    fn draw_labels(&self, svg: &mut Svg) {
        let (area, canvas) = (self.area, self.spec.canvas);
        let below = (area.left + area.width / 2.0, area.bottom() + 35.0);
        // Centred text may reach as far to one side as there is room on the nearer one.
        let room = 2.0 * below.0.min(canvas.width() - below.0) - 2.0 * MARGIN;
        write(
            svg,
            CENTRED,
            below,
            &text::fit(self.spec.x.label, LABEL, room),
        );
        let middle = area.top + area.height / 2.0;
        let beside = (area.left - widest(&self.y_ticks) - 19.0, middle);
        let room = 2.0 * middle.min(canvas.height() - middle) - 2.0 * MARGIN;
        write_upwards(svg, beside, &text::fit(self.spec.y.label, LABEL, room));
    }
}

/// The width of the widest number at the ticks (pixels).
fn widest(ticks: &Ticks) -> f64 {
    let widths = ticks.major.iter().map(|t| label_width(&t.label));
    widths.fold(8.0, f64::max)
}
