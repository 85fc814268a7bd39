//! A run on spiking neurons under way: stages one after the other, with what is measured and recorded.

use std::time::{Instant, SystemTime};

use super::EventExperiment;
use super::collect::{Collector, Kept};
use super::measuring::Measuring;
use super::plan::Traced;
use super::stages::EventStage;
use crate::circuit::connect::Connectivity;
use crate::engine::event::simulation::Simulation;
use crate::engine::event::time::{PS_PER_MS, to_ms};
use crate::experiment::run::{Progress, RunError, RunOptions};
use crate::experiment::stage_log::{StageLog, looks};
use crate::measure::SpikeTally;
use crate::record::{
    Machine, NetlistReport, Recorder, RecorderSpec, RunDirectory, RunReport, SpikePopulation,
    SpikeSpec, StopReason, TraceOf, TraceSpec, WeightSpec, peak_memory_mib, rfc3339_utc,
};

/// A run under way.
pub(super) struct Run<'e> {
    experiment: &'e EventExperiment,
    options: &'e RunOptions,
    simulation: Simulation,
    kept: Kept,
    log: StageLog,
    /// Milliseconds that have been told.
    told: u64,
    started: (SystemTime, Instant),
}

impl<'e> Run<'e> {
    pub(super) fn new(
        experiment: &'e EventExperiment,
        options: &'e RunOptions,
        simulation: Simulation,
        directory: &RunDirectory,
        started: (SystemTime, Instant),
    ) -> Result<Self, RunError> {
        let leaves = experiment.leaves();
        let traces = &experiment.recordings.traces;
        let kept = Kept {
            recorder: Recorder::start(directory, experiment.spec(leaves.clone()))?,
            traces: traces.iter().map(|_| None).collect(),
            spikes: None,
            tally: SpikeTally::new(&experiment.populations()),
            measuring: Measuring::new(&experiment.measures, &experiment.sizes()),
        };
        Ok(Run {
            experiment,
            options,
            simulation,
            kept,
            log: StageLog::new(leaves),
            told: 0,
            started,
        })
    }

    pub(super) fn stages(
        &mut self,
        stages: &[EventStage],
        within: &mut Vec<String>,
        progress: &mut dyn Progress,
    ) -> Result<StopReason, RunError> {
        for stage in stages {
            within.push(stage.settings.name.clone());
            for _ in 0..stage.settings.repeat {
                let stop = match stage.parts.is_empty() {
                    true => self.leaf(stage, within, progress)?,
                    false => self.stages(&stage.parts, within, progress)?,
                };
                if stop != StopReason::Completed {
                    return Ok(stop);
                }
            }
            within.pop();
        }
        Ok(StopReason::Completed)
    }

    /// Runs one stage that has no parts.
    fn leaf(
        &mut self,
        stage: &EventStage,
        within: &[String],
        progress: &mut dyn Progress,
    ) -> Result<StopReason, RunError> {
        let (experiment, name) = (self.experiment, &stage.settings.name);
        let now = self.simulation.now();
        self.enter(stage, within)?;
        let inputs = self.simulation.inputs();
        let until = now.saturating_add(stage.once(&|input, split| inputs.pass(input, split)));
        self.simulation.begin_passes(&stage.passes());
        progress.stage(name);
        let begun = Instant::now();
        self.advance((name, until), within, progress)?;
        for (modulator, _) in &stage.settings.schedules {
            self.simulation
                .resume_schedule(*modulator)
                .map_err(|e| experiment.failed(&e))?;
        }
        let end = self.simulation.now();
        let view = self.simulation.view();
        self.kept.measuring.close(&experiment.measures, end, &view);
        let done = ((end - now) as f64 / PS_PER_MS).round() as u64;
        self.log.add(name, done, begun.elapsed().as_secs_f64());
        Ok(match end >= until {
            true => StopReason::Completed,
            false => StopReason::Interrupted {
                stage: name.clone(),
                step: to_ms(end) as u64,
            },
        })
    }

    /// Makes the simulation and the measures ready for a stage.
    fn enter(&mut self, stage: &EventStage, within: &[String]) -> Result<(), RunError> {
        let experiment = self.experiment;
        for (modulator, schedule) in &stage.settings.schedules {
            self.simulation
                .set_schedule(*modulator, schedule)
                .map_err(|e| experiment.failed(&e))?;
        }
        self.simulation
            .set_learning(&experiment.learns(&stage.settings.learns))
            .map_err(|e| experiment.failed(&e))?;
        let measures = experiment.measures.iter().enumerate();
        let looking = measures.filter(|(_, m)| looks(&m.during, within));
        let looking = looking.map(|(index, _)| index).collect();
        self.kept.measuring.open(looking, self.simulation.now());
        Ok(())
    }

    /// Runs a stage, by name and end (ps), with what is recorded of it.
    fn advance(
        &mut self,
        (name, until): (&str, i64),
        within: &[String],
        progress: &mut dyn Progress,
    ) -> Result<(), RunError> {
        let experiment = self.experiment;
        let now = self.simulation.now();
        let due =
            |every: i64| now.div_euclid(every) * every + if now % every == 0 { 0 } else { every };
        let recordings = &experiment.recordings;
        let traces = recordings.traces.iter().enumerate();
        let traces = traces.filter(|(_, t)| looks(&t.during, within));
        let weights = recordings.weights.iter().enumerate();
        let weights = weights.filter(|(_, w)| looks(&w.during, within));
        let mut recorded = vec![false; experiment.program.populations.len()];
        let spikes = recordings.spikes.iter();
        spikes
            .filter(|(_, during)| looks(during, within))
            .for_each(|(p, _)| recorded[*p] = true);
        let mut collector = Collector {
            experiment,
            stage: self.log.number(name),
            recorded,
            traces: traces.map(|(i, t)| (i, due(t.every))).collect(),
            weights: weights.map(|(i, w)| (i, due(w.every))).collect(),
            kept: &mut self.kept,
            progress,
            interrupt: &self.options.interrupt,
            failure: None,
            told: self.told,
        };
        let result = self.simulation.run_until(until, &mut collector);
        self.told = collector.told;
        collector.end()?;
        result.map_err(|e| experiment.failed(&e))
    }

    /// Writes what is left, and `run.json`.
    pub(super) fn finish(
        mut self,
        stop: StopReason,
        directory: &RunDirectory,
    ) -> Result<RunReport, RunError> {
        for block in self.kept.traces.iter_mut().filter_map(Option::take) {
            self.kept.recorder.send_trace(block)?;
        }
        let last = self.log.last();
        for (index, weights) in self.experiment.recordings.weights.iter().enumerate() {
            let mut matrix = self.kept.recorder.weight_buffer(index);
            self.simulation
                .view()
                .weights(weights.projection, &mut matrix);
            let time = self.simulation.now() as u64;
            self.kept.recorder.send_weights(index, last, time, matrix)?;
        }
        let summary = self.kept.recorder.finish()?;
        let experiment = self.experiment;
        let wall_seconds = self.started.1.elapsed().as_secs_f64();
        let duration = to_ms(self.simulation.now());
        let file = summary.spikes.as_ref().map(|s| s.file.clone());
        let mut spikes = self.kept.tally.report(file, duration);
        let populations = &experiment.program.circuit.populations;
        let recorded = populations.iter().enumerate().filter(|(index, _)| {
            let mut some = experiment.recordings.spikes.iter();
            some.any(|(population, _)| population == index)
        });
        spikes.recorded = recorded.map(|(_, p)| p.name.clone()).collect();
        for (index, folded) in experiment.program.folded.iter().enumerate() {
            // Spikes of folded sources are counted, but not told one by one.
            if !folded {
                continue;
            }
            let name = &experiment.program.circuit.populations[index].name;
            if let Some(population) = spikes.populations.get_mut(name) {
                population.spikes = self.simulation.folded_spikes(index);
                population.mean_rate_hz =
                    1000.0 * population.spikes as f64 / population.neurons as f64 / duration;
                (population.silent_share, population.mean_isi_cv) = (f64::NAN, f64::NAN);
            }
        }
        let report = RunReport {
            apical: env!("CARGO_PKG_VERSION").to_owned(),
            netlist: NetlistReport {
                name: experiment.netlist.circuit.name.value.clone(),
                path: experiment.path.clone(),
            },
            seed: experiment.netlist.circuit.seed,
            threads: self.options.threads,
            replicas: 1,
            started: rfc3339_utc(self.started.0),
            wall_seconds,
            steps: duration.round() as u64,
            steps_per_second: duration / wall_seconds,
            peak_memory_mib: peak_memory_mib(),
            machine: Machine::here(),
            stop,
            stages: self.log.reports,
            measures: self.kept.measuring.reports(&experiment.measures),
            measure_notes: experiment
                .measures
                .iter()
                .map(|m| (m.name.clone(), m.note.clone()))
                .collect(),
            traces: summary.traces,
            weights: summary.weights,
            spikes: Some(spikes),
            warnings: vec![],
        };
        directory.write_run_json(&report)?;
        Ok(report)
    }
}

/// What a run records, and of what.
impl EventExperiment {
    fn sizes(&self) -> Vec<usize> {
        let populations = self.program.circuit.populations.iter();
        populations.map(|p| p.size).collect()
    }

    fn populations(&self) -> Vec<SpikePopulation> {
        let populations = self.program.circuit.populations.iter();
        populations
            .map(|p| SpikePopulation {
                name: p.name.clone(),
                neurons: p.size as u32,
            })
            .collect()
    }

    fn spec(&self, stages: Vec<String>) -> RecorderSpec {
        let circuit = &self.program.circuit;
        let traces = self.recordings.traces.iter().map(|trace| match &trace.of {
            Traced::Compartment {
                population,
                variable,
                neurons,
            } => {
                let population = &circuit.populations[*population];
                let compartment = population.compartments[*variable].name.clone();
                TraceSpec {
                    name: trace.name.clone(),
                    columns: neurons.iter().map(usize::to_string).collect(),
                    timed: true,
                    of: Some(TraceOf::Membrane {
                        population: population.name.clone(),
                        compartment,
                    }),
                }
            }
            Traced::Modulator(modulator) => TraceSpec {
                name: trace.name.clone(),
                columns: vec![circuit.modulators[*modulator].name.clone()],
                timed: true,
                of: Some(TraceOf::Modulators),
            },
            Traced::Input { elements, .. } => TraceSpec {
                name: trace.name.clone(),
                columns: elements.iter().map(usize::to_string).collect(),
                timed: true,
                of: None,
            },
        });
        let weights = self.recordings.weights.iter().map(|weights| {
            let (rows, columns) = match &circuit.projections[weights.projection].connectivity {
                Connectivity::Dense { pre, post } => (*pre, *post),
                other => (1, other.count()),
            };
            WeightSpec {
                name: weights.name.clone(),
                rows,
                columns,
                timed: true,
            }
        });
        RecorderSpec {
            traces: traces.collect(),
            weights: weights.collect(),
            spikes: (!self.recordings.spikes.is_empty()).then(|| SpikeSpec {
                populations: self.populations(),
            }),
            stages,
            step_ms: None,
        }
    }

    /// Names of all stages without parts, in order: the numbers that recordings use.
    fn leaves(&self) -> Vec<String> {
        fn collect(stages: &[EventStage], names: &mut Vec<String>) {
            for stage in stages {
                match stage.parts.is_empty() {
                    true => names.push(stage.settings.name.clone()),
                    false => collect(&stage.parts, names),
                }
            }
        }
        let mut names = Vec::new();
        collect(&self.stages, &mut names);
        names
    }

    /// Which projections learn, from which of those with a rule do.
    fn learns(&self, rules: &[bool]) -> Vec<bool> {
        let mut rules = rules.iter();
        let projections = self.program.circuit.projections.iter();
        projections
            .map(|p| p.learn.is_some() && rules.next().copied().unwrap_or(false))
            .collect()
    }
}
