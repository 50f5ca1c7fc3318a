//! Mails, out by SMTP and in by LMTP, half of them with a picture.

use transom_test_servers::{Answer, Feature, Mail, Mailer, Transom, XmppClient};

use super::{PEERS, Traffic, has_picture, in_body, out_body};
use crate::{
    files::{FileWorld, MAIL, Wish, attached, sharing, with_files},
    world::{PICTURE, chat},
};

const PEOPLE: [&str; PEERS] = ["bob", "ben", "bea"];

pub(super) struct Mails(FileWorld);

impl Mails {
    /// What transom sent, without repeats: SMTP knows them by their Message-ID.
    fn mails(&self) -> Vec<Mail> {
        let mut mails = self.0.sink.mails();
        mails.sort_by_key(|mail| mail.header("Message-ID"));
        mails.dedup_by_key(|mail| mail.header("Message-ID"));
        mails
    }

    async fn attempt(&self, from: &str, to: &str, mail: &str) {
        let lmtp = Mailer::lmtp(self.0.lmtp);
        lmtp.attempt(from, &[to], mail).await;
    }
}

impl Traffic for Mails {
    const LINKS: &'static [&'static str] = &["mail", "sms"];
    const HOLD: &'static str = "TRANSOM_GATEWAY__MAIL__HOLD";
    const KNOWS_REPEATS: bool = true;
    const KILLS: u32 = 1;
    /// Kills at the start are the same with texts.
    const FIRST_COMMIT: u32 = 5;

    async fn prepare(store: &str) -> Self {
        let features = [Feature::Upload, Feature::Offline];
        let wish = Wish {
            features: &features,
            store,
            ..Wish::default()
        };
        let world = FileWorld::prepare(wish).await;
        world
            .pictures
            .answer_by(|_| Answer::with(200, "image/png", PICTURE));
        Self(world)
    }

    fn transom(&mut self) -> &mut Transom {
        &mut self.0.transom
    }

    async fn alice(&self) -> XmppClient {
        self.0.alice().await
    }

    fn written(&self, number: usize) -> String {
        let person = PEOPLE[number % PEERS];
        let (to, id) = (
            format!("{person}\\40example.com@{MAIL}"),
            format!("m{number}"),
        );
        if !has_picture(number) {
            return chat(&to, &id, &out_body(number));
        }
        let url = self.0.pictures.url(&format!("/{number}/out.png"));
        sharing(&to, &id, &url, &out_body(number))
    }

    async fn deliver(&self, number: usize) {
        let from = format!("{}@example.com", PEOPLE[number % PEERS]);
        let picture = [("in.png", "image/png", PICTURE)];
        let files = if has_picture(number) {
            &picture[..]
        } else {
            &[]
        };
        let mail = with_files(&format!("in{number}"), &in_body(number), files);
        let mail = mail.replace("bob@example.com", &from);
        self.attempt(&from, &format!("alice@{MAIL}"), &mail).await;
    }

    async fn report_all(&self) {
        for mail in self.mails() {
            let report = mail.delivery_report("delivered", "2.1.5");
            self.attempt("", &mail.from, &report).await;
        }
    }

    fn sent(&self) -> Vec<(String, String)> {
        let known = |mail: &Mail| {
            let text = mail.text();
            let body = text.lines().find(|line| line.starts_with("out "))?;
            let number: usize = body.strip_prefix("out ")?.parse().ok()?;
            let picture = has_picture(number).then(|| PICTURE.to_vec());
            let is_whole = attached(mail, "out.png") == picture;
            let lacks = if is_whole { "" } else { ", not whole" };
            Some((format!("{body}{lacks}"), mail.header("Message-ID")?))
        };
        self.mails().iter().filter_map(known).collect()
    }
}
