//! STARTTLS, RFC 3207, before the library sees the connection.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    connection::{Opening, broken, unfit},
    outcome::{Phase, Trouble},
};
use crate::net::{Security, Stream};

/// The connection, encrypted as the configuration asks, about to give a greeting.
pub(super) async fn secure(opening: Opening<'_>) -> Result<Stream, Trouble> {
    let Opening { endpoint, tls, .. } = opening;
    let broken = |error: std::io::Error| broken(Phase::Connect, &error);
    let stream = endpoint.connect(tls).await.map_err(broken)?;
    match endpoint.security {
        Security::None | Security::Implicit => Ok(stream),
        Security::Opportunistic | Security::Required => {
            let Some(tcp) = stream.into_tcp() else {
                return Err(unfit("the connection is encrypted already"));
            };
            start_tls(tcp, opening).await
        }
    }
}

/// RFC 3207 §4.2: after the handshake there is no second greeting, but the library waits for one.
const GREETING: &[u8] = b"220 continued\r\n";

/// Asks for TLS and begins it. What a meddler wrote ahead of the handshake is thrown away with
/// the buffer here, instead of being read as the first encrypted reply.
async fn start_tls(mut tcp: TcpStream, opening: Opening<'_>) -> Result<Stream, Trouble> {
    let required = opening.endpoint.security == Security::Required;
    read_reply(&mut tcp, &[220]).await?;
    let offers = ask(&mut tcp, &format!("EHLO {}\r\n", opening.hello), &[250]).await?;
    let offered = offers.lines().any(|line| {
        let keyword = line.get(4..).unwrap_or_default().trim();
        keyword.eq_ignore_ascii_case("STARTTLS")
    });
    if !offered && required {
        return Err(unfit(
            "the server offers no STARTTLS; set tls=none if this is what you want",
        ));
    }
    if !offered {
        return Ok(Stream::plain(tcp).with_ahead(GREETING));
    }
    ask(&mut tcp, "STARTTLS\r\n", &[220]).await?;
    let encrypted = opening.endpoint.encrypt(tcp, opening.tls).await;
    let encrypted = encrypted.map_err(|error| broken(Phase::Connect, &error))?;
    Ok(encrypted.with_ahead(GREETING))
}

async fn ask(tcp: &mut TcpStream, command: &str, want: &[u16]) -> Result<String, Trouble> {
    let sent = tcp.write_all(command.as_bytes()).await;
    sent.map_err(|error| broken(Phase::Connect, &error))?;
    read_reply(tcp, want).await
}

/// One reply, all its lines. RFC 5321 §4.2
async fn read_reply(tcp: &mut TcpStream, want: &[u16]) -> Result<String, Trouble> {
    const REPLY_BYTES_MAX: usize = 16 * 1024;
    let mut text = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let count = tcp.read(&mut chunk).await;
        let count = count.map_err(|error| broken(Phase::Connect, &error))?;
        text.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let reply = String::from_utf8_lossy(&text);
        let whole = reply.ends_with('\n')
            && reply
                .lines()
                .last()
                .is_some_and(|line| line.as_bytes().get(3) != Some(&b'-'));
        if whole {
            let code = reply
                .get(..3)
                .and_then(|code| code.parse().ok())
                .unwrap_or(0);
            let rest = reply.get(4..).unwrap_or_default().to_owned();
            return if want.contains(&code) {
                Ok(reply.into_owned())
            } else {
                Err(Trouble::Reply {
                    phase: Phase::Connect,
                    code,
                    text: rest,
                })
            };
        }
        if count == 0 || text.len() > REPLY_BYTES_MAX {
            let detail = "the server closed the connection or wrote no reply".to_owned();
            let phase = Phase::Connect;
            return Err(Trouble::Broken { phase, detail });
        }
    }
}
