//! Twilio's side of sending: takes each text over HTTP, answers with an id, and calls back as often as it is told to.
//!
//! A thread a connection, and no more work than an answer needs.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use anyhow::{Context, Result, ensure};
use transom_test_servers::parameter;

use crate::{
    text_in::CONNECTIONS,
    webhook::{ACCOUNT, Caller},
};

/// A provider's API on a port of its own.
pub(crate) struct Stub {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    taken: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
}

/// A text that somebody waits for news of.
struct Taken {
    /// Where its status callbacks go.
    url: String,
    sid: String,
}

impl Stub {
    /// Starts one that tells these statuses of each text, one after the other.
    pub(crate) fn start(statuses: &'static [&'static str]) -> Result<Self> {
        let door = TcpListener::bind("127.0.0.1:0")?;
        let stub = Self {
            addr: door.local_addr()?,
            taken: Arc::default(),
            ends: Arc::default(),
        };
        let (tell, told) = mpsc::channel();
        let told = Arc::new(Mutex::new(told));
        if !statuses.is_empty() {
            for _ in 0..CONNECTIONS {
                let told = Arc::clone(&told);
                thread::spawn(move || report("a status callback", call_back(&told, statuses)));
            }
        }
        let (taken, ends) = (Arc::clone(&stub.taken), Arc::clone(&stub.ends));
        thread::spawn(move || {
            for stream in door.incoming().flatten() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let (taken, tell) = (Arc::clone(&taken), tell.clone());
                thread::spawn(move || report("a request", serve(stream, &taken, &tell)));
            }
        });
        Ok(stub)
    }

    /// How many texts it took.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        TcpStream::connect(self.addr).ok();
    }
}

/// The load notices by what does not arrive; this is why.
fn report(what: &str, result: Result<()>) {
    if let Err(error) = result {
        eprintln!("  the provider's stub, {what}: {error:#}");
    }
}

/// Takes texts on one connection until it is closed.
fn serve(mut stream: TcpStream, taken: &AtomicUsize, tell: &Sender<Taken>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    while let Some(form) = read_form(&mut stream, &mut buffer)? {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        let sid = format!("SM{number:032x}");
        stream.write_all(answer(&sid).as_bytes())?;
        if let Some(url) = parameter(&form, "StatusCallback") {
            // Nobody listens where nothing is told.
            tell.send(Taken { url, sid }).ok();
        }
    }
    Ok(())
}

/// The body of the next request; `None` at the end of the connection.
fn read_form(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<String>> {
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some((form, length)) = whole(buffer)? {
            buffer.drain(..length);
            return Ok(Some(form));
        }
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
}

/// The body of a request that is there whole, and how long both are.
fn whole(buffer: &[u8]) -> Result<Option<(String, usize)>> {
    let text = str::from_utf8(buffer)?;
    let Some((head, rest)) = text.split_once("\r\n\r\n") else {
        return Ok(None);
    };
    let is_text = head.starts_with("POST ") && head.contains("/Messages.json ");
    ensure!(is_text, "not a text: {head}");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>())
    });
    let length = length.context("a request without Content-Length")??;
    let Some(form) = rest.get(..length) else {
        return Ok(None);
    };
    Ok(Some((form.to_owned(), head.len() + 4 + length)))
}

/// What Twilio says, as long as it says it.
fn answer(sid: &str) -> String {
    let uri = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}");
    let body = format!(
        "{{\"account_sid\":\"{ACCOUNT}\",\"api_version\":\"2010-04-01\",\"body\":\"On my way, the train is late again.\",\
         \"date_created\":\"Thu, 26 Nov 2026 12:00:00 +0000\",\"date_sent\":null,\
         \"date_updated\":\"Thu, 26 Nov 2026 12:00:00 +0000\",\"direction\":\"outbound-api\",\"error_code\":null,\
         \"error_message\":null,\"from\":\"+12125550100\",\"messaging_service_sid\":null,\"num_media\":\"0\",\
         \"num_segments\":\"1\",\"price\":null,\"price_unit\":\"USD\",\"sid\":\"{sid}\",\"status\":\"queued\",\
         \"subresource_uris\":{{\"media\":\"{uri}/Media.json\"}},\"to\":\"+12025550120\",\"uri\":\"{uri}.json\"}}"
    );
    format!(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Tells what becomes of texts, on one connection.
fn call_back(told: &Mutex<Receiver<Taken>>, statuses: &[&str]) -> Result<()> {
    let mut caller = None;
    loop {
        let next = told.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // The API and all its connections have ended.
        let Ok(Taken { url, sid }) = next else {
            return Ok(());
        };
        let place = url.strip_prefix("http://").context("an odd URL")?;
        let (host, path) = place.split_at(place.find('/').context("a URL without a path")?);
        let caller: &mut Caller = match &mut caller {
            Some(caller) => caller,
            none => none.insert(Caller::connect(host.parse()?)?),
        };
        for status in statuses {
            caller.report(path, &sid, status)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_there_whole() {
        let request =
            "POST /x/Messages.json HTTP/1.1\r\ncontent-length: 4\r\n\r\na=b&POST /x/Messages.json";
        let whole = |length: usize| whole(&request.as_bytes()[..length]).unwrap();
        let end = request.find("&POST").unwrap() + 1;
        assert_eq!(whole(end - 1), None);
        assert_eq!(whole(request.len()), Some(("a=b&".to_owned(), end)));
    }
}
