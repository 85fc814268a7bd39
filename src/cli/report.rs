//! `apical report`.

use super::Failure;
use super::args::Report;
use super::show;
use crate::record::read_run_json;
use crate::report;

/// Makes the report of a run directory again.
pub(super) fn report(arguments: &Report) -> Result<(), Failure> {
    if arguments.json {
        let found = read_run_json(&arguments.directory)
            .map_err(|e| Failure::Input(format!("error: {e}")))?;
        let json = serde_json::to_string_pretty(&found).map_err(|e| Failure::Run(e.to_string()))?;
        show::out(&format!("{json}\n"));
        return Ok(());
    }
    let page =
        report::write(&arguments.directory).map_err(|e| Failure::Input(format!("error: {e}")))?;
    show::out(&format!("{}\n", page.display()));
    Ok(())
}
