//! Tests of `page.rs`.

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
