//! An address book as an argument.

use crate::operations::cards;

/// What contacts need of an address book.
#[derive(Clone, Debug)]
pub struct AddressBook(pub String);

/// Reads a file of vCards; of a large one only what contacts need is kept.
///
/// # Errors
///
/// Why it cannot be read.
pub(super) fn address_book(path: &str) -> Result<AddressBook, String> {
    let bytes = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if bytes > cards::FILE_BYTES_MAX {
        return Err(format!("it is larger than {} bytes", cards::FILE_BYTES_MAX));
    }
    let content = std::fs::read(path).map_err(|error| error.to_string())?;
    Ok(AddressBook(cards::essence(&String::from_utf8_lossy(
        &content,
    ))))
}
