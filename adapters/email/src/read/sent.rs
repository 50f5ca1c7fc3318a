//! A mail as its author has it, who sent it by another program.

use transom_adapter::{Address, Incoming, MailFacts};

use super::Mail;

impl Mail {
    /// The mail as one that its author sent elsewhere: whom it went to first has the chat. `None` when it names nobody.
    pub(crate) fn sent_by(&self, author: &Address) -> Option<Incoming> {
        let mut sent = self.for_recipient(author, None);
        let others = std::mem::take(&mut sent.others).into_iter();
        let mut others = others.filter(|other| other.address != *author);
        let first = others.next()?;
        (sent.from, sent.from_name) = (first.address, first.name);
        sent.others = others.collect();
        // What is asked of a reader, and held against a stranger.
        sent.mail = MailFacts {
            notice: sent.mail.notice,
            shortened: sent.mail.shortened,
            original: sent.mail.original.take(),
            ..MailFacts::default()
        };
        Some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OwnIds, read};
    use transom_adapter::testkit::signer;

    fn sent(head: &str) -> Option<Incoming> {
        let raw = format!("From: alice@corp.example\r\n{head}\r\n\r\nhi\r\n");
        let ids = OwnIds::new(signer(), "mail.example.org".to_owned());
        let letter = read::read(raw.as_bytes(), None, &ids);
        letter.mail.sent_by(&Address::new("alice@corp.example"))
    }

    #[test]
    fn whom_it_went_to_has_the_chat() {
        let one =
            sent("To: Bob <bob@example.com>\r\nDisposition-Notification-To: <alice@corp.example>")
                .unwrap();
        assert_eq!(one.from.as_str(), "bob@example.com");
        assert_eq!(one.from_name.as_deref(), Some("Bob"));
        assert_eq!(
            (one.to.as_str(), one.others.len()),
            ("alice@corp.example", 0)
        );
        assert_eq!(one.mail.asks_displayed, None, "nobody asks its author");
        let two = sent("To: alice@corp.example, bob@example.com\r\nCc: dan@example.com").unwrap();
        assert_eq!(two.from.as_str(), "bob@example.com");
        assert_eq!(two.others[0].address.as_str(), "dan@example.com");
        for nobody in [
            "Bcc: bob@example.com",
            "To: undisclosed-recipients:;",
            "To: alice@corp.example",
        ] {
            assert!(sent(nobody).is_none(), "{nobody}");
        }
    }
}
