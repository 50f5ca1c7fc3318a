//! `transom block`: its options.

use clap::Subcommand;

use super::args::Output;

/// `transom block`
#[derive(Subcommand, Debug)]
pub enum BlockCommand {
    /// List the peers that are blocked for everybody.
    List {
        /// At this gateway alone.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Block a peer for everybody, in both directions.
    Add {
        /// A phone number or a mail address.
        peer: String,
        /// At this gateway alone. Default: wherever that is an address.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
    },
    /// Take a block back.
    Remove {
        /// A phone number or a mail address.
        peer: String,
        /// At this gateway alone. Default: wherever that is an address.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
    },
}
