//! Text in a drawing: titles, labels, numbers.

use super::ticks::Label;
use crate::drawing as text;
use crate::drawing::Ink;
use crate::drawing::{Anchor, Svg, number};

/// Size of titles (pixels).
pub(super) const TITLE: f64 = 13.5;
/// Size of axis labels and names.
pub(super) const LABEL: f64 = 12.0;
/// Size of the numbers at ticks, and of notes.
pub(super) const TICK: f64 = 11.0;
/// Raised exponents, as a share of their size.
const RAISED: f64 = 0.75;

/// Colour, size (pixels) and alignment of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) ink: Ink,
    pub(super) size: f64,
    pub(super) anchor: Anchor,
}

/// An axis label or another text in the middle of something.
pub(super) const CENTRED: Style = Style {
    ink: Ink::Text,
    size: LABEL,
    anchor: Anchor::Middle,
};

/// A remark at the right end of a line.
pub(super) const NOTE: Style = Style {
    ink: Ink::Muted,
    size: TICK,
    anchor: Anchor::End,
};

/// Writes one line of text with its baseline at a point; nothing for an empty text.
pub(super) fn write(svg: &mut Svg, style: Style, (x, y): (f64, f64), content: &str) {
    if content.is_empty() {
        return;
    }
    svg.element("text")
        .n("x", x)
        .n("y", y)
        .n("font-size", style.size)
        .fill(style.ink)
        .anchor(style.anchor)
        .text(content);
}

/// Writes that there are no data, in the middle of `width` × `height` at a point.
pub(super) fn write_no_data(svg: &mut Svg, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let style = Style {
        ink: Ink::Muted,
        ..CENTRED
    };
    write(
        svg,
        style,
        (x + width / 2.0, y + height / 2.0 + 4.0),
        "no data",
    );
}

/// Writes the title of a plot, shortened to `room` (pixels).
pub(super) fn write_title(svg: &mut Svg, (x, y): (f64, f64), room: f64, title: &str) {
    if title.is_empty() {
        return;
    }
    svg.element("text")
        .n("x", x)
        .n("y", y)
        .n("font-size", TITLE)
        .a("font-weight", "600")
        .fill(Ink::Text)
        .text(&text::fit(title, TITLE * text::BOLD, room));
}

/// The width of a title (pixels).
pub(super) fn title_width(title: &str) -> f64 {
    text::width(title, TITLE * text::BOLD)
}

/// Writes the label of a vertical axis, read from below, with its middle at a point.
pub(super) fn write_upwards(svg: &mut Svg, (x, y): (f64, f64), content: &str) {
    if content.is_empty() {
        return;
    }
    let turned = format!("translate({} {})rotate(-90)", number(x), number(y));
    svg.element("text")
        .a("transform", &turned)
        .n("font-size", LABEL)
        .anchor(Anchor::Middle)
        .fill(Ink::Text)
        .text(content);
}

/// Writes the number at a tick.
pub(super) fn write_number(svg: &mut Svg, anchor: Anchor, (x, y): (f64, f64), label: &Label) {
    let style = Style { anchor, ..NOTE };
    // The exponent is a text of its own, placed by the estimated width: viewers disagree about shifts within a text.
    let (base, raised) = (
        text::width(&label.base, TICK),
        text::width(&label.exponent, TICK * RAISED),
    );
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - (base + raised) / 2.0,
        Anchor::End => x - base - raised,
    };
    if label.exponent.is_empty() {
        write(svg, style, (x, y), &label.base);
        return;
    }
    let from_left = Style {
        anchor: Anchor::Start,
        ..style
    };
    write(svg, from_left, (left, y), &label.base);
    let small = Style {
        size: TICK * RAISED,
        ..from_left
    };
    write(svg, small, (left + base + 0.5, y - 4.5), &label.exponent);
}

/// The width of the number at a tick (pixels).
pub(super) fn label_width(label: &Label) -> f64 {
    text::width(&label.base, TICK) + text::width(&label.exponent, TICK * RAISED)
}
