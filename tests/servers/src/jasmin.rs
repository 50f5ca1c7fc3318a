//! Jasmin with the Redis and `RabbitMQ` that it needs, its texts carried by an SMSC of the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::daemon::{Daemon, Ready};
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;
use crate::wait::within;

/// The name of Jasmin's user.
const USERNAME: &str = "tester";
/// The password of Jasmin's user.
const PASSWORD: &str = "foobar";
/// How many texts a second the user may send.
const THROUGHPUT: u32 = 4;

/// Jasmin's daemon, with a lock of its own instead of the one of the whole machine.
const DAEMON: &str = "import lockfile, runpy, sys; real = lockfile.FileLock; \
    lockfile.FileLock = lambda path: real('jasmind'); \
    sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')";

/// A running Jasmin.
pub struct Jasmin {
    daemon: Daemon,
    profile: String,
    ports: Ports,
    _broker: [Daemon; 3],
    _scratch: Scratch,
}

struct Ports {
    http: SocketAddr,
    console: SocketAddr,
    others: [SocketAddr; 4],
    redis: SocketAddr,
    amqp: SocketAddr,
}

impl Jasmin {
    /// Starts one that binds to this SMSC and brings its texts to this URL.
    pub async fn start(smsc: SocketAddr, incoming: &str) -> Self {
        let scratch = Scratch::new("jasmin");
        let ports = Ports {
            http: free_port(),
            console: free_port(),
            others: [(); 4].map(|()| free_port()),
            redis: free_port(),
            amqp: free_port(),
        };
        let (redis, amqp) =
            tokio::join!(redis(&scratch, ports.redis), broker(&scratch, ports.amqp));
        let [epmd, rabbit] = amqp;
        let config = scratch.write("jasmin.cfg", config(&scratch, &ports));
        let launch = Launch::new(python(), scratch.path(), "console.log")
            .args(["-c", DAEMON])
            .args([installed("bin/jasmind.py").display().to_string()])
            .args(["-c", &config.display().to_string()])
            .args(["--enable-dlr-thrower", "--enable-dlr-lookup"])
            .env("ROOT_PATH", scratch.path().display().to_string())
            .env("LOG_PATH", scratch.path().display().to_string());
        let ready = Ready::Ports(vec![ports.console, ports.http]);
        let mut jasmin = Self {
            daemon: Daemon::new(launch, ready, Signal::TERM),
            profile: profile(smsc, incoming),
            ports,
            _broker: [redis, epmd, rabbit],
            _scratch: scratch,
        };
        jasmin.start_again().await;
        jasmin
    }

    /// The origin of its HTTP API: `http://127.0.0.1:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.ports.http)
    }

    /// The name that its HTTP API wants.
    pub fn username(&self) -> &'static str {
        USERNAME
    }

    /// The password that its HTTP API wants.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Ends it; what it holds waits in `RabbitMQ`.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again, on the same ports; the SMSC has to wait for its bind.
    pub async fn start_again(&mut self) {
        self.daemon.start().await;
        within("Jasmin's console", self.configure()).await;
    }

    /// Types the profile on its console: a user, the SMSC, the routes.
    async fn configure(&self) {
        let mut console = TcpStream::connect(self.ports.console).await.unwrap();
        console.write_all(b"\r\n").await.unwrap();
        let mut prompt = "jcli : ";
        for line in self.profile.lines() {
            answer(&mut console, prompt).await;
            console
                .write_all(format!("{line}\r\n").as_bytes())
                .await
                .unwrap();
            let ends = line == "ok" || line.contains(" -1 ");
            prompt = if ends { "jcli : " } else { "> " };
        }
        let said = answer(&mut console, "jcli : ").await;
        assert!(said.contains("Successfully started"), "{said}");
    }
}

/// Reads up to a prompt.
async fn answer(console: &mut TcpStream, prompt: &str) -> String {
    let mut said = Vec::new();
    while !said.ends_with(prompt.as_bytes()) {
        let mut bytes = [0; 1024];
        let count = console.read(&mut bytes).await.unwrap();
        assert!(
            count > 0,
            "the console closed: {}",
            String::from_utf8_lossy(&said)
        );
        said.extend_from_slice(&bytes[..count]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

async fn redis(scratch: &Scratch, port: SocketAddr) -> Daemon {
    let launch = Launch::new(find_program("redis-server"), scratch.path(), "redis.log").args([
        "--port",
        &port.port().to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
    ]);
    Daemon::started(launch, Ready::Ports(vec![port]), Signal::TERM).await
}

/// `RabbitMQ` with a name server of its own: without one it does not start.
async fn broker(scratch: &Scratch, amqp: SocketAddr) -> [Daemon; 2] {
    let [names, distribution] = [(); 2].map(|()| free_port());
    let epmd = Launch::new(find_program("epmd"), scratch.path(), "epmd.log").args([
        "-address",
        "127.0.0.1",
        "-port",
        &names.port().to_string(),
    ]);
    let epmd = Daemon::started(epmd, Ready::Ports(vec![names]), Signal::TERM).await;
    let folder = scratch.folder("rabbit", None).display().to_string();
    let server = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    let node = format!("transom{}@localhost", names.port());
    let rabbit = Launch::new(server, scratch.path(), "rabbit.log")
        .env("RABBITMQ_NODENAME", node)
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("RABBITMQ_CONFIG_FILE", format!("{folder}/none"))
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", names.port().to_string())
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", amqp.port().to_string())
        .env("RABBITMQ_DIST_PORT", distribution.port().to_string())
        .env("RABBITMQ_MNESIA_BASE", format!("{folder}/mnesia"))
        .env("RABBITMQ_LOG_BASE", format!("{folder}/log"))
        .env("RABBITMQ_PID_FILE", format!("{folder}/pid"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", format!("{folder}/plugins"));
    let ready = Ready::Ports(vec![amqp]);
    [epmd, Daemon::started(rabbit, ready, Signal::TERM).await]
}

/// In the virtual environment that `tests/run` makes.
fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("jasmin/venv")
        .join(path)
}

fn python() -> PathBuf {
    installed("bin/python")
}

/// The description of AMQP that txAMQP brings; packages of Jasmin have it in /etc.
fn protocol() -> PathBuf {
    let versions = std::fs::read_dir(installed("lib"))
        .into_iter()
        .flatten()
        .flatten();
    let standard = "site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml";
    let mut files = versions.map(|version| version.path().join(standard));
    let found = files.find(|file| file.is_file());
    found.expect("txAMQP is not installed; tests/run installs it")
}

fn config(scratch: &Scratch, ports: &Ports) -> String {
    let folder = scratch.folder("store", None).display().to_string();
    let port = |addr: SocketAddr| addr.port().to_string();
    let [smpp, smpp_pb, clients, router] = ports.others.map(port);
    let [http, console] = [ports.http, ports.console].map(port);
    let [redis, amqp] = [ports.redis, ports.amqp].map(port);
    let protocol = protocol().display().to_string();
    format!(
        "[smpp-server]\nbind = 127.0.0.1\nport = {smpp}\n\
         [smpp-server-pb]\nbind = 127.0.0.1\nport = {smpp_pb}\n\
         [client-management]\nbind = 127.0.0.1\nport = {clients}\nstore_path = {folder}\n\
         [sm-listener]\nsubmit_error_retrial = {{'ESME_RTHROTTLED': {{'count': 30, 'delay': 1}}}}\n\
         submit_retrial_delay_smppc_not_ready = 1\n\
         [dlr]\ndlr_lookup_retry_delay = 1\ndlr_lookup_max_retries = 30\n\
         [amqp-broker]\nport = {amqp}\nspec = {protocol}\n\
         [http-api]\nbind = 127.0.0.1\nport = {http}\n\
         [router]\nbind = 127.0.0.1\nport = {router}\nstore_path = {folder}\n\
         [deliversm-thrower]\nretry_delay = 1\nmax_retries = 100\n\
         [dlr-thrower]\nretry_delay = 1\nmax_retries = 100\n\
         [redis-client]\nport = {redis}\n\
         [jcli]\nport = {console}\nauthentication = False\n"
    )
}

fn profile(smsc: SocketAddr, incoming: &str) -> String {
    let smsc = smsc.port();
    format!(
        "group -a\ngid people\nok\n\
         user -a\nusername {USERNAME}\npassword {PASSWORD}\ngid people\nuid {USERNAME}\n\
         mt_messaging_cred quota http_throughput {THROUGHPUT}\nok\n\
         smppccm -a\ncid upstream\nhost 127.0.0.1\nport {smsc}\nusername u\npassword secret\n\
         bind transceiver\ncon_loss_delay 1\ncon_fail_delay 1\nok\n\
         mtrouter -a\ntype DefaultRoute\nconnector smppc(upstream)\nrate 0\nok\n\
         httpccm -a\ncid transom\nurl {incoming}\nmethod POST\nok\n\
         morouter -a\ntype DefaultRoute\nconnector http(transom)\nok\n\
         smppccm -1 upstream"
    )
}
