//! `apical report`, of a run or of a sweep.

use super::Failure;
use super::args::Report;
use super::show;
use super::sweep::{json, overlays, report_failure};
use crate::record::read_run_json;
use crate::report::{self, Overlay};
use crate::sweep::{Found, is_sweep};

/// Makes the report of a run directory again.
pub(super) fn report(arguments: &Report) -> Result<(), Failure> {
    let overlays = overlays(&arguments.overlay)?;
    if is_sweep(&arguments.directory) {
        return of_sweep(arguments, &overlays);
    }
    if arguments.json {
        let found = read_run_json(&arguments.directory)
            .map_err(|e| Failure::Input(format!("error: {e}")))?;
        let json = serde_json::to_string_pretty(&found).map_err(|e| Failure::Run(e.to_string()))?;
        show::out(&format!("{json}\n"));
        return Ok(());
    }
    let page = report::write_with(&arguments.directory, &overlays)
        .map_err(|e| Failure::Input(show::with_help(&e.to_string(), e.help())))?;
    show::out(&format!("{}\n", page.display()));
    Ok(())
}

fn of_sweep(arguments: &Report, overlays: &[Overlay]) -> Result<(), Failure> {
    if arguments.json {
        let found = Found::open(&arguments.directory)
            .map_err(|e| Failure::Input(show::with_help(&e.to_string(), e.help())))?;
        show::out(&json(&found)?);
        return Ok(());
    }
    let page =
        report::write_sweep(&arguments.directory, overlays).map_err(|e| report_failure(&e))?;
    show::out(&format!("{}\n", page.display()));
    Ok(())
}
