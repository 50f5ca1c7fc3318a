//! Cuts what transom writes into stanzas.

/// Bytes in, whole stanzas out. What transom writes is well-formed and without comments and CDATA; only quotes may hold a `>`.
#[derive(Default)]
pub(crate) struct Cutter {
    buffer: Vec<u8>,
    /// Before this everything has been handed out.
    used: usize,
    /// Before this everything has been looked at.
    seen: usize,
    depth: usize,
}

impl Cutter {
    /// Adds what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.seen -= self.used;
            self.used = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next stanza that is there as a whole; an end of the stream counts as one.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        loop {
            let rest = self.buffer.get(self.seen..)?;
            let open = rest.iter().position(|byte| *byte == b'<')?;
            let tag = rest.get(open..)?;
            let tag = tag.get(..=end(tag)?)?;
            self.seen += open + tag.len();
            if tag.starts_with(b"</") {
                self.depth = self.depth.saturating_sub(1);
            } else if !tag.ends_with(b"/>") {
                self.depth += 1;
            }
            if self.depth == 0 {
                let start = std::mem::replace(&mut self.used, self.seen);
                return self.buffer.get(start..self.seen);
            }
        }
    }
}

/// Where a tag ends.
fn end(tag: &[u8]) -> Option<usize> {
    let mut quote = None;
    tag.iter().position(|byte| {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(*byte),
            (Some(open), _) if open == *byte => quote = None,
            _ => {}
        }
        quote.is_none() && *byte == b'>'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_come_out_whole_however_they_arrive() {
        let text = "<iq id='>'/><message><body>a</body><x/></message> <presence/></stream:stream>";
        let mut cutter = Cutter::default();
        let mut found = Vec::new();
        for byte in text.as_bytes() {
            cutter.feed(&[*byte]);
            while let Some(stanza) = cutter.next() {
                found.push(String::from_utf8(stanza.to_vec()).unwrap());
            }
        }
        let expected = [
            "<iq id='>'/>",
            "<message><body>a</body><x/></message>",
            " <presence/>",
            "</stream:stream>",
        ];
        assert_eq!(found, expected);
    }
}
