//! The shared gateways and people, and what people write.

use proptest::prelude::*;
pub(crate) use transom_conformance::world::*;

/// What people write, and what nobody should: markup, controls, noncharacters, other scripts, nothing.
pub(crate) fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z .]{0,12}",
        any::<String>(),
        Just("]]>".to_owned()),
        Just("<body/>&amp;&#0;'\"".to_owned()),
        Just("\r\n\t\u{0}\u{b}\u{1f}\u{7f}\u{85}\u{2028}".to_owned()),
        Just("\u{fffe}\u{ffff}\u{fffd}\u{1fffe}\u{10ffff}".to_owned()),
        Just("⚠ \u{202e}ä😀\u{200d}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}
