//! Matrices as pictures with axes.

use super::Canvas;
use super::axis::{Axis, Kind};
use super::bitmap::{Bitmap, Matrix, Placement};
use super::colour::Colours;
use super::colourbar::{ColourBar, image};
use super::frame::{Area, Frame, Spec};
use super::scale::Range;
use crate::drawing::Ink;
use crate::drawing::Svg;

/// The most cells drawn, across and down; a larger matrix is averaged.
const MOST: (usize, usize) = (600, 400);
/// Cells at least this large (pixels) are enlarged by the viewer, smaller ones here.
const LARGE: f64 = 8.0;
/// More cells than this are too small to show unequal sizes, and too many to enlarge.
const FINE: usize = 100_000;

/// Where row 0 lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// At the top, as a matrix is written.
    #[default]
    Top,
    /// At the bottom, as a vertical axis counts.
    Bottom,
}

/// A matrix drawn as coloured cells, with a colour bar.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heatmap {
    /// The title.
    pub title: String,
    /// What the columns are.
    pub x_label: String,
    /// What the rows are.
    pub y_label: String,
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// The values, row by row. Cells that are not finite, or beyond the end, stay grey.
    pub values: Vec<f64>,
    /// The colour map.
    pub colours: Colours,
    /// What the colours show, with its unit.
    pub value_label: String,
    /// Where row 0 lies.
    pub origin: Origin,
    /// Width over height of the picture, such as `Some(1.0)` for a square; it fills the canvas if none.
    pub aspect: Option<f64>,
    /// The coordinates of the left edge of the first and the right edge of the last column; cells are counted if none.
    pub x_range: Option<(f64, f64)>,
    /// The coordinates of the outer edges of row 0 and the last row; cells are counted if none.
    pub y_range: Option<(f64, f64)>,
    /// The values at the ends of the colour map; found from the data if none. With `Diverging`, made symmetric about 0.
    pub value_range: Option<(f64, f64)>,
}

impl Heatmap {
    /// Draws the plot.
    pub fn svg(&self, canvas: Canvas) -> String {
        let matrix = Matrix::new(self.rows, self.columns, &self.values);
        let range = value_range(self.value_range, self.colours, self.values.iter().copied())
            .filter(|_| !matrix.is_empty());
        let shown = range.unwrap_or(Range { lo: 0.0, hi: 1.0 });
        let bar = ColourBar::new(
            self.colours,
            shown,
            &self.value_label,
            canvas.height() - 80.0,
        );
        let x = axis(&self.x_label, self.x_range, matrix.columns);
        let y = Axis {
            downwards: self.origin == Origin::Top,
            ..axis(&self.y_label, self.y_range, matrix.rows)
        };
        let frame = Frame::new(Spec {
            right: bar.width(),
            aspect: self.aspect,
            picture: true,
            empty: range.is_none(),
            ..Spec::new(canvas, &self.title, x, y)
        });
        let mut svg = frame.begin();
        if let Some(range) = range {
            draw_missing(&mut svg, frame.area);
            let (bitmap, crisp) = self.bitmap(matrix, range, frame.area);
            image(&mut svg, frame.area, &bitmap.data_uri(self.colours), crisp);
            bar.draw(&mut svg, frame.area);
        }
        frame.end(svg)
    }

    /// The picture, and whether the viewer is to keep its pixels sharp. Small cells would come out unequal if the viewer
    /// rounded them to its pixels; they are enlarged here to at least two pixels of the picture to one of the plot, so that
    /// it can be scaled smoothly.
    fn bitmap(&self, matrix: Matrix<'_>, range: Range, area: Area) -> (Bitmap, bool) {
        let (columns, rows) = (matrix.columns.min(MOST.0), matrix.rows.min(MOST.1));
        let (across, down) = (area.width / columns as f64, area.height / rows as f64);
        let crisp = across >= LARGE && down >= LARGE;
        let as_it_is = crisp || columns * rows > FINE;
        let enlarged = |size: f64| {
            if as_it_is {
                1
            } else {
                (2.0 * size).ceil().clamp(1.0, 64.0) as usize
            }
        };
        let cell = (enlarged(across), enlarged(down));
        let mut bitmap = Bitmap::new(columns * cell.0, rows * cell.1);
        let placement = Placement {
            x: 0,
            y: 0,
            columns,
            rows,
            cell,
            upwards: self.origin == Origin::Bottom,
        };
        bitmap.paint(matrix, range, placement);
        (bitmap, crisp)
    }
}

/// The range of the colour map: as given, else of the data; symmetric for diverging colours. None without any value.
pub(super) fn value_range(
    given: Option<(f64, f64)>,
    colours: Colours,
    values: impl Iterator<Item = f64>,
) -> Option<Range> {
    let found = Range::of(values)?;
    let range = Range::given(given).unwrap_or(found);
    Some(if colours == Colours::Diverging {
        range.symmetric()
    } else {
        range
    })
}

/// The ground on which cells without a value stay transparent.
pub(super) fn draw_missing(svg: &mut Svg, area: Area) {
    svg.element("rect")
        .n("x", area.left)
        .n("y", area.top)
        .n("width", area.width)
        .n("height", area.height)
        .fill(Ink::Missing)
        .empty();
}

fn axis(label: &str, given: Option<(f64, f64)>, cells: usize) -> Axis<'_> {
    let counted = Range {
        lo: -0.5,
        hi: cells.max(1) as f64 - 0.5,
    };
    match Range::given(given) {
        Some(range) => Axis::linear(label, range),
        None => Axis {
            kind: Kind::Cells,
            ..Axis::linear(label, counted)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The height (pixels from the top) at which the vertical axis writes `number`.
    fn height_of(number: &str, svg: &str) -> f64 {
        let ends_with = format!(">{number}</text>");
        let mut texts = svg.split("<text ").filter(|t| t.contains("\"end\""));
        let text = texts.find(|t| t.contains(&ends_with)).unwrap_or_default();
        let y = text
            .split(" y=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        y.and_then(|y| y.parse().ok()).unwrap_or(f64::NAN)
    }

    #[test]
    fn cells_lie_where_the_axis_says() {
        let area = Area {
            left: 0.0,
            top: 0.0,
            width: 100.0,
            height: 100.0,
        };
        for (origin, zero_is_higher, upper) in
            [(Origin::Top, true, 1), (Origin::Bottom, false, 255)]
        {
            let map = Heatmap {
                rows: 2,
                columns: 1,
                values: vec![0.0, 1.0],
                origin,
                ..Heatmap::default()
            };
            let svg = map.svg(Canvas::HALF);
            let (zero, one) = (height_of("0", &svg), height_of("1", &svg));
            assert!(
                (zero - one).abs() > 50.0 && (zero < one) == zero_is_higher,
                "{origin:?}"
            );
            let matrix = Matrix::new(2, 1, &map.values);
            let (bitmap, _) = map.bitmap(matrix, Range { lo: 0.0, hi: 1.0 }, area);
            assert_eq!(bitmap.index(0, 0), upper, "{origin:?}");
        }
    }

    #[test]
    fn diverging_colours_have_zero_in_their_middle() {
        let found = value_range(None, Colours::Diverging, [-1.0, 3.0].into_iter());
        assert_eq!(found, Some(Range { lo: -3.0, hi: 3.0 }));
        let given = value_range(Some((0.0, 0.5)), Colours::Diverging, [1.0].into_iter());
        assert_eq!(given, Some(Range { lo: -0.5, hi: 0.5 }));
        assert_eq!(
            value_range(None, Colours::Sequential, [f64::NAN].into_iter()),
            None
        );
    }
}
