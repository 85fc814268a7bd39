//! Text: how wide it is, how it is shortened and broken into lines.

use crate::drawing::{self, Anchor, BOLD, Ink, Point, Svg};

/// Size, colour and weight of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    /// Height of the type (pixels).
    pub(super) size: f64,
    /// Its colour.
    pub(super) ink: Ink,
    /// Whether it is bold.
    pub(super) bold: bool,
}

/// Titles and names of populations.
pub(super) const TITLE: Style = style(13.5, Ink::Text, true);
/// Names of projections, inputs and modulators.
pub(super) const NAME: Style = style(12.0, Ink::Text, true);
/// Names of compartments, and what is said of a name.
pub(super) const PLAIN: Style = style(11.5, Ink::Text, false);
/// Remarks.
pub(super) const NOTE: Style = style(11.0, Ink::Muted, false);
/// Remarks on modulators.
pub(super) const HINT: Style = style(11.0, Ink::Modulator, false);

const fn style(size: f64, ink: Ink, bold: bool) -> Style {
    Style { size, ink, bold }
}

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) style: Style,
}

/// Lines one under the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Block {
    pub(super) lines: Vec<Line>,
}

impl Style {
    /// The distance between baselines.
    pub(super) fn leading(self) -> f64 {
        self.size + 3.5
    }

    /// The size of regular letters that are as wide.
    fn regular_size(self) -> f64 {
        self.size * if self.bold { BOLD } else { 1.0 }
    }

    /// The estimated width of a text (pixels).
    pub(super) fn width(self, text: &str) -> f64 {
        drawing::width(text, self.regular_size())
    }

    /// `text` as it is if it fits into `room` (pixels), else its beginning and an ellipsis.
    pub(super) fn fit(self, text: &str, room: f64) -> String {
        drawing::fit(text, self.regular_size(), room)
    }

    /// `text` broken between words into at most `most` lines of `room` (pixels); what does not fit ends in an ellipsis.
    pub(super) fn wrap(self, text: &str, room: f64, most: usize) -> Vec<Line> {
        let mut lines: Vec<String> = Vec::new();
        let mut used = 0.0;
        for word in text.split_whitespace() {
            let width = self.width(word) + self.width(" ");
            let may_break = used + width > room && lines.len() < most;
            if let Some(line) = lines.last_mut().filter(|_| !may_break) {
                line.push(' ');
                line.push_str(word);
                used += width;
                continue;
            }
            lines.push(word.to_owned());
            used = width;
        }
        lines
            .into_iter()
            .map(|line| self.line(&line, room))
            .collect()
    }

    /// A line, shortened to `room` (pixels).
    pub(super) fn line(self, text: &str, room: f64) -> Line {
        Line {
            text: self.fit(text, room),
            style: self,
        }
    }
}

impl Line {
    /// Writes it with its baseline at a point.
    pub(super) fn draw(&self, svg: &mut Svg, anchor: Anchor, (x, y): Point) {
        let Style { size, ink, bold } = self.style;
        let mut element = svg.element("text").n("x", x).n("y", y).n("font-size", size);
        if bold {
            element = element.a("font-weight", "600");
        }
        element.anchor(anchor).fill(ink).text(&self.text);
    }
}

impl Block {
    /// The width of its widest line (pixels).
    pub(super) fn width(&self) -> f64 {
        let widths = self.lines.iter().map(|l| l.style.width(&l.text));
        widths.fold(0.0, f64::max)
    }

    /// Its height (pixels).
    pub(super) fn height(&self) -> f64 {
        self.lines.iter().map(|l| l.style.leading()).sum()
    }
}
