//! Reading the values of spiking neurons: expressions in their place, with the unit that is expected.

use crate::circuit::{Circuit, CompartmentId, PopulationId};
use crate::compile::expressions::{Reader, misfit, read};
use crate::compile::scope::{Place, PlaceScope};
use crate::compile::{Expr, Reading};
use crate::netlist::model::{Dynamics, Expression, Netlist};
use crate::source::Problem;
use crate::units::Dimension;

use super::form::{LinearForm, Numbers};
use super::limits::Limited;

/// Reads the texts of one population.
pub(super) struct NeuronReader<'n> {
    pub netlist: &'n Netlist,
    pub circuit: &'n Circuit,
    pub population: PopulationId,
    pub numbers: Numbers,
    pub limits: Vec<Limited>,
    pub problems: Vec<Problem>,
}

impl NeuronReader<'_> {
    /// An expression of this neuron; `time` if it may read `t`.
    pub fn expr(
        &mut self,
        text: &Expression,
        time: bool,
        expected: Option<Dimension>,
        what: &str,
    ) -> Option<Expr> {
        let place = Place::Neuron {
            population: self.population,
            time,
        };
        let read = read(text, PlaceScope::new(self.circuit, place, None));
        let (expr, _) = self.kept(read)?;
        if let Some(expected) = expected {
            self.problems.extend(misfit(&expr, expected, what));
        }
        Some(expr)
    }

    /// An expression of parameters and modulators.
    pub fn number(
        &mut self,
        text: &Expression,
        expected: Dimension,
        what: &str,
    ) -> Option<crate::lang::scalar::ScalarCode> {
        let expr = self.expr(text, false, Some(expected), what)?;
        let code = self
            .numbers
            .code(&expr, what)
            .map_err(|problem| vec![problem]);
        self.kept(code)
    }

    /// An expression that is affine in the neuron's variables.
    pub fn form(
        &mut self,
        text: &Expression,
        expected: Dimension,
        what: &str,
    ) -> Option<LinearForm> {
        let expr = self.expr(text, false, Some(expected), what)?;
        let form = LinearForm::new(&expr, expr.formula.root, &mut self.numbers, what);
        self.kept(form.map_err(|problem| vec![problem]))
    }

    /// A comparison of the neuron's variables.
    pub fn condition(&mut self, text: &Expression, what: &str) -> Option<LinearForm> {
        let expr = self.expr(text, false, None, what)?;
        let form = LinearForm::condition(&expr, &mut self.numbers, what);
        self.kept(form.map_err(|problem| vec![problem]))
    }

    /// The derivative of a compartment.
    pub fn derivative(&mut self, id: CompartmentId) -> Option<LinearForm> {
        let compartment = self.circuit.compartment(id);
        let text = match &compartment.dynamics {
            Dynamics::Derivative(text) => text,
            Dynamics::Value(text) => {
                let message = format!("`{}` has a value, not a derivative", compartment.name);
                let problem = Problem::new(message, text.span, "not a differential equation");
                self.problems.push(problem.help("in an event circuit a variable has a derivative; what depends on others can be written where it is used"));
                return None;
            }
        };
        let reader = Reader {
            netlist: self.netlist,
            circuit: self.circuit,
            problems: vec![],
        };
        let activation = reader.activation(id);
        let scope = PlaceScope::new(self.circuit, Place::Equation(id), activation);
        let (expr, _) = self.kept(read(text, scope))?;
        let expected = compartment.unit / Dimension::TIME;
        self.problems
            .extend(misfit(&expr, expected, "this derivative"));
        let form = LinearForm::new(
            &expr,
            expr.formula.root,
            &mut self.numbers,
            "this derivative",
        );
        self.kept(form.map_err(|problem| vec![problem]))
    }

    /// The plateau that a condition such as `plateau(apical)` reads, as its number.
    pub fn plateau_read(&self, expr: &Expr, plateaus: &[crate::circuit::Plateau]) -> Option<usize> {
        let crate::lang::graph::Node::Variable(symbol) = expr.formula.graph.node(expr.formula.root)
        else {
            return None;
        };
        match expr.reading(symbol)? {
            Reading::Plateau(id) => plateaus.iter().position(|p| p.compartment == id.index),
            _ => None,
        }
    }

    pub fn kept<T>(&mut self, result: Result<T, Vec<Problem>>) -> Option<T> {
        result
            .map_err(|problems| self.problems.extend(problems))
            .ok()
    }
}
