//! The configuration file: any text gives a configuration or faults.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use transom::config::{Config, Environment};

fuzz_target!(|text: &str| {
    let environment = Environment::from_variables([("TRANSOM_XMPP__SERVER", "127.0.0.1:5347")]);
    match Config::parse(text, Path::new("transom.toml"), &environment) {
        Ok(loaded) => assert!(
            !loaded.config.gateways.is_empty(),
            "a configuration without a gateway is none"
        ),
        Err(faults) => assert!(!faults.to_string().is_empty(), "a fault says what it is"),
    }
});
