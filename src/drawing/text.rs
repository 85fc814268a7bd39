//! How wide a text is. An SVG writer has no font at hand, so the widths are those of Helvetica, by class of character.

/// How much wider bold letters are.
pub(crate) const BOLD: f64 = 1.07;

/// The estimated width of `text` set at `size` (pixels).
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The advance of a character (em), after the Adobe font metrics of Helvetica; wide scripts take a whole em.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.22,
        ' ' | '!' | ',' | '.' | '/' | ':' | ';' | 'I' | '[' | ']' | 'f' | 't' | '·' => 0.28,
        '(' | ')' | '-' | 'r' | '"' | '`' => 0.34,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 0.5,
        '+' | '<' | '=' | '>' | '~' | '−' => 0.584,
        'm' | 'M' => 0.833,
        'w' | 'C' | 'D' | 'H' | 'N' | 'R' | 'U' => 0.722,
        'G' | 'O' | 'Q' => 0.778,
        'W' | '%' | '@' | '—' | '…' => 0.95,
        'A' | 'B' | 'E' | 'K' | 'P' | 'S' | 'V' | 'X' | 'Y' | '&' | 'F' | 'T' | 'Z' => 0.65,
        '\u{1100}'.. => {
            if is_narrow(c) {
                0.6
            } else {
                1.0
            }
        }
        _ => 0.556,
    }
}

/// Punctuation, arrows and mathematical signs lie above U+1100 but are not as wide as an ideograph.
fn is_narrow(c: char) -> bool {
    ('\u{1e00}'..='\u{2bff}').contains(&c)
}

/// `text` as it is if it fits into `room` (pixels), else its beginning and an ellipsis.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut left = room / size - advance('…');
    let kept: String = text
        .chars()
        .take_while(|&c| {
            left -= advance(c);
            left >= 0.0
        })
        .collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(fit("loss", 12.0, 100.0), "loss");
    }

    #[test]
    fn a_long_text_is_shortened_into_its_room() {
        let long = "a very long name ".repeat(1000);
        for room in [0.0, 5.0, 40.0, 300.0] {
            let short = fit(&long, 12.0, room);
            assert!(short.ends_with('…'));
            // One ellipsis is drawn however small the room.
            assert!(width(&short, 12.0) <= room.max(12.0), "{room}");
        }
    }
}
