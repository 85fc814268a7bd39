//! The `[projection.*]` tables.

use super::model::{
    Connect, Convolution, Delay, Distance, Distribution, DistributionKind, Name, Precision,
    Profile, Projection, ShortTerm, Signal, Windows,
};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::Value;
use crate::source::{Problem, Spanned};
use crate::units::Dimension;

const FROM: Key = key("from", "\"stimulus\"");
const TO: Key = key("to", "\"latent.basal\"");
const CONNECT: Key = key("connect", "\"all-to-all\"");
const WEIGHT: Key = key("weight", "{ normal = { mean = 0, sd = 0.01 } }");
const TRANSPOSE_OF: Key = key("transpose-of", "\"W\"");
const DELAY: Key = key("delay", "1");
const DELAY_TIME: Key = key("delay", "\"1 ms\"");
const WITHIN: Key = key("within", "[0, 1]");
const PRECISION: Key = key("precision", "\"single\"");
const LEARN: Key = key("learn", "{ rule = \"my-rule\", eta = 1e-3 }");

const DENDRITIC_DELAY: Key = key("dendritic-delay", "\"1 ms\"");
const SIGNAL: Key = key("signal", "\"event\"");
const RECEPTOR: Key = key("receptor", "\"exc\"");
const SHORT_TERM: Key = key("short-term", "{ U = 0.5, recovery = \"800 ms\" }");
const U: Key = key("U", "0.5");
const RECOVERY: Key = key("recovery", "\"800 ms\"");
const FACILITATION: Key = key("facilitation", "\"0 ms\"");

const PROBABILITY: Key = key("probability", "0.1");
const IN_DEGREE: Key = key("in-degree", "10");
const OUT_DEGREE: Key = key("out-degree", "10");
const EDGES: Key = key("edges", "\"edges.csv\"");
const TOTAL: Key = key("total", "1000");
const REPEATS: Key = key("repeats", "true");
const GAUSSIAN: Key = key("gaussian", "0.1");
const EXPONENTIAL: Key = key("exponential", "0.1");
const BOXCAR: Key = key("boxcar", "0.1");
const PEAK: Key = key("peak", "0.5");
const PERIODIC: Key = key("periodic", "true");
const CONVOLUTION: Key = key("convolution", "{ kernel = [3, 3], padding = 1 }");
const POOL: Key = key("pool", "[2, 2]");
const SPREAD: Key = key("spread", "[2, 2]");
const WINNER: Key = key("winner", "[2, 2]");
const KERNEL: Key = key("kernel", "[3, 3]");
const STRIDE: Key = key("stride", "1");
const PADDING: Key = key("padding", "1");

const PATTERNS: [&str; 2] = ["all-to-all", "one-to-one"];

/// Keys by which a table is known to be a connection pattern.
pub(super) const KINDS: [&str; 12] = [
    PROBABILITY.name,
    IN_DEGREE.name,
    OUT_DEGREE.name,
    TOTAL.name,
    GAUSSIAN.name,
    EXPONENTIAL.name,
    BOXCAR.name,
    EDGES.name,
    CONVOLUTION.name,
    POOL.name,
    SPREAD.name,
    WINNER.name,
];

/// Reads one projection.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Projection> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let from = reader.require(FROM, |field, context| end(field, context, "a population"));
    let to = reader.require(TO, |field, context| end(field, context, "a compartment"));
    let connect = reader.accept(CONNECT, connect);
    let (weight, transpose_of) = weights(&mut reader);
    let key = match reader.context.event {
        Some(true) => DELAY_TIME,
        _ => DELAY,
    };
    let delay = reader.accept(key, delay);
    let dendritic_delay = reader.accept(DENDRITIC_DELAY, |field, context| {
        field.time(context, Range::NOT_NEGATIVE)
    });
    let signal = reader.accept(SIGNAL, signal);
    let receptor = reader.accept(RECEPTOR, Field::name);
    let short_term = reader.accept(SHORT_TERM, short_term);
    reader.only_with_spikes(&[DENDRITIC_DELAY, SIGNAL, RECEPTOR, SHORT_TERM]);
    let precision = reader.accept(PRECISION, precision);
    reader.only_without_spikes(&[PRECISION, TRANSPOSE_OF]);
    let within = reader.accept(WITHIN, Field::interval);
    let learn = reader.accept(LEARN, Field::learn);
    reader.finish();
    Some(Projection {
        name,
        from: from?,
        to: to?,
        connect: connect.unwrap_or_else(|| Spanned::new(Connect::AllToAll, span)),
        weight: weight?,
        transpose_of,
        delay,
        dendritic_delay,
        signal,
        receptor,
        short_term,
        precision,
        within,
        learn,
    })
}

/// Weights of its own, or the name of the projection whose weights it has the other way.
fn weights(reader: &mut TableReader<'_, '_>) -> (Option<Distribution>, Option<Name>) {
    let Some(field) = reader.optional(TRANSPOSE_OF) else {
        return (reader.require(WEIGHT, Field::distribution), None);
    };
    for own in [WEIGHT, CONNECT, PRECISION, WITHIN, LEARN] {
        if reader.optional(own).is_some() {
            let message = format!("`{}` has the weights of another projection", reader.path);
            let problem = Problem::new(message, reader.place(own.name), "has its own");
            let help = format!(
                "`{}` belongs to the projection whose weights they are: leave it out here",
                own.name
            );
            reader.context.report(problem.help(help));
        }
    }
    let weight = Distribution {
        kind: DistributionKind::Constant(0.0),
        dimension: Dimension::NONE,
        clip: None,
        span: field.span(),
    };
    (Some(weight), field.name(reader.context))
}

/// One delay, or a distribution of them.
fn delay(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Delay>> {
    let delay = match field.node.value {
        Value::Table(_) | Value::List(_) => {
            let drawn = field.distribution(context)?;
            if context.time.is_some_and(|time| time != drawn.dimension) {
                let found = format!("a distribution {}", drawn.dimension.in_words());
                let problem = field.problem(&found, "a distribution of times");
                let help = "write for example `delay = { uniform = [\"1 ms\", \"2 ms\"] }`";
                context.report(problem.help(help));
                return None;
            }
            Delay::Drawn(drawn)
        }
        _ => Delay::Same(field.duration(context, 0)?.value),
    };
    Some(Spanned::new(delay, field.span()))
}

fn signal(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Signal>> {
    let signals = [Signal::Spike, Signal::Event, Signal::Burst];
    let word = field.name(context)?;
    match signals.into_iter().find(|s| s.name() == word.value) {
        Some(signal) => Some(Spanned::new(signal, word.span)),
        None => {
            field.unknown_choice(context, "signal", &signals.map(Signal::name));
            None
        }
    }
}

pub(super) fn precision(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Precision>> {
    let precisions = [Precision::Double, Precision::Single];
    let word = field.name(context)?;
    match precisions.into_iter().find(|p| p.name() == word.value) {
        Some(precision) => Some(Spanned::new(precision, word.span)),
        None => {
            field.unknown_choice(context, "precision", &precisions.map(Precision::name));
            None
        }
    }
}

fn short_term(field: &Field<'_>, context: &mut Context) -> Option<ShortTerm> {
    let mut reader = TableReader::open(context, field)?;
    let time = |range| {
        move |field: &Field<'_>, context: &mut Context| {
            let time = field.time(context, range)?;
            Some(Spanned::new(time.value.value, time.span))
        }
    };
    let utilisation = reader.require(U, |field, context| {
        field.number(context, Range::PROBABILITY)
    });
    let recovery = reader.require(RECOVERY, time(Range::POSITIVE));
    let facilitation = reader.accept(FACILITATION, time(Range::NOT_NEGATIVE));
    reader.finish();
    Some(ShortTerm {
        utilisation: utilisation?,
        recovery_ms: recovery?,
        facilitation_ms: facilitation.map_or(0.0, |time| time.value),
    })
}

/// One end of a projection.
fn end(field: &Field<'_>, context: &mut Context, what: &str) -> Option<Name> {
    let expected = format!("{what}, in quotes");
    field.text(context, &expected)
}

fn connect(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Connect>> {
    let pattern = match field.node.text() {
        Some("all-to-all") => Some(Connect::AllToAll),
        Some("one-to-one") => Some(Connect::OneToOne),
        Some(_) => {
            let kinds: Vec<&str> = PATTERNS.into_iter().chain(KINDS).collect();
            field.unknown_choice(context, "connection pattern", &kinds);
            None
        }
        None => connect_table(field, context),
    };
    Some(Spanned::new(pattern?, field.span()))
}

fn connect_table(field: &Field<'_>, context: &mut Context) -> Option<Connect> {
    let mut reader = TableReader::open(context, field)?;
    let found = reader.one_of(&[
        PROBABILITY,
        IN_DEGREE,
        OUT_DEGREE,
        TOTAL,
        GAUSSIAN,
        EXPONENTIAL,
        BOXCAR,
        EDGES,
        CONVOLUTION,
        POOL,
        SPREAD,
        WINNER,
    ]);
    let pattern = found.and_then(|(kind, field)| {
        Some(match kind {
            "probability" => {
                Connect::Probability(field.number(reader.context, Range::PROBABILITY)?.value)
            }
            "in-degree" => Connect::InDegree(field.whole(reader.context, 1)?.value),
            "out-degree" => Connect::OutDegree(field.whole(reader.context, 1)?.value),
            "total" => total(&field, &mut reader)?,
            "gaussian" => distance(Profile::Gaussian, &field, &mut reader)?,
            "exponential" => distance(Profile::Exponential, &field, &mut reader)?,
            "boxcar" => distance(Profile::Boxcar, &field, &mut reader)?,
            "convolution" => Connect::Convolution(convolution(&field, reader.context)?),
            "pool" => Connect::Pool(windows(&field, reader.context)?),
            "spread" => Connect::Spread(windows(&field, reader.context)?),
            "winner" => Connect::Winner(windows(&field, reader.context)?),
            _ => Connect::Edges(
                field
                    .text(reader.context, "a CSV or Parquet file in quotes")?
                    .value,
            ),
        })
    });
    reader.finish();
    pattern
}

/// A fixed number of synapses.
fn total(field: &Field<'_>, reader: &mut TableReader<'_, '_>) -> Option<Connect> {
    let count = field.whole(reader.context, 1)?.value;
    let repeats = reader.accept(REPEATS, Field::flag).unwrap_or(false);
    Some(Connect::Total { count, repeats })
}

/// A probability over distance, with its width.
fn distance(
    profile: Profile,
    field: &Field<'_>,
    reader: &mut TableReader<'_, '_>,
) -> Option<Connect> {
    let width = field.number(reader.context, Range::POSITIVE)?.value;
    let peak = reader.accept(PEAK, |field, context| {
        field.number(context, Range::PROBABILITY)
    });
    let periodic = reader.accept(PERIODIC, Field::flag).unwrap_or(false);
    Some(Connect::Distance(Distance {
        profile,
        width,
        peak: peak.map_or(1.0, |peak| peak.value),
        periodic,
    }))
}

fn convolution(field: &Field<'_>, context: &mut Context) -> Option<Convolution> {
    let mut reader = TableReader::open(context, field)?;
    let kernel = reader.require(KERNEL, |field, context| lengths(field, context, 1));
    let stride = reader.accept(STRIDE, |field, context| lengths(field, context, 1));
    let padding = reader.accept(PADDING, |field, context| lengths(field, context, 0));
    reader.finish();
    Some(Convolution {
        kernel: kernel?,
        stride: stride.unwrap_or(vec![1]),
        padding: padding.unwrap_or(vec![0]),
    })
}

/// One number for each dimension of the maps, or one for all.
fn lengths(field: &Field<'_>, context: &mut Context, least: u64) -> Option<Vec<u64>> {
    match field.node.list() {
        None => field.whole(context, least).map(|n| vec![n.value]),
        Some(_) => field.wholes(context, least),
    }
}

fn windows(field: &Field<'_>, context: &mut Context) -> Option<Windows> {
    match field.node.text() {
        Some("all") => Some(Windows::All),
        Some(_) => field.refuse(
            context,
            "a word",
            "lengths of a window, or \"all\" of a map",
        ),
        None => lengths(field, context, 1).map(Windows::Of),
    }
}
