//! Whether what was written is well-formed.

/// Walks the tags of `xml` and says what is wrong: an unbalanced tag, a repeated or unquoted attribute, a bare `&`.
pub(crate) fn well_formed(xml: &str) -> Result<(), String> {
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

mod tests {
    use super::*;

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
