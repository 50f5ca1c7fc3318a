//! Texts, by a provider with an HTTP interface.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use transom_test_servers::{Answer, Request};

use super::network::{Mood, Moods, Network, Record, Word, number_in};
use crate::world::{LINE, Twilio};

/// Twilio, and who has a phone there.
pub(crate) struct Texts {
    twilio: Twilio,
    domain: String,
    record: Record,
    /// Those that it took, as transom asked for each.
    requests: Arc<Mutex<Vec<Request>>>,
    moods: Moods,
}

impl Texts {
    pub(super) fn new(twilio: Twilio, domain: &str, moods: Moods) -> Self {
        let (record, requests) = (Record::default(), Arc::<Mutex<Vec<Request>>>::default());
        let (book, kept, temper) = (record.clone(), Arc::clone(&requests), moods.clone());
        twilio
            .api
            .answer_by(move |request| answer(request, &book, &kept, &temper));
        Self {
            twilio,
            domain: domain.to_owned(),
            record,
            requests,
            moods,
        }
    }
}

/// A number of somebody.
pub(super) fn phone(chat: usize) -> String {
    format!("+120255501{:02}", 40 + chat)
}

#[async_trait(?Send)]
impl Network for Texts {
    fn name(&self) -> &'static str {
        "texts"
    }

    fn domain(&self) -> &str {
        &self.domain
    }

    fn mark(&self) -> char {
        'm'
    }

    fn peer(&self, chat: usize) -> String {
        phone(chat)
    }

    fn refusal(&self) -> &'static str {
        "item-not-found"
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn moods(&self) -> &Moods {
        &self.moods
    }

    async fn bring(&mut self, number: usize, transom: SocketAddr) -> bool {
        self.twilio.webhook = transom;
        let (sid, peer) = (
            self.incoming_id(number),
            phone(number % super::network::CHATS),
        );
        let body = format!("in {number}");
        self.twilio.deliver(&sid, &peer, LINE, &body).await == Ok(200)
    }

    async fn report(&mut self, place: usize, word: Word, transom: SocketAddr) -> bool {
        self.twilio.webhook = transom;
        let request = self.requests.lock().unwrap()[place].clone();
        let sid = self.record.lock().taken[place].id.clone();
        let (status, code) = match word {
            Word::Sent => ("sent", ""),
            Word::Delivered => ("delivered", ""),
            Word::Failed => ("undelivered", "30003"),
        };
        self.twilio.report(&request, &sid, status, code).await == Ok(200)
    }

    fn incoming_id(&self, number: usize) -> String {
        format!("SMin{number}")
    }
}

fn answer(
    request: &Request,
    record: &Record,
    requests: &Mutex<Vec<Request>>,
    moods: &Moods,
) -> Answer {
    let body = request.form("Body").unwrap_or_default();
    let number = number_in(&body, "out").filter(|_| request.method == "POST");
    let Some(number) = number else {
        return Answer::status(404);
    };
    let take = || {
        requests.lock().unwrap().push(request.clone());
        record.take(number, |count| format!("SM{count:032x}"))
    };
    match moods.next() {
        Mood::Takes => {
            let sid = take();
            let body = format!(r#"{{"sid":"{sid}","status":"queued","num_segments":"1"}}"#);
            Answer::json(201, &body)
        }
        Mood::Throttles => Answer::json(429, r#"{"code":20429}"#).header("Retry-After", "1"),
        Mood::Fails => Answer::status(503).header("Retry-After", "1"),
        Mood::Refuses => {
            record.lock().refused.insert(number);
            Answer::json(400, r#"{"code":21211}"#)
        }
        Mood::Cuts { takes } => {
            takes.then(take);
            Answer::Close
        }
        Mood::Hangs { takes } => {
            takes.then(take);
            Answer::Hang
        }
    }
}
