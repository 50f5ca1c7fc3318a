//! Files that somebody wrote: the configuration, an address book.

use std::path::Path;

use transom::{
    config::{Config, Environment},
    operations::cards as book,
};

/// Address books: any text is cards or none, and what is kept of them is the same cards.
pub fn cards(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = book::read(&text);
    assert_eq!(
        book::read(&book::essence(&text)),
        read,
        "the essence is the same"
    );
}

/// The configuration file: any text gives a configuration or faults.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let environment = Environment::from_variables([("TRANSOM_XMPP__SERVER", "127.0.0.1:5347")]);
    match Config::parse(&text, Path::new("transom.toml"), &environment) {
        Ok(loaded) => assert!(
            !loaded.config.gateways.is_empty(),
            "a configuration without a gateway is none"
        ),
        Err(faults) => assert!(!faults.to_string().is_empty(), "a fault says what it is"),
    }
}
