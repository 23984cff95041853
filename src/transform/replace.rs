//! `replace`: puts values for others.

use std::mem::Discriminant;

use schemars::JsonSchema;
use serde::Deserialize;

use super::fill_nulls::{check_digits, plain};
use super::pairs::{Pair, Pairs};
use super::{Names, Placed, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Bindings, Constant, Value};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::expression::Literal;
use crate::proto::spark::expression::literal::LiteralType;
use crate::proto::spark::na_replace::Replacement as Message;
use crate::proto::spark::{DataType, Relation, data_type};
use crate::proto::{expression, relation};
use crate::shape::Many;
use crate::text::Spanned;

/// Whole numbers up to it are told apart when they are compared as `double`.
const LARGEST_WHOLE: u64 = 1 << f64::MANTISSA_DIGITS;

/// Puts values for others, in the columns that are named, or in all that the values fit.
///
/// It holds values, and no expressions: what stands in quotes is a text, `1` a number, `2026-01-31` a date. `null` makes NULL of a value; the
/// other way round is `fill_nulls`. All are replaced at once, so that `{ a: b, b: a }` swaps. Columns keep their types, and lose the
/// qualifiers that a join gave. A column that does not
/// exist is a mistake, and so is a value that fits none of the columns that are named.
///
/// Without `columns` texts are looked for in columns of texts, numbers in those of numbers, and so on; dates, timestamps and fractions want
/// `columns`. Sail makes small letters of those that the columns' names have from A to Z, of all of them: `rename` them behind it.
/// Where a value is a variable, which can't be a key, write a list: `- { from: "${old}", to: "${new}" }`.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int, left: date }
///       rows:
///         - [Ann, 34, 9999-12-31]
///         - [n/a, -1, 2025-06-30]
///     transform:
///       - replace: { values: { n/a: null, -1: null } }
///       - replace: { columns: left, values: { 9999-12-31: null } }
///     write: stdout
/// ```
///
/// ```text
/// name |  age | left
/// -----+------+-----------
/// Ann  |   34 | NULL
/// NULL | NULL | 2025-06-30
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Replace {
    /// The columns in which values are replaced, spelt as they are; all that a value fits where not given.
    #[schemars(extend("minItems" = 1))]
    columns: Option<Many<Spanned<String>>>,
    /// What is replaced, and by what: `old: new`.
    values: Spanned<Pairs<Replacement>>,
}

/// A value and the one that is put for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Replacement {
    /// The value that is replaced.
    from: Constant,
    /// The value that is put for it, `null` for none.
    #[serde(deserialize_with = "Option::deserialize")]
    to: Option<Constant>,
}

impl Pair for Replacement {
    type Key = Constant;
    type Value = Option<Constant>;
    const WRITTEN: &'static str = "a mapping, `old: new`, or a list of `{ from, to }`";

    fn new(key: Constant, value: Option<Constant>) -> Self {
        Self { from: key, to: value }
    }
}

/// Numbers, texts, truths; nothing for what engines have no relation for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Truth,
    Number,
    Text,
}

fn family(literal: &Literal) -> Option<Family> {
    match literal.literal_type.as_ref()? {
        LiteralType::Boolean(_) => Some(Family::Truth),
        LiteralType::Long(_) | LiteralType::Double(_) => Some(Family::Number),
        LiteralType::String(_) => Some(Family::Text),
        _ => None,
    }
}

/// What a value is compared as.
#[derive(Debug, PartialEq, Eq)]
enum Sort {
    Plain(Family),
    /// A date, a timestamp and the like.
    Other(Discriminant<Value>),
}

fn sort(constant: &Constant, bindings: &Bindings) -> Option<Sort> {
    let (_, value) = constant.value(bindings)?;
    Some(match plain(value).as_ref().and_then(family) {
        Some(family) => Sort::Plain(family),
        None => Sort::Other(std::mem::discriminant(value)),
    })
}

fn is_whole(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.fract() == 0.0,
        Value::Double(number) => number.fract() == 0.0,
        Value::Decimal(digits) => !digits.contains('.'),
        _ => true,
    }
}

impl Replace {
    fn columns(&self) -> &[Spanned<String>] {
        self.columns.as_deref().unwrap_or_default()
    }

    fn pairs(&self) -> &[Replacement] {
        &self.values.value.0
    }

    fn check_pair(&self, Replacement { from, to }: &Replacement, checking: &mut Checking<'_>) {
        let bindings = checking.bindings;
        let report = |checking: &mut Checking<'_>, constant: &Constant, message: String, help: &str| {
            checking.report(Diagnostic::new(Code::Settings, constant.span(), message).help(help));
        };
        for constant in [Some(from), to.as_ref()].into_iter().flatten() {
            constant.check(bindings, checking.found);
            check_digits(constant, bindings, checking);
            if let Some((_, Value::Integer(number))) = constant.value(bindings)
                && number.unsigned_abs() > LARGEST_WHOLE
            {
                let message = format!("`{number}` has more digits than engines tell apart here");
                report(checking, constant, message, "write it in `with_columns`: `CASE … END`");
            }
        }
        if from.is_null() {
            report(checking, from, "NULL equals nothing".to_owned(), "use `fill_nulls`");
        }
        let Some(kind) = sort(from, bindings) else { return };
        if let Some(to) = to
            && let Some(other) = sort(to, bindings)
            && other != kind
        {
            let message = format!("{} is put for {}", to.told(bindings), from.told(bindings));
            report(
                checking,
                to,
                message,
                "a column has one type: both must be of it; in quotes a value is a text",
            );
        } else if self.columns.is_none()
            && let Some((data_type, value)) = from.value(bindings)
        {
            let what = match kind {
                Sort::Other(_) => format!("a {data_type}"),
                Sort::Plain(_) if !is_whole(value) => "a fraction".to_owned(),
                Sort::Plain(_) => return,
            };
            let message = format!("{what} is looked for only in columns that are named");
            report(checking, from, message, "name them: `columns: […]`");
        }
    }
}

impl TransformKind for Replace {
    fn check(&self, checking: &mut Checking<'_>) {
        let bindings = checking.bindings;
        checking.not_empty(self.columns.as_ref().is_some_and(|columns| columns.is_empty()), "the columns");
        checking.not_empty(self.pairs().is_empty(), "the values");
        for (at, pair) in self.pairs().iter().enumerate() {
            self.check_pair(pair, checking);
            let is_same = |other: &Replacement| {
                sort(&other.from, bindings) == sort(&pair.from, bindings)
                    && other.from.told(bindings) == pair.from.told(bindings)
            };
            if self.pairs()[..at].iter().any(is_same) {
                let message = format!("{} is replaced already", pair.from.told(bindings));
                checking.report(Diagnostic::new(Code::Settings, pair.from.span(), message));
            }
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.columns().iter().collect()
    }

    fn values(&self, bindings: &Bindings) -> Vec<Placed<'_>> {
        let mut placed = Vec::new();
        if self.columns().is_empty() {
            return placed;
        }
        for Replacement { from, to } in self.pairs() {
            let columns: Vec<_> = self.columns().iter().collect();
            match sort(from, bindings) {
                Some(Sort::Other(_)) => placed.extend(columns.into_iter().map(|column| Placed {
                    columns: vec![column],
                    value: from,
                    is_exact: true,
                    is_second: false,
                })),
                Some(Sort::Plain(family)) => {
                    let place =
                        |value, columns, is_second| Placed { columns, value, is_exact: true, is_second };
                    placed.push(place(from, columns.clone(), false));
                    // Other values fit where those of their type do.
                    let number = to.as_ref().filter(|_| family == Family::Number);
                    placed.extend(number.map(|to| place(to, columns, true)));
                }
                None => {}
            }
        }
        placed
    }

    /// Sail keeps no qualifiers through it, and Spark those of other columns alone.
    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn order(&self) -> RowOrder<'_> {
        let columns = self.columns.as_ref();
        RowOrder::Changed(columns.map(|columns| columns.iter().map(|column| column.value.as_str()).collect()))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let kept: Vec<_> =
            self.columns().iter().filter(|column| !lowering.masks.hides(column.span)).collect();
        if kept.is_empty() && self.columns.is_some() {
            return input;
        }
        let pairs = || {
            let is_kept = |pair: &&Replacement| {
                ![Some(&pair.from), pair.to.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|it| lowering.masks.hides(it.span()))
            };
            self.pairs().iter().filter(is_kept)
        };
        let sent =
            |constant: &Constant| constant.value(lowering.bindings).and_then(|(_, value)| plain(value));
        let null = || {
            let void = DataType { kind: Some(data_type::Kind::Null(data_type::Null::default())) };
            Literal { data_type: None, literal_type: Some(LiteralType::Null(void)) }
        };
        // Engines take the type of the first value for that of all.
        let plain = [Family::Truth, Family::Number, Family::Text].into_iter().fold(input, |input, wanted| {
            let replacements: Vec<Message> = pairs()
                .filter_map(|Replacement { from, to }| {
                    let old_value = sent(from).filter(|old| family(old) == Some(wanted))?;
                    let new_value = to.as_ref().and_then(sent).unwrap_or_else(null);
                    Some(Message { old_value: Some(old_value), new_value: Some(new_value) })
                })
                .collect();
            let names = kept.iter().map(|column| lowering.dialect.column_of_nulls(&column.value)).collect();
            if replacements.is_empty() { input } else { relation::replace(input, names, replacements) }
        });
        let others: String = pairs()
            .filter(|pair| matches!(sort(&pair.from, lowering.bindings), Some(Sort::Other(_))))
            .map(|Replacement { from, to }| {
                let to = to.as_ref().map_or("NULL".to_owned(), |to| to.sql(lowering.bindings));
                format!(" WHEN {} THEN {to}", from.sql(lowering.bindings))
            })
            .collect();
        if others.is_empty() {
            return plain;
        }
        let columns = kept.iter().map(|column| {
            let name = quoted(&column.value);
            let replaced = expression::expression_string(format!("CASE {name}{others} ELSE {name} END"));
            (column.value.clone(), replaced)
        });
        relation::with_columns(plain, columns)
    }
}
