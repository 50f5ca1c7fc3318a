//! Promises tested by what tries to break them: kills, frozen processes, cut links, restarts, full disks, under traffic both ways.
//!
//! Every message is accounted for at the end (semantics 1 to 6) and the counts are printed. `docs/FAULTS.md` says how to make the
//! runs longer, and how to repeat one by its seed.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a failing test panics"
)]

#[path = "../flow/world.rs"]
#[expect(
    dead_code,
    reason = "the world of the flows, of which less is needed here"
)]
mod world;

mod activation;
mod clock;
mod day;
mod disk;
mod forgotten;
mod holders;
mod house;
mod lived;
mod memory;
mod moved;
mod pressure;
mod processes;
mod random;
mod restored;
mod silence;
mod single;
mod threats;
mod time;
mod traffic;
mod upgrade;
