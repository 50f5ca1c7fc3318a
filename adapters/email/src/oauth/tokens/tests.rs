//! Tokens of a provider that listens on a port of its own.

use std::sync::Mutex as Slot;

use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    time::timeout,
};
use transom_adapter::{HttpLimits, Lifecycle};

use super::*;
use crate::oauth::tests::provider;

const PATIENCE: Duration = Duration::from_secs(20);

/// The refresh token that somebody comes with.
async fn asked_with(stream: &mut TcpStream) -> String {
    let (mut asked, mut buffer) = (String::new(), [0; 4096]);
    // The last field of the form.
    while !asked.contains("&client_id=us") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{asked}");
        asked.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let (_, token) = asked.split_once("&refresh_token=").expect(&asked);
    token.split('&').next().unwrap().to_owned()
}

/// A provider that answers so to a refresh token; `None`: it has ended that.
async fn answering(
    lifecycle: &Lifecycle,
    mut answers: impl FnMut(&str) -> Option<String> + Send + 'static,
) -> Provider {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    lifecycle.spawn("provider", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let with = asked_with(&mut stream).await;
            let answer = answers(&with);
            let status = answer.as_ref().map_or("400 Bad Request", |_| "200 OK");
            let body = answer.unwrap_or_else(|| "{\"error\":\"invalid_grant\"}".to_owned());
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Provider {
        token: format!("http://127.0.0.1:{port}/token").parse().unwrap(),
        ..provider()
    }
}

fn tokens_of(provider: Provider, kept: Option<Arc<dyn KeptLogin>>) -> Arc<Tokens> {
    let http = HttpClient::new(HttpLimits::default()).unwrap();
    let refresh = "refresh".to_owned().into();
    Arc::new(Tokens::new(Arc::new(provider), http, refresh, kept))
}

/// Tokens of a provider that gives `new` whenever it is asked, and has given `old` before.
pub(crate) async fn tokens(lifecycle: &Lifecycle) -> Arc<Tokens> {
    let provider = answering(lifecycle, |with| {
        assert_eq!(with, "refresh");
        Some("{\"access_token\":\"new\"}".to_owned())
    });
    let tokens = tokens_of(provider.await, None);
    tokens.keep("old").await;
    tokens
}

/// A provider that gives `next` for the one refresh token that it takes.
async fn rotating(lifecycle: &Lifecycle, takes: &'static str, next: &'static str) -> Provider {
    let mut takes = takes;
    answering(lifecycle, move |with| {
        let answer = format!("{{\"access_token\":\"of-{with}\",\"refresh_token\":\"{next}\"}}");
        (takes == with).then(|| {
            takes = next;
            answer
        })
    })
    .await
}

/// A core that keeps one login.
struct Core {
    lifecycle: Lifecycle,
    latest: Slot<Login>,
    /// What the latest is by the time that it is asked for once more.
    by_then: Slot<Option<Login>>,
    renewed: mpsc::UnboundedSender<String>,
}

fn token(text: &str) -> Login {
    Login::Refresh(text.to_owned().into())
}

fn core(lifecycle: &Lifecycle, latest: &str) -> (Arc<Core>, mpsc::UnboundedReceiver<String>) {
    let (renewed, hears) = mpsc::unbounded_channel();
    let core = Core {
        lifecycle: lifecycle.clone(),
        latest: Slot::new(token(latest)),
        by_then: Slot::default(),
        renewed,
    };
    (Arc::new(core), hears)
}

#[async_trait]
impl KeptLogin for Core {
    fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    async fn latest(&self) -> Option<Login> {
        let mut latest = self.latest.lock().unwrap();
        let now = latest.clone();
        if let Some(by_then) = self.by_then.lock().unwrap().take() {
            *latest = by_then;
        }
        Some(now)
    }

    async fn renew(&self, login: Login) {
        let Login::Refresh(token) = &login else {
            panic!("{login:?}");
        };
        self.renewed
            .send(token.expose_secret().to_owned())
            .expect("the test listens");
        *self.latest.lock().unwrap() = login;
    }
}

/// A token as it is used.
async fn used(tokens: &Arc<Tokens>) -> Result<String, NoToken> {
    let access = tokens.access().await?;
    // So that the next one has to be asked for.
    tokens.forget(&access).await;
    Ok(access.token.expose_secret().to_owned())
}

#[tokio::test]
async fn the_next_refresh_token_is_handed_over_once_and_is_used_then() {
    let lifecycle = Lifecycle::new();
    let (core, mut hears) = core(&lifecycle, "refresh");
    let provider = rotating(&lifecycle, "refresh", "next").await;
    let tokens = tokens_of(provider, Some(Arc::clone(&core) as _));
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-refresh"));
    assert_eq!(hears.try_recv().as_deref(), Ok("next"));
    // The provider gives the same one again: nothing to keep.
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-next"));
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-next"));
    assert!(hears.try_recv().is_err());
    assert_eq!(tokens.refresh().await.expose_secret(), "next");
    assert!(!format!("{tokens:?}").contains("next"));
}

#[tokio::test]
async fn without_a_core_the_next_refresh_token_is_held() {
    let lifecycle = Lifecycle::new();
    let tokens = tokens_of(rotating(&lifecycle, "refresh", "next").await, None);
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-refresh"));
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-next"));
}

#[tokio::test]
async fn what_another_process_was_given_is_used() {
    let lifecycle = Lifecycle::new();
    let (known, _hears) = core(&lifecycle, "theirs");
    let provider = rotating(&lifecycle, "theirs", "theirs").await;
    let tokens = tokens_of(provider, Some(known));
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-theirs"));
    // It was given that in the same moment, and stores it in the next.
    let (racing, _hears) = core(&lifecycle, "refresh");
    *racing.by_then.lock().unwrap() = Some(token("theirs"));
    let provider = rotating(&lifecycle, "theirs", "theirs").await;
    let tokens = tokens_of(provider, Some(racing));
    assert_eq!(used(&tokens).await.as_deref(), Ok("of-theirs"));
}

#[tokio::test]
async fn a_refusal_of_the_latest_is_one() {
    let lifecycle = Lifecycle::new();
    let (core, mut hears) = core(&lifecycle, "refresh");
    let provider = answering(&lifecycle, |_| None).await;
    let tokens = tokens_of(provider, Some(core));
    let refused = NoToken::Refused("invalid_grant".to_owned());
    assert_eq!(used(&tokens).await, Err(refused));
    assert!(hears.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_takes_no_token_along() {
    let lifecycle = Lifecycle::new();
    let (core, mut hears) = core(&lifecycle, "refresh");
    let asked = Arc::new(Notify::new());
    let (go, wait) = std::sync::mpsc::channel();
    let tell = Arc::clone(&asked);
    let provider = answering(&lifecycle, move |_| {
        tell.notify_one();
        wait.recv_timeout(PATIENCE).expect("the caller is gone");
        Some("{\"access_token\":\"t\",\"refresh_token\":\"next\"}".to_owned())
    });
    let tokens = tokens_of(provider.await, Some(core));
    tokio::select! {
        _ = tokens.access() => panic!("nobody has answered"),
        () = asked.notified() => {}
    }
    drop(tokens);
    go.send(()).unwrap();
    let renewed = timeout(PATIENCE, hears.recv()).await.expect("in time");
    assert_eq!(renewed.as_deref(), Some("next"));
}
