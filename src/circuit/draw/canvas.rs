//! A small SVG writer. It closes what it opens and escapes what it is given.

use std::fmt::Write as _;

use super::lettering::{Anchor, Line, Style};
use super::theme::{FONT, Ink, Property, dark_style};

/// A place (pixels), y downwards.
pub(super) type Point = (f64, f64);

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Canvas {
    out: String,
    open: Vec<&'static str>,
}

/// A start tag under construction: attributes first, then one of [`empty`](Element::empty), [`text`](Element::text) or
/// [`open`](Element::open).
#[must_use]
pub(super) struct Element<'c> {
    canvas: &'c mut Canvas,
    tag: &'static str,
    classes: String,
}

impl Canvas {
    /// Starts a drawing: the root with its size and spoken title, the dark style sheet, the paper.
    pub(super) fn new((width, height): (f64, f64), title: &str) -> Self {
        let mut canvas = Canvas {
            out: String::new(),
            open: Vec::new(),
        };
        let view = format!("0 0 {} {}", number(width), number(height));
        canvas
            .element("svg")
            .a("xmlns", "http://www.w3.org/2000/svg")
            .n("width", width)
            .n("height", height)
            .a("viewBox", &view)
            .a("role", "img")
            .a("aria-label", title)
            .a("font-family", FONT)
            .n("font-size", 11.0)
            .open();
        canvas.element("style").text(&dark_style());
        canvas
            .element("rect")
            .n("width", width)
            .n("height", height)
            .fill(Ink::Paper)
            .empty();
        canvas
    }

    /// Starts an element.
    pub(super) fn element(&mut self, tag: &'static str) -> Element<'_> {
        self.out.push('<');
        self.out.push_str(tag);
        Element {
            canvas: self,
            tag,
            classes: String::new(),
        }
    }

    /// Opens a group that shows `title` under the pointer.
    pub(super) fn group(&mut self, title: &str) {
        self.element("g").open();
        self.element("title").text(title);
    }

    /// Writes one line of text with its baseline at a point.
    pub(super) fn line(&mut self, line: &Line, anchor: Anchor, (x, y): Point) {
        let Style { size, ink, bold } = line.style;
        let mut element = self
            .element("text")
            .n("x", x)
            .n("y", y)
            .n("font-size", size);
        if bold {
            element = element.a("font-weight", "600");
        }
        element = match anchor {
            Anchor::Start => element,
            Anchor::Middle => element.a("text-anchor", "middle"),
            Anchor::End => element.a("text-anchor", "end"),
        };
        element.fill(ink).text(&line.text);
    }

    /// Closes the innermost open element.
    pub(super) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            let _ = write!(self.out, "</{tag}>");
        }
    }

    /// Closes everything and hands over the text.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.push('\n');
        self.out
    }
}

impl<'c> Element<'c> {
    /// An attribute with any text as its value.
    pub(super) fn a(self, name: &str, value: &str) -> Self {
        let out = &mut self.canvas.out;
        let _ = write!(out, " {name}=\"");
        escape(value, out);
        out.push('"');
        self
    }

    /// An attribute with a number as its value.
    pub(super) fn n(self, name: &str, value: f64) -> Self {
        self.a(name, &number(value))
    }

    /// Fills with `ink`.
    pub(super) fn fill(self, ink: Ink) -> Self {
        self.a("fill", ink.light()).class(ink, Property::Fill)
    }

    /// Fills with a thin wash of `ink` and outlines with all of it.
    pub(super) fn tint(self, ink: Ink, share: f64) -> Self {
        self.fill(ink)
            .n("fill-opacity", share)
            .a("stroke", ink.light())
            .class(ink, Property::Stroke)
    }

    /// Strokes with `ink`, without a fill.
    pub(super) fn stroke(self, ink: Ink, width: f64) -> Self {
        self.a("fill", "none")
            .a("stroke", ink.light())
            .n("stroke-width", width)
            .class(ink, Property::Stroke)
    }

    /// Ends the element without content.
    pub(super) fn empty(self) {
        self.end_attributes().out.push_str("/>");
    }

    /// Ends the element with text as its content.
    pub(super) fn text(self, text: &str) {
        let tag = self.tag;
        let canvas = self.end_attributes();
        canvas.out.push('>');
        escape(text, &mut canvas.out);
        let _ = write!(canvas.out, "</{tag}>");
    }

    /// Leaves the element open for children; [`Canvas::close`] ends it.
    pub(super) fn open(self) {
        let tag = self.tag;
        let canvas = self.end_attributes();
        canvas.out.push('>');
        canvas.open.push(tag);
    }

    fn class(mut self, ink: Ink, property: Property) -> Self {
        if !self.classes.is_empty() {
            self.classes.push(' ');
        }
        self.classes.push_str(&ink.class(property));
        self
    }

    fn end_attributes(self) -> &'c mut Canvas {
        if !self.classes.is_empty() {
            let _ = write!(self.canvas.out, " class=\"{}\"", self.classes);
        }
        self.canvas
    }
}

/// Writes a coordinate: at most two decimals, no trailing zeros; what is not finite becomes 0.
pub(super) fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    if !rounded.is_finite() || rounded.abs() < 0.005 {
        return "0".to_owned();
    }
    rounded.to_string()
}

/// Appends `text` so that XML and HTML read it back as plain text on one line. Characters that XML 1.0 does not allow become
/// U+FFFD, as do those that turn the direction of what follows.
pub(super) fn escape(text: &str, out: &mut String) {
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
