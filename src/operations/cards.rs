//! vCards (RFC 2426 and RFC 6350), as far as contacts need them: names, numbers, mail addresses. Files come from anywhere, so everything
//! has a limit, and what is not understood is passed over.

use std::fmt::Write as _;

/// One card.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Card {
    /// What the person is called; may be empty.
    pub name: String,
    /// Numbers and mail addresses, as they are written there.
    pub addresses: Vec<String>,
}

/// The largest file that is read: pictures make them large, and are passed over.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Cards that are read; the rest is left out.
const CARDS_MAX: usize = 2_000;
/// Addresses of one card.
const ADDRESSES_MAX: usize = 20;
/// A name or an address is not longer than this.
const VALUE_CHARS_MAX: usize = 200;
/// What is longer is a picture.
const LINE_BYTES_MAX: usize = 4_000;

/// The cards of a file, in their order; none when it is no vCard.
pub fn read(text: &str) -> Vec<Card> {
    let mut cards = Vec::new();
    let mut open: Option<Draft> = None;
    let text = text.trim_start_matches('\u{feff}');
    for line in unfolded(text) {
        let Some((name, value)) = property(&line) else {
            continue;
        };
        match (name.as_str(), &mut open) {
            ("BEGIN", _) if value.eq_ignore_ascii_case("VCARD") => open = Some(Draft::default()),
            ("END", Some(_)) if value.eq_ignore_ascii_case("VCARD") => {
                cards.extend(open.take().map(Draft::card));
            }
            (_, Some(draft)) => draft.take(&name, value),
            (_, None) => {}
        }
        if cards.len() >= CARDS_MAX {
            break;
        }
    }
    cards
}

/// The same cards with nothing else in them, which is what is passed on.
pub fn essence(text: &str) -> String {
    let mut all = String::new();
    for card in read(text) {
        all.push_str("BEGIN:VCARD\nVERSION:4.0\n");
        let name = escaped(&card.name);
        // Writing to a string does not fail.
        writeln!(all, "FN:{name}").ok();
        for address in &card.addresses {
            let property = if address.contains('@') {
                "EMAIL"
            } else {
                "TEL"
            };
            writeln!(all, "{property}:{}", escaped(address)).ok();
        }
        all.push_str("END:VCARD\n");
    }
    all
}

/// A card that is being read.
#[derive(Default)]
struct Draft {
    formatted: String,
    structured: String,
    organisation: String,
    addresses: Vec<String>,
}

impl Draft {
    fn take(&mut self, name: &str, value: &str) {
        let first = |slot: &mut String, text: String| {
            if slot.is_empty() {
                *slot = text;
            }
        };
        match name {
            "FN" => first(&mut self.formatted, plain(value)),
            "N" => first(&mut self.structured, given_and_family(value)),
            "ORG" => {
                let parts: Vec<String> = parts(value).map(plain).collect();
                first(&mut self.organisation, one_line(&parts.join(" ")));
            }
            "TEL" | "EMAIL" => {
                let address = plain(value);
                let is_new = !address.is_empty() && !self.addresses.contains(&address);
                if is_new && self.addresses.len() < ADDRESSES_MAX {
                    self.addresses.push(address);
                }
            }
            _ => {}
        }
    }

    fn card(self) -> Card {
        let names = [self.formatted, self.structured, self.organisation];
        Card {
            name: names
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
            addresses: self.addresses,
        }
    }
}

/// The lines, each with what was folded from it. RFC 6350 §3.2
fn unfolded(text: &str) -> impl Iterator<Item = String> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let mut whole = lines.next()?.to_owned();
        while let Some(next) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
            // A picture is passed over, and need not be kept for that.
            if whole.len() <= LINE_BYTES_MAX {
                whole.push_str(next.get(1..).unwrap_or_default());
            }
        }
        Some(whole)
    })
}

/// The name of a property without its group, in capitals, and its value; parameters are passed over. RFC 6350 §3.3
fn property(line: &str) -> Option<(String, &str)> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let mut quoted = false;
    let colon = line.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    let (head, value) = line.split_at_checked(colon)?;
    let name = head.split(';').next()?;
    let name = name.rsplit('.').next()?;
    Some((name.trim().to_ascii_uppercase(), value.get(1..)?.trim()))
}

/// The parts of a value between semicolons that are not escaped. RFC 6350 §3.4
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    value.split(move |c| {
        let cuts = c == ';' && !escaped;
        escaped = c == '\\' && !escaped;
        cuts
    })
}

fn given_and_family(value: &str) -> String {
    let mut parts = parts(value).map(plain);
    let (family, given) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    one_line(&format!("{given} {family}"))
}

/// A value without its escapes, on one line, not too long.
fn plain(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('n' | 'N') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    let spaced = text.replace(char::is_control, " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(VALUE_CHARS_MAX).collect();
    line.trim_end().to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace(',', "\\,")
        .replace(';', "\\;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card(name: &str, addresses: &[&str]) -> Card {
        Card {
            name: name.to_owned(),
            addresses: addresses
                .iter()
                .map(|address| (*address).to_owned())
                .collect(),
        }
    }

    #[test]
    fn both_versions_and_several_cards_are_read() {
        let text = "\u{feff}BEGIN:VCARD\r\nVERSION:3.0\r\nN:Ödegård;Bob;;;\r\nFN:Bob\\, the\r\n  second\r\nTEL;TYPE=CELL:+1 202-555-0147\r\n\
                    item1.EMAIL;TYPE=INTERNET:bob@example.com\r\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n\
                    begin:vcard\nVERSION:4.0\nN:Doe;Jane;;;\nTEL;VALUE=uri;TYPE=\"voice,home\":tel:+49-30-1234\nEND:VCARD\n\
                    BEGIN:VCARD\nORG:ACME\\; Inc.;Sales\nTEL:1\nTEL:1\nTEL:\nEND:VCARD";
        assert_eq!(
            read(text),
            [
                card("Bob, the second", &["+1 202-555-0147", "bob@example.com"]),
                card("Jane Doe", &["tel:+49-30-1234"]),
                card("ACME; Inc. Sales", &["1"]),
            ]
        );
        assert_eq!(read(&essence(text)), read(text));
    }

    #[test]
    fn what_is_no_card_or_has_no_end_is_passed_over() {
        for text in [
            "",
            "hello",
            "BEGIN:VCARD\nFN:x\nTEL:1",
            "FN:x\nTEL:1\nEND:VCARD",
            "END:VCARD",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    #[test]
    fn huge_files_take_no_time_and_little_room() {
        let photo = format!("PHOTO:{}\n{}", "A".repeat(100_000), " B\n".repeat(100_000));
        let one = format!(
            "BEGIN:VCARD\nFN:{}\n{photo}{}END:VCARD\n",
            "x".repeat(3_000),
            "TEL:+1202555\n".repeat(3)
        );
        let many = one + &"BEGIN:VCARD\nTEL:1\nEND:VCARD\n".repeat(CARDS_MAX + 10);
        let cards = read(&many);
        assert_eq!(cards.len(), CARDS_MAX);
        assert_eq!(cards[0].name.chars().count(), VALUE_CHARS_MAX);
        let tels: Vec<String> = (0..100).map(|n| format!("TEL:{n}\n")).collect();
        let cards = read(&format!("BEGIN:VCARD\n{}END:VCARD", tels.concat()));
        assert_eq!(cards[0].addresses.len(), ADDRESSES_MAX);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_essence_is_the_same(text in "(BEGIN:VCARD\n|END:VCARD\n|FN:|TEL;X=\"|EMAIL:|N:|\\PC|[;,:\\\\\n\r\t \"]){0,60}") {
            let cards = read(&text);
            prop_assert_eq!(read(&essence(&text)), cards);
        }
    }
}
