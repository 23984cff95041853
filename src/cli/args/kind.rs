//! Owns the argument that names a kind of managed engine.

use clap::builder::{PossibleValue, TypedValueParser};

use crate::engine::Kind;

/// Reads the name of a kind.
#[derive(Clone)]
pub(crate) struct KindParser;

impl TypedValueParser for KindParser {
    type Value = Kind;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Kind, clap::Error> {
        let names = clap::builder::PossibleValuesParser::new(Kind::NAMES);
        let name = names.parse_ref(command, argument, value)?;
        Kind::named(&name).ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(Kind::NAMES.into_iter().map(PossibleValue::new)))
    }
}
