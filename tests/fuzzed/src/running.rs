//! All of transom, running with simulated phones and without an XMPP server: what reaches its listeners.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use transom::{
    App,
    config::{Config, Environment},
    operations::control,
};
use transom_test_servers::{PATIENCE, free_port, get, until};

/// Longer than any deadline of the listeners.
const STUCK: Duration = Duration::from_mins(1);
/// A request that is not whole is not answered for so long; then we hang up.
const SILENCE: Duration = Duration::from_millis(200);
const SECRET: &str = "the component's secret";
const TOKEN: &str = "the operator's own token";
/// What stands in an input for what only this process knows. The form's token is as long, so that a body's length stays true.
const SESSION: &str = "@SESSION@";
const FORM: &str = "@THE-TOKEN-OF-THE-OPERATOR-FORM@";

/// Where it listens, and somebody who is signed in to the operator's page.
struct Running {
    http: SocketAddr,
    control: PathBuf,
    cookie: String,
    csrf: String,
}

/// What a browser, a proxy or a provider sends: answers are HTTP, none comes of a panic, and none holds a secret. [`SESSION`] and
/// [`FORM`] become the cookie and the token that the operator's forms have.
pub fn http(data: &[u8]) {
    let running = Running::get();
    let data = running.fill_in(data);
    let mut stream = TcpStream::connect(running.http).expect("it listens");
    let last = b"\r\n\r\nGET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    // It may close on us while we write.
    stream.write_all(&[&data, &last[..]].concat()).ok();
    let answers = heard(&mut stream, |stream| stream.shutdown(Shutdown::Write));
    let answers = String::from_utf8_lossy(&answers);
    assert!(
        answers.is_empty() || answers.starts_with("HTTP/1."),
        "no HTTP: {answers}"
    );
    assert!(
        !answers.contains("HTTP/1.1 500 "),
        "something panicked: {answers}"
    );
    assert!(
        told_of(&data) || !answers.contains(SECRET),
        "a secret: {answers}"
    );
}

/// What is said on the socket of the commands: each answer is one line of JSON, and says what was done or why not.
pub fn commands(data: &[u8]) {
    let running = Running::get();
    let mut stream = UnixStream::connect(&running.control).expect("it listens");
    stream.write_all(data).ok();
    stream.write_all(b"\n").ok();
    let answer = heard(&mut stream, |stream| stream.shutdown(Shutdown::Write));
    if answer.is_empty() {
        return;
    }
    let answer: control::Answer = serde_json::from_slice(&answer).unwrap_or_else(|why| {
        let request = String::from_utf8_lossy(data);
        panic!("no answer to {request}: {why}")
    });
    let written = serde_json::to_string(&answer).expect("an answer is JSON");
    assert!(
        told_of(data) || !written.contains(SECRET),
        "a secret: {written}"
    );
}

/// Whether whoever asks knows the secret, and may find it repeated: a fuzzer learns it from comparisons.
fn told_of(data: &[u8]) -> bool {
    data.windows(SECRET.len())
        .any(|word| word == SECRET.as_bytes())
}

/// What comes until they hang up; we do when they are silent.
fn heard<S: Read + HasTimeout>(
    stream: &mut S,
    hang_up: impl Fn(&S) -> std::io::Result<()>,
) -> Vec<u8> {
    let mut heard = Vec::new();
    stream.wait_for(SILENCE);
    let silent = |kind| matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
    match stream.read_to_end(&mut heard) {
        Err(error) if silent(error.kind()) => {
            hang_up(stream).ok();
            stream.wait_for(STUCK);
            let ended = stream.read_to_end(&mut heard);
            let is_stuck = ended.is_err_and(|error| silent(error.kind()));
            assert!(!is_stuck, "stuck after {}", String::from_utf8_lossy(&heard));
        }
        // A reset is an end too.
        _ => {}
    }
    heard
}

trait HasTimeout {
    fn wait_for(&self, time: Duration);
}

impl HasTimeout for TcpStream {
    fn wait_for(&self, time: Duration) {
        self.set_read_timeout(Some(time)).expect("a socket");
    }
}

impl HasTimeout for UnixStream {
    fn wait_for(&self, time: Duration) {
        self.set_read_timeout(Some(time)).expect("a socket");
    }
}

impl Running {
    /// Starts it once, for the whole life of the process.
    fn get() -> &'static Self {
        static RUNNING: OnceLock<Running> = OnceLock::new();
        RUNNING.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder").keep();
            let http = free_port();
            let config = config(&folder, http);
            let places = control::places(&config);
            let control = places.first().expect("a socket").clone();
            let (runtime, started) = channel();
            thread::spawn(move || run(config, &runtime));
            let handle = started.recv().expect("it starts");
            let ready = async || {
                let page = get(http, "/readyz").await.ok()?;
                (page.status == 200).then_some(())
            };
            let waited = handle.block_on(until("transom to be ready", PATIENCE, ready));
            waited.unwrap_or_else(|why| panic!("{why}"));
            let (cookie, csrf) = sign_in(http);
            Self {
                http,
                control,
                cookie,
                csrf,
            }
        })
    }

    fn fill_in(&self, data: &[u8]) -> Vec<u8> {
        let mut filled = data.to_vec();
        for (word, value) in [(SESSION, &self.cookie), (FORM, &self.csrf)] {
            while let Some(at) = filled
                .windows(word.len())
                .position(|window| window == word.as_bytes())
            {
                filled.splice(at..at + word.len(), value.bytes());
            }
        }
        filled
    }
}

fn config(folder: &Path, http: SocketAddr) -> Config {
    let text = format!(
        "[store]\nurl = \"sqlite:transom.db\"\n\
         [xmpp]\nserver = \"127.0.0.1:9\"\nallow = [\"example.org\"]\nadmins = [\"admin@example.org\"]\n\
         [http]\nlisten = \"{http}\"\npublic_url = \"http://{http}\"\nadmin_token = \"{TOKEN}\"\n\
         [gateway.sms]\ndomain = \"sms.example.org\"\nadapter = \"sms\"\nsecret = \"{SECRET}\"\nregion = \"US\"\n\
         [gateway.sms.provider.phones]\nkind = \"simulator\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550100\"\nprovider = \"phones\"\nowner = \"alice@example.org\"\n"
    );
    let environment = Environment::from_variables([("TRANSOM_LOG__LEVEL", "error")]);
    let loaded = Config::parse(&text, &folder.join("transom.toml"), &environment);
    loaded.unwrap_or_else(|faults| panic!("{faults:?}")).config
}

/// It ends with the process.
fn run(config: Config, started: &Sender<tokio::runtime::Handle>) {
    let runtime: Runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    started
        .send(runtime.handle().clone())
        .expect("somebody waits");
    let ended = runtime.block_on(App::builder().build(config).run());
    panic!("it ended: {ended:?}");
}

/// Signs in to the operator's page: the cookie, and the token of its forms.
fn sign_in(http: SocketAddr) -> (String, String) {
    let form = format!("token={}", TOKEN.replace(' ', "+"));
    let length = form.len();
    let entered = exchange(
        http,
        &format!(
            "POST /admin/in HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{form}"
        ),
    );
    let cookie = between(&entered, "transom_admin=", ";");
    let page = exchange(
        http,
        &format!(
            "GET /admin/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncookie: transom_admin={cookie}\r\n\r\n"
        ),
    );
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    (cookie.to_owned(), csrf)
}

fn exchange(http: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(http).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let found = text
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once(end));
    found.unwrap_or_else(|| panic!("no {start} in {text}")).0
}
