//! What a store's answer means, on one line.
//!
//! The client's own errors are long, hold whole answers and URLs, and their parts are not public: what is needed is cut
//! out of their text. Nothing of a URL is kept, since credentials may be part of it.

use object_store::Error;

use crate::secret::scrubbed;

/// No more of a server's own words is told.
const LONGEST_MESSAGE: usize = 200;

/// Why a request failed.
pub(super) fn reason(error: &Error) -> String {
    let text = scrubbed(&error.to_string()).into_owned();
    let answer = Answer::of(&text);
    match error {
        Error::AlreadyExists { .. } | Error::Precondition { .. } => "an object is there already".to_owned(),
        _ => answer.meaning().unwrap_or_else(|| transport(&text)),
    }
}

/// What a server said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer<'a> {
    status: Option<u16>,
    code: Option<&'a str>,
    message: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(text: &'a str) -> Self {
        let after = text.split_once("status code: ").map(|(_, rest)| rest);
        let status = after.and_then(|rest| rest.get(..3)).and_then(|digits| digits.parse().ok());
        Self {
            status,
            code: element(text, "Code"),
            message: element(text, "Message"),
            region: element(text, "Region"),
        }
    }

    fn meaning(&self) -> Option<String> {
        let said = self.said();
        let known = match self.code.unwrap_or_default() {
            "NoSuchBucket" | "ContainerNotFound" => "there is no such bucket or container",
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                return Some(match self.region {
                    Some(region) => {
                        format!("the bucket is in the region `{region}`: set `AWS_REGION={region}`")
                    }
                    None => format!("the bucket is in another region: set `AWS_REGION`{said}"),
                });
            }
            "ExpiredToken" | "TokenRefreshRequired" => "the credentials have expired",
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "AuthenticationFailed" => {
                "the credentials are not accepted"
            }
            "NoSuchUpload" => "the upload is gone; somebody else has ended it",
            _ => match self.status? {
                301 | 307 => "the store redirects to somewhere else; region or endpoint are wrong",
                401 => "the credentials are not accepted",
                403 => "access is denied",
                404 => "there is no such bucket or container",
                429 | 503 => "the store is too busy",
                500..=599 => "the store fails",
                _ => "the store refuses",
            },
        };
        Some(format!("{known}{said}"))
    }

    /// Its own words, in brackets.
    fn said(&self) -> String {
        let message = self.message.map(|message| message.split_whitespace().collect::<Vec<_>>().join(" "));
        let message = message.map(|message| message.chars().take(LONGEST_MESSAGE).collect::<String>());
        match (self.code, message, self.status) {
            (Some(code), Some(message), _) => format!(" ({code}: {message})"),
            (Some(code), None, _) => format!(" ({code})"),
            (None, _, Some(status)) => format!(" (HTTP {status})"),
            (None, _, None) => String::new(),
        }
    }
}

/// The text of an XML element without others in it.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    (!inner.is_empty()).then_some(inner)
}

/// What is left of an error where no server has said anything.
fn transport(text: &str) -> String {
    let reason = text.rsplit_once("HTTP error: ").map_or(text, |(_, reason)| reason);
    let words = reason.split_whitespace().filter(|word| !word.contains("://"));
    words.collect::<Vec<_>>().join(" ").chars().take(2 * LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let error = Error::Generic { store: "S3", source: text.to_owned().into() };
        let _known = crate::secret::Secret::new("very-secret");
        reason(&error)
    }

    #[test]
    fn an_answer_becomes_one_line() {
        let said = |status: &str, body: &str| {
            told(&format!(
                "Error performing PUT https://s3/b/k?sig=x in 5ms - Server returned non-2xx status code: {status}: {body}"
            ))
        };
        for (status, body, expected) in [
            (
                "404 Not Found",
                "<Error><Code>NoSuchBucket</Code><Message>The bucket\n is gone</Message></Error>",
                "there is no such bucket or container (NoSuchBucket: The bucket is gone)",
            ),
            (
                "403 Forbidden",
                "<Error><Code>AccessDenied</Code><Message>no very-secret</Message></Error>",
                "access is denied (AccessDenied: no ***)",
            ),
            (
                "403 Forbidden",
                "<Error><Code>InvalidAccessKeyId</Code></Error>",
                "the credentials are not accepted (InvalidAccessKeyId)",
            ),
            (
                "400 Bad Request",
                "<Error><Code>PermanentRedirect</Code><Region>eu-west-3</Region></Error>",
                "the bucket is in the region `eu-west-3`: set `AWS_REGION=eu-west-3`",
            ),
            ("503 Service Unavailable", "", "the store is too busy (HTTP 503)"),
            ("500 Internal Server Error", "oops", "the store fails (HTTP 500)"),
            ("411 Length Required", "", "the store refuses (HTTP 411)"),
        ] {
            assert_eq!(said(status, body), expected);
        }
    }

    #[test]
    fn what_no_server_said_is_told_without_urls() {
        assert_eq!(
            told("Error performing PUT http://x/y?sig=z in 1s - HTTP error: no connection to `x`: refused"),
            "no connection to `x`: refused"
        );
        assert_eq!(told("failed at https://x/y?sig=z today"), "Generic S3 error: failed at today");
    }
}
