//! `apical graph`.

use super::Failure;
use super::args::Graph;
use super::show;
use crate::circuit::draw;

/// Draws a circuit.
pub(super) fn graph(arguments: &Graph) -> Result<(), Failure> {
    let circuit = &show::circuit(&arguments.source)?;
    let ending = arguments
        .out
        .as_ref()
        .and_then(|f| f.extension())
        .and_then(|e| e.to_str());
    let dot = arguments.dot || matches!(ending, Some("dot" | "gv"));
    let drawn = if dot {
        draw::dot(circuit)
    } else {
        draw::svg(circuit)
    };
    match &arguments.out {
        None => show::out(&drawn),
        Some(file) => {
            std::fs::write(file, drawn).map_err(|e| {
                Failure::Run(format!("error: cannot write {}: {e}", file.display()))
            })?;
        }
    }
    Ok(())
}
