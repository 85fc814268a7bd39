//! Spike rasters: a row a neuron, a mark a spike.

use super::Canvas;
use super::axis::Axis;
use super::frame::{Frame, Spec};
use super::legend::Entry;
use super::lettering::TICK;
use super::path;
use super::scale::Range;
use crate::drawing::{Ink, Svg, fit};

/// The least height of a band (pixels): that of its name.
const LEAST_BAND: f64 = 22.0;
/// What surrounds the bands (pixels): title, legend, axis.
const AROUND: f64 = 100.0;
/// Room for the name of a band (pixels).
const NAME: f64 = 130.0;
/// How far the bar of a plateau reaches from its beginning (pixels).
const BAR: f64 = 11.0;

/// How a mark is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A thin tick.
    Plain,
    /// A thick, tall tick in a colour of its own, as for the first spike of a burst.
    Strong,
    /// A thin tick in a third colour, as for the further spikes of a burst.
    Weak,
    /// A short horizontal bar from the place on.
    Bar,
}

/// A band of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Band {
    /// The name, written beside it.
    pub name: String,
    /// How many rows it has.
    pub rows: usize,
    /// Marks: where, in which row (counted from 0 at the bottom), how drawn. What is not finite is left out.
    pub marks: Vec<(f64, usize, Mark)>,
}

/// A plot of marks in rows, rows in bands, the first band on top. All marks are drawn: it is for whoever makes it to take
/// a sample of many.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Raster {
    /// The title.
    pub title: String,
    /// A remark in small type at the top right, as on what is left out.
    pub note: String,
    /// What the horizontal axis shows, with its unit.
    pub x_label: String,
    /// The ends of the horizontal axis; found from the marks if none (or if it makes no sense).
    pub x_range: Option<(f64, f64)>,
    /// The bands.
    pub bands: Vec<Band>,
    /// What the marks that occur mean, for the legend.
    pub names: Vec<(Mark, String)>,
}

impl Raster {
    /// A canvas over the whole page, as high as the bands need.
    pub fn canvas(&self) -> Canvas {
        let rows = self.bands.iter().map(|band| band.rows).sum::<usize>();
        let bands = self.bands.len() as f64 * LEAST_BAND;
        let height = AROUND + bands + (rows as f64 * 2.0).clamp(120.0, 560.0);
        Canvas::new(Canvas::WIDE.width(), height)
    }

    /// Draws the plot.
    pub fn svg(&self, canvas: Canvas) -> String {
        let heights = self.heights(canvas);
        let total: f64 = heights.iter().sum();
        // Values on the vertical axis grow upwards, and the first band is on top.
        let mut top = total;
        let mut edges = Vec::with_capacity(heights.len());
        for height in &heights {
            edges.push((top - height, top));
            top -= height;
        }
        let middles = edges.iter().map(|(low, high)| (low + high) / 2.0);
        let names = self.bands.iter().map(|band| fit(&band.name, TICK, NAME));
        let names: Vec<(f64, String)> = middles.zip(names).collect();
        let marked = self.bands.iter().flat_map(|band| &band.marks);
        let x_range = Range::given(self.x_range).or_else(|| Range::of(marked.map(|mark| mark.0)));
        let unit = Range { lo: 0.0, hi: 1.0 };
        let y = Range { lo: 0.0, hi: total };
        let frame = Frame::new(Spec {
            note: self.note.clone(),
            legend: self.legend(),
            picture: true,
            empty: self.bands.is_empty() || x_range.is_none(),
            ..Spec::new(
                canvas,
                &self.title,
                Axis::linear(&self.x_label, x_range.unwrap_or(unit)),
                Axis {
                    named: &names,
                    ..Axis::linear("", if total > 0.0 { y } else { unit })
                },
            )
        });
        let mut svg = frame.begin();
        for (n, edges) in edges.iter().enumerate() {
            draw_wash(&mut svg, &frame, *edges, n);
        }
        frame.open_clip(&mut svg);
        for (band, edges) in self.bands.iter().zip(&edges) {
            band.draw(&mut svg, &frame, *edges);
        }
        svg.close();
        frame.end(svg)
    }

    /// The height of each band: enough for its name, and the rest by rows.
    fn heights(&self, canvas: Canvas) -> Vec<f64> {
        let rows = self.bands.iter().map(|band| band.rows).sum::<usize>();
        let least = self.bands.len() as f64 * LEAST_BAND;
        let rest = (canvas.height() - AROUND - least).max(0.0);
        let share = |band: &Band| band.rows as f64 / rows.max(1) as f64;
        let heights = self.bands.iter().map(|b| LEAST_BAND + rest * share(b));
        heights.collect()
    }

    fn legend(&self) -> Vec<Entry> {
        let occurs = |mark: &Mark| {
            let mut marks = self.bands.iter().flat_map(|band| &band.marks);
            marks.any(|(_, _, other)| other == mark)
        };
        let shown = self.names.iter().filter(|(mark, _)| occurs(mark));
        let entry = |(mark, name): &(Mark, String)| match mark {
            Mark::Bar => Entry::new(name, mark.ink(), None, false),
            _ => Entry::tick(name, mark.ink(), mark.width()),
        };
        shown.map(entry).collect()
    }
}

impl Band {
    fn draw(&self, svg: &mut Svg, frame: &Frame<'_>, (low, high): (f64, f64)) {
        // A little air keeps the marks of one band off those of the next.
        let air = (high - low) * 0.06;
        let pitch = (high - low - 2.0 * air) / self.rows.max(1) as f64;
        let pixels = match (frame.y.place(0.0), frame.y.place(pitch)) {
            (Some(from), Some(to)) => (from - to).abs(),
            _ => 1.0,
        };
        let height = (pixels * 0.75).clamp(3.2, 9.0);
        for mark in [Mark::Bar, Mark::Plain, Mark::Weak, Mark::Strong] {
            let of_kind = self.marks.iter().filter(|(_, _, other)| *other == mark);
            let place = |&(x, row, _): &(f64, usize, Mark)| {
                let y = low + air + (row as f64 + 0.5) * pitch;
                Some((frame.x.place(x)?, frame.y.place(y)?))
            };
            let points: Vec<_> = of_kind.filter_map(place).collect();
            if points.is_empty() {
                continue;
            }
            let data = match mark {
                Mark::Bar => path::bars(points, BAR),
                Mark::Strong => path::ticks(points, height * 1.3),
                _ => path::ticks(points, height),
            };
            let path = svg.element("path").a("d", &data);
            let path = path.stroke(mark.ink(), mark.width());
            match mark {
                // What lies on it must be seen.
                Mark::Bar => path.n("stroke-opacity", 0.55).empty(),
                _ => path.empty(),
            }
        }
    }
}

impl Mark {
    fn ink(self) -> Ink {
        match self {
            Mark::Plain => Ink::Text,
            Mark::Strong => Ink::Series(1),
            Mark::Weak => Ink::Series(3),
            Mark::Bar => Ink::Series(2),
        }
    }

    fn width(self) -> f64 {
        match self {
            Mark::Plain => 1.1,
            Mark::Strong => 2.2,
            Mark::Weak => 1.4,
            Mark::Bar => 2.0,
        }
    }
}

/// A band's background, in the colour of the band's number.
fn draw_wash(svg: &mut Svg, frame: &Frame<'_>, (low, high): (f64, f64), n: usize) {
    let (Some(bottom), Some(top)) = (frame.y.place(low), frame.y.place(high)) else {
        return;
    };
    svg.element("rect")
        .n("x", frame.area.left)
        .n("y", top)
        .n("width", frame.area.width)
        .n("height", (bottom - top).max(0.0))
        .fill(Ink::Series(n))
        .n("fill-opacity", 0.09)
        .empty();
}
