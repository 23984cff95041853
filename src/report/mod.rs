//! Owns what people and machines are told: the only writer to stderr.

mod diagnostic;
mod escape;

pub(crate) use diagnostic::{Colour, render};
