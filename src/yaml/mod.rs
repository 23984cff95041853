//! Owns the reading of YAML: text to a tree of [`Node`]s with positions, and from nodes to settings.
//!
//! The tree keeps what typed deserialisation loses: raw text, style, both ends of everything, every key. The decoder on
//! top of it collects *every* error, not only the first. It knows nothing of pipelines.

mod decode;
mod flow;
mod layout;
mod misread;
mod node;
mod parse;
mod part;
mod place;
mod recover;
mod syntax;

pub(crate) use decode::{NO_MERGE_KEYS, decode};
pub(crate) use node::{Bound, Document, Key, Node, NodeKind, Repeated, Scalar};
pub(crate) use parse::{LARGEST_FILE, MOST_NODES};
pub(crate) use recover::read;

use crate::scalar::Style;
