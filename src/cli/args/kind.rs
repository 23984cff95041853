//! Owns the argument that names a kind of managed engine.

use clap::builder::{PossibleValue, TypedValueParser};

use crate::engine::EngineKind;

/// Reads the name of a kind.
#[derive(Clone)]
pub(crate) struct KindParser;

impl TypedValueParser for KindParser {
    type Value = EngineKind;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<EngineKind, clap::Error> {
        let names = clap::builder::PossibleValuesParser::new(EngineKind::NAMES);
        let name = names.parse_ref(command, argument, value)?;
        EngineKind::named(&name).ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(EngineKind::NAMES.into_iter().map(PossibleValue::new)))
    }
}
