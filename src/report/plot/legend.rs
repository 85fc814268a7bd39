//! The legend: which curve is which.

use super::lettering::{CENTRED, LABEL, Style, write};
use crate::drawing as text;
use crate::drawing::Anchor;
use crate::drawing::Ink;
use crate::drawing::Svg;

/// Height of a row.
const ROW: f64 = 17.0;
/// Length of a sample line, and the gaps after it and after an entry.
const SAMPLE: f64 = 20.0;
const GAP: f64 = 6.0;
const APART: f64 = 18.0;
/// More rows than this would push the plot off its canvas.
const MOST_ROWS: usize = 4;

/// A line of the legend.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    name: String,
    ink: Ink,
    dash: Option<&'static str>,
    marks: bool,
    line: bool,
    /// The width of an upright stroke (pixels).
    tick: Option<f64>,
}

impl Entry {
    /// An entry; a long name is shortened.
    pub(super) fn new(name: &str, ink: Ink, dash: Option<&'static str>, marks: bool) -> Self {
        Entry {
            name: text::fit(name, LABEL, 220.0),
            ink,
            dash,
            marks,
            line: true,
            tick: None,
        }
    }

    /// The entry of upright strokes of a width (pixels).
    pub(super) fn tick(name: &str, ink: Ink, width: f64) -> Self {
        Entry {
            tick: Some(width),
            ..Entry::new(name, ink, None, false).without_line()
        }
    }

    /// The entry of marks with no line between them.
    pub(super) fn without_line(self) -> Self {
        Entry {
            line: false,
            ..self
        }
    }

    fn width(&self) -> f64 {
        SAMPLE + GAP + text::width(&self.name, LABEL) + APART
    }

    fn draw(&self, svg: &mut Svg, (x, y): (f64, f64)) {
        if self.line {
            let line = svg
                .element("path")
                .a("d", &format!("M{x:.1} {y:.1}h{SAMPLE}"))
                .stroke(self.ink, 2.0);
            match self.dash {
                Some(dash) => line.a("stroke-dasharray", dash).empty(),
                None => line.empty(),
            }
        }
        if let Some(width) = self.tick {
            let x = x + SAMPLE / 2.0;
            svg.line(self.ink, width, (x, y - 4.5), (x, y + 4.5));
        }
        if self.marks {
            svg.element("circle")
                .n("cx", x + SAMPLE / 2.0)
                .n("cy", y)
                .n("r", 2.75)
                .fill(self.ink)
                .empty();
        }
        let style = Style {
            anchor: Anchor::Start,
            ..CENTRED
        };
        write(svg, style, (x + SAMPLE + GAP, y + 4.0), &self.name);
    }
}

/// Entries in rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Legend {
    rows: Vec<Vec<Entry>>,
}

impl Legend {
    /// Breaks the entries into rows no wider than `room`; what has no name has no entry.
    pub(super) fn new(entries: Vec<Entry>, room: f64) -> Self {
        let mut rows: Vec<Vec<Entry>> = Vec::new();
        let mut used = f64::INFINITY;
        for entry in entries.into_iter().filter(|e| !e.name.is_empty()) {
            let width = entry.width();
            if used + width > room {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += width;
            if let Some(row) = rows.last_mut() {
                row.push(entry);
            }
        }
        rows.truncate(MOST_ROWS);
        Legend { rows }
    }

    /// The height it takes, with the space under it (pixels); 0 if it is empty.
    pub(super) fn height(&self) -> f64 {
        if self.rows.is_empty() {
            return 0.0;
        }
        self.rows.len() as f64 * ROW + 4.0
    }

    /// Draws it with its top left corner at a point.
    pub(super) fn draw(&self, svg: &mut Svg, (left, top): (f64, f64)) {
        for (row, entries) in self.rows.iter().enumerate() {
            let y = top + row as f64 * ROW + 6.0;
            let mut x = left;
            for entry in entries {
                entry.draw(svg, (x, y));
                x += entry.width();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_names_take_no_more_than_their_rows() {
        let entries =
            (0..100).map(|n| Entry::new(&format!("population {n}"), Ink::Series(n), None, false));
        let legend = Legend::new(entries.collect(), 480.0);
        assert_eq!(legend.rows.len(), MOST_ROWS);
        for row in &legend.rows {
            assert!(row.iter().map(Entry::width).sum::<f64>() <= 480.0);
        }
    }

    #[test]
    fn nameless_curves_need_no_legend() {
        let legend = Legend::new(vec![Entry::new("", Ink::Series(0), None, true)], 480.0);
        assert!(legend.rows.is_empty() && legend.height() < 1e-9);
    }
}
