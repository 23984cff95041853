//! The HTTP client of stores: hyper and rustls with the system's roots, as for engines.
//!
//! A request has a time limit that grows with its body, so that a slow line is no failure and a silent server is one.
//! Answers are short, for nothing is read but metadata, and are taken in as a whole.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::HeaderValue;
use object_store::client::{
    HttpClient, HttpConnector as Connector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpService,
};
use tokio::time::timeout;

const CONNECT: Duration = Duration::from_secs(10);
/// A machine's own metadata server answers at once, or is not there.
const PATIENCE_METADATA: Duration = Duration::from_secs(2);
/// How long an answer to a request without a body may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes a second; a line that is slower than this counts as broken.
const SLOWEST: u64 = 64 << 10;
/// Connections that nobody uses for so long are closed, before the server does it.
const IDLE: Duration = Duration::from_secs(20);

/// Where clouds tell a machine who it is.
pub(super) const METADATA: [&str; 4] =
    ["169.254.169.254", "169.254.170.2", "metadata.google.internal", "metadata.google.internal."];

const AGENT: &str = concat!("pipectl/", env!("CARGO_PKG_VERSION"));

type Hyper = Client<HttpsConnector<HttpConnector>, HttpRequestBody>;

/// The client; its clones share connections.
#[derive(Clone)]
pub(super) struct Http(Hyper);

impl Http {
    pub(super) fn new() -> io::Result<Self> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT));
        let https = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(https.wrap_connector(http));
        Ok(Self(client))
    }

    async fn answer(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let is_metadata = request.uri().host().is_some_and(|name| METADATA.contains(&name));
        let bytes = request.body().content_length() as u64;
        let limit =
            if is_metadata { PATIENCE_METADATA } else { PATIENCE + Duration::from_secs(bytes / SLOWEST) };
        request.headers_mut().insert("user-agent", HeaderValue::from_static(AGENT));
        let exchange = async {
            let (parts, body) =
                self.0.request(request).await.map_err(|error| broken(&host, &error))?.into_parts();
            let body = body.collect().await.map_err(|error| {
                HttpError::new(HttpErrorKind::Interrupted, Broken(format!("`{host}`: {}", deepest(&error))))
            })?;
            Ok(HttpResponse::from_parts(parts, body.to_bytes().into()))
        };
        let late = || Broken(format!("`{host}` does not answer within {} s", limit.as_secs()));
        let answered = timeout(limit, exchange).await;
        answered.unwrap_or_else(|_| Err(HttpError::new(HttpErrorKind::Timeout, late()))).map(with_region)
    }
}

/// S3 answers with a redirection to nowhere when it is asked for a bucket of another region, and says which in a header.
/// Redirections are not followed, so what is said of this one would be lost.
fn with_region(response: HttpResponse) -> HttpResponse {
    let region = response.headers().get("x-amz-bucket-region").and_then(|it| it.to_str().ok());
    let Some(region) = region.filter(|_| response.status().is_redirection()).map(str::to_owned) else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    // Through a conversion, for the crate of this type is none of ours.
    if let Ok(status) = 400_u16.try_into() {
        parts.status = status;
    }
    let body = format!("<Error><Code>PermanentRedirect</Code><Region>{region}</Region></Error>");
    HttpResponse::from_parts(parts, body.into())
}

/// What is wrong with a connection, on one line.
#[derive(Debug)]
struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Broken {}

fn broken(host: &str, error: &hyper_util::client::legacy::Error) -> HttpError {
    let reason = deepest(error);
    if error.is_connect() {
        return HttpError::new(
            HttpErrorKind::Connect,
            Broken(format!("no connection to `{host}`: {reason}")),
        );
    }
    HttpError::new(HttpErrorKind::Interrupted, Broken(format!("the connection to `{host}` broke: {reason}")))
}

/// What is behind everything else.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Connector for Http {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Http {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.answer(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_of_another_region_is_named() {
        let mut answer = HttpResponse::new(String::new().into());
        answer.headers_mut().insert("x-amz-bucket-region", HeaderValue::from_static("eu-west-3"));
        assert_eq!(with_region(answer).status().as_u16(), 200);
        let mut answer = HttpResponse::new(String::new().into());
        *answer.status_mut() = 301_u16.try_into().unwrap();
        answer.headers_mut().insert("x-amz-bucket-region", HeaderValue::from_static("eu-west-3"));
        assert_eq!(with_region(answer).status().as_u16(), 400);
    }
}
