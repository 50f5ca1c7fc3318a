//! A mail, and what its reader's server says of it.

use std::fmt::{self, Display, Formatter};

/// A mail as it was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The envelope sender, without angle brackets; empty for a bounce.
    pub from: String,
    /// The parameters of `MAIL FROM`, such as `BODY=8BITMIME`.
    pub parameters: Vec<String>,
    /// The envelope recipients that were accepted.
    pub to: Vec<String>,
    /// The mail, dots unstuffed, lines ended by CR LF.
    pub content: Vec<u8>,
}

impl Mail {
    /// The mail as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    /// A header's value, unfolded; the first of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (head, _) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

impl Mail {
    /// A report about it, as the other side's server writes it (RFC 3464): `delivered`, `2.1.5`.
    pub fn delivery_report(&self, action: &str, status: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example.com\r\nTo: <{}>\r\nSubject: Delivery report\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nA report.\r\n--b\r\n\
             Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
             Final-Recipient: rfc822; {}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n",
            self.from,
            self.to.join(", "),
        )
    }
}

impl Display for Mail {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "from <{}> to {:?}:\n{}",
            self.from,
            self.to,
            self.text()
        )
    }
}
