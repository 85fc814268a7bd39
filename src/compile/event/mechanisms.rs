//! What makes a neuron spike, burst and have plateaus.

use super::form::LinearForm;
use super::limits::Limit;
use super::reader::NeuronReader;
use crate::circuit::{Circuit, PopulationId};
use crate::lang::scalar::ScalarCode;
use crate::netlist::model::{BurstKind, SpikeTrigger};
use crate::source::Problem;
use crate::units::Dimension;

#[derive(Debug)]
pub(super) enum TriggerForm {
    Threshold(LinearForm),
    /// An expression of variables, then parameters, then modulators.
    Escape(EscapeForm),
}

#[derive(Debug)]
pub(super) struct EscapeForm {
    pub(super) expr: crate::compile::Expr,
}

#[derive(Debug)]
pub(super) struct PlateauForm {
    pub(super) when: LinearForm,
    pub(super) compartment: usize,
    pub(super) current: ScalarCode,
    pub(super) capacitance: ScalarCode,
    pub(super) duration: ScalarCode,
}

#[derive(Debug)]
pub(super) enum BurstForm {
    Added {
        when: ConditionForm,
        spikes: u32,
        interval: ScalarCode,
    },
    Within(ScalarCode),
}

#[derive(Debug)]
pub(super) enum ConditionForm {
    Above(LinearForm),
    Plateau(usize),
}

pub(super) fn trigger(
    reader: &mut NeuronReader<'_>,
    trigger: &SpikeTrigger,
) -> Option<TriggerForm> {
    match trigger {
        SpikeTrigger::When(text) => reader
            .condition(text, "the condition of a spike")
            .map(TriggerForm::Threshold),
        SpikeTrigger::Rate(text) => {
            let expr = reader.expr(text, false, Some(Dimension::RATE), "the rate of spikes")?;
            use crate::compile::Reading;
            let readable = |reading: &Reading| {
                matches!(
                    reading,
                    Reading::Value(_) | Reading::Parameter(..) | Reading::Modulator(_)
                )
            };
            if !expr.formula.filters.is_empty() || !expr.readings.iter().all(readable) {
                let message = "the rate of spikes reads more than the neuron's variables";
                let problem = Problem::new(message, expr.span, "in this rate");
                let help = "it may read variables, parameters and modulators; give a memory a variable with a \
                            derivative of its own";
                reader.problems.push(problem.help(help));
                return None;
            }
            // Modulators that only the rate reads are numbers of the model as well.
            for reading in &expr.readings {
                if let crate::compile::Reading::Modulator(id) = reading
                    && !reader.numbers.modulators.contains(id)
                {
                    reader.numbers.modulators.push(*id);
                }
            }
            Some(TriggerForm::Escape(EscapeForm { expr }))
        }
        SpikeTrigger::Every { .. } | SpikeTrigger::Given => None,
    }
}

pub(super) fn plateaus(
    reader: &mut NeuronReader<'_>,
    circuit: &Circuit,
    id: PopulationId,
) -> Option<Vec<PlateauForm>> {
    let population = circuit.population(id);
    let spiking = population.spiking.as_ref()?;
    let form = |reader: &mut NeuronReader<'_>, plateau: &crate::circuit::Plateau| {
        let compartment = &population.compartments[plateau.compartment as usize];
        let when = reader.condition(&plateau.when, "the condition of a plateau");
        let current = reader.number(
            &plateau.current,
            Dimension::CURRENT,
            "the plateau's current",
        );
        let duration = reader.limited(
            &plateau.duration,
            Dimension::TIME,
            "the plateau's duration",
            Limit::Positive,
        );
        let Some(membrane) = &compartment.membrane else {
            let message = format!(
                "a plateau needs a membrane, `{}` has none",
                compartment.name
            );
            let problem = Problem::new(message, plateau.when.span, "this plateau");
            reader
                .problems
                .push(problem.help("give the compartment capacitance, leak and rest"));
            return None;
        };
        let capacitance = reader.number(
            &membrane.capacitance,
            Dimension::CAPACITANCE,
            "the capacitance",
        );
        Some(PlateauForm {
            when: when?,
            compartment: plateau.compartment as usize,
            current: current?,
            capacitance: capacitance?,
            duration: duration?,
        })
    };
    spiking
        .plateaus
        .iter()
        .map(|plateau| form(reader, plateau))
        .collect()
}

pub(super) fn burst(
    reader: &mut NeuronReader<'_>,
    kind: &BurstKind,
    plateaus: &[crate::circuit::Plateau],
) -> Option<BurstForm> {
    match kind {
        BurstKind::Within(text) => reader
            .limited(text, Dimension::TIME, "the interval", Limit::Positive)
            .map(BurstForm::Within),
        BurstKind::When {
            condition,
            spikes,
            interval,
        } => {
            let expr = reader.expr(condition, false, None, "the condition of a burst")?;
            let when = match reader.plateau_read(&expr, plateaus) {
                Some(index) => ConditionForm::Plateau(index),
                None => {
                    ConditionForm::Above(reader.condition(condition, "the condition of a burst")?)
                }
            };
            let interval =
                reader.limited(interval, Dimension::TIME, "the interval", Limit::Positive)?;
            Some(BurstForm::Added {
                when,
                spikes: spikes.value as u32,
                interval,
            })
        }
    }
}
