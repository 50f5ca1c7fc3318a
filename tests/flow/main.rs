//! Whole flows through the built binary, on real servers.

mod crash;
mod kannel;
mod shared_lines;
mod simulated;
mod text;
mod trouble;
mod world;
