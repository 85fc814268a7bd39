//! Tokens to a tree: precedence climbing.
//!
//! From loosest to tightest: `or`, `and`, `not`, comparisons, `+ -`, `* /`, a minus sign, `^`
//! (to the right), calls. A unit may follow a number: `10 ms`.

use super::ast::{Ast, AstKind, BinarySign, MINUS_BINDING, NOT_BINDING, UnarySign};
use super::token::{Token, TokenKind, tokens};
use crate::units::Quantity;

/// A text that is not an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// First byte of the place.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Deeper nesting than this is refused, so that no text can overflow the stack.
const MAX_DEPTH: usize = 64;

/// More operators than this are refused, for the same reason: a chain `a + b + …` is a deep tree.
const MAX_OPERATORS: usize = 512;

/// Longer texts than this are refused: a rule is a line, and every later pass may then recurse.
const MAX_LENGTH: usize = 4096;

/// What stands before `(f)(x)`.
const INVERSE: &str = "inverse";

/// Reads an expression.
///
/// # Errors
/// The first place at which the text stops being one.
pub fn parse(text: &str) -> Result<Ast, ParseError> {
    if text.len() > MAX_LENGTH {
        let message = format!(
            "an expression may have {MAX_LENGTH} characters, this one has {}",
            text.len()
        );
        return Err(ParseError {
            message,
            help: None,
            start: 0,
            end: text.len(),
        });
    }
    let tokens = tokens(text).map_err(|e| ParseError {
        message: e.message,
        help: None,
        start: e.start,
        end: e.end,
    })?;
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        depth: 0,
        operators: 0,
    };
    let tree = parser.expression(0)?;
    match parser.peek().kind {
        TokenKind::End => Ok(tree),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    operators: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        // The last token is `End`, and `next` never moves past it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(&self.peek().kind, TokenKind::Symbol(s) if *s == symbol);
        if found {
            self.next();
        }
        found
    }

    fn error(&self, token: &Token, message: String, help: Option<String>) -> ParseError {
        ParseError {
            message,
            help,
            start: token.start,
            end: token.end.max(token.start),
        }
    }

    fn unexpected(&self, expected: &str) -> ParseError {
        let token = self.peek().clone();
        let found = match &token.kind {
            TokenKind::End => "the expression ends".to_owned(),
            _ => format!("found `{}`", &self.text[token.start..token.end]),
        };
        let help = match &token.kind {
            TokenKind::Symbol("=") => Some("compare with `==`".to_owned()),
            TokenKind::Symbol("%") => Some("write 50 % as 0.5".to_owned()),
            TokenKind::Name(_) | TokenKind::Number(_) => Some("multiply with `*`".to_owned()),
            _ => None,
        };
        self.error(&token, format!("expected {expected} here, {found}"), help)
    }

    fn expression(&mut self, context: u8) -> Result<Ast, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let token = self.peek().clone();
            return Err(self.error(&token, format!("nested more than {MAX_DEPTH} deep"), None));
        }
        let mut left = self.operand()?;
        while let Some(sign) = self.binary_sign() {
            let (on_left, on_right) = sign.binding();
            if on_left < context {
                break;
            }
            let token = self.next();
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(self.error(
                    &token,
                    format!("more than {MAX_OPERATORS} operators in an expression"),
                    None,
                ));
            }
            let right = self.expression(on_right)?;
            let (start, end) = (left.start, right.end);
            left = Ast {
                kind: AstKind::Binary(sign, Box::new(left), Box::new(right)),
                start,
                end,
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn binary_sign(&self) -> Option<BinarySign> {
        use BinarySign::*;
        Some(match &self.peek().kind {
            TokenKind::Symbol("+") => Add,
            TokenKind::Symbol("-") => Sub,
            TokenKind::Symbol("*") => Mul,
            TokenKind::Symbol("/") => Div,
            TokenKind::Symbol("^") => Pow,
            TokenKind::Symbol("<") => Less,
            TokenKind::Symbol("<=") => LessEqual,
            TokenKind::Symbol(">") => Greater,
            TokenKind::Symbol(">=") => GreaterEqual,
            TokenKind::Symbol("==") => Equal,
            TokenKind::Symbol("!=") => NotEqual,
            TokenKind::Name(_) if self.keyword("and") => And,
            TokenKind::Name(_) if self.keyword("or") => Or,
            _ => return None,
        })
    }

    /// Whether this word comes next, and not as a name between backquotes.
    fn keyword(&self, word: &str) -> bool {
        let token = self.peek();
        self.text.get(token.start..token.end) == Some(word)
    }

    fn operand(&mut self) -> Result<Ast, ParseError> {
        let token = self.peek().clone();
        match &token.kind {
            TokenKind::Number(value) => {
                self.next();
                Ok(self.number(*value, &token))
            }
            TokenKind::Name(_) if self.keyword("not") => {
                self.unary(UnarySign::Not, NOT_BINDING, &token)
            }
            TokenKind::Symbol("-") => self.unary(UnarySign::Minus, MINUS_BINDING, &token),
            TokenKind::Symbol("(") => {
                self.next();
                let mut inside = self.expression(0)?;
                let end = self.peek().end;
                if !self.eat(")") {
                    return Err(self.unexpected("`)`"));
                }
                // Brackets belong to the place, so that a message underlines them too.
                (inside.start, inside.end) = (token.start, end);
                Ok(inside)
            }
            TokenKind::Name(_) => self.name_or_call(),
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn unary(&mut self, sign: UnarySign, binding: u8, token: &Token) -> Result<Ast, ParseError> {
        self.next();
        let operand = self.expression(binding)?;
        let end = operand.end;
        Ok(Ast {
            kind: AstKind::Unary(sign, Box::new(operand)),
            start: token.start,
            end,
        })
    }

    /// A number, with the unit that stands behind it if the next word is one.
    fn number(&mut self, value: f64, token: &Token) -> Ast {
        let plain = Quantity {
            value,
            dimension: crate::units::Dimension::NONE,
        };
        let mut number = Ast {
            kind: AstKind::Number(plain),
            start: token.start,
            end: token.end,
        };
        let unit = self.peek().clone();
        if let TokenKind::Name(_) = &unit.kind
            && let Ok(quantity) = Quantity::parse(&self.text[token.start..unit.end])
        {
            self.next();
            number.kind = AstKind::Number(quantity);
            number.end = unit.end;
        }
        number
    }

    fn name_or_call(&mut self) -> Result<Ast, ParseError> {
        let start = self.peek().start;
        let (word, mut end) = self.word("a name")?;
        let mut parts = vec![word];
        while self.eat(".") {
            let (word, word_end) = self.word("a name after the dot")?;
            end = word_end;
            parts.push(word);
        }
        let mut primes = 0;
        while self.eat("'") {
            primes += 1;
        }
        if let [function] = parts.as_slice()
            && self.eat("(")
        {
            let (arguments, end) = self.arguments()?;
            let function = function.clone();
            if function == INVERSE && primes == 0 {
                return self.inverse(arguments, start);
            }
            return Ok(Ast {
                kind: AstKind::Call {
                    function,
                    primes,
                    arguments,
                },
                start,
                end,
            });
        }
        if primes > 0 {
            return Err(self.unexpected("`(` after a derivative"));
        }
        Ok(Ast {
            kind: AstKind::Name(parts),
            start,
            end,
        })
    }

    /// What follows `inverse(f)`: the argument in brackets of its own.
    fn inverse(&mut self, of: Vec<Ast>, start: usize) -> Result<Ast, ParseError> {
        let is_f = |a: &Ast| matches!(&a.kind, AstKind::Name(path) if *path == ["f"]);
        let [of] = of.as_slice() else {
            return Err(self.unexpected("`inverse(f)(x)`, the inverse of the activation,"));
        };
        if !is_f(of) {
            return Err(ParseError {
                message: format!("only the activation has an inverse, `{of}` is not it"),
                help: Some("write `inverse(f)(x)`".to_owned()),
                start: of.start,
                end: of.end,
            });
        }
        if !self.eat("(") {
            return Err(self.unexpected("the argument in brackets, as in `inverse(f)(x)`,"));
        }
        let (mut arguments, end) = self.arguments()?;
        match (arguments.pop(), arguments.is_empty()) {
            (Some(argument), true) => Ok(Ast {
                kind: AstKind::Inverse(Box::new(argument)),
                start,
                end,
            }),
            _ => Err(ParseError {
                message: "`inverse(f)` takes one argument".to_owned(),
                help: None,
                start,
                end,
            }),
        }
    }

    /// A name and where it ends.
    fn word(&mut self, expected: &str) -> Result<(String, usize), ParseError> {
        let TokenKind::Name(word) = self.peek().kind.clone() else {
            return Err(self.unexpected(expected));
        };
        Ok((word, self.next().end))
    }

    /// Arguments up to the closing bracket, and where that ends.
    fn arguments(&mut self) -> Result<(Vec<Ast>, usize), ParseError> {
        let mut arguments = Vec::new();
        loop {
            let end = self.peek().end;
            if self.eat(")") {
                return Ok((arguments, end));
            }
            if !arguments.is_empty() && !self.eat(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
            arguments.push(self.expression(0)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        parse(text)
            .map(|tree| tree.to_string())
            .unwrap_or_else(|e| format!("{}..{} {}", e.start, e.end, e.message))
    }

    #[test]
    fn precedence_is_that_of_mathematics() {
        assert_eq!(round_trip("a-b-c*d^-e^2"), "a - b - c * d^-e^2");
        assert_eq!(round_trip("-a^2"), "-a^2");
        assert_eq!(round_trip("(-a)^2"), "(-a)^2");
        assert_eq!(round_trip("a-(b-c)"), "a - (b - c)");
        assert_eq!(round_trip("not a < b and c or d"), "not a < b and c or d");
        assert_eq!(round_trip("f''(x, (y+1)*2)"), "f''(x, (y + 1) * 2)");
    }

    #[test]
    fn a_number_takes_the_unit_behind_it() {
        assert_eq!(round_trip("x / 10 ms"), "x / 10 ms");
        assert_eq!(round_trip("2 s"), "2000 ms");
        assert_eq!(round_trip("2 and x"), "2 and x");
    }

    #[test]
    fn mistakes_are_reported_where_they_stand() {
        assert_eq!(
            round_trip("a + "),
            "4..4 expected a number, a name or `(` here, the expression ends"
        );
        assert_eq!(
            round_trip("(a + b"),
            "6..6 expected `)` here, the expression ends"
        );
        assert_eq!(
            round_trip("a b"),
            "2..3 expected an operator or the end here, found `b`"
        );
        assert_eq!(
            round_trip("a * * b"),
            "4..5 expected a number, a name or `(` here, found `*`"
        );
        assert_eq!(
            round_trip("x.2"),
            "1..3 expected an operator or the end here, found `.2`"
        );
        assert_eq!(
            round_trip("f'"),
            "2..2 expected `(` after a derivative here, the expression ends"
        );
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = format!("{}x{}", "(".repeat(1500), ")".repeat(1500));
        assert!(round_trip(&deep).contains("nested more than"));
        assert!(round_trip(&"-".repeat(4000)).contains("nested more than"));
        assert!(round_trip(&"x+".repeat(40_000)).contains("4096"));
    }
}
