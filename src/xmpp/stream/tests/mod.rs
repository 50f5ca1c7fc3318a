//! The link against a scripted server on loopback.

pub(crate) mod double;
mod incoming;
mod login;
mod outgoing;
mod stopping;

use super::*;
