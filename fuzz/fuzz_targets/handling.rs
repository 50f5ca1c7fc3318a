//! One stanza through all that is pure: read, decided on for people of every standing, answered.
//!
//! The tests of `transom-conformance` send generated stanzas the same way.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|xml: &str| transom_conformance::handle(xml));
