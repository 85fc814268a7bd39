//! The bar that says which colour is which value.

use super::bitmap::{Bitmap, Matrix, Placement};
use super::colour::Colours;
use super::frame::Area;
use super::lettering::{LABEL, label_width, write_number, write_upwards};
use super::scale::{Range, Scale};
use super::ticks::{self, Ticks};
use crate::drawing as text;
use crate::drawing::Anchor;
use crate::drawing::Ink;
use crate::drawing::Svg;

const GAP: f64 = 14.0;
const BAR: f64 = 11.0;
const STEPS: usize = 255;

/// A colour bar, to stand right of a picture.
#[derive(Debug)]
pub(super) struct ColourBar<'a> {
    colours: Colours,
    range: Range,
    label: &'a str,
    ticks: Ticks,
}

impl<'a> ColourBar<'a> {
    /// A bar for a picture about `height` pixels high.
    pub(super) fn new(colours: Colours, range: Range, label: &'a str, height: f64) -> Self {
        let count = ((height / 50.0) as usize).clamp(2, 8);
        ColourBar {
            colours,
            range,
            label,
            ticks: ticks::linear(range, count, false),
        }
    }

    /// The room it takes right of the picture (pixels).
    pub(super) fn width(&self) -> f64 {
        GAP + BAR + 8.0 + self.widest() + if self.label.is_empty() { 0.0 } else { 20.0 }
    }

    fn widest(&self) -> f64 {
        self.ticks
            .major
            .iter()
            .map(|t| label_width(&t.label))
            .fold(0.0, f64::max)
    }

    /// Draws it right of `picture`, as high as it.
    pub(super) fn draw(&self, svg: &mut Svg, picture: Area) {
        let bar = Area {
            left: picture.right() + GAP,
            width: BAR,
            ..picture
        };
        image(svg, bar, &gradient(self.colours), false);
        bar.outline(svg);
        let scale = Scale::new(self.range, false, bar.bottom(), bar.top);
        let edge = bar.right();
        for tick in &self.ticks.major {
            if let Some(y) = scale.place(tick.value) {
                svg.line(Ink::Axis, 1.0, (edge, y), (edge + 3.5, y));
                write_number(svg, Anchor::Start, (edge + 7.0, y + 3.9), &tick.label);
            }
        }
        let at = (edge + 23.0 + self.widest(), bar.top + bar.height / 2.0);
        write_upwards(svg, at, &text::fit(self.label, LABEL, bar.height + 40.0));
    }
}

/// All the colours, the last at the top.
fn gradient(colours: Colours) -> String {
    let shares: Vec<f64> = (0..STEPS).map(|i| i as f64 / (STEPS - 1) as f64).collect();
    let placement = Placement {
        x: 0,
        y: 0,
        columns: 1,
        rows: STEPS,
        cell: (1, 1),
        upwards: true,
    };
    let mut bitmap = Bitmap::new(1, STEPS);
    let unit = Range { lo: 0.0, hi: 1.0 };
    bitmap.paint(Matrix::new(STEPS, 1, &shares), unit, placement);
    bitmap.data_uri(colours)
}

/// Places a picture; `crisp` keeps the edges of its pixels sharp when it is enlarged.
pub(super) fn image(svg: &mut Svg, area: Area, data_uri: &str, crisp: bool) {
    let element = svg
        .element("image")
        .n("x", area.left)
        .n("y", area.top)
        .n("width", area.width)
        .n("height", area.height)
        .a("preserveAspectRatio", "none");
    let element = if crisp {
        element.a("style", "image-rendering:pixelated")
    } else {
        element
    };
    element.a("href", data_uri).empty();
}
