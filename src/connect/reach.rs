//! The first connection: a line to the server, or one line of text that says why there is none.
//!
//! gRPC itself can not tell a wrong port from a slow server: it retries, or waits for ever. So the first bytes are exchanged by
//! hand: an HTTP/2 server answers the preface at once, and what else may listen there gives itself away.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::ClientTlsConfig;

use crate::connect::endpoint::Endpoint;
use crate::connect::error::{Error, innermost};
use crate::connect::line::{Line, dial};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// What one operation may have in flight. A server keeps 10 MiB for a reattach: more than that on the way would be lost.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
/// What all of them may have in flight. Results that nobody reads yet must not keep the answers to other calls from us.
const CONNECTION_WINDOW: u32 = 16 * STREAM_WINDOW;
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
    Tls,
    Closed,
    Silent,
    Other,
}

/// Connects, within seconds.
pub(super) async fn reach(endpoint: &Endpoint) -> Result<Line, Error> {
    let unreachable = |reason: String| Error::Unreachable { server: endpoint.to_string(), reason };
    let stream = match timeout(CONNECT_LIMIT, TcpStream::connect((endpoint.host(), endpoint.port()))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(unreachable(refusal(&error))),
        Err(_) => return Err(unreachable("it does not answer".to_owned())),
    };
    if endpoint.tls() {
        drop(stream);
    } else {
        let greeting = timeout(CONNECT_LIMIT, greet(stream)).await.unwrap_or(Greeting::Silent);
        judge(greeting, endpoint)?;
    }
    let channel = channel(endpoint).map_err(|error| unreachable(innermost(&error)))?;
    match timeout(CONNECT_LIMIT, dial(&channel)).await {
        Ok(Ok(connection)) => Ok(Line::new(channel, connection)),
        Ok(Err(error)) if endpoint.tls() => {
            Err(Error::Tls { server: endpoint.to_string(), reason: tls_reason(&innermost(&error)) })
        }
        Ok(Err(error)) => Err(unreachable(innermost(&error))),
        Err(_) if endpoint.tls() => {
            Err(Error::Tls { server: endpoint.to_string(), reason: "it does not answer in TLS".to_owned() })
        }
        Err(_) => Err(unreachable("it does not answer".to_owned())),
    }
}

fn channel(endpoint: &Endpoint) -> Result<tonic::transport::Endpoint, tonic::transport::Error> {
    let scheme = if endpoint.tls() { "https" } else { "http" };
    let mut channel =
        tonic::transport::Endpoint::from_shared(format!("{scheme}://{}", endpoint.authority()))?
            .connect_timeout(CONNECT_LIMIT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_header_list_size(HEADER_LIMIT);
    if let Some(keepalive) = endpoint.keepalive() {
        channel = channel
            .http2_keep_alive_interval(keepalive.interval)
            .keep_alive_timeout(keepalive.timeout)
            .keep_alive_while_idle(keepalive.while_idle);
    }
    if endpoint.tls() {
        channel = channel.tls_config(ClientTlsConfig::new().with_native_roots())?;
    }
    Ok(channel)
}

fn refusal(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens at this port".to_owned(),
        io::ErrorKind::TimedOut => "it does not answer".to_owned(),
        _ => error.to_string(),
    }
}

async fn greet(mut stream: TcpStream) -> Greeting {
    if stream.write_all(PREFACE).await.is_err() {
        return Greeting::Closed;
    }
    let mut bytes = [0; FRAME_HEADER];
    let mut read = 0;
    while let Some(rest @ [_, ..]) = bytes.get_mut(read..) {
        match stream.read(rest).await {
            Ok(0) | Err(_) => break,
            Ok(more) => read += more,
        }
    }
    greeting(bytes.get(..read).unwrap_or_default())
}

fn greeting(bytes: &[u8]) -> Greeting {
    match bytes {
        [] => Greeting::Closed,
        // The first frame of a server are its settings.
        [_, _, _, 4, _, 0, 0, 0, 0] => Greeting::Http2,
        [b'H', b'T', b'T', b'P', b'/', b'1', ..] => Greeting::Http1,
        // An alert: TLS has not understood the greeting.
        [0x15, 3, ..] => Greeting::Tls,
        _ => Greeting::Other,
    }
}

fn judge(greeting: Greeting, endpoint: &Endpoint) -> Result<(), Error> {
    let reason = match greeting {
        Greeting::Http2 => return Ok(()),
        Greeting::Tls => {
            let reason = "it speaks TLS; write `use_ssl=true`".to_owned();
            return Err(Error::Tls { server: endpoint.to_string(), reason });
        }
        Greeting::Http1 => "it answers in HTTP/1",
        Greeting::Closed => "it closes the connection; where it expects TLS, write `use_ssl=true`",
        Greeting::Silent => "it accepts connections and says nothing",
        Greeting::Other => "it answers in another protocol",
    };
    Err(Error::NotSparkConnect { server: endpoint.to_string(), reason: reason.to_owned() })
}

/// What rustls says is exact but is about bytes.
fn tls_reason(reason: &str) -> String {
    if reason.contains("InvalidContentType") {
        "it does not speak TLS; leave `use_ssl` and the token out, or reach it by its TLS port".to_owned()
    } else if reason.contains("HTTP/2 was not negotiated") {
        "it does not offer HTTP/2".to_owned()
    } else if reason.contains("UnknownIssuer") {
        "its certificate is signed by nobody whom this machine trusts; name a file of certificates in SSL_CERT_FILE".to_owned()
    } else if reason.contains("tls handshake eof") || reason.contains("Connection reset") {
        "it closes the connection".to_owned()
    } else {
        reason.to_owned()
    }
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
        let table: [(&[u8], Greeting); 6] = [
            (b"\0\0\x12\x04\0\0\0\0\0", Greeting::Http2),
            (b"HTTP/1.1 ", Greeting::Http1),
            (b"\x15\x03\x01\0\x02\x02\x46", Greeting::Tls),
            (b"", Greeting::Closed),
            (b"SSH-2.0-O", Greeting::Other),
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
        let error = reach(&endpoint).await.unwrap_err().to_string();
        error.replace(&port.to_string(), "PORT")
    }

    #[tokio::test]
    async fn who_else_may_listen() {
        let table: [(&[u8], &str, &str); 5] = [
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                "",
                "sc://localhost:PORT is not a Spark Connect server: it answers in HTTP/1",
            ),
            (
                b"",
                "",
                "sc://localhost:PORT is not a Spark Connect server: it closes the connection; where it expects TLS, write `use_ssl=true`",
            ),
            (
                b"\x15\x03\x01\0\x02\x02\x46",
                "",
                "sc://localhost:PORT can not be reached securely: it speaks TLS; write `use_ssl=true`",
            ),
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                "/;use_ssl=true",
                "sc://localhost:PORT can not be reached securely: it does not speak TLS; leave `use_ssl` and the token out, or reach it by its TLS port",
            ),
            (
                b"",
                "/;use_ssl=true",
                "sc://localhost:PORT can not be reached securely: it closes the connection",
            ),
        ];
        for (answer, parameters, message) in table {
            assert_eq!(answered_by(answer, parameters).await, message);
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
