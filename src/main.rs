//! Arguments → configuration → [`App`] → run.

use std::process::ExitCode;

use transom::cli::{self, Arguments};

/// Small allocations come and go by the million: two arenas keep the resident memory of an idle gateway small.
fn main() -> ExitCode {
    match Arguments::read(std::env::args_os()) {
        Ok(arguments) => cli::execute(arguments).into(),
        Err(exit) => exit.into(),
    }
}
