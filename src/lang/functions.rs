//! The functions of the language.

use super::ast::{Ast, AstKind, BinarySign};
use super::build::{Builder, Typed};
use super::formula::FilterKind;
use super::graph::{NodeId, Shape};
use super::ops::{Binary, Unary};
use super::scope::Counted;
use crate::units::Dimension;

/// A function that every expression may call (`f`, the activation, is not among them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builtin {
    /// Of a plain number, giving a plain number.
    Plain(Unary),
    Relu,
    Sqrt,
    Abs,
    Sign,
    Step,
    Min,
    Max,
    Clip,
    If,
    Prev,
    Prospective,
    Avg,
    Lowpass,
    Trace,
    Carry,
    Changed,
    /// The rate of a population's events of a kind.
    Rate(Counted),
    Plateau,
    Psp,
    Sum,
    Mean,
}

const TABLE: [(&str, Builtin); 30] = [
    ("exp", Builtin::Plain(Unary::Exp)),
    ("log", Builtin::Plain(Unary::Log)),
    ("sin", Builtin::Plain(Unary::Sin)),
    ("cos", Builtin::Plain(Unary::Cos)),
    ("tanh", Builtin::Plain(Unary::Tanh)),
    ("sigmoid", Builtin::Plain(Unary::Sigmoid)),
    ("softplus", Builtin::Plain(Unary::Softplus)),
    ("relu", Builtin::Relu),
    ("sqrt", Builtin::Sqrt),
    ("abs", Builtin::Abs),
    ("sign", Builtin::Sign),
    ("step", Builtin::Step),
    ("min", Builtin::Min),
    ("max", Builtin::Max),
    ("clip", Builtin::Clip),
    ("if", Builtin::If),
    ("prev", Builtin::Prev),
    ("prospective", Builtin::Prospective),
    ("avg", Builtin::Avg),
    ("lowpass", Builtin::Lowpass),
    ("trace", Builtin::Trace),
    ("changed", Builtin::Changed),
    ("psp", Builtin::Psp),
    ("sum", Builtin::Sum),
    ("mean", Builtin::Mean),
    ("rate", Builtin::Rate(Counted::Spikes)),
    ("event_rate", Builtin::Rate(Counted::Events)),
    ("burst_rate", Builtin::Rate(Counted::Bursts)),
    ("plateau", Builtin::Plateau),
    ("carry", Builtin::Carry),
];

impl Builtin {
    pub(super) fn named(name: &str) -> Option<Builtin> {
        TABLE
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, builtin)| *builtin)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
        TABLE.iter().map(|(name, _)| *name)
    }

    /// Fewest and most arguments.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Builtin::Min
            | Builtin::Max
            | Builtin::Avg
            | Builtin::Lowpass
            | Builtin::Trace
            | Builtin::Carry
            | Builtin::Prospective => (2, 2),
            Builtin::Clip | Builtin::If => (3, 3),
            Builtin::Prev | Builtin::Rate(_) => (1, 2),
            _ => (1, 1),
        }
    }

    /// The arguments in words.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Builtin::Min | Builtin::Max => "two arguments",
            Builtin::Avg | Builtin::Lowpass | Builtin::Trace | Builtin::Prospective => {
                "two arguments, a value and a time constant"
            }
            Builtin::Carry => "two arguments, a value and what is kept of the sum so far",
            Builtin::Clip => "three arguments, a value and its bounds",
            Builtin::If => "three arguments, a condition and two values",
            Builtin::Rate(_) => "a population and, if you like, a time constant",
            Builtin::Prev => "a value and, if you like, a number of steps",
            _ => "one argument",
        }
    }
}

/// The operation of a comparison, and whether its sides are swapped.
pub(super) fn comparison(sign: BinarySign) -> (Binary, bool) {
    match sign {
        BinarySign::Less => (Binary::Less, false),
        BinarySign::LessEqual => (Binary::LessEqual, false),
        BinarySign::Greater => (Binary::Less, true),
        BinarySign::GreaterEqual => (Binary::LessEqual, true),
        BinarySign::NotEqual => (Binary::NotEqual, false),
        _ => (Binary::Equal, false),
    }
}

impl Builder<'_> {
    /// A call whose number of arguments has been checked.
    pub(super) fn builtin(&mut self, tree: &Ast, builtin: Builtin, arguments: &[Ast]) -> Typed {
        match (builtin, arguments) {
            (Builtin::Plain(op), [x]) => {
                let who = format!("`{}`", self.word(tree));
                let x = self.plain_value(x, &who);
                let node = self.graph.unary(op, x.node);
                self.plain(node)
            }
            (Builtin::Relu, [x]) => {
                let x = self.value(x);
                let zero = self.graph.number(0.0);
                Typed {
                    node: self.graph.binary(Binary::Max, x.node, zero),
                    ..x
                }
            }
            (Builtin::Abs, [x]) => {
                let x = self.value(x);
                Typed {
                    node: self.graph.unary(Unary::Abs, x.node),
                    ..x
                }
            }
            (Builtin::Sign | Builtin::Step, [x]) => {
                let op = if builtin == Builtin::Sign {
                    Unary::Sign
                } else {
                    Unary::Step
                };
                let x = self.value(x);
                let node = self.graph.unary(op, x.node);
                self.plain(node)
            }
            (Builtin::Sqrt, [x]) => self.square_root(tree, x),
            (Builtin::Min, [a, b]) => self.extreme(tree, Binary::Min, a, b),
            (Builtin::Max, [a, b]) => self.extreme(tree, Binary::Max, a, b),
            (Builtin::Clip, [x, low, high]) => self.clip(tree, x, low, high),
            (Builtin::If, [condition, then, otherwise]) => {
                self.choice(tree, condition, then, otherwise)
            }
            (Builtin::Prev | Builtin::Prospective | Builtin::Carry, _)
                if self.scope.continuous() =>
            {
                let message = "there are no steps here, and so no value of a step before";
                let help = Some("use a filter: lowpass(x, tau) or trace(x, tau)".to_owned());
                self.mistake(tree, message.to_owned(), "time is continuous", help)
            }
            (Builtin::Prev, [x]) => self.filter(x, FilterKind::Previous(1), 0.0),
            (Builtin::Prev, [x, n]) => self.previous(x, n),
            (Builtin::Prospective, [x, tau]) => self.prospective(x, tau),
            (Builtin::Avg | Builtin::Lowpass | Builtin::Trace, [x, tau]) => {
                self.smooth(builtin, x, tau)
            }
            (Builtin::Carry, [x, keep]) => self.carry(tree, x, keep),
            (Builtin::Changed | Builtin::Plateau, [name]) => self.of_a_name(builtin, name),
            (Builtin::Rate(counted), [name, window @ ..]) => {
                self.population_rate(tree, counted, name, window.first())
            }
            (Builtin::Psp, [train]) => self.response(train),
            (Builtin::Sum | Builtin::Mean, [x]) => self.reduction(tree, builtin, x),
            _ => self.mistake(
                tree,
                format!("`{}` cannot be used so", self.word(tree)),
                "",
                None,
            ),
        }
    }

    pub(super) fn word(&self, tree: &Ast) -> String {
        match &tree.kind {
            AstKind::Call { function, .. } => function.clone(),
            _ => tree.to_string(),
        }
    }

    fn square_root(&mut self, tree: &Ast, x: &Ast) -> Typed {
        let x = self.value(x);
        let node = self.graph.unary(Unary::Sqrt, x.node);
        match x.dimension.map(Dimension::sqrt) {
            Some(None) => self.mistake(
                tree,
                "the square root of this unit has no meaning".to_owned(),
                "",
                None,
            ),
            dimension => Typed {
                node,
                dimension: dimension.flatten(),
            },
        }
    }

    fn extreme(&mut self, tree: &Ast, op: Binary, a: &Ast, b: &Ast) -> Typed {
        let (a, b) = (self.value(a), self.value(b));
        if !self.shapes_fit(tree, a.node, b.node) {
            return self.number(0.0, None);
        }
        let dimension = self.same_dimension(tree, "this compares", a, b);
        Typed {
            node: self.graph.binary(op, a.node, b.node),
            dimension,
        }
    }

    fn clip(&mut self, tree: &Ast, x: &Ast, low: &Ast, high: &Ast) -> Typed {
        let (x, low, high) = (self.value(x), self.value(low), self.value(high));
        if !self.shapes_fit(tree, x.node, low.node) || !self.shapes_fit(tree, x.node, high.node) {
            return self.number(0.0, None);
        }
        let dimension = self.same_dimension(tree, "this clips", x, low);
        let dimension = self.same_dimension(tree, "this clips", Typed { dimension, ..x }, high);
        let above = self.graph.binary(Binary::Max, x.node, low.node);
        Typed {
            node: self.graph.binary(Binary::Min, above, high.node),
            dimension,
        }
    }

    fn choice(&mut self, tree: &Ast, condition: &Ast, then: &Ast, otherwise: &Ast) -> Typed {
        let condition = self.plain_value(condition, "a condition");
        let (then, otherwise) = (self.value(then), self.value(otherwise));
        let fits = self.shapes_fit(tree, then.node, otherwise.node)
            && self.shapes_fit(tree, condition.node, then.node)
            && self.shapes_fit(tree, condition.node, otherwise.node);
        if !fits {
            return self.number(0.0, None);
        }
        let dimension = self.same_dimension(tree, "this chooses between", then, otherwise);
        self.select(condition.node, then, otherwise, dimension)
    }

    /// The potential that a train of spikes makes.
    fn response(&mut self, train: &Ast) -> Typed {
        let AstKind::Name(path) = &train.kind else {
            let message = "`psp` takes a presynaptic train of spikes".to_owned();
            return self.mistake(train, message, "", Some("write psp(pre.spike)".to_owned()));
        };
        match self.scope.psp(path) {
            Ok(meaning) => self.meaning(meaning),
            Err(refusal) => self.refused(train, refusal),
        }
    }

    /// A function of something that has a name, not of a value.
    fn of_a_name(&mut self, builtin: Builtin, name: &Ast) -> Typed {
        let AstKind::Name(path) = &name.kind else {
            let message = match builtin {
                Builtin::Plateau => "`plateau` takes the name of a compartment",
                _ => "`changed` takes the name of a modulator or an input",
            };
            return self.mistake(name, message.to_owned(), "", None);
        };
        let meaning = match builtin {
            Builtin::Plateau => self.scope.plateau(path),
            _ => self.scope.changed(path),
        };
        match meaning {
            Ok(meaning) => self.meaning(meaning),
            Err(refusal) => self.refused(name, refusal),
        }
    }

    fn reduction(&mut self, tree: &Ast, builtin: Builtin, x: &Ast) -> Typed {
        if let Err(refusal) = self.scope.reductions() {
            return self.refused(tree, refusal);
        }
        let value = self.value(x);
        let Shape::Vector(size) = self.graph.shape(value.node) else {
            if self.errors.is_empty() {
                let help = Some("name a compartment, such as mean(latent.soma)".to_owned());
                return self.mistake(
                    x,
                    "this is a single number, there is nothing to reduce".to_owned(),
                    "",
                    help,
                );
            }
            return value;
        };
        let sum = self.graph.sum(value.node);
        Typed {
            node: if builtin == Builtin::Mean {
                self.share(sum, size)
            } else {
                sum
            },
            ..value
        }
    }

    fn share(&mut self, sum: NodeId, size: u32) -> NodeId {
        let size = self.graph.number(f64::from(size.max(1)));
        self.graph.binary(Binary::Div, sum, size)
    }
}
