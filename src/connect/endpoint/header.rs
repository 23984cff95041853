//! Owns a header that goes with every call.

use std::fmt::{self, Debug, Formatter};

use tonic::metadata::{Ascii, MetadataKey, MetadataValue};

/// Headers by which servers let somebody in.
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

/// A header for every call. Values are often secrets, so nothing prints them.
#[derive(Clone, PartialEq)]
pub(in crate::connect) struct Header {
    pub(in crate::connect) name: MetadataKey<Ascii>,
    pub(in crate::connect) value: MetadataValue<Ascii>,
}

impl Debug for Header {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

impl Header {
    /// Whether a server lets somebody in for its sake.
    pub(in crate::connect) fn opens_doors(&self) -> bool {
        CREDENTIALS.contains(&self.name.as_str())
    }
}
