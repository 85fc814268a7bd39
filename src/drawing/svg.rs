//! A small SVG writer. It closes what it opens and escapes what it is given, so its output is well-formed by construction.

use std::fmt::Write as _;

use super::palette::{FONT, Ink, Property, dark_style};

/// A place (pixels), y downwards.
pub(crate) type Point = (f64, f64);

/// Which part of a text lies at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A drawing under construction.
#[derive(Debug)]
pub(crate) struct Svg {
    out: String,
    open: Vec<&'static str>,
}

/// A start tag under construction: attributes first, then one of [`empty`](Element::empty), [`text`](Element::text) or
/// [`open`](Element::open).
#[must_use]
pub(crate) struct Element<'s> {
    svg: &'s mut Svg,
    tag: &'static str,
    classes: String,
}

impl Svg {
    /// Starts a drawing: the root with its size and spoken title, the dark style sheet, the paper.
    pub(crate) fn new((width, height): (f64, f64), title: &str) -> Self {
        let mut svg = Svg {
            out: String::new(),
            open: Vec::new(),
        };
        let view = format!("0 0 {} {}", number(width), number(height));
        svg.element("svg")
            .a("xmlns", "http://www.w3.org/2000/svg")
            .n("width", width)
            .n("height", height)
            .a("viewBox", &view)
            .a("role", "img")
            .a("aria-label", title)
            .a("font-family", FONT)
            .n("font-size", 11.0)
            .open();
        svg.element("style").text(&dark_style());
        svg.element("rect")
            .n("width", width)
            .n("height", height)
            .fill(Ink::Paper)
            .empty();
        svg
    }

    /// Starts an element.
    pub(crate) fn element(&mut self, tag: &'static str) -> Element<'_> {
        self.out.push('<');
        self.out.push_str(tag);
        Element {
            svg: self,
            tag,
            classes: String::new(),
        }
    }

    /// Opens a group that shows `title` under the pointer.
    pub(crate) fn group(&mut self, title: &str) {
        self.element("g").open();
        self.element("title").text(title);
    }

    /// Draws a straight line.
    pub(crate) fn line(&mut self, ink: Ink, width: f64, from: Point, to: Point) {
        let [x, y, to_x, to_y] = [from.0, from.1, to.0, to.1].map(number);
        self.element("path")
            .a("d", &format!("M{x} {y}L{to_x} {to_y}"))
            .stroke(ink, width)
            .empty();
    }

    /// Closes the innermost open element.
    pub(crate) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            let _ = write!(self.out, "</{tag}>");
        }
    }

    /// Closes everything and hands over the text.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }
}

impl<'s> Element<'s> {
    /// An attribute with any text as its value.
    pub(crate) fn a(self, name: &str, value: &str) -> Self {
        let out = &mut self.svg.out;
        let _ = write!(out, " {name}=\"");
        escape(value, out);
        out.push('"');
        self
    }

    /// An attribute with a number as its value.
    pub(crate) fn n(self, name: &str, value: f64) -> Self {
        self.a(name, &number(value))
    }

    /// Which part of a text lies at its point; the beginning unless said otherwise.
    pub(crate) fn anchor(self, anchor: Anchor) -> Self {
        match anchor {
            Anchor::Start => self,
            Anchor::Middle => self.a("text-anchor", "middle"),
            Anchor::End => self.a("text-anchor", "end"),
        }
    }

    /// Fills with `ink`.
    pub(crate) fn fill(self, ink: Ink) -> Self {
        self.a("fill", ink.light()).class(ink, Property::Fill)
    }

    /// Fills with a thin wash of `ink` and outlines with all of it.
    pub(crate) fn tint(self, ink: Ink, share: f64) -> Self {
        self.fill(ink)
            .n("fill-opacity", share)
            .a("stroke", ink.light())
            .class(ink, Property::Stroke)
    }

    /// Strokes with `ink`, without a fill.
    pub(crate) fn stroke(self, ink: Ink, width: f64) -> Self {
        self.a("fill", "none")
            .a("stroke", ink.light())
            .n("stroke-width", width)
            .class(ink, Property::Stroke)
    }

    /// Ends the element without content.
    pub(crate) fn empty(self) {
        self.end_attributes().out.push_str("/>");
    }

    /// Ends the element with text as its content.
    pub(crate) fn text(self, text: &str) {
        let tag = self.tag;
        let svg = self.end_attributes();
        svg.out.push('>');
        escape(text, &mut svg.out);
        let _ = write!(svg.out, "</{tag}>");
    }

    /// Leaves the element open for children; [`Svg::close`] ends it.
    pub(crate) fn open(self) {
        let tag = self.tag;
        let svg = self.end_attributes();
        svg.out.push('>');
        svg.open.push(tag);
    }

    fn class(mut self, ink: Ink, property: Property) -> Self {
        if !self.classes.is_empty() {
            self.classes.push(' ');
        }
        self.classes.push_str(&ink.class(property));
        self
    }

    fn end_attributes(self) -> &'s mut Svg {
        if !self.classes.is_empty() {
            let _ = write!(self.svg.out, " class=\"{}\"", self.classes);
        }
        self.svg
    }
}

/// Writes a coordinate: at most two decimals, no trailing zeros; what is not finite becomes 0.
pub(crate) fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    if !rounded.is_finite() || rounded.abs() < 0.005 {
        return "0".to_owned();
    }
    rounded.to_string()
}

/// Appends `text` so that XML and HTML read it back as plain text on one line. Characters that XML 1.0 does not allow become
/// U+FFFD, as do those that turn the direction of what follows.
pub(crate) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::well_formed;
    use super::*;

    #[test]
    fn coordinates_are_short_and_always_numbers() {
        assert_eq!(number(12.0), "12");
        assert_eq!(number(12.345_6), "12.35");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(f64::NAN), "0");
        assert_eq!(number(f64::INFINITY), "0");
    }

    #[test]
    fn hostile_text_cannot_leave_its_place() {
        let mut svg = Svg::new((600.0, 360.0), "\"><script>alert(1)</script>");
        svg.element("text")
            .a("x", "' onload='x")
            .text("a < b & c > \"d\" \u{0}\u{b} </text>");
        let xml = svg.finish();
        assert_eq!(well_formed(&xml), Ok(()));
        assert!(!xml.contains("<script"));
    }
}
