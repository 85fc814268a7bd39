//! The command line: one user of the library.

mod args;
mod check;
mod graph;
mod models;
mod progress;
mod report;
mod run;
mod show;
mod sweep;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;

/// How a command ended badly.
enum Failure {
    /// What the user gave cannot be used: exit code 2.
    Input(String),
    /// The run failed: exit code 1.
    Run(String),
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let result = match &arguments.command {
        Command::Run(run) => run::run(run),
        Command::Sweep(sweep) => sweep::sweep(sweep),
        Command::Check(check) => check::check(check),
        Command::Graph(graph) => graph::graph(graph),
        Command::Report(report) => report::report(report),
        Command::Models(models) => models::models(models),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Input(message)) => {
            show::error(&message);
            ExitCode::from(2)
        }
        Err(Failure::Run(message)) => {
            show::error(&message);
            ExitCode::from(1)
        }
    }
}
