//! Many small images on one colour scale.

use super::Canvas;
use super::bitmap::{Bitmap, Matrix, Placement};
use super::colour::Colours;
use super::colourbar::{ColourBar, image};
use super::frame::Area;
use super::heatmap::{draw_missing, value_range};
use super::lettering::{CENTRED, LABEL, NOTE, Style, TICK, write, write_no_data, write_title};
use super::path;
use super::scale::Range;
use super::ticks;
use crate::drawing as text;
use crate::drawing::Ink;
use crate::drawing::Svg;

const EDGE: f64 = 16.0;
const NAME: f64 = 18.0;
/// The most images drawn; more would be specks.
const MOST: usize = 400;
/// Pixels of the picture to one of the plot, so that half pixels are sharp on fine screens.
const FINE: f64 = 2.0;

/// A grid of images of one size, such as receptive fields or the correlation matrices of three conditions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panels {
    /// The title.
    pub title: String,
    /// The name over each image; empty, or shorter than `images`, leaves names out.
    pub names: Vec<String>,
    /// How many rows an image has.
    pub rows: usize,
    /// How many columns an image has.
    pub columns: usize,
    /// The images, each row by row, the first row at the top. Cells that are not finite, or beyond the end, stay grey.
    pub images: Vec<Vec<f64>>,
    /// The colour map, common to all images.
    pub colours: Colours,
    /// What the colours show, with its unit.
    pub value_label: String,
    /// The values at the ends of the colour map; found from the data if none. With `Diverging`, made symmetric about 0.
    pub value_range: Option<(f64, f64)>,
}

/// Where the images lie.
#[derive(Debug, Clone, Copy)]
struct Grid {
    across: usize,
    down: usize,
    gap: f64,
    name: f64,
    /// Cells of an image as drawn, and pixels of the picture to a cell.
    columns: usize,
    rows: usize,
    cell: usize,
}

impl Panels {
    /// Draws the images as large as the canvas allows, and takes no more of its height than they need. Of more than 400
    /// images the first 400, which the drawing says.
    pub fn svg(&self, canvas: Canvas) -> String {
        let images = &self.images[..self.images.len().min(MOST)];
        let values = images.iter().flatten().copied();
        let range = value_range(self.value_range, self.colours, values);
        let Some(range) = range.filter(|_| self.rows > 0 && self.columns > 0) else {
            return self.empty(canvas);
        };
        let top = if self.title.is_empty() { 8.0 } else { 38.0 };
        let high = canvas.height() - top - EDGE;
        let bar = ColourBar::new(self.colours, range, &self.value_label, high);
        let wide = canvas.width() - 2.0 * EDGE - bar.width();
        let grid = self.grid(images.len(), (wide, high));
        let area = Area {
            left: EDGE + ((wide - grid.width()) / 2.0).max(0.0).floor(),
            top,
            width: grid.width(),
            height: grid.height(),
        };
        let drawn = Canvas::new(canvas.width(), area.bottom() + EDGE);
        let mut svg = Svg::new(drawn.size(), &self.title);
        self.draw_head(&mut svg, canvas, area.left);
        self.draw_images(&mut svg, images, (grid, area, range));
        self.draw_names(&mut svg, images.len(), grid, area);
        bar.draw(&mut svg, grid.without_first_names(area));
        svg.finish()
    }

    fn grid(&self, count: usize, room: (f64, f64)) -> Grid {
        let named = self.names.iter().take(count).any(|n| !n.is_empty());
        let name = if named { NAME } else { 0.0 };
        let gap = match count {
            0..=6 => 24.0,
            7..=60 => 8.0,
            _ => 4.0,
        };
        // The largest scale (pixels of the plot to a cell) over all shapes of the grid.
        let scale = |across: usize| {
            let (x, y) = (across as f64, count.div_ceil(across) as f64);
            let wide = (room.0 - (x - 1.0) * gap) / (x * self.columns as f64);
            let high = (room.1 - y * name - (y - 1.0) * gap) / (y * self.rows as f64);
            wide.min(high)
        };
        let shapes = (1..=count.max(1)).map(|across| (across, scale(across)));
        let (across, scale) = shapes.fold((1, f64::MIN), |a, b| if b.1 > a.1 { b } else { a });
        let fine = scale * FINE;
        // Less than a pixel to a cell: average the image instead.
        let fitted = |cells: usize, room: f64| {
            let most = (room * FINE).max(1.0);
            (cells as f64 * fine.min(1.0)).clamp(1.0, most) as usize
        };
        Grid {
            across,
            down: count.div_ceil(across),
            gap,
            name,
            columns: fitted(self.columns, room.0),
            rows: fitted(self.rows, room.1),
            cell: (fine as usize).max(1),
        }
    }

    fn draw_head(&self, svg: &mut Svg, canvas: Canvas, left: f64) {
        let all = self.images.len();
        let note = match all > MOST {
            true => format!(
                "first {MOST} of {}",
                ticks::labels(&[all as f64], 1.0).concat()
            ),
            false => String::new(),
        };
        let right = canvas.width() - EDGE;
        let room = right - left - text::width(&note, TICK) - 12.0;
        write_title(svg, (left, 21.0), room, &self.title);
        write(svg, NOTE, (right, 21.0), &note);
    }

    fn draw_images(
        &self,
        svg: &mut Svg,
        images: &[Vec<f64>],
        (grid, area, range): (Grid, Area, Range),
    ) {
        let mut bitmap = Bitmap::new((area.width * FINE) as usize, (area.height * FINE) as usize);
        let mut outlines = String::new();
        for (i, values) in images.iter().enumerate() {
            let panel = grid.panel(i, area);
            let placement = Placement {
                x: ((panel.left - area.left) * FINE).round() as usize,
                y: ((panel.top - area.top) * FINE).round() as usize,
                columns: grid.columns,
                rows: grid.rows,
                cell: (grid.cell, grid.cell),
                upwards: false,
            };
            draw_missing(svg, panel);
            bitmap.paint(
                Matrix::new(self.rows, self.columns, values),
                range,
                placement,
            );
            outlines.push_str(&path::rectangle(
                panel.left,
                panel.top,
                panel.width,
                panel.height,
            ));
        }
        image(svg, area, &bitmap.data_uri(self.colours), false);
        svg.element("path")
            .a("d", &outlines)
            .stroke(Ink::Axis, 0.5)
            .empty();
    }

    fn draw_names(&self, svg: &mut Svg, shown: usize, grid: Grid, area: Area) {
        for (i, name) in self.names.iter().enumerate().take(shown) {
            let panel = grid.panel(i, area);
            let size = if panel.width < 60.0 { 9.5 } else { LABEL };
            let style = Style { size, ..CENTRED };
            let at = (panel.left + panel.width / 2.0, panel.top - 6.0);
            write(svg, style, at, &text::fit(name, size, panel.width));
        }
    }

    fn empty(&self, canvas: Canvas) -> String {
        let mut svg = Svg::new(canvas.size(), &self.title);
        self.draw_head(&mut svg, canvas, EDGE);
        write_no_data(&mut svg, (0.0, 0.0), (canvas.width(), canvas.height()));
        svg.finish()
    }
}

impl Grid {
    fn panel_width(&self) -> f64 {
        (self.columns * self.cell) as f64 / FINE
    }

    fn panel_height(&self) -> f64 {
        (self.rows * self.cell) as f64 / FINE
    }

    fn width(&self) -> f64 {
        self.across as f64 * (self.panel_width() + self.gap) - self.gap
    }

    fn height(&self) -> f64 {
        self.down as f64 * (self.panel_height() + self.name + self.gap) - self.gap
    }

    /// The images alone, as the colour bar beside them is as high as they are.
    fn without_first_names(&self, area: Area) -> Area {
        Area {
            top: area.top + self.name,
            height: area.height - self.name,
            ..area
        }
    }

    fn panel(&self, i: usize, area: Area) -> Area {
        let (column, row) = ((i % self.across) as f64, (i / self.across) as f64);
        Area {
            left: area.left + column * (self.panel_width() + self.gap),
            top: area.top + row * (self.panel_height() + self.name + self.gap) + self.name,
            width: self.panel_width(),
            height: self.panel_height(),
        }
    }
}
