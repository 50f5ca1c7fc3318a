//! Bytes as the parser wants them.

/// A CR without LF ends a line for us, as it does for many hosts: left alone, it would hide headers. RFC 5322 §2.3
pub(super) fn without_lone_returns(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let lone = |pair: &[u8]| matches!(pair, [b'\r', next] if *next != b'\n');
    if !raw.windows(2).any(lone) && raw.last() != Some(&b'\r') {
        return raw.into();
    }
    let mut clean = Vec::with_capacity(raw.len() + raw.len() / 8);
    let mut rest = raw.iter().peekable();
    while let Some(byte) = rest.next() {
        clean.push(*byte);
        if *byte == b'\r' && rest.peek() != Some(&&b'\n') {
            clean.push(b'\n');
        }
    }
    clean.into()
}
