//! Picture messages to phones: fetched from the user's upload service, made to fit, and handed to the provider as a URL that it fetches.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use transom_test_servers::{Answer, Request, Server, skipped};

use crate::{
    files::{FileWorld, Wish, error, fetched, sharing},
    talk::choose,
};

const CONTACT: &str = "+12025550147@sms.example.org";

/// What an upload service gives out.
fn offer(world: &FileWorld, content_type: &'static str, content: Vec<u8>) {
    world
        .pictures
        .answer_by(move |_| Answer::with(200, content_type, content.clone()));
}

/// A photograph of nothing: noise, which no encoder makes small.
fn photograph(side: u32) -> Vec<u8> {
    let mut seed = 1_u32;
    let picture = RgbImage::from_fn(side, side, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [.., low, high] = seed.to_le_bytes();
        Rgb([low, high, low ^ high])
    });
    let mut content = Cursor::new(Vec::new());
    picture.write_to(&mut content, ImageFormat::Png).unwrap();
    content.into_inner()
}

/// The message that Twilio was asked to send with a picture.
async fn picture_message(world: &FileWorld) -> Request {
    let api = &world.twilio.api;
    let with_picture = |request: &Request| request.form("MediaUrl").is_some();
    api.request("the picture message", with_picture).await
}

#[tokio::test]
async fn a_picture_goes_to_a_phone_and_a_large_one_is_made_to_fit() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = FileWorld::start(Wish::default()).await;
    let mut alice = world.texting().await;
    let small = photograph(64);
    offer(&world, "image/png", small.clone());
    let url = world.pictures.url("/upload/1/small.png");
    alice.send(&sharing(CONTACT, "f1", &url, "Look!")).await;
    let sent = picture_message(&world).await;
    assert_eq!(sent.form("Body").as_deref(), Some("Look!"));
    let served = fetched(&sent.form("MediaUrl").unwrap()).await;
    assert_eq!(served.body, small, "as it was");

    let large = photograph(700);
    assert!(large.len() > 1_000_000, "{}", large.len());
    offer(&world, "image/png", large);
    let url = world.pictures.url("/upload/2/large.png");
    alice.send(&sharing(CONTACT, "f2", &url, "")).await;
    let sent = picture_message(&world).await;
    assert_eq!(sent.form("Body").unwrap_or_default(), "");
    let served = fetched(&sent.form("MediaUrl").unwrap()).await;
    assert_eq!(served.header("content-type"), Some("image/jpeg"));
    assert!(served.body.len() <= 500_000, "what Twilio takes");
    assert!(served.body.starts_with(b"\xff\xd8\xff"));
}

#[tokio::test]
async fn a_file_that_phones_do_not_take_is_refused_before_anything_is_sent() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = FileWorld::start(Wish::default()).await;
    let mut alice = world.texting().await;
    offer(&world, "application/zip", b"PK\x03\x04 and so on".to_vec());
    let url = world.pictures.url("/upload/1/letters.zip");
    alice.send(&sharing(CONTACT, "f1", &url, "read")).await;
    let (condition, sentence) = error(&mut alice, "f1").await;
    assert_eq!(condition, "not-acceptable", "{sentence}");
    assert!(sentence.contains("carries no such files"), "{sentence}");
    assert_eq!(world.twilio.sent().len(), 1, "the first text alone");
}

/// A service described in the configuration carries no files.
fn without_files(config: &str, api: &str) -> String {
    let (before, rest) = config.split_once("[gateway.sms.provider.main]").unwrap();
    let (_, lines) = rest.split_once("[[gateway.sms.line]]").unwrap();
    format!(
        r#"{before}[gateway.sms.provider.main]
kind = "http"
[gateway.sms.provider.main.send]
url = "{api}"
headers = {{ Content-Type = "application/x-www-form-urlencoded" }}
body = "To={{{{ to|urlencode }}}}&Body={{{{ text|urlencode }}}}"
id = "/sid"
[[gateway.sms.line]]{lines}"#
    )
}

#[tokio::test]
async fn where_a_provider_carries_no_files_they_are_refused_or_the_text_leads_to_them() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    for way in ["refused", "as the gateway does it", "as the user wants it"] {
        let mut world = FileWorld::prepare(Wish::default()).await;
        let api = world.twilio.api.url("/send");
        let mut config = without_files(&world.transom.config_text(), &api);
        if way == "as the gateway does it" {
            config = config.replace("region = ", "files = \"link\"\nregion = ");
        }
        world.transom.configure(&config);
        world.transom.start().await;
        world.up().await;
        let mut alice = world.texting().await;
        if way == "as the user wants it" {
            choose(&mut alice, "file_links", "yes").await;
        }
        let picture = photograph(64);
        offer(&world, "image/png", picture.clone());
        let url = world.pictures.url("/upload/1/small.png");
        alice.send(&sharing(CONTACT, "f1", &url, "Look!")).await;
        if way == "refused" {
            let (_, sentence) = error(&mut alice, "f1").await;
            assert!(!sentence.is_empty());
            assert_eq!(world.twilio.sent().len(), 1, "the first text alone");
            assert!(world.pictures.requests().is_empty(), "not even fetched");
            continue;
        }
        let leads = |request: &Request| {
            request
                .form("Body")
                .is_some_and(|body| body.starts_with("Look!\nhttp"))
        };
        let sent = world.twilio.api.request("the text", leads).await;
        let body = sent.form("Body").unwrap();
        let (_, link) = body.split_once('\n').unwrap();
        assert_eq!(fetched(link).await.body, picture);
    }
}
