//! What `transom check --live` found, and `transom backup`.

use std::{io, path::Path};

use serde::Serialize;
use transom_adapter::{Clock as _, Lifecycle, SystemClock};

use super::{
    Exit, operate,
    say::{complain, print},
    show,
};
use crate::{
    app::{App, Finding, Live},
    config::{Config, Fault, Loaded, StoreUrl},
    operations::{Reply, Request},
    store::{Store, read::CopyError},
};

/// The static warnings and the live findings, for `--json`.
#[derive(Serialize)]
struct Report<'a> {
    warnings: &'a [Fault],
    findings: &'a [Finding],
}

/// Logs in everywhere and says what was found.
pub(super) async fn check(config: Config, warnings: &[Fault], json: bool) -> Exit {
    let running = match operate::of_running(&config, &Request::Now).await {
        Ok(Some(Ok(Reply::Now(now)))) => Some(now),
        _ => None,
    };
    let live = App::builder().build(config).check_live(running).await;
    if json {
        let findings = &live.findings;
        let report = Report { warnings, findings };
        print(&serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print(&words(&live));
    }
    if live.works() {
        Exit::Done
    } else {
        Exit::Unavailable
    }
}

fn words(report: &Live) -> String {
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
