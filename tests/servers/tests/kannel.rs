//! Kannel works between the scripted SMSC and HTTP.

use transom_test_servers::{HttpDouble, Kannel, Server, skipped};

#[tokio::test]
async fn texts_go_out_and_are_reported() {
    if skipped(&[Server::Kannel]) {
        return;
    }
    let reports = HttpDouble::start().await;
    let kannel = Kannel::builder().start().await;
    let smsc = kannel.connect_smsc().await;
    let dlr_url = reports.url("/dlr?me=1&d=%d&A=%A");
    let answer = kannel
        .send(&[
            ("from", "2222"),
            ("to", "+15551230000"),
            ("text", "Привет 👋"),
            ("coding", "2"),
            ("charset", "UTF-8"),
            ("dlr-mask", "31"),
            ("dlr-url", &dlr_url),
        ])
        .await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (202, "0: Accepted for delivery")
    );
    let sms = smsc.sms("the text", |sms| sms.to == "+15551230000").await;
    assert_eq!((sms.from.as_str(), sms.coding.as_str()), ("2222", "ucs-2"));
    assert_eq!(sms.text(), "Привет 👋");
    for kind in ["1", "8"] {
        reports
            .request("a report", |report| {
                report.query("d").as_deref() == Some(kind)
            })
            .await;
    }

    let long = "abcdefghi ".repeat(20);
    kannel
        .send(&[("from", "2222"), ("to", "+15551230001"), ("text", &long)])
        .await;
    let mut text = String::new();
    for part in 1..=2 {
        let sms = smsc
            .sms("a part", |sms| sms.udh.last() == Some(&part))
            .await;
        text.push_str(&sms.text());
    }
    assert_eq!(text, long);
}

#[tokio::test]
async fn texts_come_in() {
    if skipped(&[Server::Kannel]) {
        return;
    }
    let webhook = HttpDouble::start().await;
    let kannel = Kannel::builder()
        .incoming(&webhook.url("/mo"))
        .start()
        .await;
    let mut smsc = kannel.connect_smsc().await;
    smsc.deliver("+15551230000", "2222", "hello there").await;
    let request = webhook.request("the text", |_| true).await;
    assert_eq!(request.query("from").unwrap(), "+15551230000");
    assert_eq!(request.query("text").unwrap(), "hello there");

    smsc.deliver_ucs2("+15551230000", "2222", "Привет").await;
    let request = webhook.request("the UCS-2 text", |_| true).await;
    assert_eq!(request.query("charset").unwrap(), "UTF-16BE");

    smsc.deliver_part("+15551230000", "2222", (1, 2), "one-")
        .await;
    smsc.deliver_part("+15551230000", "2222", (2, 2), "two")
        .await;
    let request = webhook.request("both parts", |_| true).await;
    assert_eq!(request.query("text").unwrap(), "one-two");
}

#[tokio::test]
async fn texts_wait_for_the_smsc_and_for_smsbox() {
    if skipped(&[Server::Kannel]) {
        return;
    }
    let webhook = HttpDouble::start().await;
    let mut kannel = Kannel::builder()
        .incoming(&webhook.url("/mo"))
        .start()
        .await;
    let answer = kannel
        .send(&[("from", "1"), ("to", "2"), ("text", "early")])
        .await;
    assert_eq!(answer.text(), "3: Queued for later delivery");
    let mut smsc = kannel.connect_smsc().await;
    smsc.sms("the early text", |sms| sms.text() == "early")
        .await;

    kannel.stop_smsbox().await;
    smsc.deliver("5", "6", "while away").await;
    kannel.start_smsbox().await;
    webhook
        .request("the text that waited", |request| request.path() == "/mo")
        .await;

    kannel.kill_smsbox();
    kannel.kill().await;
    kannel.start().await;
    let smsc = kannel.connect_smsc().await;
    kannel
        .send(&[("from", "1"), ("to", "2"), ("text", "again")])
        .await;
    smsc.sms("a text after the restart", |sms| sms.text() == "again")
        .await;
}
