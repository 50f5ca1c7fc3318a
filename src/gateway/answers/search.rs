//! XEP-0055: the people that a user has written with or given a name, and nobody else's.

use super::card;
use crate::{
    gateway::{Gateway, registration::Person},
    store::read::KnownContact,
    texts::{Chat, Lang, Text},
    xmpp::{
        stanza::Element,
        xep::search::{self, Found, Labels, Request},
    },
};

/// People in one answer at most.
const FOUND_MAX: usize = 50;

pub(super) fn answer(gateway: &Gateway, person: &Person, request: &Request, lang: Lang) -> Element {
    let network = gateway.network();
    let text = |chat: Chat| Text::from(chat).render(lang);
    let address = text(Chat::Prompt { network });
    match request {
        Request::Fields => search::fields(
            &text(Chat::SearchDescription { network }),
            &text(Chat::SearchField { network }),
        ),
        Request::Find { words, by_form } => {
            let found = find(gateway, person, words);
            let labels = Labels {
                name: &text(Chat::NameLabel),
                address: &address,
            };
            search::results(&found, *by_form, labels)
        }
    }
}

/// Everybody to whom every word belongs; nobody for no word.
fn find(gateway: &Gateway, person: &Person, words: &[String]) -> Vec<Found> {
    let words: Vec<Word> = words
        .iter()
        .flat_map(|entered| Word::read(gateway, entered))
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let all = |known: &&KnownContact| words.iter().all(|word| word.is_in(known));
    let found = |known: &KnownContact| {
        let jid = gateway.jid_of(&transom_adapter::Address::new(known.peer.as_str()), None)?;
        let address = card::shown(&known.peer).to_owned();
        let name = known.name.clone().unwrap_or_else(|| address.clone());
        Some(Found { jid, name, address })
    };
    let book = &person.book.contacts;
    book.iter()
        .filter(all)
        .filter_map(found)
        .take(FOUND_MAX)
        .collect()
}

/// Something that was entered, in small letters; of a number also its digits alone and the address that it means.
struct Word {
    text: String,
    digits: Option<String>,
    address: Option<String>,
}

/// Fewer digits are in half of all numbers.
const DIGITS_MIN: usize = 3;

impl Word {
    /// What was entered means an address as a whole, or else word by word.
    fn read(gateway: &Gateway, entered: &str) -> Vec<Self> {
        let address = gateway.read_typed(entered).ok();
        let is_number = entered
            .chars()
            .all(|c| c.is_ascii_digit() || " +-./()".contains(c));
        let parts: Vec<&str> = if address.is_some() || is_number {
            vec![entered]
        } else {
            entered.split_whitespace().collect()
        };
        let word = |part: &str| {
            let digits: String = part.chars().filter(char::is_ascii_digit).collect();
            Self {
                text: part.to_lowercase(),
                digits: Some(digits).filter(|digits| is_number && digits.len() >= DIGITS_MIN),
                address: address.as_ref().map(|address| address.as_str().to_owned()),
            }
        };
        parts.into_iter().map(word).collect()
    }

    fn is_in(&self, known: &KnownContact) -> bool {
        let named = || {
            let name = known.name.as_ref().map(|name| name.to_lowercase());
            name.is_some_and(|name| name.contains(&self.text))
        };
        let numbered = || {
            let digits = self.digits.as_ref();
            digits.is_some_and(|digits| known.peer.contains(digits.as_str()))
        };
        self.address.as_deref() == Some(known.peer.as_str())
            || known.peer.contains(&self.text)
            || named()
            || numbered()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::registration::fixture::{mail, sms, user};

    fn known(peer: &str, name: Option<&str>) -> KnownContact {
        KnownContact {
            peer: peer.to_owned(),
            name: name.map(str::to_owned),
        }
    }

    #[track_caller]
    fn found(gateway: &Gateway, book: &[KnownContact], words: &[&str]) -> Vec<String> {
        let mut person = user("active");
        person.book.contacts = book.to_vec();
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        find(gateway, &person, &words)
            .into_iter()
            .map(|found| found.name)
            .collect()
    }

    #[test]
    fn people_are_found_by_name_and_by_any_spelling_of_a_number() {
        let book = [
            known("+12025550147", Some("Bob Smith")),
            known("+12025550148", None),
            known("acme bank;phone-context=alpha", Some("ACME Bank")),
        ];
        let gateway = sms("open");
        for (word, want) in [
            ("bob", vec!["Bob Smith"]),
            ("SMITH bob", vec!["Bob Smith"]),
            ("+1 (202) 555-0148", vec!["+12025550148"]),
            ("555 01", vec!["Bob Smith", "+12025550148"]),
            ("acme", vec!["ACME Bank"]),
            ("eve", vec![]),
            ("bob eve", vec![]),
            ("%", vec![]),
        ] {
            assert_eq!(found(&gateway, &book, &[word]), want, "{word}");
        }
        assert!(found(&gateway, &book, &[]).is_empty());
        assert_eq!(found(&gateway, &book, &["bob", "0147"]), ["Bob Smith"]);
    }

    #[test]
    fn people_are_found_by_mail_address() {
        let book = [
            known("bob@example.com", Some("Bob")),
            known("eve@example.net", None),
        ];
        let gateway = mail();
        assert_eq!(found(&gateway, &book, &["bob@example.com"]), ["Bob"]);
        assert_eq!(
            found(&gateway, &book, &["example.net"]),
            ["eve@example.net"]
        );
    }

    #[test]
    fn an_answer_has_an_end() {
        let book: Vec<_> = (0..200)
            .map(|n| known(&format!("+1202555{n:04}"), None))
            .collect();
        assert_eq!(found(&sms("open"), &book, &["202555"]).len(), FOUND_MAX);
    }
}
