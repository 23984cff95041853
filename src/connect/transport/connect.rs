//! The first connection: a line to the server, or one line of text that says why there is none.
//!
//! gRPC itself can not tell a wrong port from a slow server: it retries, or waits for ever. So the first bytes are exchanged by
//! hand, over TLS where that is asked for: an HTTP/2 server answers the preface at once, and what else may listen there gives
//! itself away. Nothing secret is among them. All of this takes about ten seconds at most.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::connect::endpoint::Endpoint;
use crate::connect::error::Error;
use crate::connect::reason::Reason;
use crate::connect::tls;
use crate::connect::transport::channel::{Line, dial};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Of the handshake and the first bytes together.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// Of another look at a server that does not speak TLS.
const SECOND_LIMIT: Duration = Duration::from_secs(1);
/// What one operation may have in flight. A server keeps 10 MiB for a reattach: more than that on the way would be lost.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
/// What all of them may have in flight. Results that nobody reads yet must not keep the answers to other calls from us.
const CONNECTION_WINDOW: u32 = 16 * STREAM_WINDOW;
/// Rows come in messages of megabytes: what each frame of them costs counts.
const FRAME: u32 = 256 * 1024;
/// Errors travel in headers, twice.
const HEADER_LIMIT: u32 = 64 * 1024;

/// HTTP/2's greeting and empty settings, as a client sends them.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const FRAME_HEADER: usize = 9;

/// What listens at a port, by the first bytes it sends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Greeting {
    Http2,
    Http1,
    Ssh,
    Tls,
    Closed,
    Silent,
    Other,
}

/// Connects, within seconds.
pub(crate) async fn reach(endpoint: &Endpoint) -> Result<Line, Error> {
    // What is wrong on our side is said before a byte is sent.
    let channel = channel(endpoint)?;
    let stream = open(endpoint).await?;
    if endpoint.tls() {
        greet_over_tls(stream, endpoint).await?;
    } else {
        let greeting = timeout(GREETING_LIMIT, greet(stream)).await.unwrap_or(Ok(Greeting::Silent));
        judge(greeting.unwrap_or(Greeting::Closed), endpoint)?;
    }
    match timeout(CONNECT_LIMIT, dial(&channel)).await {
        Ok(Ok(connection)) => Ok(Line::new(channel, connection)),
        Ok(Err(error)) => Err(Error::broken(endpoint.to_string(), &error)),
        Err(_) => Err(unreachable(endpoint, Reason::silence())),
    }
}

/// How a channel to this server is had, without looking first who is there.
pub(crate) fn channel(endpoint: &Endpoint) -> Result<tonic::transport::Endpoint, Error> {
    let broken = |error: tonic::transport::Error| Error::broken(endpoint.to_string(), &error);
    let scheme = if endpoint.tls() { "https" } else { "http" };
    let mut channel = tonic::transport::Endpoint::from_shared(format!("{scheme}://{}", endpoint.authority()))
        .map_err(broken)?
        .connect_timeout(CONNECT_LIMIT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .http2_max_header_list_size(HEADER_LIMIT);
    if let Some(keepalive) = endpoint.keepalive() {
        channel = channel
            .http2_keep_alive_interval(keepalive.interval)
            .keep_alive_timeout(keepalive.timeout)
            .keep_alive_while_idle(keepalive.while_idle);
    }
    if endpoint.tls() {
        tls::server_name(endpoint.host()).map_err(|reason| insecure(endpoint, reason))?;
        let tls = endpoint.certificates().for_tonic();
        let (config, verifier) = tls.map_err(|reason| insecure(endpoint, reason))?;
        channel = channel.tls_config_with_verifier(config, verifier).map_err(broken)?;
    }
    Ok(channel)
}

async fn open(endpoint: &Endpoint) -> Result<TcpStream, Error> {
    let opening = async {
        let addresses = lookup_host((endpoint.host(), endpoint.port())).await;
        let addresses: Vec<_> = addresses.map_err(|error| unknown_name(endpoint, &error))?.collect();
        TcpStream::connect(&addresses[..]).await.map_err(|error| Reason::of(&error))
    };
    let opened = timeout(CONNECT_LIMIT, opening).await.unwrap_or_else(|_| Err(Reason::silence()));
    opened.map_err(|reason| unreachable(endpoint, reason))
}

fn unreachable(endpoint: &Endpoint, reason: Reason) -> Error {
    Error::Unreachable { server: endpoint.to_string(), reason }
}

fn insecure(endpoint: &Endpoint, reason: Reason) -> Error {
    Error::Tls { server: endpoint.to_string(), reason }
}

fn unknown_name(endpoint: &Endpoint, error: &io::Error) -> Reason {
    let text = error.to_string();
    let detail = text.rsplit_once(": ").map_or(text.as_str(), |(_, detail)| detail);
    Reason::new(format!("`{}` can not be looked up ({detail})", endpoint.host()))
        .hint("look for a slip in the name, and whether it is known in this machine's network")
}

async fn greet(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<Greeting> {
    stream.write_all(PREFACE).await?;
    stream.flush().await?;
    let mut bytes = [0; FRAME_HEADER];
    let mut read = 0;
    while let Some(rest @ [_, ..]) = bytes.get_mut(read..) {
        match stream.read(rest).await {
            Err(error) if read == 0 => return Err(error),
            Ok(0) | Err(_) => break,
            Ok(more) => read += more,
        }
    }
    Ok(greeting(bytes.get(..read).unwrap_or_default()))
}

fn greeting(bytes: &[u8]) -> Greeting {
    match bytes {
        [] => Greeting::Closed,
        // The first frame of a server are its settings.
        [_, _, _, 4, _, 0, 0, 0, 0] => Greeting::Http2,
        [b'H', b'T', b'T', b'P', b'/', b'1', ..] => Greeting::Http1,
        [b'S', b'S', b'H', b'-', ..] => Greeting::Ssh,
        // An alert: TLS has not understood the greeting.
        [0x15, 3, ..] => Greeting::Tls,
        _ => Greeting::Other,
    }
}

fn judge(greeting: Greeting, endpoint: &Endpoint) -> Result<(), Error> {
    let (reason, hint) = match greeting {
        Greeting::Http2 => return Ok(()),
        Greeting::Tls => {
            return Err(insecure(endpoint, Reason::new("it speaks TLS").hint("write `use_ssl=true`")));
        }
        Greeting::Http1 if endpoint.tls() => return Err(insecure(endpoint, tls::no_http2())),
        Greeting::Http1 => (
            "it answers in HTTP/1",
            "reach the port for gRPC, which is 15002 where nobody has said otherwise",
        ),
        Greeting::Ssh => ("it speaks SSH", "look for a slip in the port"),
        Greeting::Closed => {
            ("it closes the connection", "look for a slip in the port, and whether the server is well")
        }
        Greeting::Silent => (
            "it accepts connections and says nothing",
            "look for a slip in the port, and whether the server is well",
        ),
        Greeting::Other => ("it answers in another protocol", "look for a slip in the port"),
    };
    // What does not know the greeting, and does not say what it is, may have waited for TLS.
    let is_unclear = matches!(greeting, Greeting::Http1 | Greeting::Closed | Greeting::Silent);
    let perhaps =
        if is_unclear && !endpoint.tls() { "; if it is a port for TLS, write `use_ssl=true`" } else { "" };
    let reason = Reason::new(reason).hint(format!("{hint}{perhaps}"));
    Err(Error::NotSparkConnect { server: endpoint.to_string(), reason })
}

/// Does the handshake and greets inside.
async fn greet_over_tls(stream: TcpStream, endpoint: &Endpoint) -> Result<(), Error> {
    let deadline = Instant::now() + GREETING_LIMIT;
    let wrong = |reason: Reason| insecure(endpoint, reason);
    let certificates = endpoint.certificates();
    let name = tls::server_name(endpoint.host()).map_err(wrong)?;
    let connector = TlsConnector::from(Arc::new(certificates.by_hand().map_err(wrong)?));
    let stream = match timeout_at(deadline, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let reason = certificates.reason(&error);
            return Err(wrong(
                look_again(endpoint, reason, "it closes the connection in the handshake").await,
            ));
        }
        Err(_) => return Err(wrong(look_again(endpoint, None, "it does not answer in TLS").await)),
    };
    if stream.get_ref().1.alpn_protocol() != Some(tls::HTTP2) {
        return Err(wrong(tls::no_http2()));
    }
    // In TLS 1.3 a server judges the client's certificate after the client is done with the handshake.
    match timeout_at(deadline, greet(stream)).await {
        Ok(Ok(Greeting::Closed)) => Err(wrong(closed(certificates.has_identity()))),
        Ok(Ok(greeting)) => judge(greeting, endpoint),
        Ok(Err(error)) => {
            let reason = certificates.reason(&error);
            Err(wrong(reason.unwrap_or_else(|| closed(certificates.has_identity()))))
        }
        Err(_) => judge(Greeting::Silent, endpoint),
    }
}

/// What ends a handshake without a word of TLS, or with bytes that are none, may speak HTTP/2 without it.
async fn look_again(endpoint: &Endpoint, reason: Option<Reason>, otherwise: &str) -> Reason {
    let is_not_tls = match &reason {
        Some(reason) => *reason == tls::not_tls(),
        None => {
            let greeting = async { greet(open(endpoint).await.ok()?).await.ok() };
            timeout(SECOND_LIMIT, greeting).await == Ok(Some(Greeting::Http2))
        }
    };
    match reason {
        _ if is_not_tls => tls::not_tls().hint(endpoint.without_tls()),
        Some(reason) => reason,
        None => Reason::new(otherwise).hint(format!(
            "look for a slip in the port; if it does not speak TLS, {}",
            endpoint.without_tls()
        )),
    }
}

/// A server that wants a certificate may hang up before its word for it comes through.
fn closed(has_identity: bool) -> Reason {
    let reason = Reason::new("it closes the connection after the handshake");
    reason.hint(if has_identity {
        "look whether the server behind it runs, and whether it accepts the client's certificate"
    } else {
        "look whether the server behind it runs; if it wants a certificate of the client, name one: `--tls-cert FILE --tls-key FILE`"
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::{Greeting, greeting, reach};
    use crate::connect::endpoint::{Defaults, Endpoint};

    #[test]
    fn first_bytes() {
        let table: [(&[u8], Greeting); 7] = [
            (b"\0\0\x12\x04\0\0\0\0\0", Greeting::Http2),
            (b"HTTP/1.1 ", Greeting::Http1),
            (b"\x15\x03\x01\0\x02\x02\x46", Greeting::Tls),
            (b"", Greeting::Closed),
            (b"SSH-2.0-O", Greeting::Ssh),
            (b"220 mail.", Greeting::Other),
            (b"\0", Greeting::Other),
        ];
        for (bytes, expected) in table {
            assert_eq!(greeting(bytes), expected);
        }
    }

    /// Reaches for a server that reads a little, answers this and hangs up.
    async fn answered_by(answer: &'static [u8], parameters: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut some = [0; 16];
                stream.read_exact(&mut some).await.ok();
                stream.write_all(answer).await.ok();
            }
        });
        let endpoint =
            Endpoint::parse(&format!("sc://localhost:{port}{parameters}"), &Defaults::default()).unwrap();
        let error = reach(&endpoint).await.unwrap_err();
        assert!(error.is_unreachable());
        format!("{error}: {}", error.hint().unwrap_or_default()).replace(&port.to_string(), "PORT")
    }

    #[tokio::test]
    async fn who_else_may_listen() {
        let no_spark = "sc://localhost:PORT is not a Spark Connect server: ";
        let insecure = "sc://localhost:PORT can not be reached securely: ";
        let over_tls = "/;use_ssl=true";
        let table: [(&[u8], &str, &str, &str); 9] = [
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                "",
                no_spark,
                "it answers in HTTP/1: reach the port for gRPC, which is 15002 where nobody has said otherwise; if it is a port for TLS, write `use_ssl=true`",
            ),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "", no_spark, "it speaks SSH: look for a slip in the port"),
            (
                b"220 mail.example.com\r\n",
                "",
                no_spark,
                "it answers in another protocol: look for a slip in the port",
            ),
            (
                b"",
                "",
                no_spark,
                "it closes the connection: look for a slip in the port, and whether the server is well; if it is a port for TLS, write `use_ssl=true`",
            ),
            (b"\x15\x03\x01\0\x02\x02\x46", "", insecure, "it speaks TLS: write `use_ssl=true`"),
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                over_tls,
                insecure,
                "it does not speak TLS: reach a port that does, or write `use_ssl=false`",
            ),
            (
                b"SSH-2.0-OpenSSH_9.6\r\n",
                over_tls,
                insecure,
                "it does not speak TLS: reach a port that does, or write `use_ssl=false`",
            ),
            (
                b"\x15\x03\x01\0\x02\x02\x28",
                over_tls,
                insecure,
                "it ends the handshake (HandshakeFailure): if it wants a certificate of the client, name one: `--tls-cert FILE --tls-key FILE`, or `tls` in a target",
            ),
            (
                b"",
                over_tls,
                insecure,
                "it closes the connection in the handshake: look for a slip in the port; if it does not speak TLS, reach a port that does, or write `use_ssl=false`",
            ),
        ];
        for (answer, parameters, what, reason) in table {
            assert_eq!(answered_by(answer, parameters).await, format!("{what}{reason}"));
        }
    }

    #[tokio::test]
    async fn nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = reach(&Endpoint::loopback(port, None)).await.unwrap_err();
        assert!(error.is_unreachable());
        assert_eq!(
            error.to_string(),
            format!("sc://127.0.0.1:{port} can not be reached: nothing listens at this port")
        );
        let endpoint = Endpoint::parse("sc://no-such-host.invalid", &Defaults::default()).unwrap();
        let error = reach(&endpoint).await.unwrap_err().to_string();
        assert!(error.starts_with("sc://no-such-host.invalid:15002 can not be reached: "), "{error}");
    }
}
