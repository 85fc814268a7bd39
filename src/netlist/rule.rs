//! The `[rule.*]` tables.

use indexmap::IndexMap;

use super::model::{Name, RuleModel};
use super::reader::{Context, Field, Key, TableReader, key};
use crate::source::{Span, nearest};
use crate::units::Quantity;

const SOURCE: Key = key("source", "\"Author year, equation\"");
const PARAMETER: Key = key("parameter", "{ eta = \"required\", tau = \"10 ms\" }");
const DW: Key = key("dw", "\"eta * (post - dend) * pre\"");

/// What stands in place of a default where every projection has to give the parameter.
const REQUIRED: &str = "required";

/// Reads one plasticity rule.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<RuleModel> {
    let mut reader = TableReader::open(context, field)?;
    let source = reader.accept(SOURCE, Field::prose);
    let parameters = reader.accept(PARAMETER, parameters).unwrap_or_default();
    let dw = reader.require(DW, Field::expression);
    reader.finish();
    Some(RuleModel {
        name,
        source,
        parameters,
        dw: dw?,
    })
}

type Parameters = IndexMap<String, (Span, Option<Quantity>)>;

fn parameters(field: &Field<'_>, context: &mut Context) -> Option<Parameters> {
    let mut reader = TableReader::open(context, field)?;
    Some(reader.parameters("\"required\"", |field, _, context| {
        Some((field.span(), default(field, context)?))
    }))
}

/// A default, or `None` for a parameter that has to be given.
fn default(field: &Field<'_>, context: &mut Context) -> Option<Option<Quantity>> {
    match field.node.text() {
        Some(REQUIRED) => Some(None),
        Some(text) if nearest(text, [REQUIRED]).is_some() => {
            field.refuse(context, &format!("\"{text}\""), "\"required\", or a number")
        }
        _ => field
            .parameter(context)
            .map(|quantity| Some(quantity.value)),
    }
}
