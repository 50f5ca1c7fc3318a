//! The page and its JSON, without an HTTP server.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use transom_adapter::{Address, Attachment, Verdict, WebReply};
use url::form_urlencoded;

use crate::{
    AnswerError, Behaviour, Simulator, State, answer::is_number, file::type_shown, view::View,
};

/// The page: one file with everything in it.
const PAGE: &str = include_str!("page.html");
/// A body may be this large.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// A script of another origin cannot set it without being asked first, so nobody else's page can write here.
const GUARD: (&str, &str) = ("x-transom", "1");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    line: String,
    phone: String,
    text: String,
    #[serde(default)]
    others: Vec<String>,
    #[serde(default)]
    files: Vec<Chosen>,
}

/// A file that somebody chose on the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    name: String,
    content_type: String,
    /// In base64, RFC 4648 §4.
    content: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBehaviour {
    phone: String,
    behaviour: Behaviour,
}

#[derive(Debug, Serialize)]
struct Note {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    note: String,
}

impl Simulator {
    /// Answers one HTTP request for a path that begins with `/simulator`.
    ///
    /// | request | answer |
    /// |---|---|
    /// | `GET /simulator/` | the page |
    /// | `GET /simulator/state?run=R&since=N&phone=P` | what changed since version N of run R, and the texts of phone P when it changed |
    /// | `GET /simulator/file?run=R&number=N` | the content of file N of run R |
    /// | `POST /simulator/answer` `{line, phone, text, others, files}` | writes a text on a phone, to the line and the `others`, if any, with files `{name, content_type, content}`; answered after the commit |
    /// | `POST /simulator/behaviour` `{phone, behaviour}` | changes how a phone takes texts |
    ///
    /// A POST has to carry the header `X-Transom: 1`.
    pub async fn handle(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> WebReply {
        let path = path.strip_prefix("/simulator").unwrap_or("-");
        let reading = method == Method::GET || method == Method::HEAD;
        match path {
            "" | "/" if reading => WebReply::ok().with_body("text/html; charset=utf-8", PAGE),
            "/state" if reading => self.state(query),
            "/file" if reading => self.file(query),
            "/answer" | "/behaviour" if method == Method::POST => {
                if let Some(refused) = refused(headers, body) {
                    return refused;
                }
                if path == "/answer" {
                    self.answered(body).await
                } else {
                    self.behaviour_set(body)
                }
            }
            "" | "/" | "/state" | "/file" | "/answer" | "/behaviour" => note(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take this method",
            ),
            _ => note(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }

    fn state(&self, query: &str) -> WebReply {
        let run = self.run();
        let (mut since, mut same_run, mut phone) = (None, false, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "since" => since = value.parse().ok(),
                "run" => same_run = *value == *run,
                "phone" => phone = Some(Address::new(value)),
                _ => {}
            }
        }
        let since = since.filter(|_| same_run);
        let view = self
            .0
            .look(|world| View::new(world, run, since, phone.as_ref()));
        json(StatusCode::OK, &view)
    }

    fn file(&self, query: &str) -> WebReply {
        let (mut same_run, mut number) = (false, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "run" => same_run = *value == *self.run(),
                "number" => number = value.parse().ok(),
                _ => {}
            }
        }
        let number = number.filter(|_| same_run);
        let content = number.and_then(|number| self.0.look(|world| world.gallery.content(number)));
        match content {
            Some(content) => WebReply::ok().with_body(type_shown(&content), content),
            None => note(StatusCode::NOT_FOUND, "this file is not kept any more"),
        }
    }

    /// This run of the process, as the page names it.
    fn run(&self) -> String {
        format!("{:016x}", self.0.run)
    }

    async fn answered(&self, body: &[u8]) -> WebReply {
        let Answer {
            line,
            phone,
            text,
            others,
            files,
        } = match read(body) {
            Ok(answer) => answer,
            Err(reply) => return reply,
        };
        let others: Vec<Address> = others.into_iter().map(Address::new).collect();
        let Some(files) = files.into_iter().map(attachment).collect() else {
            return note(StatusCode::BAD_REQUEST, "a file is not in base64");
        };
        let phone = self.phone(&phone);
        match phone.answer_with(&line, (&text, &others), files).await {
            Ok(verdict) => verdict_reply(verdict),
            Err(error) => note(status_of(error), error.to_string()),
        }
    }

    fn behaviour_set(&self, body: &[u8]) -> WebReply {
        let NewBehaviour { phone, behaviour } = match read(body) {
            Ok(new) => new,
            Err(reply) => return reply,
        };
        if !is_number(&phone) {
            return note(
                status_of(AnswerError::Number),
                AnswerError::Number.to_string(),
            );
        }
        self.phone(&phone).set_behaviour(behaviour);
        note(StatusCode::OK, "done")
    }
}

/// Why a POST is not even read, if it is not.
fn refused(headers: &HeaderMap, body: &[u8]) -> Option<WebReply> {
    let (name, value) = GUARD;
    if headers.get(name).is_none_or(|given| given != value) {
        let text = "the header X-Transom: 1 is missing";
        return Some(note(StatusCode::FORBIDDEN, text));
    }
    let too_large = body.len() > BODY_BYTES_MAX;
    too_large.then(|| {
        let text = format!("the body is larger than {BODY_BYTES_MAX} bytes");
        note(StatusCode::PAYLOAD_TOO_LARGE, text)
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, WebReply> {
    serde_json::from_slice(body).map_err(|error| {
        let text = format!("the body is not the JSON that is expected: {error}");
        note(StatusCode::BAD_REQUEST, text)
    })
}

fn attachment(file: Chosen) -> Option<Attachment> {
    let content = BASE64_STANDARD.decode(file.content).ok()?;
    Some(Attachment {
        name: file.name,
        content_type: file.content_type,
        bytes: content.len() as u64,
        content: Some(content.into()),
    })
}

fn verdict_reply(verdict: Verdict) -> WebReply {
    let (status, text) = match verdict {
        Verdict::Stored => (StatusCode::OK, "delivered to the gateway"),
        Verdict::Duplicate => (StatusCode::OK, "the gateway had this text already"),
        Verdict::NoSuchRecipient => (StatusCode::NOT_FOUND, "nobody at the gateway has this line"),
    };
    let state = Some(State::from(verdict));
    let note = text.to_owned();
    json(status, &Note { state, note })
}

fn status_of(error: AnswerError) -> StatusCode {
    match error {
        AnswerError::Number | AnswerError::Empty => StatusCode::BAD_REQUEST,
        AnswerError::TooLong | AnswerError::Files => StatusCode::PAYLOAD_TOO_LARGE,
        AnswerError::NoAccount => StatusCode::NOT_FOUND,
        AnswerError::NotRunning | AnswerError::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn note(status: StatusCode, note: impl Into<String>) -> WebReply {
    let (state, note) = (None, note.into());
    json(status, &Note { state, note })
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> WebReply {
    // Maps with text keys alone, which JSON can always express.
    let body = serde_json::to_vec(value).unwrap_or_default();
    WebReply {
        status,
        content_type: "application/json",
        body: body.into(),
    }
}
