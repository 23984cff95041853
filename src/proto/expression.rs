//! Expressions: text for the server to parse, columns, aliases, sort keys and literals.

use bytes::Bytes;

use crate::proto::spark::expression::cast::CastToType;
use crate::proto::spark::expression::literal::{Decimal, LiteralType};
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::spark::expression::{
    Alias, Cast, ExprType, ExpressionString, Literal, SortOrder, UnresolvedAttribute, UnresolvedStar,
};
use crate::proto::spark::{DataType, Expression};

/// Any expression, for those without a function here.
pub(crate) fn of(expr_type: ExprType) -> Expression {
    Expression { common: None, expr_type: Some(expr_type) }
}

/// SQL that the server parses.
pub(crate) fn expression_string(text: impl Into<String>) -> Expression {
    of(ExprType::ExpressionString(ExpressionString { expression: text.into() }))
}

/// A column by its name as one writes it in SQL: dots part, backquotes quote.
pub(crate) fn attribute(identifier: impl Into<String>) -> Expression {
    of(ExprType::UnresolvedAttribute(UnresolvedAttribute {
        unparsed_identifier: identifier.into(),
        plan_id: None,
        is_metadata_column: None,
    }))
}

/// All columns.
pub(crate) fn star() -> Expression {
    of(ExprType::UnresolvedStar(UnresolvedStar::default()))
}

pub(crate) fn alias(value: Expression, name: impl Into<String>) -> Expression {
    of(ExprType::Alias(Box::new(aliased(value, name))))
}

/// A named value where the protocol wants nothing else, as in added columns.
pub(crate) fn aliased(value: Expression, name: impl Into<String>) -> Alias {
    Alias { expr: Some(Box::new(value)), name: vec![name.into()], metadata: None }
}

/// A sort key. Both enums must be said: unspecified is descending, nulls last.
pub(crate) fn sort_order(key: Expression, direction: SortDirection, nulls: NullOrdering) -> SortOrder {
    SortOrder { child: Some(Box::new(key)), direction: direction.into(), null_ordering: nulls.into() }
}

/// A value of the type that the server understands by this text.
pub(crate) fn cast(value: Expression, data_type: impl Into<String>) -> Expression {
    of(ExprType::Cast(Box::new(Cast {
        expr: Some(Box::new(value)),
        cast_to_type: Some(CastToType::TypeStr(data_type.into())),
        ..Cast::default()
    })))
}

pub(crate) fn literal(value: LiteralType) -> Expression {
    of(ExprType::Literal(Literal { data_type: None, literal_type: Some(value) }))
}

pub(crate) fn literal_null(data_type: DataType) -> Expression {
    literal(LiteralType::Null(data_type))
}

pub(crate) fn literal_boolean(value: bool) -> Expression {
    literal(LiteralType::Boolean(value))
}

pub(crate) fn literal_integer(value: i32) -> Expression {
    literal(LiteralType::Integer(value))
}

pub(crate) fn literal_long(value: i64) -> Expression {
    literal(LiteralType::Long(value))
}

pub(crate) fn literal_double(value: f64) -> Expression {
    literal(LiteralType::Double(value))
}

/// A decimal, its digits as text.
pub(crate) fn literal_decimal(value: impl Into<String>, precision: i32, scale: i32) -> Expression {
    literal(LiteralType::Decimal(Decimal {
        value: value.into(),
        precision: Some(precision),
        scale: Some(scale),
    }))
}

pub(crate) fn literal_string(value: impl Into<String>) -> Expression {
    literal(LiteralType::String(value.into()))
}

pub(crate) fn literal_binary(value: Bytes) -> Expression {
    literal(LiteralType::Binary(value))
}

/// A date in days since 1970-01-01.
pub(crate) fn literal_date(days: i32) -> Expression {
    literal(LiteralType::Date(days))
}

/// An instant in microseconds since 1970-01-01T00:00:00Z.
pub(crate) fn literal_timestamp(microseconds: i64) -> Expression {
    literal(LiteralType::Timestamp(microseconds))
}

/// A wall-clock time in microseconds since 1970-01-01T00:00:00.
pub(crate) fn literal_timestamp_ntz(microseconds: i64) -> Expression {
    literal(LiteralType::TimestampNtz(microseconds))
}
