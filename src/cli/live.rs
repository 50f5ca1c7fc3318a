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

/// Logs in everywhere.
pub(super) async fn look(config: Config) -> Live {
    let running = match operate::of_running(&config, &Request::Now).await {
        Ok(Some(Ok(Reply::Now(now)))) => Some(now),
        _ => None,
    };
    App::builder().build(config).check_live(running).await
}

/// What was found, line by line.
pub(super) fn words(report: &Live) -> String {
    let mut text = String::new();
    for found in &report.findings {
        let mark = if found.works { '✓' } else { '✗' };
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
