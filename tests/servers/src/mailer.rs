//! A mail program that speaks SMTP or LMTP by hand and returns the server's own words.

use std::net::SocketAddr;

use crate::lines::Lines;

/// Hands mails to a server.
#[derive(Clone, Copy, Debug)]
pub struct Mailer {
    addr: SocketAddr,
    greeting: &'static str,
}

impl Mailer {
    /// For a server that speaks SMTP, such as Postfix.
    pub fn smtp(addr: SocketAddr) -> Self {
        let greeting = "EHLO";
        Self { addr, greeting }
    }

    /// For a server that speaks LMTP (RFC 2033): one verdict a recipient.
    pub fn lmtp(addr: SocketAddr) -> Self {
        let greeting = "LHLO";
        Self { addr, greeting }
    }

    /// Sends a mail; panics unless every recipient is accepted. Lines may end with LF alone.
    pub async fn send(&self, from: &str, to: &[&str], mail: &str) {
        for verdict in self.verdicts(from, to, mail).await {
            assert!(verdict.starts_with('2'), "{verdict}");
        }
    }

    /// Sends a mail and returns each recipient's last reply, in the order given: that to `RCPT` when it is a refusal,
    /// else that to the mail.
    pub async fn verdicts(&self, from: &str, to: &[&str], mail: &str) -> Vec<String> {
        let mut lines = Lines::connect(self.addr).await;
        must(&lines.reply().await, '2');
        lines
            .send(&format!("{} client.example.net", self.greeting))
            .await;
        must(&lines.reply().await, '2');
        lines.send(&format!("MAIL FROM:<{from}>")).await;
        let mail_reply = lines.reply().await;
        if !mail_reply.starts_with('2') {
            return vec![mail_reply; to.len()];
        }
        let mut verdicts = Vec::new();
        for recipient in to {
            lines.send(&format!("RCPT TO:<{recipient}>")).await;
            verdicts.push(lines.reply().await);
        }
        if verdicts.iter().any(|verdict| verdict.starts_with('2')) {
            lines.send("DATA").await;
            must(&lines.reply().await, '3');
            lines.send_bytes(&stuffed(mail)).await;
            self.final_verdicts(&mut lines, &mut verdicts).await;
        }
        lines.send("QUIT").await;
        verdicts
    }

    /// The same to a server that may go away half-way; then there are no verdicts.
    pub async fn attempt(&self, from: &str, to: &[&str], mail: &str) -> Option<Vec<String>> {
        let (mailer, from, mail) = (*self, from.to_owned(), mail.to_owned());
        let to: Vec<String> = to.iter().map(|recipient| (*recipient).to_owned()).collect();
        // The connection panics when it ends too soon: on a task of its own that is an answer.
        let mut alone = tokio::task::JoinSet::new();
        alone.spawn(async move {
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            mailer.verdicts(&from, &to, &mail).await
        });
        alone.join_next().await?.ok()
    }

    async fn final_verdicts(&self, lines: &mut Lines, verdicts: &mut [String]) {
        let accepted = verdicts
            .iter_mut()
            .filter(|verdict| verdict.starts_with('2'));
        let mut shared = None;
        for verdict in accepted {
            // RFC 2033 §4.2: one reply for each RCPT that was accepted; in SMTP one for all.
            let reply = match &shared {
                Some(reply) if self.greeting == "EHLO" => String::clone(reply),
                _ => lines.reply().await,
            };
            shared = Some(reply.clone());
            *verdict = reply;
        }
    }
}

fn must(reply: &str, class: char) {
    assert!(reply.starts_with(class), "the mail server says {reply}");
}

/// RFC 5321 §4.5.2, and the dot at the end.
fn stuffed(mail: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in mail.lines() {
        if line.starts_with('.') {
            bytes.push(b'.');
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}
