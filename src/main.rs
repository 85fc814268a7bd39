//! The `apical` command; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    apical::cli::main()
}
