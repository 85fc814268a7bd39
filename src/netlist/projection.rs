//! The `[projection.*]` tables.

use super::model::{Connect, Delay, Name, Projection};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use crate::source::Spanned;

const FROM: Key = key("from", "\"stimulus\"");
const TO: Key = key("to", "\"latent.basal\"");
const CONNECT: Key = key("connect", "\"all-to-all\"");
const WEIGHT: Key = key("weight", "{ normal = { mean = 0, sd = 0.01 } }");
const DELAY: Key = key("delay", "1");
const WITHIN: Key = key("within", "[0, 1]");
const LEARN: Key = key("learn", "{ rule = \"my-rule\", eta = 1e-3 }");

const PROBABILITY: Key = key("probability", "0.1");
const IN_DEGREE: Key = key("in-degree", "10");
const OUT_DEGREE: Key = key("out-degree", "10");
const EDGES: Key = key("edges", "\"edges.csv\"");

const PATTERNS: [&str; 2] = ["all-to-all", "one-to-one"];

/// Keys by which a table is known to be a connection pattern.
pub(super) const KINDS: [&str; 4] = [
    PROBABILITY.name,
    IN_DEGREE.name,
    OUT_DEGREE.name,
    EDGES.name,
];

/// Reads one projection.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Projection> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let from = reader.require(FROM, |field, context| end(field, context, "a population"));
    let to = reader.require(TO, |field, context| end(field, context, "a compartment"));
    let connect = reader.accept(CONNECT, connect);
    let weight = reader.require(WEIGHT, Field::distribution);
    let delay = reader.accept(DELAY, |field, context| field.duration(context, 0));
    let within = reader.accept(WITHIN, Field::interval);
    let learn = reader.accept(LEARN, Field::learn);
    reader.finish();
    Some(Projection {
        name,
        from: from?,
        to: to?,
        connect: connect.unwrap_or_else(|| Spanned::new(Connect::AllToAll, span)),
        weight: weight?,
        delay: delay.map(|d| Spanned::new(Delay::Same(d.value), d.span)),
        dendritic_delay: None,
        signal: None,
        receptor: None,
        short_term: None,
        within,
        learn,
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
    let found = reader.one_of(&[PROBABILITY, IN_DEGREE, OUT_DEGREE, EDGES]);
    let pattern = found.and_then(|(kind, field)| {
        Some(match kind {
            "probability" => {
                Connect::Probability(field.number(reader.context, Range::PROBABILITY)?.value)
            }
            "in-degree" => Connect::InDegree(field.whole(reader.context, 1)?.value),
            "out-degree" => Connect::OutDegree(field.whole(reader.context, 1)?.value),
            _ => Connect::Edges(field.text(reader.context, "a CSV file in quotes")?.value),
        })
    });
    reader.finish();
    pattern
}
