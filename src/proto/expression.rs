//! Expressions: text for the server to parse, columns, aliases, sort keys and literals.

use crate::proto::spark::Expression;
use crate::proto::spark::expression::cast::CastToType;
use crate::proto::spark::expression::literal::LiteralType;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::spark::expression::window::WindowFrame;
use crate::proto::spark::expression::{
    Alias, Cast, ExprType, ExpressionString, Literal, SortOrder, UnresolvedAttribute, Window,
};

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

/// A function over the rows around each row.
pub(crate) fn window(
    function: Expression,
    by: Vec<Expression>,
    order: Vec<SortOrder>,
    frame: Option<WindowFrame>,
) -> Expression {
    of(ExprType::Window(Box::new(Window {
        window_function: Some(Box::new(function)),
        partition_spec: by,
        order_spec: order,
        frame_spec: frame.map(Box::new),
    })))
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

pub(crate) fn literal_boolean(value: bool) -> Expression {
    literal(LiteralType::Boolean(value))
}

pub(crate) fn literal_string(value: impl Into<String>) -> Expression {
    literal(LiteralType::String(value.into()))
}

pub(crate) fn literal_binary(bytes: Vec<u8>) -> Expression {
    literal(LiteralType::Binary(bytes.into()))
}

pub(crate) fn literal_float(value: f32) -> Expression {
    literal(LiteralType::Float(value))
}

pub(crate) fn literal_double(value: f64) -> Expression {
    literal(LiteralType::Double(value))
}

/// A timestamp in microseconds since 1970-01-01, UTC.
pub(crate) fn literal_timestamp(micros: i64) -> Expression {
    literal(LiteralType::Timestamp(micros))
}

/// A timestamp without a time zone in microseconds since 1970-01-01.
pub(crate) fn literal_timestamp_ntz(micros: i64) -> Expression {
    literal(LiteralType::TimestampNtz(micros))
}

/// A date in days since 1970-01-01.
pub(crate) fn literal_date(days: i32) -> Expression {
    literal(LiteralType::Date(days))
}
