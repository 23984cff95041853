//! Owns what is asked of the types of columns: whether values fit them that a transform puts there.

use crate::expr::{Bindings, Type, Value};
use crate::text::Span;
use crate::transform::TransformKind;

/// A value that must fit one of some columns.
#[derive(Debug)]
pub(crate) struct Fitting {
    pub(crate) columns: Vec<(String, Span)>,
    /// Whether they must be spelt as they are, capital letters too.
    pub(crate) is_exact: bool,
    /// Whether it takes the place of another one, of which it is told where its kind fits no column.
    pub(crate) is_second: bool,
    pub(crate) span: Span,
    pub(crate) data_type: Type,
    pub(crate) value: Value,
}

impl Fitting {
    /// The values of a transform, as far as they are known.
    pub(crate) fn of(kind: &dyn TransformKind, bindings: &Bindings) -> Vec<Self> {
        let placed = kind.values(bindings).into_iter().filter_map(|placed| {
            let (data_type, value) = placed.value.value(bindings)?;
            let columns = placed.columns.iter().map(|column| (column.value.clone(), column.span));
            Some(Self {
                columns: columns.collect(),
                is_exact: placed.is_exact,
                is_second: placed.is_second,
                span: placed.value.span(),
                data_type: data_type.clone(),
                value: value.clone(),
            })
        });
        placed.collect()
    }
}
