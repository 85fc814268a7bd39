//! The functions of the language.

use super::ast::{Ast, AstKind, BinarySign};
use super::build::{Builder, Typed};
use super::formula::{Filter, FilterKind};
use super::graph::{NodeId, Shape, Symbol};
use super::ops::{Binary, Unary};
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
    Avg,
    Lowpass,
    Trace,
    Changed,
    Rate,
    Plateau,
    Psp,
    Sum,
    Mean,
}

const TABLE: [(&str, Builtin); 26] = [
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
    ("avg", Builtin::Avg),
    ("lowpass", Builtin::Lowpass),
    ("trace", Builtin::Trace),
    ("changed", Builtin::Changed),
    ("psp", Builtin::Psp),
    ("sum", Builtin::Sum),
    ("mean", Builtin::Mean),
    ("rate", Builtin::Rate),
    ("plateau", Builtin::Plateau),
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
            Builtin::Min | Builtin::Max | Builtin::Avg | Builtin::Lowpass | Builtin::Trace => {
                (2, 2)
            }
            Builtin::Clip | Builtin::If => (3, 3),
            Builtin::Prev => (1, 2),
            _ => (1, 1),
        }
    }

    /// The arguments in words.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Builtin::Min | Builtin::Max => "two arguments",
            Builtin::Avg | Builtin::Lowpass | Builtin::Trace => {
                "two arguments, a value and a time constant"
            }
            Builtin::Clip => "three arguments, a value and its bounds",
            Builtin::If => "three arguments, a condition and two values",
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
            (Builtin::Prev, _) if self.scope.continuous() => {
                let message = "there are no steps here, and so no value of a step before";
                let help = Some("use a filter: lowpass(x, tau) or trace(x, tau)".to_owned());
                self.mistake(tree, message.to_owned(), "time is continuous", help)
            }
            (Builtin::Prev, [x]) => self.filter(x, FilterKind::Previous(1), 0.0),
            (Builtin::Prev, [x, n]) => self.previous(x, n),
            (Builtin::Avg | Builtin::Lowpass | Builtin::Trace, [x, tau]) => {
                self.smooth(builtin, x, tau)
            }
            (Builtin::Changed | Builtin::Rate | Builtin::Plateau, [name]) => {
                self.of_a_name(builtin, name)
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

    fn word(&self, tree: &Ast) -> String {
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

    /// The state of a filter on `x`; equal filters are one.
    fn filter(&mut self, x: &Ast, kind: FilterKind, tau: f64) -> Typed {
        let value = self.value(x);
        let rises = matches!(kind, FilterKind::Lowpass(_) | FilterKind::Trace(_));
        let constant = self.graph.constant(value.node);
        if constant.is_some_and(|c| !rises || c.abs() <= 0.0) {
            // A constant is what it was; nothing adds up to nothing.
            return value;
        }
        let shape = self.graph.shape(value.node);
        let filter = Filter {
            kind,
            input: value.node,
            shape,
            tau,
        };
        let index = self
            .filters
            .iter()
            .position(|f| *f == filter)
            .unwrap_or_else(|| {
                self.filters.push(filter);
                self.filters.len() - 1
            });
        let symbol = Symbol::Filter(u32::try_from(index).unwrap_or(u32::MAX));
        // In continuous time a decaying sum is an integral.
        let integral = self.scope.continuous() && matches!(kind, FilterKind::Trace(_));
        let dimension = match value.dimension {
            Some(dimension) if integral => Some(dimension * self.scope.step().dimension),
            dimension => dimension,
        };
        Typed {
            node: self.graph.variable(symbol, shape),
            dimension,
        }
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

    fn previous(&mut self, x: &Ast, n: &Ast) -> Typed {
        let steps = self.plain_value(n, "a number of steps");
        match self.graph.constant(steps.node) {
            Some(n) if n.fract().abs() < f64::EPSILON && (1.0..=100_000.0).contains(&n) => {
                self.filter(x, FilterKind::Previous(n as u32), 0.0)
            }
            _ => {
                let message =
                    "`prev` needs a constant whole number of steps from 1 to 100000".to_owned();
                self.mistake(n, message, "", Some("such as prev(x, 3)".to_owned()))
            }
        }
    }

    fn smooth(&mut self, builtin: Builtin, x: &Ast, tau: &Ast) -> Typed {
        let constant = self.value(tau);
        let step = self.scope.step();
        if constant.dimension.is_some_and(|d| d != step.dimension) {
            let unit = constant.dimension.unwrap_or_default();
            let words = |d: Dimension| {
                if d.is_none() {
                    "a plain number".to_owned()
                } else {
                    format!("in {d}")
                }
            };
            let message = format!(
                "a time constant is {} here, this is {}",
                words(step.dimension),
                words(unit)
            );
            return self.mistake(tau, message, "units clash", None);
        }
        match self.graph.constant(constant.node) {
            Some(tau) if tau > 0.0 && (tau.is_finite() || builtin == Builtin::Trace) => {
                // A time constant of infinity is no decay at all.
                let decay = (-step.value / tau).exp();
                let kind = match builtin {
                    Builtin::Avg => FilterKind::Average(decay),
                    Builtin::Trace => FilterKind::Trace(decay),
                    _ => FilterKind::Lowpass(decay),
                };
                self.filter(x, kind, tau)
            }
            Some(constant) if constant.is_infinite() && constant > 0.0 => {
                let message = "an infinite time constant would keep this filter where it starts";
                let help =
                    Some("use a finite one, or trace(x, inf), a sum without decay".to_owned());
                self.mistake(tau, message.to_owned(), "infinite", help)
            }
            _ => {
                let help = Some("use a number or a parameter, such as 10 ms".to_owned());
                self.mistake(
                    tau,
                    "a time constant is a constant above 0".to_owned(),
                    "",
                    help,
                )
            }
        }
    }

    /// A function of something that has a name, not of a value.
    fn of_a_name(&mut self, builtin: Builtin, name: &Ast) -> Typed {
        let AstKind::Name(path) = &name.kind else {
            let message = match builtin {
                Builtin::Rate => "`rate` takes the name of a population",
                Builtin::Plateau => "`plateau` takes the name of a compartment",
                _ => "`changed` takes the name of a modulator",
            };
            return self.mistake(name, message.to_owned(), "", None);
        };
        let meaning = match builtin {
            Builtin::Rate => self.scope.rate(path),
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
