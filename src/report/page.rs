//! The report as one HTML file: sections of text, tables and figures, with nothing to fetch.
//!
//! In texts, remarks, captions and tables, what stands between backticks is set as code.
//!
//! The page needs no network, no fonts and no script to be read; a content security policy in its head forbids all three kinds
//! of request. A few lines of script let a click enlarge a figure.

use std::collections::HashSet;

use super::html::Html;
use super::style::{POLICY, SCRIPT, STYLE, variables};

/// A report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The title, also of the browser's tab.
    pub title: String,
    /// A line under the title: when, where, how long.
    pub subtitle: String,
    /// What the reader must know before anything else, in a frame under the title.
    pub alerts: Vec<String>,
    /// The sections, in order.
    pub sections: Vec<Section>,
}

/// A part of a report under a heading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The name by which links find it (`report.html#anchor`); made from the heading if empty.
    pub anchor: String,
    /// Paragraphs of plain text.
    pub text: Vec<String>,
    /// Remarks on what is missing or doubtful, set off from the text.
    pub notes: Vec<String>,
    /// A table of named values, shown after the text.
    pub table: Option<Vec<Row>>,
    /// A table of several columns, shown after that of named values.
    pub grid: Option<Grid>,
    /// The figures, shown after the tables, two in a row.
    pub figures: Vec<Figure>,
}

/// A table with a heading over each column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// The headings.
    pub head: Vec<String>,
    /// How many of the first columns name a row.
    pub names: usize,
    /// The rows, as long as the head.
    pub rows: Vec<Vec<String>>,
}

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// What the value is.
    pub name: String,
    /// The value, with its unit.
    pub value: String,
    /// A remark; may be empty.
    pub note: String,
}

/// A drawing with its caption.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    /// The stem of the figure's file, by which links find it (`report.html#name`).
    pub name: String,
    /// What it shows, in plain text.
    pub caption: String,
    /// The drawing, as made by [`crate::report::plot`]. It goes into the page as it is.
    pub svg: String,
    /// Whether it takes both columns.
    pub wide: bool,
    /// Whether it is drawn no larger than its own size, and smaller where there is no room; else it fills its columns.
    pub own_size: bool,
}

/// From this many sections on, a page has a table of contents.
const CONTENTS_FROM: usize = 4;

impl Page {
    /// Writes the page.
    pub fn html(&self) -> String {
        let anchors = self.anchors();
        let mut out = Html::default();
        out.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>");
        out.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>");
        out.raw("<meta name=\"color-scheme\" content=\"light dark\"/>");
        out.raw(&format!(
            "<meta name=\"generator\" content=\"Apical {}\"/>",
            env!("CARGO_PKG_VERSION")
        ));
        out.raw(&format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>"
        ));
        out.element("title", &self.title);
        out.raw(&format!(
            "<style>{}{STYLE}</style></head>\n<body><header>",
            variables()
        ));
        out.element("h1", &self.title);
        if !self.subtitle.is_empty() {
            out.element("p", &self.subtitle);
        }
        for alert in &self.alerts {
            out.paragraph(" class=\"alert\" role=\"note\"", alert);
        }
        out.raw("</header>\n");
        if self.sections.len() >= CONTENTS_FROM {
            self.write_contents(&mut out, &anchors);
        }
        out.raw("<main>");
        let mut figures = FigureCount::new(&anchors);
        for (section, anchor) in self.sections.iter().zip(&anchors) {
            section.write(&mut out, anchor, &mut figures);
        }
        out.raw(&format!(
            "</main>\n<script>{SCRIPT}</script></body></html>\n"
        ));
        out.text
    }

    /// One distinct anchor for each section.
    fn anchors(&self) -> Vec<String> {
        let mut taken = HashSet::new();
        let wish = |s: &Section| {
            slug(if s.anchor.is_empty() {
                &s.heading
            } else {
                &s.anchor
            })
        };
        self.sections
            .iter()
            .map(|s| distinct(wish(s), &mut taken))
            .collect()
    }

    fn write_contents(&self, out: &mut Html, anchors: &[String]) {
        out.raw("<nav aria-label=\"Contents\"><ul>");
        for (section, anchor) in self.sections.iter().zip(anchors) {
            out.raw(&format!("<li><a href=\"#{anchor}\">"));
            out.plain(&section.heading);
            out.raw("</a></li>");
        }
        out.raw("</ul></nav>\n");
    }
}

impl Section {
    fn write(&self, out: &mut Html, anchor: &str, figures: &mut FigureCount) {
        out.raw(&format!("<section id=\"{anchor}\">"));
        out.element("h2", &self.heading);
        for paragraph in &self.text {
            out.paragraph("", paragraph);
        }
        for note in &self.notes {
            out.paragraph(" class=\"note\"", note);
        }
        if let Some(rows) = self.table.as_ref().filter(|rows| !rows.is_empty()) {
            write_table(out, rows);
        }
        if let Some(grid) = &self.grid {
            write_grid(out, grid);
        }
        if !self.figures.is_empty() {
            out.raw("<div class=\"figures\">");
            for figure in &self.figures {
                figure.write(out, figures);
            }
            out.raw("</div>");
        }
        out.raw("</section>\n");
    }
}

impl Figure {
    fn write(&self, out: &mut Html, count: &mut FigureCount) {
        let (number, id) = count.next(&self.name);
        let class = match (self.wide, self.own_size) {
            (false, false) => "",
            (true, false) => " class=\"wide\"",
            (false, true) => " class=\"own\"",
            (true, true) => " class=\"wide own\"",
        };
        out.raw(&format!("<figure id=\"{id}\"{class}><div class=\"plot\">"));
        out.raw(&self.svg);
        out.raw(&format!("</div><figcaption><b>Figure {number}.</b> "));
        out.prose(&self.caption);
        out.raw("</figcaption></figure>");
    }
}

fn write_table(out: &mut Html, rows: &[Row]) {
    out.raw("<table><tbody>");
    for row in rows {
        out.raw("<tr><th scope=\"row\">");
        out.plain(&row.name);
        out.raw("</th><td>");
        out.prose(&row.value);
        out.raw("</td><td>");
        out.prose(&row.note);
        out.raw("</td></tr>");
    }
    out.raw("</tbody></table>");
}

fn write_grid(out: &mut Html, grid: &Grid) {
    out.raw("<div class=\"grid\"><table><thead><tr>");
    for heading in &grid.head {
        out.raw("<th scope=\"col\">");
        out.plain(heading);
        out.raw("</th>");
    }
    out.raw("</tr></thead><tbody>");
    for row in &grid.rows {
        out.raw("<tr>");
        for (n, cell) in row.iter().enumerate() {
            let (open, close) = match n < grid.names {
                true => ("<th scope=\"row\">", "</th>"),
                false => ("<td>", "</td>"),
            };
            out.raw(open);
            out.plain(cell);
            out.raw(close);
        }
        out.raw("</tr>");
    }
    out.raw("</tbody></table></div>");
}

/// Numbers the figures and keeps their ids distinct.
struct FigureCount {
    number: usize,
    taken: HashSet<String>,
}

impl FigureCount {
    fn new(anchors: &[String]) -> Self {
        FigureCount {
            number: 0,
            taken: anchors.iter().cloned().collect(),
        }
    }

    fn next(&mut self, name: &str) -> (usize, String) {
        self.number += 1;
        (self.number, distinct(slug(name), &mut self.taken))
    }
}

/// `Free energy, by layer` becomes `free-energy-by-layer`: what a link can hold without escapes.
fn slug(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.is_empty() {
        "part".to_owned()
    } else {
        words.join("-")
    }
}

/// `wish`, or the first of `wish-2`, `wish-3`, … that is not taken.
fn distinct(wish: String, taken: &mut HashSet<String>) -> String {
    let mut name = wish.clone();
    let mut n = 1;
    while !taken.insert(name.clone()) {
        n += 1;
        name = format!("{wish}-{n}");
    }
    name
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
