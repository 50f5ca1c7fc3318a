//! The configuration as a whole: files that must load and files that must not.

use std::{collections::BTreeMap, fs, path::Path};

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::*;

/// The repository: the manifest's folder, unless `TRANSOM_REPOSITORY` says otherwise.
pub(crate) fn repository() -> PathBuf {
    let elsewhere = std::env::var_os("TRANSOM_REPOSITORY").map(PathBuf::from);
    elsewhere.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}

const SMALL: &str = r#"
    [xmpp]
    allow = ["example.org"]
    [gateway.sms]
    adapter = "sms"
    domain = "sms.example.org"
    secret = "s3cret"
"#;

fn parse(text: &str) -> Result<Loaded, Faults> {
    parse_with(text, &[])
}

fn parse_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Faults> {
    let environment = Environment::from_variables(variables.iter().copied());
    Config::parse(text, Path::new("transom.toml"), &environment)
}

#[track_caller]
fn config(text: &str) -> Config {
    parse(text)
        .unwrap_or_else(|faults| panic!("{:#?}", faults.0))
        .config
}

/// The faults as `key: problem; remedy (place)`, one a line.
#[track_caller]
fn faults(text: &str) -> String {
    render(&parse(text).expect_err("must not load").0)
}

fn render(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    format!("{}\n", lines.join("\n"))
}

#[test]
fn each_bad_configuration_is_told_in_the_words_beside_it() {
    let folder = repository().join("tests/bad_configs");
    let mut checked = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = Path::new(file.file_name().unwrap());
        let text = fs::read_to_string(&file).unwrap();
        let error = Config::parse(&text, name, &Environment::default()).expect_err("is bad");
        let got = render(&error.0);
        let expected = file.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &got).unwrap();
        }
        let want = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(got, want, "{}", file.display());
        checked += 1;
    }
    assert!(
        checked >= 10,
        "only {checked} files in {}",
        folder.display()
    );
}

#[test]
fn a_small_file_gets_the_defaults_of_the_semantics() {
    let config = config(SMALL);
    let gateway = config.find_gateway("sms").unwrap();
    assert_eq!(gateway.give_up.as_secs(), 4 * 3600);
    assert_eq!(gateway.give_up_inbound.as_secs(), 14 * 86_400);
    assert_eq!(gateway.report_after.as_secs(), 86_400);
    assert_eq!(gateway.balance_low, 5);
    assert_eq!(gateway.hold.as_secs(), 0);
    assert_eq!(gateway.registration, Registration::Open);
    assert_eq!(
        gateway.limits,
        Limits {
            messages_per_day: 200,
            segments_per_day: 300,
            segments_per_message: 8,
            new_peers_per_hour: 20,
            gateway_per_day: 5000,
        }
    );
    assert_eq!(config.keep.bodies.as_secs(), 14 * 86_400);
    assert_eq!(config.files.size_bytes_max, 20 * 1024 * 1024);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8480");
    assert_eq!(config.xmpp.server.to_string(), "127.0.0.1:5347");
    assert!(config.store.migrate);
}

#[test]
fn mail_has_defaults_of_its_own() {
    let config = config(&SMALL.replace("\"sms\"", "\"email\""));
    let gateway = config.find_gateway("sms").unwrap();
    assert_eq!(gateway.hold.as_secs(), 5);
    assert_eq!(gateway.merge.as_secs(), 2);
    assert_eq!(gateway.give_up.as_secs(), 2 * 86_400);
}

#[derive(Deserialize)]
struct Section {
    provider: BTreeMap<String, Provider>,
}

#[derive(Deserialize)]
struct Provider {
    port: u16,
}

#[test]
fn the_environment_goes_over_the_file_and_stays_a_string() {
    let loaded = parse_with(
        SMALL,
        &[
            ("TRANSOM_CONFIG", "/etc/transom/transom.toml"),
            ("TRANSOM_GATEWAY__SMS__SECRET", "12345"),
            ("TRANSOM_GATEWAY__SMS__LIMITS__MESSAGES_PER_DAY", "7"),
            ("TRANSOM_GATEWAY__SMS__OPTOUT_REPLIES", "true"),
            ("TRANSOM_GATEWAY__SMS__PROVIDER__MAIN__PORT", "13013"),
            ("TRANSOM_XMPP__ADMINS", "admin@example.org"),
        ],
    )
    .unwrap();
    let gateway = loaded.config.find_gateway("sms").unwrap();
    assert_eq!(gateway.secret.expose_secret(), "12345");
    assert_eq!(gateway.limits.messages_per_day, 7);
    assert!(gateway.optout_replies);
    assert_eq!(loaded.config.xmpp.admins.len(), 1);

    let section: Section = gateway.read_section().unwrap();
    assert_eq!(section.provider["main"].port, 13013);
}

#[test]
fn a_fault_of_the_environment_names_the_variable() {
    let faults = parse_with(
        SMALL,
        &[
            ("TRANSOM_GATEWAY__SMS__HOLD", "5"),
            ("TRANSOM_STORE__UERL", "x"),
            ("TRANSOM_HTTP____LISTEN", "x"),
        ],
    )
    .unwrap_err();
    assert_eq!(
        render(&faults.0),
        "http..listen: environment variable TRANSOM_HTTP____LISTEN has an empty section name; correct it or remove it \
         (environment variable TRANSOM_HTTP____LISTEN)\n\
         store.uerl: unknown option; did you mean url? (environment variable TRANSOM_STORE__UERL)\n\
         gateway.sms.hold: \"5\" is not a duration; write a number with its unit, for example \"90s\", \"5m\", \"4h\" \
         or \"14d\"; correct the value (environment variable TRANSOM_GATEWAY__SMS__HOLD)\n"
    );
}

#[test]
fn secrets_come_from_files_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("component"), "hunter2\n").unwrap();
    let text = SMALL.replace("secret = \"s3cret\"", "secret_file = \"component\"");
    let file = folder.path().join("transom.toml");
    fs::write(&file, text).unwrap();
    let loaded = Config::load(&file, &Environment::default()).unwrap();
    assert_eq!(loaded.config.gateways[0].secret.expose_secret(), "hunter2");
    let StoreUrl::Sqlite(path) = loaded.config.store.url else {
        panic!("SQLite is the default");
    };
    assert_eq!(path, folder.path().join("transom.db"));
}

#[test]
fn the_state_directory_is_where_relative_paths_start() {
    let loaded = parse_with(SMALL, &[("STATE_DIRECTORY", "/var/lib/transom")]).unwrap();
    assert_eq!(
        loaded.config.files.directory,
        Path::new("/var/lib/transom/files")
    );
}

#[test]
fn nobody_allowed_is_a_warning() {
    let loaded = parse(&SMALL.replace("allow = [\"example.org\"]", "")).unwrap();
    assert_eq!(
        render(&loaded.warnings),
        "xmpp.allow: nobody may use the gateways; list the domains or bare JIDs that may, for example \
         [\"example.org\"] (transom.toml:2)\n"
    );
}

#[test]
fn secrets_appear_neither_in_faults_nor_in_debug() {
    let text = SMALL.replace("\"s3cret\"", "\"hunter2\"");
    assert!(!format!("{:?}", config(&text)).contains("hunter2"));
    for bad in [
        "secret = 987654321",
        "secret = [\"987654321\"]",
        "secret = \"987654321",
        "secret = 987654321 987654321",
        "secret = \"\"\nauth_token = 987654321",
        "secret = \"x\"\nsecret = \"987654321\"",
    ] {
        let faults = faults(&SMALL.replace("secret = \"s3cret\"", bad));
        assert!(!faults.contains("987654321"), "{bad}: {faults}");
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the faults are looked at")]
struct StrictSection {
    region: String,
    port: Option<u16>,
}

#[test]
fn an_adapter_reads_its_own_table_and_all_its_faults() {
    let text = format!(
        "{SMALL}\n reigon = \"US\"\n port = 70000\n reciepts = \"accepted\"\n region = 5\n"
    );
    let config = config(&text);
    let faults = config.gateways[0]
        .read_section::<StrictSection>()
        .unwrap_err();
    assert_eq!(
        render(&faults.0),
        "gateway.sms.reigon: unknown option; did you mean region? (transom.toml:9)\n\
         gateway.sms.port: expected a whole number from 0 to 65535, found 70000; correct the value (transom.toml:10)\n\
         gateway.sms.reciepts: unknown option; did you mean receipts? (transom.toml:11)\n\
         gateway.sms.region: expected a text in quotes, found a number; correct the value (transom.toml:12)\n"
    );
    let section = config.gateways[0].section();
    assert_eq!(section.table.len(), 4);
    let fault = section.fault("region", "no region", "write one");
    assert_eq!(
        config.gateways[0].locate(fault).to_string(),
        "gateway.sms.region: no region; write one (transom.toml:12)"
    );
}

#[test]
fn lines_know_whose_they_are() {
    let config = config(&format!(
        "{SMALL}
        provider.main.kind = \"simulator\"
        [[gateway.sms.line]]
        number = \"+12025550100\"
        owner = \"alice@example.org\"
        [[gateway.sms.line]]
        number = \"+12025550101\"
        provider = \"main\"
        shared = true
        fallback = \"desk@example.org\"
        [[gateway.sms.line]]
        number = \"+12025550102\"
        provider = [\"main\"]
        owners = [\"bob@example.org\", \"alice@example.org\"]
        [[gateway.sms.line]]
        number = \"+12025550103\"\n"
    ));
    let lines = &config.gateways[0].lines;
    let jid = |text| BareJid::new(text).unwrap();
    let ownership: Vec<_> = lines.iter().map(|line| line.ownership.clone()).collect();
    assert_eq!(
        ownership,
        [
            Ownership::Owners(vec![jid("alice@example.org")]),
            Ownership::Shared {
                fallback: Some(jid("desk@example.org"))
            },
            Ownership::Owners(vec![jid("alice@example.org"), jid("bob@example.org")]),
            Ownership::Pool,
        ]
    );
    assert!(lines.iter().all(|line| line.providers == ["main"]));
}

#[test]
fn hostile_files_end_in_faults() {
    let deep = format!("a = {}{}", "[".repeat(5000), "]".repeat(5000));
    let many: String = (0..5000)
        .flat_map(|n| [format!("x{n}"), " = 1\n".to_owned()])
        .collect();
    for text in [
        deep.as_str(),
        many.as_str(),
        "\0",
        "[",
        "gateway = 5",
        "[gateway]\nsms = []",
        "[[xmpp]]",
    ] {
        let faults = parse(text).unwrap_err();
        assert!((1..=100).contains(&faults.0.len()));
    }
}

#[test]
fn the_schema_beside_the_example_is_this_one() {
    let file = repository().join("config/transom.schema.json");
    let got = format!(
        "{}\n",
        serde_json::to_string_pretty(&crate::app::json_schema()).unwrap()
    );
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&file, &got).unwrap();
    }
    let want = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        got == want,
        "config/transom.schema.json is stale: run the tests with UPDATE_SCHEMA=1"
    );
}

#[test]
fn the_schema_has_the_options_of_core_and_adapters_and_no_others() {
    let schema = crate::app::json_schema();
    for (adapter, options) in [
        ("sms", ["region", "provider", "line", "secret_file"]),
        ("email", ["address_domain", "imap", "hold", "secret_file"]),
    ] {
        let gateway = &schema.as_value()["$defs"][format!("Gateway-{adapter}")];
        assert_eq!(gateway["properties"]["adapter"]["const"], adapter);
        assert_eq!(gateway["additionalProperties"], false);
        for option in options {
            let known = &gateway["properties"][option];
            assert!(known.is_object(), "{adapter} {option}");
        }
    }
    let text = schema.as_value().to_string();
    for option in ["auth_token", "silence_seconds", "sent_every_seconds"] {
        assert!(text.contains(option), "{option}");
    }
}

/// In the example `#key = value` is an option at its default, `# key = value` one that can be given, `# Text` a comment.
#[test]
fn the_example_loads_and_states_the_true_defaults() {
    let text = fs::read_to_string(repository().join("config/transom.example.toml")).unwrap();
    let (with_defaults, count) = uncommented(&text, "#");
    assert!(count >= 30, "only {count} defaults are stated");
    let plain = format!("{:#?}", config(&text));
    assert_eq!(plain, format!("{:#?}", config(&with_defaults)));
    let (with_all, count) = uncommented(&text, "# ");
    assert!(count >= 10, "only {count} options are mentioned");
    config(&with_all);
}

/// The text with the options behind this comment sign, and how many there are.
fn uncommented(text: &str, sign: &str) -> (String, usize) {
    let mut count = 0;
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            match line
                .strip_prefix(sign)
                .map(|option| (option, option.split_once(" = ")))
            {
                Some((option, Some((key, _))))
                    if key
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
                {
                    count += 1;
                    option
                }
                // A section of such options.
                Some((option, None)) if option.starts_with('[') && option.ends_with(']') => option,
                _ => line,
            }
        })
        .collect();
    (lines.join("\n"), count)
}
