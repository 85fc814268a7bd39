//! Places of trees in their texts.

use apical::lang::ast::{Ast, AstKind};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// The tree without its places.
pub fn placeless(tree: &Ast) -> Ast {
    let kind = match &tree.kind {
        AstKind::Unary(sign, a) => AstKind::Unary(*sign, Box::new(placeless(a))),
        AstKind::Inverse(a) => AstKind::Inverse(Box::new(placeless(a))),
        AstKind::Binary(sign, a, b) => {
            AstKind::Binary(*sign, Box::new(placeless(a)), Box::new(placeless(b)))
        }
        AstKind::Call {
            function,
            primes,
            arguments,
        } => AstKind::Call {
            function: function.clone(),
            primes: *primes,
            arguments: arguments.iter().map(placeless).collect(),
        },
        leaf => leaf.clone(),
    };
    Ast {
        kind,
        start: 0,
        end: 0,
    }
}

/// That a tree's places lie within its text, each inside that of its parent.
pub fn check_places(tree: &Ast, text: &str, outer: (usize, usize)) -> Result<(), TestCaseError> {
    check_place(text, tree.start, tree.end)?;
    prop_assert!(
        outer.0 <= tree.start && tree.end <= outer.1,
        "{text}: a part sticks out"
    );
    prop_assert!(tree.start < tree.end, "{text}: an empty part");
    let inner: Vec<&Ast> = match &tree.kind {
        AstKind::Unary(_, a) | AstKind::Inverse(a) => vec![a],
        AstKind::Binary(_, a, b) => vec![a, b],
        AstKind::Call { arguments, .. } => arguments.iter().collect(),
        _ => vec![],
    };
    inner
        .iter()
        .try_for_each(|part| check_places(part, text, (tree.start, tree.end)))
}

pub fn check_place(text: &str, start: usize, end: usize) -> Result<(), TestCaseError> {
    prop_assert!(
        start <= end && text.get(start..end).is_some(),
        "{start}..{end} is not a part of {text:?}"
    );
    Ok(())
}
