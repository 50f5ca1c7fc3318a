//! What `transom check --live` found, and `transom backup`.

use std::{io, path::Path};

use serde::Serialize;
use transom_adapter::{Clock as _, Lifecycle, SystemClock};

use super::{
    Exit, operate,
    say::{complain, print},
    show,
    trial::Trial,
};
use crate::{
    app::{App, Finding, Live},
    config::{Config, Fault, Loaded, StoreUrl},
    operations::{Reply, Request},
    store::{Store, read::CopyError},
};

/// The static warnings, the live findings and what became of the message, for `--json`: one document.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) warnings: &'a [Fault],
    pub(super) findings: &'a [Finding],
    /// Only where one was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trial: Option<&'a Trial>,
}

/// Logs in everywhere, unless a process runs that may be logged in and does not say so: that would throw it out.
pub(super) async fn look(config: Config) -> Live {
    let running = match operate::of_running(&config, &Request::Now).await {
        Ok(None) => None,
        Ok(Some(Ok(Reply::Now(now)))) => Some(now),
        Ok(Some(Ok(_))) => {
            return unclear("the running transom did not say how it is".to_owned());
        }
        Ok(Some(Err(refusal))) => {
            return unclear(format!("the running transom refused to answer: {refusal}"));
        }
        Err(trouble) => return unclear(trouble.text),
    };
    App::builder().build(config).check_live(running).await
}

/// A process runs, and more cannot be found out beside it.
fn unclear(text: String) -> Live {
    let remedies = vec![
        "see the log of the running transom, and whether it has this version; restart it or stop it, then check again".to_owned(),
        "until then nothing is logged in to: a second login could throw out that of the running transom".to_owned(),
    ];
    Live {
        findings: vec![Finding {
            subject: "process".to_owned(),
            works: false,
            is_note: false,
            text,
            remedies,
        }],
    }
}

/// What was found, line by line.
pub(super) fn words(report: &Live) -> String {
    let mut text = String::new();
    for found in &report.findings {
        let mark = match (found.works, found.is_note) {
            (true, false) => '✓',
            (true, true) => '·',
            (false, _) => '✗',
        };
        let line = format!("{mark} {}: {}", found.subject, found.text);
        text.push_str(&show::refusal(&line));
        text.push('\n');
        for remedy in &found.remedies {
            for (place, line) in remedy.lines().enumerate() {
                text.push_str(if place == 0 { "  → " } else { "    " });
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// Writes a copy beside whatever runs.
pub(super) async fn backup(loaded: Loaded, file: &Path) -> Exit {
    let url = &loaded.config.store.url;
    let StoreUrl::Sqlite(path) = url else {
        complain(&CopyError::NotAFile.to_string());
        return Exit::Usage;
    };
    if !path.exists() {
        complain(&format!("there is no database {} yet", path.display()));
        return Exit::Unavailable;
    }
    let copied = async {
        let store = Store::open(url, Lifecycle::new()).await?;
        let copied = store
            .copy_to(file, &SystemClock.now().timestamp().to_string())
            .await;
        store.close().await;
        copied
    };
    match copied.await {
        Ok(()) => {
            print(&format!(
                "Copied to {}. A transom that runs on the copy holds what it has queued until `transom queue release`.",
                file.display()
            ));
            Exit::Done
        }
        Err(error) => {
            if let CopyError::File { path, source } = &error
                && source.kind() == io::ErrorKind::AlreadyExists
            {
                complain(&format!(
                    "{} exists already; name another file, or remove it",
                    path.display()
                ));
                return Exit::BadData;
            }
            complain(&error.to_string());
            match error {
                CopyError::File { .. } | CopyError::Store(_) => Exit::Unavailable,
                CopyError::NotAFile => Exit::Usage,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::{TcpListener, UnixListener},
    };

    use super::*;
    use crate::config::Environment;

    /// What the check finds beside a process that answers this, and whether it called the server.
    async fn beside(answer: &'static str) -> (Live, bool) {
        let folder = tempfile::tempdir().unwrap();
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let text = format!(
            "[store]\nurl = \"sqlite://transom.db\"\n[xmpp]\nserver = \"{}\"\nallow = [\"example.org\"]\n[gateway.sms]\n\
             adapter = \"sms\"\ndomain = \"sms.example.org\"\nsecret = \"component\"\nregion = \"US\"\n\
             [gateway.sms.provider.main]\nkind = \"simulator\"\n",
            server.local_addr().unwrap()
        );
        let file = folder.path().join("transom.toml");
        let loaded = Config::parse(&text, &file, &Environment::default()).unwrap();
        let socket = UnixListener::bind(folder.path().join("transom.sock")).unwrap();
        let process = async {
            let (mut stream, _) = socket.accept().await.unwrap();
            let (reader, mut writer) = stream.split();
            let mut asked = String::new();
            BufReader::new(reader).read_line(&mut asked).await.unwrap();
            writer.write_all(answer.as_bytes()).await.unwrap();
        };
        let looking = async {
            let (live, ()) = tokio::join!(look(loaded.config), process);
            live
        };
        tokio::select! {
            live = looking => (live, false),
            called = server.accept() => {
                called.unwrap();
                (Live { findings: Vec::new() }, true)
            }
        }
    }

    #[tokio::test]
    async fn beside_a_process_that_does_not_say_how_it_is_nothing_is_logged_in_to() {
        for (answer, said) in [
            ("", "broke off"),
            ("{\"refusal\":{\"bad-request\":\"now\"}}\n", "refused"),
        ] {
            let (live, called) = beside(answer).await;
            assert!(!called, "{answer}");
            assert!(!live.works());
            let [found] = live.findings.as_slice() else {
                panic!("{live:?}")
            };
            assert!(found.text.contains(said), "{found:?}");
            assert!(!found.remedies.is_empty());
        }
    }
}
