//! Whole flows through the built binary, on real servers.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod commands;
mod crash;
mod ejabberd;
mod files;
mod files_kills;
mod held;
mod kannel;
mod mail;
mod people;
mod random_kills;
mod shared_lines;
mod simulated;
mod text;
mod trouble;
mod world;
