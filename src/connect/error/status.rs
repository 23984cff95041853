//! Owns what statuses say that tonic makes of answers which are none of gRPC's.

/// What tonic says where a stream was reset between messages, which hyper does not tell from an end.
pub(crate) const NO_TRAILER: &str = "missing grpc-status trailer";

/// The HTTP status of an answer that was none of gRPC's, out of the words that tonic makes of it: one without a body, and one
/// with a page in it.
pub(crate) fn web_status(message: &str) -> Option<&str> {
    let words = ["mapped from HTTP status code ", "while receiving response with status: "];
    let (_, code) = words.iter().find_map(|words| message.split_once(words))?;
    code.split_whitespace().next()
}
