//! `learn = { rule = "…", … }`: a rule put to work on a projection or a bias.

use indexmap::IndexMap;

use super::model::{Adam, Learn, Name};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;

const RULE: Key = key("rule", "\"my-rule\"");
const MODULATOR: Key = key("modulator", "{ gamma = \"gamma1\" }");
const OPTIMISER: Key = key("optimiser", "{ adam = { rate = 2e-4 } }");
const ADAM: Key = key("adam", "{ rate = 2e-4 }");
const RATE: Key = key("rate", "2e-4");
const BETA1: Key = key("beta1", "0.9");
const BETA2: Key = key("beta2", "0.999");
const EPSILON: Key = key("epsilon", "1e-8");
const EVERY: Key = key("every", "1");

impl Field<'_> {
    /// A rule and its parameters.
    pub fn learn(&self, context: &mut Context) -> Option<Learn> {
        let mut reader = TableReader::open(context, self)?;
        let rule = reader.require(RULE, Field::name);
        let modulators = reader.accept(MODULATOR, modulators).unwrap_or_default();
        let optimiser = reader.accept(OPTIMISER, optimiser);
        reader.only_without_spikes(&[OPTIMISER]);
        let parameters = reader.parameters("1e-3", |field, _, context| field.parameter(context));
        Some(Learn {
            rule: rule?,
            parameters,
            modulators,
            optimiser,
        })
    }
}

/// What modulators of the rule are called in this circuit.
fn modulators(field: &Field<'_>, context: &mut Context) -> Option<IndexMap<String, Name>> {
    let reader = TableReader::open(context, field)?;
    let mut modulators = IndexMap::new();
    for (key, entry) in reader.others() {
        let field = Field::named(&field.path, key, "\"gamma1\"", &entry.node);
        let name = field.name(reader.context);
        modulators.extend(name.map(|name| (key.to_owned(), name)));
    }
    Some(modulators)
}

fn optimiser(field: &Field<'_>, context: &mut Context) -> Option<Adam> {
    let mut reader = TableReader::open(context, field)?;
    let adam = reader.require(ADAM, adam);
    reader.finish();
    adam
}

fn adam(field: &Field<'_>, context: &mut Context) -> Option<Adam> {
    let mut reader = TableReader::open(context, field)?;
    let positive = |field: &Field<'_>, context: &mut Context| {
        field.number(context, Range::POSITIVE).map(|n| n.value)
    };
    let decay =
        |field: &Field<'_>, context: &mut Context| field.number(context, DECAYS).map(|n| n.value);
    let rate = reader.require(RATE, positive);
    let beta1 = reader.accept(BETA1, decay);
    let beta2 = reader.accept(BETA2, decay);
    let epsilon = reader.accept(EPSILON, positive);
    let every = reader.accept(EVERY, |field, context| field.whole(context, 1));
    reader.finish();
    Some(Adam {
        rate: rate?,
        beta1: beta1.unwrap_or(0.9),
        beta2: beta2.unwrap_or(0.999),
        epsilon: epsilon.unwrap_or(1e-8),
        every: every.map_or(1, |every| every.value),
    })
}

/// Decays of means.
const DECAYS: Range = Range {
    holds: |x| (0.0..1.0).contains(&x),
    says: "from 0 to less than 1",
};
