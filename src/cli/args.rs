//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Simulate circuits of neurons with dendrites that learn by local rules.
#[derive(Debug, Parser)]
#[command(name = "apical", version, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a netlist: all its stages, into a run directory with a report
    Run(Run),
    /// Run a netlist again and again: with every combination of some values, with several seeds
    Sweep(Sweep),
    /// Say what the compiler makes of a netlist, without running it
    Check(Check),
    /// Draw a circuit as SVG or DOT
    Graph(Graph),
    /// Make the report of a run or sweep again
    Report(Report),
    /// List the library of neurons and rules, or show one
    Models(Models),
}

/// What the commands that read a netlist have in common.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The netlist, a TOML file
    pub netlist: PathBuf,
    /// Set a value of the netlist, such as stage.train.steps=1000; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// A folder of library files that take precedence over the built-in ones
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Use this seed instead of the netlist's
    #[arg(long)]
    pub seed: Option<u64>,
    /// The folder that holds the data sets
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub source: Source,
    /// The run directory [default: runs/NAME-SEED]
    #[arg(long, short, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an earlier run in that directory
    #[arg(long)]
    pub overwrite: bool,
    /// Threads to use; the results do not depend on them [default: 1, and 2 for 8 replicas or more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the contents of run.json at the end
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Sweep {
    /// The netlist, a TOML file
    pub netlist: PathBuf,
    /// Sweep a value of the netlist, such as projection.W.learn.eta=1e-3,1e-2; a single value is a plain override; may be
    /// given several times
    #[arg(long = "set", value_name = "PATH=VALUE,…")]
    pub set: Vec<String>,
    /// How often each combination of values is run, each time with another seed
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub realizations: u64,
    /// The seed of the first realization, counted up for the others [default: the netlist's]
    #[arg(long)]
    pub seed: Option<u64>,
    /// A folder of library files that take precedence over the built-in ones
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// The folder that holds the data sets
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The sweep's folder, whose finished points are not run again [default: runs/sweep-NAME]
    #[arg(long, short, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Remove an earlier sweep in that folder first
    #[arg(long)]
    pub overwrite: bool,
    /// Runs at a time; the results do not depend on it [default: all processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Keep traces and weights of every run
    #[arg(long)]
    pub record: bool,
    #[command(flatten)]
    pub overlay: Overlay,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Print means and standard errors as JSON at the end
    #[arg(long)]
    pub json: bool,
}

/// Reference curves for the report.
#[derive(Debug, Args)]
pub(super) struct Overlay {
    /// Draw a curve from a CSV file with columns x,y[,se] into the plot of a measure, dashed; may be given several times
    #[arg(long = "overlay", value_name = "MEASURE=FILE[,label=TEXT]")]
    pub overlay: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub source: Source,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Graph {
    #[command(flatten)]
    pub source: Source,
    /// Where to write it; the ending .svg or .dot says what [default: SVG to standard output]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write DOT, for graphviz
    #[arg(long)]
    pub dot: bool,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// The folder of a run or of a sweep
    pub directory: PathBuf,
    #[command(flatten)]
    pub overlay: Overlay,
    /// Print the contents of run.json instead; of a sweep, its means and standard errors
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Models {
    /// Show this library file, neuron or rule
    pub name: Option<String>,
    /// A folder of library files that take precedence over the built-in ones
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}
