//! Pictures and other files, both ways.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use transom_adapter::{Attachment, OutFile, StoredFile, Verdict};

use super::*;
use crate::File;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

/// A message with a file of this content, as the core has prepared it.
fn with_file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> Outgoing {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut message = text_to(1, BOB, "");
    message.files.push(OutFile {
        name: name.to_owned(),
        content_type: "image/png".to_owned(),
        bytes: content.len() as u64,
        stored: Some(StoredFile { path, url: None }),
    });
    message
}

fn attachment(bytes: usize) -> Attachment {
    Attachment {
        name: "a.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: bytes as u64,
        content: Some(vec![7; bytes].into()),
    }
}

fn files_of(bench: &Bench, number: &str) -> Vec<File> {
    let texts = bench.simulator.phone(number).messages();
    texts.last().unwrap().files.to_vec()
}

#[tokio::test]
async fn a_picture_is_on_the_phone_once_however_often_it_is_sent() {
    let bench = Bench::at_rest();
    let folder = tempfile::tempdir().unwrap();
    let message = with_file(&folder, "cat.png", PNG);
    let expected = File {
        number: 0,
        name: "cat.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: PNG.len(),
    };
    for _ in 0..2 {
        assert_eq!(bench.account.send(&message, FIRST).await, accepted(1));
    }
    assert_eq!(files_of(&bench, BOB), [expected]);
    let phone = bench.simulator.phone(BOB);
    assert_eq!(phone.messages().len(), 1);
    let content = phone.content(&files_of(&bench, BOB)[0]);
    assert_eq!(content.as_deref(), Some(PNG));

    let query = |run: &str| format!("run={run}&number=0");
    let get = async |query: String| {
        let headers = HeaderMap::new();
        let file = "/simulator/file";
        let simulator = &bench.simulator;
        simulator
            .handle(&Method::GET, file, &query, &headers, b"")
            .await
    };
    let run = format!("{:016x}", bench.simulator.0.run);
    let reply = get(query(&run)).await;
    assert_eq!((reply.content_type, &*reply.body), ("image/png", PNG));
    assert_eq!(get(query("of-another-process")).await.status, 404);
}

#[tokio::test]
async fn what_a_phone_does_not_take_is_refused_with_the_reason() {
    let bench = Bench::at_rest();
    let folder = tempfile::tempdir().unwrap();
    let outcome = |reason| match reason {
        Outcome::Rejected(failure) => failure.reason,
        other => panic!("{other:?}"),
    };
    let large = with_file(&folder, "large.png", &vec![0; 1_000_001]);
    let sent = bench.account.send(&large, FIRST).await;
    assert_eq!(outcome(sent), Reason::FileTooLarge);
    let gone = with_file(&folder, "gone.png", PNG);
    std::fs::remove_file(folder.path().join("gone.png")).unwrap();
    let sent = bench.account.send(&gone, FIRST).await;
    assert_eq!(outcome(sent), Reason::FileGone);
    assert_eq!(bench.state(BOB), None, "nothing came");
}

#[tokio::test]
async fn a_group_gets_the_picture_on_each_phone() {
    let bench = Bench::at_rest();
    let folder = tempfile::tempdir().unwrap();
    let mut message = with_file(&folder, "cat.png", PNG);
    let carol = "+12025550148";
    let members = [BOB, carol].map(|number| transom_adapter::Member::to(Address::new(number)));
    message.group = Some(transom_adapter::Group {
        key: Key(1),
        members: members.to_vec(),
        at_once: true,
    });
    bench.account.send(&message, FIRST).await;
    for number in [BOB, carol] {
        let file = files_of(&bench, number).remove(0);
        let content = bench.simulator.phone(number).content(&file);
        assert_eq!(content.as_deref(), Some(PNG), "{number}");
    }
}

#[tokio::test]
async fn a_picture_that_is_chosen_on_the_page_comes_with_the_text() {
    let bench = Bench::proven().await;
    let content = BASE64_STANDARD.encode(PNG);
    let file = json!({"name": "cat.png", "content_type": "image/PNG", "content": content});
    let body = json!({"line": LINE, "phone": BOB, "text": "", "files": [file]}).to_string();
    let mut headers = HeaderMap::new();
    headers.insert("x-transom", http::HeaderValue::from_static("1"));
    let path = "/simulator/answer";
    let simulator = &bench.simulator;
    let reply = simulator
        .handle(&Method::POST, path, "", &headers, body.as_bytes())
        .await;
    let shown: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(shown["state"], "stored", "{shown}");
    let events = bench.inbox.events();
    let Some(Event::Message(message)) = events.last() else {
        panic!("no message");
    };
    let expected = Attachment {
        name: "cat.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: PNG.len() as u64,
        content: Some(PNG.into()),
    };
    assert_eq!(
        (&*message.text, &*message.attachments),
        ("", &[expected][..])
    );
    assert_eq!(files_of(&bench, BOB)[0].name, "cat.png");
}

#[tokio::test]
async fn a_phone_sends_no_more_than_it_takes() {
    let bench = Bench::proven().await;
    let phone = bench.simulator.phone(BOB);
    let too_many = [
        vec![attachment(1); 11],
        vec![attachment(1_000_001)],
        vec![attachment(700_000); 3],
    ];
    for files in too_many {
        let answer = phone.answer_with(LINE, ("look", &[]), files).await;
        assert_eq!(answer, Err(AnswerError::Files));
    }
    assert_eq!(phone.messages(), [], "nothing was written");
    let files = vec![attachment(1_000_000); 2];
    let answer = phone.answer_with(LINE, ("look", &[]), files).await;
    assert_eq!(answer, Ok(Verdict::Stored));
}
