//! Files that somebody made: the configuration, an address book, a picture.

use std::path::Path;

use transom::{
    config::{Config, Environment},
    files::pictures::shrink,
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

/// Pictures: what is made of one is a JPEG that fits.
pub fn pictures(data: &[u8]) {
    const BYTES_MAX: u64 = 20_000;
    if let Some(made) = shrink(data, BYTES_MAX) {
        assert!(made.len() as u64 <= BYTES_MAX, "it fits");
        assert!(made.starts_with(b"\xFF\xD8"), "it is a JPEG");
    }
}
