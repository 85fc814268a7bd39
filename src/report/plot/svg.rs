//! A small SVG writer. It closes what it opens and escapes what it is given, so its output is well-formed by construction.

use std::fmt::Write as _;

use super::Canvas;
use super::theme::{FONT, Ink, dark_style};

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Svg {
    out: String,
    open: Vec<&'static str>,
}

/// A start tag under construction: attributes first, then one of [`empty`](Element::empty), [`text`](Element::text) or
/// [`open`](Element::open).
#[must_use]
pub(super) struct Element<'s> {
    svg: &'s mut Svg,
    tag: &'static str,
    classes: Vec<String>,
}

impl Svg {
    /// Starts a drawing: the root with its size, spoken title and type, the dark style sheet, the paper.
    pub(super) fn new(canvas: Canvas, title: &str) -> Self {
        let mut svg = Svg {
            out: String::new(),
            open: Vec::new(),
        };
        let (width, height) = (canvas.width(), canvas.height());
        svg.element("svg")
            .a("xmlns", "http://www.w3.org/2000/svg")
            .n("width", width)
            .n("height", height)
            .a(
                "viewBox",
                &format!("0 0 {} {}", number(width), number(height)),
            )
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
    pub(super) fn element(&mut self, tag: &'static str) -> Element<'_> {
        self.out.push('<');
        self.out.push_str(tag);
        Element {
            svg: self,
            tag,
            classes: Vec::new(),
        }
    }

    /// A straight line from `from` to `to`.
    pub(super) fn line(&mut self, ink: Ink, width: f64, from: (f64, f64), to: (f64, f64)) {
        self.element("path")
            .a(
                "d",
                &format!(
                    "M{} {}L{} {}",
                    number(from.0),
                    number(from.1),
                    number(to.0),
                    number(to.1)
                ),
            )
            .stroke(ink)
            .n("stroke-width", width)
            .empty();
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
        self.out
    }
}

impl Element<'_> {
    /// An attribute with any text as its value.
    pub(super) fn a(self, name: &str, value: &str) -> Self {
        let _ = write!(self.svg.out, " {name}=\"");
        escape(value, &mut self.svg.out);
        self.svg.out.push('"');
        self
    }

    /// An attribute with a number as its value.
    pub(super) fn n(self, name: &str, value: f64) -> Self {
        self.a(name, &number(value))
    }

    /// Fills with `ink`.
    pub(super) fn fill(mut self, ink: Ink) -> Self {
        self.classes.push(ink.class("f"));
        self.a("fill", ink.light())
    }

    /// Strokes with `ink`, without a fill.
    pub(super) fn stroke(mut self, ink: Ink) -> Self {
        self.classes.push(ink.class("s"));
        self.a("fill", "none").a("stroke", ink.light())
    }

    /// Ends the element without content.
    pub(super) fn empty(self) {
        let svg = self.end_attributes();
        svg.out.push_str("/>");
    }

    /// Ends the element with text as its content.
    pub(super) fn text(self, text: &str) {
        let tag = self.tag;
        let svg = self.end_attributes();
        svg.out.push('>');
        escape(text, &mut svg.out);
        let _ = write!(svg.out, "</{tag}>");
    }

    /// Leaves the element open for children; [`Svg::close`] ends it.
    pub(super) fn open(self) {
        let tag = self.tag;
        let svg = self.end_attributes();
        svg.out.push('>');
        svg.open.push(tag);
    }
}

impl<'s> Element<'s> {
    fn end_attributes(self) -> &'s mut Svg {
        if !self.classes.is_empty() {
            let _ = write!(self.svg.out, " class=\"{}\"", self.classes.join(" "));
        }
        self.svg
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

/// Appends `text` so that XML and HTML read it back as plain text. Characters that XML 1.0 does not allow become U+FFFD.
pub(in crate::report) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}')
            }
            _ => out.push(c),
        }
    }
}

/// Walks the tags of `xml` and says what is wrong: an unbalanced tag, a repeated or unquoted attribute, a bare `&`.
#[cfg(test)]
pub(in crate::report) fn well_formed(xml: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        references(&rest[..start])?;
        rest = &rest[start + 1..];
        let end = rest.find('>').ok_or("a tag without an end")?;
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name => {}
                other => return Err(format!("</{name}> closes {other:?}")),
            }
        } else if !tag.starts_with("!DOCTYPE") {
            let body = tag.strip_suffix('/').unwrap_or(tag);
            let name = body.split_whitespace().next().unwrap_or("");
            attributes(&body[name.len()..])?;
            if body.len() == tag.len() {
                open.push(name);
            }
        }
    }
    references(rest)?;
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("left open: {open:?}"))
    }
}

#[cfg(test)]
fn attributes(mut text: &str) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    while !text.trim().is_empty() {
        let (name, after) = text
            .trim_start()
            .split_once("=\"")
            .ok_or(format!("no value in `{text}`"))?;
        if name.contains([' ', '"', '\'']) || seen.contains(&name) {
            return Err(format!("attribute `{name}`"));
        }
        seen.push(name);
        let (value, after) = after
            .split_once('"')
            .ok_or(format!("`{name}` does not end"))?;
        references(value)?;
        text = after;
    }
    Ok(())
}

#[cfg(test)]
fn references(text: &str) -> Result<(), String> {
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(format!("a control character in `{text}`"));
    }
    let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    let bad = text
        .split('&')
        .skip(1)
        .find(|after| !known.iter().any(|k| after.starts_with(k)));
    bad.map_or(Ok(()), |after| Err(format!("a bare & before `{after}`")))
}

#[cfg(test)]
mod tests {
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
        let mut svg = Svg::new(Canvas::HALF, "\"><script>alert(1)</script>");
        svg.element("text")
            .a("x", "' onload='x")
            .text("a < b & c > \"d\" \u{0}\u{b} </text>");
        let xml = svg.finish();
        assert_eq!(well_formed(&xml), Ok(()));
        assert!(!xml.contains("<script"));
    }

    #[test]
    fn the_walk_sees_what_is_broken() {
        for broken in [
            "<a><b></a></b>",
            "<a>",
            "<a x=1/>",
            "<a x=\"1\" x=\"2\"/>",
            "<a>&</a>",
            "<a>\u{1}</a>",
        ] {
            assert!(well_formed(broken).is_err(), "{broken}");
        }
    }
}
