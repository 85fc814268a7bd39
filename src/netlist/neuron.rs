//! The `[neuron.*]` tables.

use indexmap::IndexMap;

use super::model::{CompartmentModel, Dynamics, Name, NeuronModel};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use super::tree::{Entry, Value};
use super::{membrane, spiking};
use crate::source::{Problem, Spanned, nearest};
use crate::units::Quantity;

const SOURCE: Key = key("source", "\"Author year, equation\"");
const PARAMETER: Key = key("parameter", "{ tau = \"10 ms\" }");
const VALUE: Key = key("value", "\"f(drive)\"");
const DERIVATIVE: Key = key("derivative", "\"(drive - soma) / tau\"");
const ACTIVATION: Key = key("f", "\"tanh\"");
const WITHIN: Key = key("within", "[0, 1]");
const START: Key = key("start", "0");
const SOMA: Key = key("soma", "{ value = \"drive\" }");
const MEMBRANE: &str = "{ capacitance = \"200 pF\", leak = \"10 nS\", rest = \"-70 mV\" }";
const SPIKING_SOMA: Key = key("soma", MEMBRANE);

/// Reads one neuron model.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<NeuronModel> {
    let mut reader = TableReader::open(context, field)?;
    let source = reader.accept(SOURCE, Field::prose);
    let parameters = reader.accept(PARAMETER, parameters).unwrap_or_default();
    if spiking::is_spiking(field.node) {
        return spiking_neuron(reader, name, source, parameters);
    }
    let mut compartments = IndexMap::new();
    for (key, entry) in reader.others() {
        compartments
            .extend(compartment(&mut reader, key, entry).map(|model| (key.to_owned(), model)));
    }
    if !reader.has("soma") {
        reader.lacks(
            &[SOMA],
            "compartment `soma`",
            "`soma = { value = \"drive\" }`",
        );
    }
    Some(NeuronModel {
        name,
        source,
        parameters,
        compartments,
        spike: None,
        burst: None,
        plateaus: IndexMap::new(),
        receptors: IndexMap::new(),
    })
}

/// The rest of a model that has a `spike` table.
fn spiking_neuron(
    mut reader: TableReader<'_, '_>,
    name: Name,
    source: Option<String>,
    parameters: IndexMap<String, Spanned<Quantity>>,
) -> Option<NeuronModel> {
    let spike = reader.accept(spiking::SPIKE, spiking::spike);
    let burst = reader.accept(spiking::BURST, spiking::burst);
    let plateaus = reader.accept(spiking::PLATEAU, spiking::plateaus);
    let receptors = reader.accept(spiking::RECEPTOR, spiking::receptors);
    let mut compartments = IndexMap::new();
    let others = reader.others();
    for (key, entry) in &others {
        let model = variable(&mut reader, key, entry);
        compartments.extend(model.map(|model| ((*key).to_owned(), model)));
    }
    let broken = compartments.len() < others.len();
    let source_of_spikes = spike.as_ref().is_none_or(|s| s.trigger.is_autonomous());
    let bare = source_of_spikes && others.is_empty();
    if !bare && !reader.has("soma") {
        let example = format!("`soma = {MEMBRANE}`");
        reader.lacks(&[SPIKING_SOMA], "compartment `soma`", &example);
    }
    let mut model = NeuronModel {
        name,
        source,
        parameters,
        compartments,
        spike: Some(spike?),
        burst,
        plateaus: plateaus.unwrap_or_default(),
        receptors: receptors.unwrap_or_default(),
    };
    // What a broken compartment leaves unknown has been told.
    if !broken {
        membrane::write_equations(&mut model.compartments, reader.context);
        spiking::check_names(&model, reader.context);
    }
    Some(model)
}

/// A compartment of a spiking neuron, or another variable of it.
fn variable(
    reader: &mut TableReader<'_, '_>,
    key: &str,
    entry: &Entry,
) -> Option<CompartmentModel> {
    if entry.node.value == Value::Broken {
        return None;
    }
    let keys = [DERIVATIVE.name, membrane::CAPACITANCE.name];
    if let Some(problem) = stray(reader, key, entry, &keys) {
        reader.context.report(problem);
        return None;
    }
    let field = Field::named(&reader.path, key, MEMBRANE, &entry.node);
    let kind = NameKind::Identifier;
    let name = check(reader.context, "compartment", kind, key, entry.key);
    if field.has(VALUE.name) {
        let problem = field.problem("an assigned value", "a membrane, or a `derivative`");
        let help = "a neuron that spikes is given by how it changes between events; \
                    what is computed from its variables can be written out where it is used";
        reader.context.report(problem.help(help));
        return None;
    }
    let mut reader = TableReader::open(reader.context, &field)?;
    let found = reader.one_of(&[membrane::CAPACITANCE, DERIVATIVE]);
    let (mut membrane, mut derivative) = (None, None);
    if let Some((kind, value)) = found {
        if kind == DERIVATIVE.name {
            derivative = value.formula(reader.context);
        } else {
            membrane = membrane::read(&mut reader, &value);
            // Written when all couplings are known.
            derivative = membrane
                .is_some()
                .then(|| Spanned::new(String::new(), field.span()));
        }
    }
    let activation = reader.accept(ACTIVATION, Field::expression);
    let start = reader.accept(START, Field::distribution);
    reader.finish();
    Some(CompartmentModel {
        name,
        dynamics: Dynamics::Derivative(derivative?),
        membrane,
        activation,
        within: None,
        start,
    })
}

/// Parameters with their defaults.
fn parameters(
    field: &Field<'_>,
    context: &mut Context,
) -> Option<IndexMap<String, Spanned<Quantity>>> {
    let mut reader = TableReader::open(context, field)?;
    Some(reader.parameters("\"10 ms\"", |field, _, context| field.parameter(context)))
}

/// One compartment, or a key that is none.
fn compartment(
    reader: &mut TableReader<'_, '_>,
    key: &str,
    entry: &Entry,
) -> Option<CompartmentModel> {
    let field = Field::named(
        &reader.path,
        key,
        "{ value = \"f(drive)\", f = \"tanh\" }",
        &entry.node,
    );
    if entry.node.value == Value::Broken {
        return None;
    }
    if let Some(problem) = without_spikes(&field, entry) {
        reader.context.report(problem);
        return None;
    }
    if let Some(problem) = stray(reader, key, entry, &[VALUE.name, DERIVATIVE.name]) {
        reader.context.report(problem);
        return None;
    }
    let name = check(
        reader.context,
        "compartment",
        NameKind::Identifier,
        key,
        entry.key,
    );
    let mut reader = TableReader::open(reader.context, &field)?;
    let dynamics = reader
        .one_of(&[VALUE, DERIVATIVE])
        .and_then(|(kind, field)| {
            let expression = field.expression(reader.context)?;
            Some(if kind == VALUE.name {
                Dynamics::Value(expression)
            } else {
                Dynamics::Derivative(expression)
            })
        });
    let activation = reader.accept(ACTIVATION, Field::expression);
    let within = reader.accept(WITHIN, Field::interval);
    let start = reader.accept(START, Field::distribution);
    reader.finish();
    Some(CompartmentModel {
        name,
        dynamics: dynamics?,
        membrane: None,
        activation,
        within,
        start,
    })
}

/// Says so if a table is one that only spiking neurons have.
fn without_spikes(field: &Field<'_>, entry: &Entry) -> Option<Problem> {
    let table = entry.node.table()?;
    let own = table.get(VALUE.name).or(table.get(DERIVATIVE.name));
    let named = |key: &&Key| field.path.ends_with(&format!(".{}", key.name));
    let key = spiking::TABLES.iter().find(named).map(|key| key.name);
    let key = key.or_else(|| {
        membrane::KEYS
            .into_iter()
            .find(|key| table.get(key).is_some())
    });
    let key = key.filter(|_| own.is_none())?;
    let message = format!(
        "`{}` is of a spiking neuron, this one never spikes",
        field.path
    );
    let problem = Problem::new(
        message,
        entry.key,
        format!("`{key}` needs `spike` beside it"),
    );
    let (spike, example) = (spiking::SPIKE.name, spiking::SPIKE.example);
    Some(problem.help(format!("say when it spikes: `{spike} = {example}`")))
}

/// Says so if a key is not a compartment: its value is no table, or it is a known key misspelt and
/// its table has none of a compartment's `keys`.
pub(super) fn stray(
    reader: &mut TableReader<'_, '_>,
    key: &str,
    entry: &Entry,
    keys: &[&str],
) -> Option<Problem> {
    let misspelt = nearest(key, reader.known().iter().copied()).is_some();
    let table = entry.node.table();
    if table.is_some_and(|table| !misspelt || keys.iter().any(|key| table.get(key).is_some())) {
        return None;
    }
    let problem = reader.unknown(key, entry.key);
    if misspelt {
        return Some(problem);
    }
    let keys: Vec<String> = reader
        .known()
        .iter()
        .map(|key| format!("`{key}`"))
        .collect();
    let keys = keys.join(", ");
    Some(problem.help(format!(
        "the keys here are {keys}, and compartments, which are tables"
    )))
}
