use std::{ffi::OsString, os::unix::fs::PermissionsExt};

use secrecy::ExposeSecret;

use super::*;
use crate::{
    cli::{Arguments, Command},
    config::Loaded,
};

/// A folder, and what the last `init` in it did.
struct Ran {
    folder: tempfile::TempDir,
    result: Result<(), InitError>,
    printed: String,
}

impl Ran {
    fn file(&self) -> PathBuf {
        self.folder.path().join("new/transom.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn loaded(&self) -> Loaded {
        self.result.as_ref().unwrap();
        Config::load(&self.file(), &Environment::default()).unwrap()
    }
}

fn run(options: &str, input: &str) -> Ran {
    run_in(tempfile::tempdir().unwrap(), options, input)
}

fn run_in(folder: tempfile::TempDir, options: &str, input: &str) -> Ran {
    let line = format!("transom init {options}");
    let arguments = Arguments::read(line.split_whitespace().map(OsString::from)).unwrap();
    let Command::Init(arguments) = arguments.command else {
        panic!("{line}");
    };
    let file = folder.path().join("new/transom.toml");
    let mut printed = Vec::new();
    let result = init(&arguments, &file, &mut input.as_bytes(), &mut printed);
    Ran {
        folder,
        result,
        printed: String::from_utf8(printed).unwrap(),
    }
}

#[test]
fn the_key_file_is_for_its_owner_and_is_never_replaced() {
    let ran = run(
        "--non-interactive --domain example.org --mail mail.example.org",
        "",
    );
    let config = ran.loaded().config;
    let key_file = config.store.key_file.unwrap();
    assert_eq!(key_file, ran.file().with_file_name("transom.key"));
    let mode = key_file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read_to_string(&key_file).unwrap();
    let again = run_in(
        ran.folder,
        "--non-interactive --force --domain example.org --mail mail.example.org",
        "",
    );
    again.result.as_ref().unwrap();
    assert_eq!(
        fs::read_to_string(&key_file).unwrap(),
        before,
        "it may have sealed something"
    );
}

#[test]
fn options_alone_make_a_configuration_that_loads() {
    for options in [
        "--domain example.org",
        "--domain example.org --sms sms.example.org --provider kannel --region DE --line +4915112345678",
        "--domain example.org --mail mail.example.org",
        "--domain example.org --sms s.example.org --mail m.example.org --provider twilio --server ejabberd \
         --admin root@example.org --public-url https://gw.example.org",
    ] {
        let ran = run(&format!("--non-interactive {options}"), "");
        let loaded = ran.loaded();
        assert!(
            loaded.warnings.is_empty(),
            "{options}: {:?}",
            loaded.warnings
        );
        for gateway in &loaded.config.gateways {
            let secret = gateway.secret.expose_secret();
            assert_eq!(secret.len(), 40);
            assert!(ran.printed.contains(secret), "{options}");
            assert!(ran.printed.contains(gateway.domain.as_str()), "{options}");
        }
    }
}

#[test]
fn questions_have_defaults_and_are_asked_again_after_nonsense() {
    let answers = "example.net\nopenfire\nejabberd\nnobody\nroot@example.net\n\ncarrier\nkannel\nFR\n+33612345678 +33612345679\n\n-\n";
    let ran = run("", answers);
    let config = ran.loaded().config;
    let sms = config.find_gateway("sms").unwrap();
    assert_eq!(sms.domain.as_str(), "sms.example.net");
    assert_eq!(sms.lines.len(), 2);
    assert_eq!(config.find_gateway("mail").unwrap().server.port, 5348);
    assert!(ran.printed.contains("port: 5348"));
    assert!(ran.printed.contains("global_routes: false"));
    assert!(ran.printed.contains("lmtp:inet:127.0.0.1:2424"));
}

#[test]
fn each_installation_has_secrets_of_its_own_that_others_cannot_read() {
    let options = "--non-interactive --domain example.org";
    let (first, second) = (run(options, ""), run(options, ""));
    assert_ne!(first.text(), second.text());
    let mode = fs::metadata(first.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o007, 0, "{mode:o}");
}

#[test]
fn a_configuration_is_replaced_only_by_force() {
    let options = "--non-interactive --domain example.org";
    let first = run(options, "");
    let before = first.text();
    let second = run_in(first.folder, options, "");
    assert!(matches!(second.result, Err(InitError::Exists(_))));
    assert_eq!(second.text(), before);
    let third = run_in(second.folder, &format!("{options} --force"), "");
    assert!(third.result.is_ok());
    assert_ne!(third.text(), before);
}

#[test]
fn bad_answers_write_nothing() {
    for (options, input, exit) in [
        ("--non-interactive", "", Exit::Usage),
        ("", "example.org\n", Exit::Usage),
        (
            "--non-interactive --domain a@example.org",
            "",
            Exit::BadData,
        ),
        (
            "--non-interactive --domain example.org --sms a@b",
            "",
            Exit::BadData,
        ),
        (
            "--non-interactive --domain example.org --line 555",
            "",
            Exit::BadData,
        ),
    ] {
        let ran = run(options, input);
        assert_eq!(ran.result.unwrap_err().exit(), exit, "{options}");
        assert!(!ran.folder.path().join("new").exists(), "{options}");
    }
}

#[test]
fn each_bad_answer_is_named_with_what_is_wrong() {
    for (options, key) in [
        ("--line 555", "gateway.sms.line[0].number"),
        (
            "--line +12025550100 --line +12025550100",
            "gateway.sms.line[1].number",
        ),
        ("--admin root", "xmpp.admins[0]"),
        ("--public-url gw.example.org", "http.public_url"),
        ("--sms a@b", "gateway.sms.domain"),
        ("--region XX", "gateway.sms.region"),
        // Quoted, so that it is a country that there is not and no broken file.
        ("--region \"]", "gateway.sms.region"),
    ] {
        let ran = run(
            &format!("--non-interactive --domain example.org {options}"),
            "",
        );
        let error = ran.result.unwrap_err();
        assert_eq!(error.exit(), Exit::BadData, "{options}");
        let said = error.to_string();
        assert!(said.contains(&format!("\n  {key}: ")), "{options}: {said}");
        assert!(!ran.folder.path().join("new").exists(), "{options}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_said_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody can make a folder where a file is, root neither.
    fs::write(folder.path().join("new"), "").unwrap();
    let ran = run_in(folder, "--non-interactive --domain example.org", "");
    let error = ran.result.unwrap_err();
    assert_eq!(error.exit(), Exit::BadData);
    let said = error.to_string();
    assert!(said.contains("new"), "{said}");
    assert!(said.contains("cannot be written: "), "{said}");
    assert!(said.contains("os error"), "{said}");
}
