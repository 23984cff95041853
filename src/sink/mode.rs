//! Owns what happens to what is at an output's place already.

/// What happens to a file or folder that is there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// It is replaced, whole and at once, when the new one is complete.
    #[default]
    Overwrite,
    /// It is kept, and the rows are added to it.
    Append,
    /// It is kept, and the output fails.
    Error,
}
