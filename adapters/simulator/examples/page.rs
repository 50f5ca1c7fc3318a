//! Serves the simulator's page with a gateway that only pretends: `cargo run -p transom-simulator --example page [PORT]`.

use std::{env, error::Error, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use transom_adapter::{
    Account, AccountName, Address, Attachment, Key, OutFile, StoredFile, SystemClock, WebReply,
    testkit::{FIRST, FixedDirectory, RecordingInbox, context, outgoing},
};
use transom_simulator::{Behaviour, Simulator, State, Text};

const LINE: &str = "+12025550100";
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/flow/picture.png");
const LINE_OF_NOBODY: &str = "+12025550109";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::args().nth(1).map_or(Ok(8480), |port| port.parse())?;
    let simulator = Simulator::new(Arc::new(SystemClock));
    let name = AccountName::new("sms", "main");
    let account = simulator.account(name.clone());
    simulator.add_line(&Address::new(LINE), &name);
    simulator.add_line(&Address::new(LINE_OF_NOBODY), &name);

    let inbox = Arc::new(RecordingInbox::default());
    inbox.refuse(Address::new(LINE_OF_NOBODY));
    let context = context(inbox, FixedDirectory::default(), Arc::default());
    let lifecycle = context.lifecycle.clone();
    let running = Arc::clone(&account);
    lifecycle.spawn("account", async move { drop(running.run(&context).await) });
    populate(&simulator, &*account).await?;

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    eprintln!("http://{}/simulator/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let simulator = simulator.clone();
        lifecycle.spawn("connection", async move {
            if let Err(error) = serve(stream, &simulator).await {
                eprintln!("{error}");
            }
        });
    }
}

/// A few conversations to look at.
async fn populate(simulator: &Simulator, account: &dyn Account) -> Result<(), Box<dyn Error>> {
    let texts = [
        (
            "+4915112345678",
            "Guten Morgen! Das Paket ist heute da, ab 14 Uhr.",
        ),
        ("+12025550191", "Call me when you are back online."),
        ("+12025550192", "Is this still your number?"),
        ("+12025550193", "Reminder: dentist tomorrow at 9:30."),
        ("+12025550194", "One of many."),
        ("+12025550195", "Did this arrive?"),
        ("+12025550147", "Hi Bob, lunch at the harbour tomorrow?"),
        (
            "+12025550147",
            "Half past twelve, if the boat is on time. Bring the drawings of the transom, the varnish and your good mood 🙂",
        ),
    ];
    for (key, (phone, text)) in (1..).zip(texts) {
        let mut message = outgoing(LINE, phone, text);
        message.key = Key(key);
        account.send(&message, FIRST).await;
    }
    let mut message = outgoing(LINE, "+12025550147", "The harbour, yesterday");
    message.key = Key(100);
    message.files.push(OutFile {
        name: "harbour.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: 0,
        stored: Some(StoredFile {
            path: PICTURE.into(),
            url: None,
        }),
    });
    account.send(&message, FIRST).await;
    let bob = simulator.phone("+12025550147");
    let reported = |text: &Text| (text.state == State::Reported).then_some(());
    bob.wait_until(Duration::from_secs(5), reported).await?;
    bob.answer(LINE, "Yes! See you there.\nI bring the varnish too.")
        .await?;
    let attachment = |name: &str, content_type: &str, content: Vec<u8>| Attachment {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        bytes: content.len() as u64,
        content: Some(content.into()),
    };
    let files = vec![
        attachment("mine.png", "image/png", std::fs::read(PICTURE)?),
        attachment("bob.vcf", "text/vcard", b"BEGIN:VCARD".to_vec()),
    ];
    bob.answer_with(LINE, ("", &[]), files).await?;
    bob.answer(LINE_OF_NOBODY, "Wrong number, I think.").await?;
    simulator
        .phone("+442079460123")
        .answer(LINE, "Your code is 123456 <b>not bold</b>")
        .await?;
    simulator
        .phone("+33612345678")
        .set_behaviour(Behaviour::Off);
    Ok(())
}

/// Just enough HTTP for a browser on the same machine.
async fn serve(stream: TcpStream, simulator: &Simulator) -> Result<(), Box<dyn Error>> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split(' ');
    let method: Method = words.next().unwrap_or_default().parse()?;
    let target = words.next().unwrap_or_default().to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.append(
            name.parse::<HeaderName>()?,
            HeaderValue::from_str(value.trim())?,
        );
    }
    let length = headers.get("content-length").map(HeaderValue::to_str);
    let length = length.transpose()?.unwrap_or("0").parse()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let WebReply {
        status,
        content_type,
        body,
    } = simulator
        .handle(&method, path, query, &headers, &body)
        .await;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await?;
    Ok(())
}
