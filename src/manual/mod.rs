//! Owns the reference: a page for each kind and for what stands around kinds, made of the schemas and the doc comments that they
//! carry.
//!
//! Pages are data here; `markdown` makes a document of all of them, `plain` the text of one for a terminal. Nothing is made
//! before somebody asks.

mod markdown;
mod page;
mod pages;
mod plain;
mod setting;

use crate::transform::Transform;

pub(crate) use markdown::document;
pub(crate) use page::{Page, Section};
pub(crate) use pages::pages;
pub(crate) use plain::{key, list, section, text};

/// Where to look for what has no page under this name, because it is called otherwise here.
pub(crate) fn elsewhere(word: &str) -> Option<String> {
    Transform::also_called(word).map(|key| format!("here it is called `{key}`: `pipectl help {key}`"))
}
