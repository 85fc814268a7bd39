//! Rules on weights that synapses share: what each synapse would change is summed over all places of a map, so a rule
//! has to be a sum of products of the two sides.

use super::expressions::Plastic;
use super::layout::FilterPlace;
use super::method::products;
use super::program::{PlacedRule, Program};
use crate::circuit::connect::Connectivity;
use crate::source::Problem;

impl Program {
    /// What is wrong with the rules on shared weights.
    pub(super) fn problems_of_shared_rules(&self) -> Vec<Problem> {
        self.all_rules()
            .filter_map(|rule| self.problem(rule))
            .collect()
    }

    fn problem(&self, rule: &PlacedRule) -> Option<Problem> {
        let Plastic::Projection(id) = rule.rule.plastic else {
            return None;
        };
        let projection = &self.circuit.projections[id.0 as usize];
        let (name, its) = (&projection.name, &rule.rule.rule);
        match &projection.connectivity {
            Connectivity::Tiling(_) => {
                let message =
                    format!("the weight of `{name}` cannot learn: it is the same in all windows");
                let problem = Problem::new(message, projection.span, "these are windows");
                Some(problem.help("leave `learn` out"))
            }
            Connectivity::Convolution(_) => {
                let why = self.why_not_shared(rule)?;
                let message =
                    format!("`{name}` shares its weights, which rule `{its}` cannot change: {why}");
                let problem = Problem::new(message, rule.rule.expr.span, "at a single synapse");
                Some(problem.help("write the change as a sum of products of a postsynaptic and a presynaptic factor"))
            }
            _ => None,
        }
    }

    /// Why a rule cannot be summed over places, in words.
    fn why_not_shared(&self, rule: &PlacedRule) -> Option<String> {
        if rule
            .filters
            .iter()
            .any(|p| matches!(p, FilterPlace::Synapse(_)))
        {
            return Some("it keeps a state at every synapse".to_owned());
        }
        let expr = &rule.rule.expr;
        match products(expr, expr.formula.root, self.layout.replicas) {
            Err(why) => Some(why),
            Ok((expr, terms)) => {
                let graph = &expr.formula.graph;
                let plain = |node| graph.constant(node).is_some();
                let grows = terms
                    .iter()
                    .any(|t| t.weight && !(plain(t.post) && plain(t.pre)));
                grows.then(|| "it multiplies the weight by activity".to_owned())
            }
        }
    }
}
