//! HTML text under construction.

use crate::drawing::escape;

/// Text under construction.
#[derive(Default)]
pub(super) struct Html {
    pub(super) text: String,
}

impl Html {
    pub(super) fn raw(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    pub(super) fn plain(&mut self, text: &str) {
        escape(text, &mut self.text);
    }

    /// Text in which `names` and code stand between backticks.
    pub(super) fn prose(&mut self, text: &str) {
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

    pub(super) fn paragraph(&mut self, attributes: &str, text: &str) {
        self.raw(&format!("<p{attributes}>"));
        self.prose(text);
        self.raw("</p>");
    }

    pub(super) fn element(&mut self, tag: &str, text: &str) {
        self.raw(&format!("<{tag}>"));
        self.plain(text);
        self.raw(&format!("</{tag}>"));
    }
}
