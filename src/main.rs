//! Arguments → configuration → [`App`] → run.

use std::process::ExitCode;

use transom::cli::{self, Arguments};

fn main() -> ExitCode {
    match Arguments::read(std::env::args_os()) {
        Ok(arguments) => cli::execute(arguments).into(),
        Err(exit) => exit.into(),
    }
}
