//! `learn = { rule = "…", … }`: a rule put to work on a projection or a bias.

use indexmap::IndexMap;

use super::model::Learn;
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};

const RULE: Key = key("rule", "\"my-rule\"");

impl Field<'_> {
    /// A rule and its parameters.
    pub fn learn(&self, context: &mut Context) -> Option<Learn> {
        let mut reader = TableReader::open(context, self)?;
        let rule = reader.require(RULE, Field::name);
        let mut parameters = IndexMap::new();
        for (key, entry) in reader.others() {
            check(
                reader.context,
                "parameter",
                NameKind::Identifier,
                key,
                entry.key,
            );
            let field = Field::named(&self.path, key, "1e-3", &entry.node);
            parameters.extend(
                field
                    .parameter(reader.context)
                    .map(|quantity| (key.to_owned(), quantity)),
            );
        }
        Some(Learn {
            rule: rule?,
            parameters,
        })
    }
}
