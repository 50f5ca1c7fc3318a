//! Holds every stanza that transom writes against the parser of somebody else.
//!
//! A crate of its own, because the other parser takes longer to build than to ask. All of it is in `tests/`.
