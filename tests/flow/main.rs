//! Whole flows through the built binary, on real servers.

mod crash;
mod ejabberd;
mod kannel;
mod mail;
mod random_kills;
mod shared_lines;
mod simulated;
mod text;
mod trouble;
mod world;
