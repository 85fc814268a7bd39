//! Curves.

use super::Canvas;
use super::axis::{Axis, Kind};
use super::dash::dash;
use super::decimate::{self, Point};
use super::frame::{Frame, Spec};
use super::legend::Entry;
use super::path;
use super::scale::Range;
use crate::drawing::Ink;
use crate::drawing::Svg;

/// More marks than this on one curve would hide it.
const MOST_MARKS: usize = 200;

/// The room that strokes along the top take, as a share of the range of the values.
const RUG: f64 = 0.09;

/// Half the width of the cap of a bar (pixels).
const CAP: f64 = 3.5;

/// A curve.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The name in the legend; empty for none.
    pub name: String,
    /// Where on the horizontal axis; if `x` and `y` differ in length, the shorter one counts.
    pub x: Vec<f64>,
    /// The values; what is not finite breaks the curve.
    pub y: Vec<f64>,
    /// The lower and upper edge of a band around the curve, at the same places.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// Half the length of a bar through each point, as for an error; none where it is not finite.
    pub bars: Option<Vec<f64>>,
    /// Whether the curve is dashed, as for a reference.
    pub dashed: bool,
    /// Whether the points are marked (left out where there are too many to tell apart).
    pub marks: bool,
    /// Whether only the marks are drawn, in a lighter shade, and no line between them.
    pub unjoined: bool,
    /// Whether the curve is grey and lies under those that are not, as one of many.
    pub faint: bool,
}

/// Strokes along the top of a plot, as for spikes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rug {
    /// The name in the legend; empty for none.
    pub name: String,
    /// Where on the horizontal axis.
    pub x: Vec<f64>,
    /// Whether they are thicker and taller.
    pub strong: bool,
}

/// A plot of curves over a common horizontal axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lines {
    /// The title.
    pub title: String,
    /// What the horizontal axis shows, with its unit.
    pub x_label: String,
    /// What the vertical axis shows, with its unit.
    pub y_label: String,
    /// The curves; later ones lie over earlier ones, faint ones under the others.
    pub series: Vec<Series>,
    /// Strokes along the top.
    pub rugs: Vec<Rug>,
    /// Whether the vertical axis is logarithmic; values that are not positive are then missing.
    pub log_y: bool,
    /// Whether the horizontal axis is logarithmic; values at places that are not positive are then missing.
    pub log_x: bool,
    /// Places on the horizontal axis at which something is written, and what; numbers at even distances if there are none.
    pub x_names: Vec<(f64, String)>,
    /// The ends of the horizontal axis; found from the data if none (or if it makes no sense).
    pub x_range: Option<(f64, f64)>,
    /// The ends of the vertical axis; found from the data if none (or if it makes no sense).
    pub y_range: Option<(f64, f64)>,
}

impl Lines {
    /// Draws the plot.
    pub fn svg(&self, canvas: Canvas) -> String {
        let frame = Frame::new(self.spec(canvas));
        let mut svg = frame.begin();
        frame.open_clip(&mut svg);
        for (n, series) in self.series.iter().enumerate() {
            series.draw_band(&mut svg, &frame, n);
        }
        for faint in [true, false] {
            let some = self.series.iter().enumerate();
            for (n, series) in some.filter(|(_, series)| series.faint == faint) {
                series.draw(&mut svg, &frame, n);
            }
        }
        for rug in &self.rugs {
            rug.draw(&mut svg, &frame);
        }
        svg.close();
        frame.end(svg)
    }

    fn spec(&self, canvas: Canvas) -> Spec<'_> {
        let (x_range, y_range) = (self.x_range(), self.y_range());
        // The ends do not matter where there is nothing to show, only that a logarithmic axis has positive ones.
        let nothing = Range { lo: 0.1, hi: 1.0 };
        let x = Axis {
            kind: self.x_kind(),
            named: &self.x_names,
            ..Axis::linear(&self.x_label, x_range.unwrap_or(nothing))
        };
        let kind = match self.log_y {
            true => Kind::Logarithmic,
            false => Kind::Linear,
        };
        let y = Axis {
            kind,
            ..Axis::linear(&self.y_label, y_range.unwrap_or(nothing))
        };
        let series = self.series.iter().enumerate();
        Spec {
            legend: series
                .map(|(n, s)| s.entry(n))
                .chain(self.rugs.iter().map(Rug::entry))
                .collect(),
            empty: x_range.is_none(),
            ..Spec::new(canvas, &self.title, x, y)
        }
    }

    /// What counts in whole numbers has no others on its axis.
    fn x_kind(&self) -> Kind {
        if self.log_x {
            return Kind::Logarithmic;
        }
        let mut finite = self
            .series
            .iter()
            .flat_map(|s| &s.x)
            .filter(|x| x.is_finite());
        match finite.all(|x| x.fract().abs() < f64::EPSILON) {
            true => Kind::Cells,
            false => Kind::Linear,
        }
    }

    fn shows(&self, value: f64) -> bool {
        value.is_finite() && (!self.log_y || value > 0.0)
    }

    fn x_range(&self) -> Option<Range> {
        let points = self.series.iter().flat_map(|s| s.x.iter().zip(&s.y));
        let shown = points.filter(|(x, y)| self.shows(**y) && (!self.log_x || **x > 0.0));
        let range = Range::of(shown.map(|(x, _)| *x))?;
        let given = Range::given(self.x_range).filter(|r| !self.log_x || r.lo > 0.0);
        if given.is_some() {
            return given;
        }
        if self.log_x {
            // A single place is given a range around it, which is positive too.
            return Some(range.padded_decades(0.04));
        }
        // Marks at the ends are not to be cut in half.
        let marked = self.series.iter().any(Series::marked);
        Some(if marked { range.padded(0.015) } else { range })
    }

    fn y_range(&self) -> Option<Range> {
        let given = Range::given(self.y_range).filter(|r| !self.log_y || r.lo > 0.0);
        if given.is_some() {
            return given;
        }
        let values = self.series.iter().flat_map(Series::values);
        let range = Range::of(values.filter(|v| self.shows(*v)))?;
        if !self.log_y {
            let mut range = range.padded(0.05);
            if self.rugs.iter().any(|rug| !rug.x.is_empty()) {
                range.hi += RUG * range.span();
            }
            return Some(range);
        }
        // A constant near 0 is given a range around it, which a logarithmic axis cannot hold.
        let lo = range.lo.max(range.hi * 1e-300);
        Some(Range { lo, ..range }.padded_decades(0.04))
    }
}

impl Rug {
    fn style(&self) -> (Ink, f64, f64) {
        match self.strong {
            true => (Ink::Series(1), 2.2, 11.0),
            false => (Ink::Text, 1.2, 8.0),
        }
    }

    fn entry(&self) -> Entry {
        let (ink, width, _) = self.style();
        Entry::tick(&self.name, ink, width)
    }

    fn draw(&self, svg: &mut Svg, frame: &Frame<'_>) {
        let (ink, width, height) = self.style();
        let inside = self.x.iter().filter_map(|x| frame.x.place(*x));
        // More than a few to a pixel add nothing.
        let most = 4 * frame.area.width as usize;
        let places = inside.map(|x| (x, frame.area.top + 7.0)).take(most);
        let path = svg.element("path").a("d", &path::ticks(places, height));
        path.stroke(ink, width).empty();
    }
}

impl Series {
    fn entry(&self, n: usize) -> Entry {
        let dash = self.dash(n);
        let entry = Entry::new(&self.name, Ink::Series(n), dash, self.marked());
        match self.unjoined {
            true => entry.without_line(),
            false => entry,
        }
    }

    /// All values that have a place on the horizontal axis, those of the band and the ends of bars included.
    fn values(&self) -> impl Iterator<Item = f64> {
        let band = self.band.iter().flat_map(|(lower, upper)| [lower, upper]);
        let all = std::iter::once(&self.y).chain(band);
        let placed = all.flat_map(|values| self.x.iter().zip(values));
        let placed = placed
            .filter(|(x, _)| x.is_finite())
            .map(|(_, value)| *value);
        placed.chain(self.ends().flat_map(|(_, low, high)| [low, high]))
    }

    /// The bars: where, and their ends.
    fn ends(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let points = self.x.iter().zip(&self.y);
        let bars = self.bars.iter().flatten();
        let ends = points
            .zip(bars)
            .map(|((x, y), half)| (*x, y - half, y + half));
        ends.filter(|(x, low, high)| x.is_finite() && low.is_finite() && high.is_finite())
    }

    /// A curve without a name need not be told apart from others, so its dashes would only be noise.
    fn dash(&self, n: usize) -> Option<&'static str> {
        let n = if self.name.is_empty() { 0 } else { n };
        dash(n, self.dashed)
    }

    fn marked(&self) -> bool {
        let points = self.x.len().min(self.y.len());
        points == 1 || self.unjoined || (self.marks && points <= MOST_MARKS)
    }

    fn draw(&self, svg: &mut Svg, frame: &Frame<'_>, n: usize) {
        let place = |(x, y): (&f64, &f64)| Some((frame.x.place(*x)?, frame.y.place(*y)?));
        if self.unjoined {
            let dots = self.x.iter().zip(&self.y).filter_map(place);
            svg.element("path")
                .a("d", &path::dots(dots))
                .stroke(Ink::Series(n), 5.5)
                .n("stroke-opacity", 0.55)
                .a("stroke-linecap", "round")
                .empty();
            return;
        }
        self.draw_bars(svg, frame, n);
        let segments = decimate::line(self.x.iter().zip(&self.y).map(place));
        // A curve with a point or more to every pixel is a texture: thinner strokes keep it open.
        let density = segments.iter().map(Vec::len).sum::<usize>() as f64 / frame.area.width;
        let width = match density {
            ..0.5 => 1.6,
            ..1.5 => 1.25,
            _ => 1.0,
        };
        let (ink, width) = match self.faint {
            true => (Ink::Series(6), 0.7),
            false => (Ink::Series(n), width),
        };
        let stroke = svg
            .element("path")
            .a("d", &path::lines(&segments))
            .stroke(ink, width)
            .a("stroke-linejoin", "round")
            .a("stroke-linecap", "round");
        match self.dash(n) {
            Some(dash) => stroke.a("stroke-dasharray", dash).empty(),
            None => stroke.empty(),
        }
        if self.marked() {
            svg.element("path")
                .a(
                    "d",
                    &path::dots(self.x.iter().zip(&self.y).filter_map(place)),
                )
                .stroke(Ink::Series(n), 5.5)
                .a("stroke-linecap", "round")
                .empty();
        }
    }

    fn draw_bars(&self, svg: &mut Svg, frame: &Frame<'_>, n: usize) {
        let mut bars = Vec::new();
        for (x, low, high) in self.ends() {
            // On a logarithmic axis an end at or below 0 lies below the plot.
            let low = frame.y.place(low).unwrap_or(frame.area.bottom() + 10.0);
            let (Some(x), Some(high)) = (frame.x.place(x), frame.y.place(high)) else {
                continue;
            };
            bars.push(vec![(x, low), (x, high)]);
            bars.extend([low, high].map(|y| vec![(x - CAP, y), (x + CAP, y)]));
        }
        if !bars.is_empty() {
            svg.element("path")
                .a("d", &path::lines(&bars))
                .stroke(Ink::Series(n), 1.3)
                .empty();
        }
    }

    fn draw_band(&self, svg: &mut Svg, frame: &Frame<'_>, n: usize) {
        let Some((lower, upper)) = &self.band else {
            return;
        };
        // On a logarithmic axis an edge at or below 0 lies below the plot.
        let edge = |y: f64| {
            frame
                .y
                .place(y)
                .or_else(|| y.is_finite().then(|| frame.area.bottom() + 10.0))
        };
        let place = |(x, (lo, hi)): (&f64, (&f64, &f64))| {
            Some((frame.x.place(*x)?, (edge(*hi)?, edge(*lo)?)))
        };
        for run in runs(self.x.iter().zip(lower.iter().zip(upper)).map(place)) {
            let (top, bottom) = hull(&run);
            svg.element("path")
                .a("d", &path::area(&top, &bottom))
                .fill(Ink::Series(n))
                .n("fill-opacity", 0.2)
                .empty();
        }
    }
}

/// A place on the band: x, and y of the upper and the lower edge (pixels).
type Span = (f64, (f64, f64));

/// The stretches between missing places; at most 200, for a band in shreds says no more.
fn runs(spans: impl Iterator<Item = Option<Span>>) -> Vec<Vec<Span>> {
    let mut runs: Vec<Vec<Span>> = vec![Vec::new()];
    for span in spans {
        match (span, runs.last_mut()) {
            (Some(span), Some(run)) => run.push(span),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs.truncate(200);
    runs
}

/// The upper and the lower edge of a run, one point to a pixel column where there are more.
fn hull(run: &[Span]) -> (Vec<Point>, Vec<Point>) {
    let (mut top, mut bottom): (Vec<Point>, Vec<Point>) = (Vec::new(), Vec::new());
    for &(x, (high, low)) in run {
        match (top.last_mut(), bottom.last_mut()) {
            (Some(t), Some(b)) if t.0.floor() as i64 == x.floor() as i64 => {
                t.1 = t.1.min(high);
                b.1 = b.1.max(low);
            }
            _ => {
                top.push((x, high));
                bottom.push((x, low));
            }
        }
    }
    (top, bottom)
}
