//! Characters to tokens.

/// A token and the bytes `start..end` it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Kinds of token.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A number, without its unit.
    Number(f64),
    /// A name: letters, digits, `_`; or anything between backquotes.
    Name(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// A character or number that the language does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct LexError {
    /// What is wrong.
    pub message: String,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 18] = [
    "<=", ">=", "==", "!=", "+", "-", "*", "/", "^", "(", ")", ",", "<", ">", ".", "'", "%", "=",
];

/// Splits a text into tokens; the last one is `End`.
///
/// # Errors
/// The first character that begins no token.
pub fn tokens(text: &str) -> Result<Vec<Token>, LexError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (kind, length) = token(&text[at..], next).map_err(|(message, length)| LexError {
            message,
            start: at,
            end: at + length,
        })?;
        found.push(Token {
            kind,
            start: at,
            end: at + length,
        });
        at += length;
    }
    found.push(Token {
        kind: TokenKind::End,
        start: text.len(),
        end: text.len(),
    });
    Ok(found)
}

/// The token at the start of `rest`, and its length in bytes.
fn token(rest: &str, first: char) -> Result<(TokenKind, usize), (String, usize)> {
    let decimal = first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if first.is_ascii_digit() || decimal {
        return number(rest);
    }
    if first.is_alphabetic() || first == '_' {
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        return Ok((TokenKind::Name(rest[..length].to_owned()), length));
    }
    if first == '`' {
        return match rest[1..].find('`') {
            Some(length) => Ok((TokenKind::Name(rest[1..=length].to_owned()), length + 2)),
            None => Err((
                "a name that starts with a backquote needs one at its end".to_owned(),
                rest.len(),
            )),
        };
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => Ok((TokenKind::Symbol(symbol), symbol.len())),
        None => Err((
            format!("`{first}` means nothing in an expression"),
            first.len_utf8(),
        )),
    }
}

/// A number such as `2`, `0.5`, `1e-3`, `2_000`.
fn number(rest: &str) -> Result<(TokenKind, usize), (String, usize)> {
    let bytes = rest.as_bytes();
    let digits = |mut at: usize| {
        while bytes
            .get(at)
            .is_some_and(|b| b.is_ascii_digit() || *b == b'_')
        {
            at += 1;
        }
        at
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_none_or(|b| !b.is_ascii_alphabetic())
    {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    let text: String = rest[..end].chars().filter(|c| *c != '_').collect();
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((TokenKind::Number(value), end)),
        _ => Err((format!("`{}` is not a finite number", &rest[..end]), end)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_symbols_are_told_apart() {
        let kinds: Vec<TokenKind> = tokens("2_000*f'(τ) <= `l2-exc`.soma 1e-3")
            .unwrap()
            .into_iter()
            .map(|t| t.kind)
            .collect();
        use TokenKind::{End, Name, Number, Symbol};
        let name = |n: &str| Name(n.to_owned());
        assert_eq!(
            kinds,
            [
                Number(2000.0),
                Symbol("*"),
                name("f"),
                Symbol("'"),
                Symbol("("),
                name("τ"),
                Symbol(")"),
                Symbol("<="),
                name("l2-exc"),
                Symbol("."),
                name("soma"),
                Number(1e-3),
                End
            ]
        );
    }

    #[test]
    fn an_unknown_character_is_reported_where_it_stands() {
        let error = tokens("a + $").unwrap_err();
        assert_eq!((error.start, error.end), (4, 5));
        assert!(tokens("1e999").is_err());
    }
}
