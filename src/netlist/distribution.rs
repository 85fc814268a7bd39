//! Numbers and distributions of numbers.

use super::model::{Distribution, DistributionKind, Interval};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::Value;
use crate::source::{Problem, Spanned};
use crate::units::{Dimension, Quantity};

const CONSTANT: Key = key("constant", "0.1");
const NORMAL: Key = key("normal", "{ mean = 0, sd = 0.1 }");
const LOGNORMAL: Key = key("lognormal", "{ mean = 1, sd = 0.1 }");
const UNIFORM: Key = key("uniform", "[0, 1]");
const CLIP: Key = key("clip", "[0, 1]");
const MEAN: Key = key("mean", "0");
const POSITIVE_MEAN: Key = key("mean", "1");
const SD: Key = key("sd", "0.1");

/// Keys by which a table is known to be a distribution.
pub(super) const KINDS: [&str; 4] = [CONSTANT.name, NORMAL.name, LOGNORMAL.name, UNIFORM.name];

impl Field<'_> {
    /// A number, a list of numbers, or a table that says what to draw.
    pub fn distribution(&self, context: &mut Context) -> Option<Distribution> {
        match &self.node.value {
            Value::Table(_) => self.drawn(context),
            Value::List(_) => self.listed(context),
            Value::Whole(_) | Value::Number(_) | Value::Text { .. } => {
                let one = self.quantity(context)?;
                let kind = DistributionKind::Constant(one.value.value);
                Some(self.made(kind, one.value.dimension, None))
            }
            _ => {
                self.wrong_kind(context, "a number, a list of numbers, or a distribution");
                None
            }
        }
    }

    /// Two numbers of one dimension, the first smaller; `inf` stands for no bound.
    pub fn interval(&self, context: &mut Context) -> Option<Interval> {
        let expected = "two numbers, the lower bound and the upper bound";
        let fields = self.elements(context, expected)?;
        let [low, high] = fields.as_slice() else {
            return self.refuse(context, &format!("a list of {}", fields.len()), expected);
        };
        let (low, high) = (low.bound(context), high.bound(context));
        let (low, high) = (low?, high?);
        let pair: Vec<_> = [&low, &high]
            .into_iter()
            .filter(|q| q.value.value.is_finite())
            .collect();
        let dimension = self.same_dimension(context, &pair)?;
        let (low, high) = (low.value.value, high.value.value);
        if low >= high || low.is_nan() || high.is_nan() {
            return self.refuse(
                context,
                "an empty range",
                "a lower bound, then a greater upper bound",
            );
        }
        Some(Interval {
            low,
            high,
            dimension,
            span: self.span(),
        })
    }

    fn bound(&self, context: &mut Context) -> Option<Spanned<Quantity>> {
        match self.node.value {
            Value::Number(x) if x.is_infinite() => {
                Some(Spanned::new(Quantity::plain(x), self.span()))
            }
            _ => self.quantity(context),
        }
    }

    fn listed(&self, context: &mut Context) -> Option<Distribution> {
        let expected = "a number, a list of numbers, or a distribution";
        let numbers = self.each(context, expected, Field::quantity)?;
        let dimension = self.same_dimension(context, &numbers.iter().collect::<Vec<_>>())?;
        let kind = DistributionKind::List(numbers.iter().map(|n| n.value.value).collect());
        Some(self.made(kind, dimension, None))
    }

    fn drawn(&self, context: &mut Context) -> Option<Distribution> {
        let mut reader = TableReader::open(context, self)?;
        let clip = reader
            .optional(CLIP)
            .map(|field| field.interval(reader.context));
        let found = reader.one_of(&[CONSTANT, NORMAL, LOGNORMAL, UNIFORM]);
        let drawn = found.and_then(|(name, field)| match name {
            "normal" => field.moments(reader.context, MEAN, Range::ANY).map(normal),
            "lognormal" => field
                .moments(reader.context, POSITIVE_MEAN, Range::POSITIVE)
                .map(lognormal),
            "uniform" => field.uniform(reader.context),
            _ => {
                let one = field.quantity(reader.context)?;
                Some((
                    DistributionKind::Constant(one.value.value),
                    one.value.dimension,
                ))
            }
        });
        reader.finish();
        let (kind, dimension) = drawn?;
        let clip = match clip {
            None => None,
            Some(interval) => Some(self.clip(context, interval?, dimension)?),
        };
        Some(self.made(kind, dimension, clip))
    }

    fn clip(
        &self,
        context: &mut Context,
        clip: Interval,
        dimension: Dimension,
    ) -> Option<[f64; 2]> {
        let unbounded = clip.low.is_infinite() && clip.high.is_infinite();
        if clip.dimension != dimension && !unbounded {
            let message = format!("`{}.clip` has another unit than what it clips", self.path);
            let note = format!("these are {}", says(clip.dimension));
            let help = format!(
                "write them {}, as the numbers that they clip",
                says(dimension)
            );
            context.report(Problem::new(message, clip.span, note).help(help));
            return None;
        }
        Some([clip.low, clip.high])
    }

    /// `{ mean, sd }` and the dimension of both.
    fn moments(
        &self,
        context: &mut Context,
        key: Key,
        range: Range,
    ) -> Option<([f64; 2], Dimension)> {
        let mut reader = TableReader::open(context, self)?;
        let mean = reader.require(key, |field, context| field.in_range(context, range));
        let sd = reader.require(SD, |field, context| {
            field.in_range(context, Range::NOT_NEGATIVE)
        });
        reader.finish();
        let (mean, sd) = (mean?, sd?);
        let dimension = self.same_dimension(context, &[&mean, &sd])?;
        Some(([mean.value.value, sd.value.value], dimension))
    }

    fn uniform(&self, context: &mut Context) -> Option<(DistributionKind, Dimension)> {
        let interval = self.interval(context)?;
        let (low, high) = (interval.low, interval.high);
        if low.is_infinite() || high.is_infinite() {
            return self.refuse(context, "infinite", "two finite bounds");
        }
        Some((DistributionKind::Uniform { low, high }, interval.dimension))
    }

    /// A quantity whose number is in a range.
    pub fn in_range(&self, context: &mut Context, range: Range) -> Option<Spanned<Quantity>> {
        let quantity = self.quantity(context)?;
        if (range.holds)(quantity.value.value) {
            return Some(quantity);
        }
        self.refuse(
            context,
            &quantity.value.to_string(),
            &format!("a number {}", range.says),
        )
    }

    /// The dimension that all have; two different ones are a mistake.
    fn same_dimension(
        &self,
        context: &mut Context,
        all: &[&Spanned<Quantity>],
    ) -> Option<Dimension> {
        let Some(first) = all.first() else {
            return Some(Dimension::NONE);
        };
        let Some(other) = all
            .iter()
            .find(|q| q.value.dimension != first.value.dimension)
        else {
            return Some(first.value.dimension);
        };
        let message = format!("`{}` mixes numbers of different units", self.path);
        let problem = Problem::new(
            message,
            other.span,
            format!("this is {}", says(other.value.dimension)),
        )
        .also(
            first.span,
            format!("this is {}", says(first.value.dimension)),
        )
        .help("give all of them the same kind of unit, also a 0: \"0 mV\"");
        context.report(problem);
        None
    }

    fn made(
        &self,
        kind: DistributionKind,
        dimension: Dimension,
        clip: Option<[f64; 2]>,
    ) -> Distribution {
        Distribution {
            kind,
            dimension,
            clip,
            span: self.span(),
        }
    }
}

fn normal(([mean, sd], dimension): ([f64; 2], Dimension)) -> (DistributionKind, Dimension) {
    (DistributionKind::Normal { mean, sd }, dimension)
}

fn lognormal(([mean, sd], dimension): ([f64; 2], Dimension)) -> (DistributionKind, Dimension) {
    (DistributionKind::Lognormal { mean, sd }, dimension)
}

/// How a dimension reads in a sentence.
fn says(dimension: Dimension) -> String {
    if dimension.is_none() {
        "without a unit".to_owned()
    } else {
        format!("in {dimension}")
    }
}
