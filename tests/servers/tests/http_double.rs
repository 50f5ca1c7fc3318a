//! The scripted HTTP server and the small client agree.

use transom_test_servers::{Answer, HttpDouble, get, post};

#[tokio::test]
async fn answers_follow_the_script() {
    let double = HttpDouble::start().await;
    double.answer_next(Answer::json(429, "{}").header("Retry-After", "7"));
    double.answer_next(Answer::Close);
    double.answer_next(Answer::Raw(b"not HTTP at all\r\n\r\n".to_vec()));
    double.answer_by(|request| Answer::with(201, "text/plain", request.target.clone()));

    let throttled = post(double.addr(), "/send", "text/plain", b"one")
        .await
        .unwrap();
    assert_eq!(
        (throttled.status, throttled.header("retry-after")),
        (429, Some("7"))
    );
    get(double.addr(), "/closed").await.unwrap_err();
    get(double.addr(), "/garbage").await.unwrap_err();
    let created = get(double.addr(), "/echo?x=1").await.unwrap();
    assert_eq!(
        (created.status, created.text().as_str()),
        (201, "/echo?x=1")
    );

    let sent = double
        .request("the POST", |request| request.method == "POST")
        .await;
    assert_eq!(sent.text(), "one");
    assert_eq!(double.requests().len(), 4);
}

#[tokio::test]
async fn a_paused_double_refuses_connections() {
    let mut double = HttpDouble::start().await;
    double.pause().await;
    get(double.addr(), "/").await.unwrap_err();
    double.resume().await;
    assert_eq!(get(double.addr(), "/").await.unwrap().status, 200);
}
