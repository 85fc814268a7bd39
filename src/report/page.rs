//! The report as one HTML file: sections of text, tables and figures, with nothing to fetch.
//!
//! In texts, remarks, captions and tables, what stands between backticks is set as code.
//!
//! The page needs no network, no fonts and no script to be read; a content security policy in its head forbids all three kinds
//! of request. A few lines of script let a click enlarge a figure.

use std::collections::HashSet;

use super::style::{POLICY, SCRIPT, STYLE, variables};
use crate::drawing::escape;

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

/// Text under construction.
#[derive(Default)]
struct Html {
    text: String,
}

impl Html {
    fn raw(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    fn plain(&mut self, text: &str) {
        escape(text, &mut self.text);
    }

    /// Text in which `names` and code stand between backticks.
    fn prose(&mut self, text: &str) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('`') {
            let Some((code, after)) = after.split_once('`') else {
                break;
            };
            self.plain(before);
            self.element("code", code);
            rest = after;
        }
        self.plain(rest);
    }

    fn paragraph(&mut self, attributes: &str, text: &str) {
        self.raw(&format!("<p{attributes}>"));
        self.prose(text);
        self.raw("</p>");
    }

    fn element(&mut self, tag: &str, text: &str) {
        self.raw(&format!("<{tag}>"));
        self.plain(text);
        self.raw(&format!("</{tag}>"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::plot::{Canvas, Lines, Series};
    use super::*;
    use crate::drawing::well_formed;

    fn section(heading: &str) -> Section {
        Section {
            heading: heading.to_owned(),
            ..Section::default()
        }
    }

    fn page(headings: &[&str]) -> Page {
        Page {
            title: "Run".to_owned(),
            sections: headings.iter().map(|h| section(h)).collect(),
            ..Page::default()
        }
    }

    fn figure(name: &str, wide: bool) -> Figure {
        let lines = Lines {
            title: name.to_owned(),
            series: vec![Series {
                x: vec![0.0, 1.0],
                y: vec![1.0, 2.0],
                ..Series::default()
            }],
            ..Lines::default()
        };
        Figure {
            name: name.to_owned(),
            caption: name.to_owned(),
            svg: lines.svg(Canvas::HALF),
            wide,
            own_size: false,
        }
    }

    /// The page without what HTML does not parse as markup.
    fn markup(html: &str) -> String {
        html.replace(SCRIPT, "").replace(STYLE, "")
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "`</title></style><script>alert(1)</script><img src=x onerror='a'> & \"` `";
        let row = Row {
            name: hostile.to_owned(),
            value: hostile.to_owned(),
            note: hostile.to_owned(),
        };
        let bad = Section {
            heading: hostile.to_owned(),
            anchor: hostile.to_owned(),
            text: vec![hostile.to_owned()],
            notes: vec![hostile.to_owned()],
            table: Some(vec![row]),
            grid: Some(Grid {
                head: vec![hostile.to_owned(); 2],
                names: 1,
                rows: vec![vec![hostile.to_owned(); 2]],
            }),
            figures: vec![figure(hostile, true), figure(hostile, false)],
        };
        let page = Page {
            title: hostile.to_owned(),
            subtitle: hostile.to_owned(),
            alerts: vec![hostile.to_owned()],
            sections: vec![bad; 4],
        };
        let html = page.html();
        assert_eq!(well_formed(&markup(&html)), Ok(()));
        assert_eq!(html.matches("<script>").count(), 1);
        assert!(!html.contains("<img"));
    }

    #[test]
    fn backticks_set_code_and_a_lone_one_stays() {
        let mut page = page(&["One"]);
        page.sections[0].notes = vec!["`a<b` and `c`, but `d".to_owned()];
        let html = page.html();
        assert!(html.contains("<code>a&lt;b</code> and <code>c</code>, but `d</p>"));
        assert_eq!(well_formed(&markup(&html)), Ok(()));
    }

    #[test]
    fn nothing_is_fetched() {
        let mut page = page(&["One"]);
        page.sections[0].figures = vec![figure("loss", false)];
        let html = page.html();
        assert!(html.contains("default-src 'none'"));
        // The only address is the name of the SVG namespace, which nobody fetches.
        let addresses: Vec<&str> = html
            .split("http")
            .skip(1)
            .filter(|rest| rest.starts_with(':') || rest.starts_with("s:"))
            .collect();
        assert!(
            addresses
                .iter()
                .all(|rest| rest.starts_with("://www.w3.org/2000/svg\""))
        );
        assert!(!html.contains("src=") && !html.contains("@import") && !html.contains("url("));
    }

    #[test]
    fn long_pages_have_contents_and_every_link_has_a_target() {
        assert!(!page(&["a", "b", "c"]).html().contains("<nav"));
        let html = page(&["Loss", "Loss", "", "A & B"]).html();
        let targets: Vec<&str> = html
            .split("href=\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(targets, ["loss", "loss-2", "part", "a-b"]);
        for target in targets {
            assert_eq!(
                html.matches(&format!("id=\"{target}\"")).count(),
                1,
                "{target}"
            );
        }
    }

    #[test]
    fn figures_are_numbered_through_and_have_distinct_names() {
        let mut page = page(&["loss", "Weights"]);
        page.sections[0].figures = vec![figure("loss", true), figure("loss", false)];
        page.sections[1].figures = vec![figure("w/1", false)];
        let html = page.html();
        for expected in [
            "id=\"loss-2\" class=\"wide\"",
            "id=\"loss-3\"",
            "id=\"w-1\"",
            "Figure 1.",
            "Figure 3.",
        ] {
            assert!(html.contains(expected), "{expected}");
        }
    }
}
