//! The drawing of the circuit, which the run left as `plots/circuit.svg`.
//!
//! It goes into the page as it is, so it must be what it claims: one closed drawing that runs and loads nothing. A run
//! directory may come from anyone. The check is strict: each `<` of the text must begin a tag of a known kind with
//! harmless attributes, so that it does not matter in which context a browser reads it.

use super::CIRCUIT;
use super::page::{Figure, Section};
use super::pictures::wide;
use super::run::Run;

const FILE: &str = "plots/circuit.svg";
/// Elements that a drawing may have.
const ELEMENTS: [&str; 23] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "textPath",
    "title",
    "desc",
    "style",
    "defs",
    "marker",
    "clipPath",
    "mask",
    "linearGradient",
    "radialGradient",
    "stop",
    "use",
];

/// The circuit, if the run drew it.
pub(super) fn section(run: &Run) -> Section {
    let mut section = Section {
        heading: "Circuit".to_owned(),
        ..Section::default()
    };
    if run.size(FILE).is_none() {
        return section;
    }
    let drawing = run.text(FILE).and_then(|text| {
        drawing(&text)
            .map(str::to_owned)
            .map_err(|why| format!("`{FILE}` is damaged, or not a plain drawing: {why}"))
    });
    match drawing {
        Ok(svg) => {
            let caption = "Populations and the projections between them.".to_owned();
            section.figures.push(Figure {
                own_size: true,
                ..wide(CIRCUIT, caption, svg)
            });
        }
        Err(note) => section.notes.push(note),
    }
    section
}

/// The `svg` element of a file, if it is a plain one; else why not.
fn drawing(text: &str) -> Result<&str, String> {
    let start = text.find("<svg").ok_or("it has no `svg` element")?;
    let (before, svg) = text.split_at(start);
    let is_prolog = before.trim_start_matches('\u{feff}').trim();
    if !(is_prolog.is_empty() || is_prolog.starts_with("<?xml") || is_prolog.starts_with("<!")) {
        return Err("something else comes before its `svg` element".to_owned());
    }
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let (inside, after) = comment.split_once("-->").ok_or("a comment does not end")?;
            if inside.contains('<') {
                return Err("a comment holds a tag".to_owned());
            }
            rest = after;
            continue;
        }
        let tag = Tag::first_of(rest)?;
        rest = &rest[tag.length..];
        match tag.kind {
            Kind::Start => open.push(tag.name),
            Kind::Empty => {}
            Kind::End if open.pop() == Some(tag.name) => {}
            Kind::End => return Err(format!("`</{}>` closes nothing", tag.name)),
        }
        if open.is_empty() {
            return Ok(&svg[..svg.len() - rest.len()]);
        }
    }
    Err("it does not end".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Start,
    Empty,
    End,
}

struct Tag<'a> {
    name: &'a str,
    kind: Kind,
    /// Bytes, with both brackets.
    length: usize,
}

impl<'a> Tag<'a> {
    /// The tag that `text` begins with.
    fn first_of(text: &'a str) -> Result<Self, String> {
        let body = &text[1..];
        let (end, body) = match body.strip_prefix('/') {
            Some(body) => (true, body),
            None => (false, body),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
        let (name, mut rest) = body.split_at(body.find(|c| !is_name(c)).unwrap_or(body.len()));
        if !ELEMENTS.contains(&name) {
            return Err(format!("it has an element `{name}`"));
        }
        loop {
            rest = rest.trim_start();
            let kind = match rest.as_bytes() {
                [b'>', ..] if end => Kind::End,
                [b'>', ..] => Kind::Start,
                [b'/', b'>', ..] if !end => Kind::Empty,
                [] => return Err("it does not end".to_owned()),
                _ if end => return Err(format!("`</{name}` is not a tag")),
                _ => {
                    rest = attribute(rest)?;
                    continue;
                }
            };
            let brackets = if kind == Kind::Empty { 2 } else { 1 };
            let length = text.len() - rest.len() + brackets;
            return Ok(Self { name, kind, length });
        }
    }
}

/// Steps over the attribute that `text` begins with.
fn attribute(text: &str) -> Result<&str, String> {
    let wrong = || "an attribute has no value in quotes".to_owned();
    let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
    let name = name.trim();
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote = quote.ok_or_else(wrong)?;
    let (value, rest) = rest[1..].split_once(quote).ok_or_else(wrong)?;
    if name.contains(|c: char| c.is_whitespace() || "\"'<>/".contains(c)) {
        return Err(wrong());
    }
    if value.contains('<') {
        return Err(format!("`{name}` holds a tag"));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("on") {
        return Err(format!("`{name}` would run a script"));
    }
    if lower.ends_with("href") && !value.trim_start().starts_with('#') {
        return Err(format!("`{name}` leads out of it"));
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::super::plot::{Canvas, Heatmap, Lines, Panels, Scatter};
    use super::*;

    #[test]
    fn own_drawings_are_plain() {
        let map = Heatmap {
            title: "a < b & \"c\" 'd'".to_owned(),
            ..Heatmap::default()
        };
        let drawings = [
            Lines::default().svg(Canvas::HALF),
            Scatter::default().svg(Canvas::HALF),
            Panels::default().svg(Canvas::HALF),
            map.svg(Canvas::WIDE),
        ];
        for svg in drawings {
            assert_eq!(drawing(&svg), Ok(svg.as_str()));
        }
    }

    #[test]
    fn what_surrounds_the_drawing_is_left_out() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<svg a='>'><g /><!-- - --></svg>\n<script>";
        assert_eq!(drawing(text), Ok("<svg a='>'><g /><!-- - --></svg>"));
    }

    #[test]
    fn what_could_run_load_or_spill_is_refused() {
        let bad = [
            "",
            "not a drawing",
            "<p/><svg/>",
            "<svg>",
            "<svg><g></svg>",
            "<svg></g></svg>",
            "<svg><script>1</script></svg>",
            "<svg><foreignObject/></svg>",
            "<svg><image href='http://a'/></svg>",
            "<svg ONLOAD='x'/>",
            "<svg/onload='x'/>",
            "<svg onload=x/>",
            "<svg a='1'onload='x'/>",
            "<svg><use xlink:href='http://a#b'/></svg>",
            "<svg a='",
            "<svg><![CDATA[</svg>]]></svg>",
            "<svg><!-- </svg>",
            "<svg></svg a='1'>",
            "<svg><title><style><!-- </style><script>1</script> --></style></title></svg>",
            "<svg><title><style><g a='</style><script>1</script>'/></style></title></svg>",
            "<svg é='1'",
            "<svg a=é",
        ];
        for text in bad {
            assert!(drawing(text).is_err(), "{text}");
        }
    }
}
