//! Random trees of expressions, and the constructors that they are made with.

use apical::lang::ast::{Ast, AstKind, BinarySign, UnarySign};
use apical::units::Quantity;
use proptest::prelude::*;

fn tree(kind: AstKind) -> Ast {
    Ast {
        kind,
        start: 0,
        end: 0,
    }
}

/// A plain number.
pub fn number(value: f64) -> Ast {
    tree(AstKind::Number(Quantity::plain(value)))
}

/// A name of one part.
pub fn name(word: &str) -> Ast {
    tree(AstKind::Name(vec![word.to_owned()]))
}

/// A call.
pub fn call(function: &str, primes: usize, arguments: Vec<Ast>) -> Ast {
    tree(AstKind::Call {
        function: function.to_owned(),
        primes,
        arguments,
    })
}

/// A sign in front.
pub fn unary(sign: UnarySign, operand: Ast) -> Ast {
    tree(AstKind::Unary(sign, Box::new(operand)))
}

/// A sign between.
pub fn binary(sign: BinarySign, left: Ast, right: Ast) -> Ast {
    tree(AstKind::Binary(sign, Box::new(left), Box::new(right)))
}

/// All signs between operands.
pub const SIGNS: [BinarySign; 13] = {
    use BinarySign::*;
    [
        Add,
        Sub,
        Mul,
        Div,
        Pow,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        Equal,
        NotEqual,
        And,
        Or,
    ]
};

/// Functions of one plain number.
pub const OF_ONE: [&str; 12] = [
    "exp", "log", "sin", "cos", "tanh", "sigmoid", "softplus", "relu", "sqrt", "abs", "sign",
    "step",
];

/// Functions that remember.
fn memory(x: Ast, which: usize) -> Ast {
    match which {
        0 => call("prev", 0, vec![x]),
        1 => call("prev", 0, vec![x, number(3.0)]),
        2 => call("avg", 0, vec![x, name("tau")]),
        _ => call("lowpass", 0, vec![x, name("tau")]),
    }
}

/// What random trees are made of.
#[derive(Clone, Copy)]
pub struct Repertoire {
    /// Names at the leaves.
    pub names: &'static [&'static str],
    /// A name of a vector, if `sum` and `mean` may be used.
    pub summed: Option<&'static str>,
    /// Whether `prev` and its like may be used.
    pub memories: bool,
    /// Most derivative marks of `f`, and whether `f` is there at all.
    pub primes: Option<usize>,
}

fn leaf(names: &'static [&'static str]) -> impl Strategy<Value = Ast> {
    prop_oneof![
        4 => proptest::sample::select(names).prop_map(name),
        1 => proptest::sample::select(&[0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 7.25][..]).prop_map(number),
    ]
}

/// Random trees over all that a repertoire has.
pub fn trees(of: Repertoire) -> impl Strategy<Value = Ast> {
    leaf(of.names).prop_recursive(6, 100, 2, move |inner| {
        let signs = (
            proptest::sample::select(&SIGNS[..]),
            inner.clone(),
            inner.clone(),
        );
        let ones = (proptest::sample::select(&OF_ONE[..]), inner.clone());
        let two = (any::<bool>(), inner.clone(), inner.clone());
        let three = (any::<bool>(), inner.clone(), inner.clone(), inner.clone());
        let fused = (
            any::<bool>(),
            any::<bool>(),
            inner.clone(),
            inner.clone(),
            inner.clone(),
        );
        let other = (0..9_u8, 0..4_usize, inner);
        prop_oneof![
            6 => signs.prop_map(|(sign, a, b)| binary(sign, a, b)),
            3 => ones.prop_map(|(f, x)| call(f, 0, vec![x])),
            1 => two.prop_map(|(low, a, b)| call(if low { "min" } else { "max" }, 0, vec![a, b])),
            1 => three.prop_map(|(clip, a, b, c)| call(if clip { "clip" } else { "if" }, 0, vec![a, b, c])),
            2 => fused.prop_map(|(plus, first, a, b, c)| fusible(plus, first, a, b, c)),
            4 => other.prop_map(move |(which, how, x)| rare(of, which, how, x)),
        ]
    })
}

/// A product in a sum or a difference, on either side.
fn fusible(plus: bool, first: bool, a: Ast, b: Ast, c: Ast) -> Ast {
    let sign = if plus {
        BinarySign::Add
    } else {
        BinarySign::Sub
    };
    let product = binary(BinarySign::Mul, a, b);
    let (left, right) = if first { (product, c) } else { (c, product) };
    binary(sign, left, right)
}

/// The less usual things that a tree can become part of: `which` of them, and `how`.
fn rare(of: Repertoire, which: u8, how: usize, x: Ast) -> Ast {
    match (which, of.summed, of.memories, of.primes) {
        (0, ..) => unary(UnarySign::Minus, x),
        (1, ..) => unary(UnarySign::Not, x),
        (2, Some(vector), ..) => {
            let cos = call("cos", 0, vec![x]);
            call("sum", 0, vec![binary(BinarySign::Mul, name(vector), cos)])
        }
        (3, Some(vector), ..) => call("mean", 0, vec![call("max", 0, vec![x, name(vector)])]),
        (4 | 5, _, true, _) => memory(x, how),
        (6.., _, _, Some(most)) => call("f", how.min(most), vec![x]),
        _ => call("changed", 0, vec![name("gate")]),
    }
}
