//! What is to be run: every combination read, checked and compiled before anything runs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::SweepError;
use super::points::{Mistake, Overrides, seed_of_realization};
use super::store::{CombinationReport, SweepReport};
use crate::circuit::CircuitKind;
use crate::experiment::{RunError, Runnable};
use crate::input::DataPaths;
use crate::netlist::{self, LoadOptions};
use crate::random::seed_of;
use crate::record::NetlistReport;
use crate::source::{Problems, SourceId, SourceMap};

/// What to sweep, and how.
#[derive(Debug, Clone)]
pub struct SweepOptions {
    /// The netlist.
    pub netlist: PathBuf,
    /// A folder of library files that take precedence over the built-in ones.
    pub models: Option<PathBuf>,
    /// Overrides, `path=value,value,…`.
    pub set: Vec<String>,
    /// How often each combination is run, at least once.
    pub realizations: u64,
    /// The seed of the first realization; the netlist's if none.
    pub seed: Option<u64>,
    /// Where data sets are.
    pub paths: DataPaths,
    /// The sweep's folder; `runs/sweep-NAME` if none.
    pub out: Option<PathBuf>,
    /// Whether an earlier sweep there is removed first.
    pub overwrite: bool,
    /// Whether each point keeps its traces and weights.
    pub record: bool,
    /// Points that run at a time; the results do not depend on it.
    pub threads: usize,
    /// Set from elsewhere to end the sweep with the points it has.
    pub interrupt: Arc<AtomicBool>,
}

/// A sweep that can be run.
#[derive(Debug)]
pub struct Sweep {
    pub(super) options: SweepOptions,
    /// What was asked for.
    pub report: SweepReport,
    /// The netlist without overrides, as text.
    pub(super) base: String,
    pub(super) combinations: Vec<Combination>,
    /// Names of the measures of the first combination.
    pub measures: Vec<String>,
    /// The kind of circuit of the first combination.
    pub kind: CircuitKind,
}

/// A combination of values.
#[derive(Debug)]
pub(super) struct Combination {
    /// Its overrides.
    pub set: Vec<String>,
    /// Its steps (milliseconds among spiking neurons), where no data set decides them.
    pub steps: Option<u64>,
    /// Whether the netlist records traces, weights or spikes.
    pub records: bool,
    /// A hash of the texts it was read from.
    pub texts: u64,
}

impl Sweep {
    /// Reads what is to be swept and compiles every combination.
    ///
    /// # Errors
    /// Everything that is wrong with what was given, for all combinations together.
    pub fn plan(options: SweepOptions) -> Result<Self, SweepError> {
        let overrides = Overrides::read(&options.set).map_err(SweepError::Mistakes)?;
        let indices = overrides.combinations();
        let mut checked = Vec::new();
        let mut refused = Vec::new();
        let mut data_read = HashSet::new();
        for combination in &indices {
            let set = overrides.of(combination);
            match check(&options, &set, &mut data_read) {
                Ok(one) => checked.push(one),
                Err(RunError::Netlist(problems)) => refused.push((set, *problems)),
                Err(RunError::Data(error)) => return Err(SweepError::Data(error)),
                Err(other) => return Err(other.into()),
            }
        }
        if !refused.is_empty() {
            return Err(SweepError::Netlists(refused));
        }
        let Some(first) = checked.first() else {
            return Err(SweepError::Mistakes(vec![]));
        };
        let seed = first.seed;
        let last = options.realizations.saturating_sub(1);
        if seed_of_realization(seed, last).is_none() {
            return Err(SweepError::Mistakes(vec![Mistake {
                message: format!(
                    "realization {last} would have a seed beyond the largest, 2⁶³ − 1"
                ),
                help: "give the first one a smaller seed with --seed".to_owned(),
            }]));
        }
        let values = |combination: &[usize]| {
            let swept = overrides.swept.iter().zip(combination);
            swept
                .filter_map(|(p, v)| p.values.get(*v).cloned())
                .collect()
        };
        let keys = |one: &Checked| {
            let seeds = (0..options.realizations).filter_map(|k| seed_of_realization(seed, k));
            seeds.map(|seed| one.key(seed)).collect()
        };
        let combinations = indices.iter().zip(&checked);
        let base = base_text(&options);
        let report = SweepReport {
            apical: env!("CARGO_PKG_VERSION").to_owned(),
            netlist: NetlistReport {
                name: first.name.clone(),
                path: options.netlist.display().to_string(),
            },
            identity: format!("{:016x}", seed_of(0, &base, 0)),
            parameters: overrides.swept.clone(),
            set: overrides.fixed.clone(),
            realizations: options.realizations,
            seed,
            combinations: combinations
                .map(|(indices, one)| CombinationReport {
                    values: values(indices),
                    points: keys(one),
                })
                .collect(),
        };
        Ok(Self {
            report,
            base,
            measures: first.measures.clone(),
            kind: first.kind,
            combinations: checked.into_iter().map(|one| one.combination).collect(),
            options,
        })
    }

    /// The sweep's folder.
    pub fn directory(&self) -> PathBuf {
        self.options.out.clone().unwrap_or_else(|| {
            PathBuf::from("runs").join(format!("sweep-{}", self.report.netlist.name))
        })
    }
}

/// A combination that compiles.
struct Checked {
    combination: Combination,
    name: String,
    seed: u64,
    measures: Vec<String>,
    kind: CircuitKind,
    /// What the combination is, whatever its seed: version and resolved netlist.
    identity: String,
}

impl Checked {
    fn key(&self, seed: u64) -> String {
        format!("{:016x}", seed_of(seed, &self.identity, 0))
    }
}

fn check(
    options: &SweepOptions,
    set: &[String],
    data_read: &mut HashSet<Vec<String>>,
) -> Result<Checked, RunError> {
    let experiment = load(options, set, options.seed)
        .map_err(|problems| RunError::Netlist(Box::new(problems)))?;
    experiment.has_stages()?;
    // Reading data takes time; it can only fail again where the inputs are others.
    let of_inputs = set.iter().filter(|s| s.trim_start().starts_with("input"));
    if data_read.insert(of_inputs.cloned().collect()) {
        experiment.ready(&options.paths)?;
    }
    // One text for all seeds, so that a point is the same whichever seed its sweep began with.
    let mut unseeded = load_options(options, set);
    unseeded.set.push("circuit.seed=0".to_owned());
    let resolved = netlist::load(&options.netlist, &unseeded)
        .map_err(|problems| RunError::Netlist(Box::new(problems)))?
        .resolved;
    Ok(Checked {
        combination: Combination {
            set: set.to_vec(),
            steps: experiment.steps(),
            records: experiment.records(),
            texts: hash_of_texts(&experiment.netlist().sources),
        },
        name: experiment.netlist().circuit.name.value.clone(),
        seed: experiment.netlist().circuit.seed,
        measures: experiment.measures(),
        kind: experiment.kind(),
        identity: format!("apical {}\n{resolved}", env!("CARGO_PKG_VERSION")),
    })
}

fn load_options(options: &SweepOptions, set: &[String]) -> LoadOptions {
    LoadOptions {
        models: options.models.clone(),
        set: set.to_vec(),
    }
}

/// Loads and compiles a point.
pub(super) fn load(
    options: &SweepOptions,
    set: &[String],
    seed: Option<u64>,
) -> Result<Runnable, Problems> {
    let load = load_options(options, set);
    Runnable::load_with(&options.netlist, &load, seed, &options.paths)
}

/// The netlist without overrides. One that is not whole without them counts as it is written.
fn base_text(options: &SweepOptions) -> String {
    let path: &Path = &options.netlist;
    match netlist::load(path, &load_options(options, &[])) {
        Ok(netlist) => netlist.resolved,
        Err(_) => std::fs::read_to_string(path).unwrap_or_default(),
    }
}

/// A hash of all texts but overrides, in order.
pub(super) fn hash_of_texts(sources: &SourceMap) -> u64 {
    let files = (0..).map_while(|id| sources.file(SourceId(id)));
    let texts = files.filter(|file| file.name != "--set");
    texts.fold(0, |hash, file| seed_of(hash, &file.text, 0))
}
