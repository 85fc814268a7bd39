//! `rate`, `event_rate` and `burst_rate`: how often the neurons of a population do something.

use super::ast::{Ast, AstKind};
use super::build::{Builder, Typed};
use super::scope::Counted;

impl Builder<'_> {
    /// The rate of a population's events of a kind, in an exponential window.
    pub(super) fn population_rate(
        &mut self,
        tree: &Ast,
        counted: Counted,
        name: &Ast,
        window: Option<&Ast>,
    ) -> Typed {
        let AstKind::Name(path) = &name.kind else {
            let message = format!("`{}` takes the name of a population", self.word(tree));
            return self.mistake(name, message, "", None);
        };
        let window = match window.map(|window| self.window(window)) {
            None => None,
            Some(Ok(window)) => Some(window),
            Some(Err(mistake)) => return mistake,
        };
        match self.scope.rate(path, counted, window) {
            Ok(meaning) => self.meaning(meaning),
            Err(refusal) => self.refused(name, refusal),
        }
    }

    /// The time constant of a window, in the unit of the step.
    fn window(&mut self, window: &Ast) -> Result<f64, Typed> {
        let value = self.value(window);
        let time = self.scope.step().dimension;
        let fits = value.dimension.is_none_or(|d| d == time);
        match self.graph.constant(value.node) {
            Some(tau) if fits && tau > 0.0 && tau.is_finite() => Ok(tau),
            _ => {
                let message = "a window has a constant length of time above 0".to_owned();
                let help = Some("such as rate(cells, 20 ms)".to_owned());
                Err(self.mistake(window, message, "", help))
            }
        }
    }
}
