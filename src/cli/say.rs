//! Words on standard output and standard error.

use std::io::{self, Write};

/// Data, or an answer.
pub(super) fn print(text: &str) {
    // A reader that went away has seen enough.
    writeln!(io::stdout(), "{}", text.trim_end()).ok();
}

/// What went wrong.
pub(super) fn complain(text: &str) {
    writeln!(io::stderr(), "{}", text.trim_end()).ok();
}
