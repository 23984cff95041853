//! How the columns of two sides are matched.

/// How the columns of two sides are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matching {
    /// By name; each side has all of them.
    Name,
    /// By name; what one side lacks is NULL there.
    NameOrNull,
    Position,
}
