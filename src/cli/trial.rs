//! `transom check --live --send-to ADDRESS --as JID`: one real message, and when it came how far.

use std::time::{Duration, Instant};

use serde::Serialize;
use transom_adapter::{Clock as _, SystemClock};

use super::{
    Exit,
    operate::{self, Trouble},
    show,
};
use crate::{
    config::Config,
    operations::{Life, Reply, Request},
};

/// How long a message is watched.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// What became of it.
#[derive(Serialize, Debug)]
pub(super) struct Trial {
    /// Its stanza id; missing: it was not taken.
    id: Option<String>,
    /// What was seen of it, in order.
    steps: Vec<Step>,
    /// Why it was not taken, or not seen to its end; standard error has it too.
    problem: Option<String>,
    /// How the command ends for its sake.
    #[serde(skip)]
    pub(super) exit: Exit,
}

/// A state that it came to.
#[derive(Serialize, Debug)]
struct Step {
    /// From the moment it was handed in.
    after_ms: u64,
    state: String,
    account: Option<String>,
    reason: Option<String>,
    code: Option<String>,
}

/// Sends it through the running process and says each step as it is seen.
pub(super) async fn send(config: &Config, user: String, to: String, say: impl Fn(&str)) -> Trial {
    let mut trial = Trial {
        id: None,
        steps: Vec::new(),
        problem: None,
        exit: Exit::Done,
    };
    if let Err(trouble) = trial.run(config, Request::TrySend { user, to }, say).await {
        trial.exit = trouble.complain();
        trial.problem = Some(trouble.text);
    }
    trial
}

impl Trial {
    async fn run(
        &mut self,
        config: &Config,
        request: Request,
        say: impl Fn(&str),
    ) -> Result<(), Trouble> {
        let began = Instant::now();
        let id = match operate::asked(config, request).await? {
            Reply::Tried { id } => id,
            other => {
                let text = show::words(&other, SystemClock.now().timestamp());
                return Err(Trouble::new(Exit::Software, text));
            }
        };
        self.id = Some(id.clone());
        while began.elapsed() < PATIENCE {
            let life = match operate::asked(config, Request::Trace { id: id.clone() }).await? {
                Reply::Messages(lives) => lives.into_iter().next(),
                _ => None,
            };
            if let Some(life) = life.filter(|life| life.state != self.state()) {
                let step = Step::of(life, began.elapsed());
                say(&step.words());
                self.steps.push(step);
            }
            match self.state() {
                "delivered" | "read" => return Ok(()),
                "failed" | "expired" | "cancelled" => {
                    self.exit = Exit::Unavailable;
                    return Ok(());
                }
                _ => tokio::time::sleep(LOOK).await,
            }
        }
        // A network that reports nothing has taken it all the same.
        let exit = match self.state() {
            "accepted" | "sent" => Exit::Done,
            _ => Exit::Unavailable,
        };
        let text = format!(
            "no further word within {} s; see later with: transom trace {id}",
            PATIENCE.as_secs()
        );
        Err(Trouble::new(exit, text))
    }

    /// The last one seen; empty before the first.
    fn state(&self) -> &str {
        self.steps.last().map_or("", |step| &step.state)
    }
}

impl Step {
    fn of(life: Life, after: Duration) -> Self {
        Self {
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            state: life.state,
            account: life.account,
            reason: life.reason,
            code: life.code,
        }
    }

    fn words(&self) -> String {
        let mut text = format!("{:>7} ms  {}", self.after_ms, self.state);
        for (what, value) in [
            ("by", &self.account),
            ("reason", &self.reason),
            ("code", &self.code),
        ] {
            if let Some(value) = value {
                text.extend([", ", what, " ", value]);
            }
        }
        show::refusal(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, path::Path};

    use serde_json::json;
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::UnixListener,
    };

    use super::*;
    use crate::{
        cli::live::Report,
        config::Environment,
        operations::{
            Direction, Refusal,
            control::{Answer, places},
        },
    };

    fn config(folder: &Path) -> Config {
        let text = "[store]\nurl = \"sqlite://transom.db\"\n[xmpp]\nallow = [\"example.org\"]\n\
            [gateway.sms]\nadapter = \"sms\"\ndomain = \"sms.example.org\"\nsecret = \"component\"\nregion = \"US\"\n";
        let file = folder.join("transom.toml");
        let loaded = Config::parse(text, &file, &Environment::default()).unwrap();
        loaded.config
    }

    fn life(state: &str) -> Answer {
        Answer::Reply(Reply::Messages(vec![Life {
            id: "385012345678901234".to_owned(),
            key: "ajl2gs5r5e2o4".to_owned(),
            gateway: "sms".to_owned(),
            direction: Direction::Out,
            user: Some("alice@example.org".to_owned()),
            line: "+12025550100".to_owned(),
            peer: "+12025550147".to_owned(),
            contact: None,
            state: state.to_owned(),
            accepted: "2026-11-23T09:30:00Z".parse().unwrap(),
            started: None,
            ended: None,
            due: None,
            attempts: 1,
            account: Some("sms/main".to_owned()),
            providers: Vec::new(),
            units: 1,
            units_done: 0,
            segments: 1,
            reason: None,
            code: None,
            told: None,
            to_tell: None,
            text_is_kept: true,
            stanzas: Vec::new(),
            network_ids: Vec::new(),
        }]))
    }

    /// A running process that answers so, one caller after the other; what comes of it, and what was said.
    async fn tried(answers: &[Answer]) -> (Trial, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let listener = UnixListener::bind(&places(&config)[0]).unwrap();
        let running = async {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut line = String::new();
                let mut reader = BufReader::new(&mut stream);
                reader.read_line(&mut line).await.unwrap();
                let answer = serde_json::to_vec(answer).unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        };
        let said = RefCell::new(Vec::new());
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let sending = send(
            &config,
            "alice@example.org".into(),
            "2025550147".into(),
            say,
        );
        let (trial, ()) = tokio::join!(sending, running);
        (trial, said.into_inner())
    }

    fn document(trial: &Trial) -> serde_json::Value {
        let report = Report {
            warnings: &[],
            findings: &[],
            trial: Some(trial),
        };
        serde_json::to_value(report).unwrap()
    }

    #[tokio::test]
    async fn each_step_is_said_and_stands_in_the_document() {
        let taken = Answer::Reply(Reply::Tried { id: "try-1".into() });
        let answers = [taken, life("sent"), life("sent"), life("delivered")];
        let (trial, said) = tried(&answers).await;
        assert_eq!(trial.exit, Exit::Done);
        let [sent, delivered] = said.as_slice() else {
            panic!("{said:?}");
        };
        assert!(sent.ends_with(" ms  sent, by sms/main"), "{sent}");
        assert!(
            delivered.ends_with(" ms  delivered, by sms/main"),
            "{delivered}"
        );
        let document = document(&trial);
        assert_eq!(document["trial"]["id"], "try-1");
        let steps = &document["trial"]["steps"];
        assert_eq!(steps[0]["state"], "sent");
        assert_eq!(steps[1]["state"], "delivered");
        assert!(steps[1]["after_ms"].is_u64(), "{steps}");
    }

    #[tokio::test]
    async fn what_was_not_taken_and_what_failed_is_in_the_document_too() {
        let refusal = Answer::Refusal(Refusal::NotRunning);
        let (trial, said) = tried(&[refusal]).await;
        assert_eq!((trial.exit, said.len()), (Exit::Unavailable, 0));
        let problem = Refusal::NotRunning.to_string();
        let want = json!({"id": null, "steps": [], "problem": problem});
        assert_eq!(document(&trial)["trial"], want);

        let taken = Answer::Reply(Reply::Tried { id: "try-1".into() });
        let (trial, said) = tried(&[taken, life("failed")]).await;
        assert_eq!((trial.exit, said.len()), (Exit::Unavailable, 1));
        assert_eq!(trial.problem, None);
    }
}
