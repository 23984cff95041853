//! `parse`: makes columns of texts that hold CSV or JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Template, Type};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::parse::ParseFormat;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{DataType, Expression, Relation, data_type};
use crate::proto::{expression, relation};
use crate::secret::learn_literal;
use crate::shape::Entries;
use crate::text::{Span, Spanned};

/// Makes columns of texts that hold CSV or JSON.
///
/// With `column` the text of one column becomes a struct, `payload.id`, in its place or in a further column, `as`; the other columns stay. NULL
/// and, as JSON, an empty text become NULL, and what can't be read becomes a struct of NULLs.
///
/// Without `column` the input has one column, of texts, and each becomes a row with the columns of `schema`: what `read` makes of the
/// lines of a file. An array of JSON becomes a row for each of its items, an empty line none. `mode: DROPMALFORMED` leaves out what can't
/// be read, and `FAILFAST` fails. Spark alone has this.
///
/// Sail parses JSON in a column, with the options `dateFormat` and `timestampFormat`, and no CSV. There a number that is too large for its
/// type becomes another one without a word, so give it room (`bigint`), and a timestamp is written `2026-01-31 10:00:00`.
///
/// ```yaml
/// version: 1
/// steps:
///   events:
///     values:
///       columns: { at: int, payload: string }
///       rows:
///         - [1, '{"id": 7, "tags": ["a", "b"]}']
///         - [2, '{"id": 8']
///         - [3, null]
///     transform:
///       - parse:
///           column: payload
///           format: json
///           schema: id INT, tags ARRAY<STRING>
///           as: event
///       - select: [at, event.id, "event.tags[0] AS first_tag", event IS NULL AS is_missing]
///     write: stdout
/// ```
///
/// ```text
/// at |   id | first_tag | is_missing
/// ---+------+-----------+-----------
///  1 |    7 | a         | false
///  2 | NULL | NULL      | false
///  3 | NULL | NULL      | true
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Parse {
    /// The column whose texts are parsed, by its plain name.
    column: Option<Spanned<String>>,
    /// What the texts hold.
    format: Format,
    /// The names and types of what they hold, as DDL: `id BIGINT, name STRING`. Without `column` types are single values, or arrays of them.
    schema: Template,
    /// Options of the format, as `read` has them; the text stands as written. In CSV a quote inside of quotes is doubled, unless `escape` says
    /// otherwise.
    #[serde(default)]
    options: Entries<Template>,
    /// The name of the column that is made; without it the parsed one is replaced.
    #[serde(rename = "as")]
    name: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// Values between commas.
    Csv,
    /// A value of JSON.
    Json,
}

/// What Sail knows; it passes over others in silence.
const OPTIONS_OF_SAIL: [&str; 2] = ["dateformat", "timestampformat"];
/// The column into which Spark puts what can't be read.
const CORRUPT: &str = "_corrupt_record";

impl Parse {
    fn options(&self) -> BTreeMap<String, String> {
        let options = self.options.iter();
        let mut options: BTreeMap<String, String> =
            options.map(|(key, value)| (key.value.clone(), value.exposed().expose().to_owned())).collect();
        // As `read` does.
        if self.format == Format::Csv && !options.keys().any(|key| key.eq_ignore_ascii_case("escape")) {
            options.insert("escape".to_owned(), "\"".to_owned());
        }
        options
    }

    /// The struct that is made of a column's texts.
    fn parsed(&self, value: Expression, lowering: &Lowering<'_>) -> Expression {
        let text = |text: &str| expression::literal_string(text);
        let mut value = value;
        if lowering.dialect.implementation() == Implementation::Sail {
            // It makes a struct of NULLs of an empty text.
            value = expression::call("nullif", vec![expression::call("trim", vec![value]), text("")]);
        }
        let mut arguments = vec![value, text(&self.schema.plain())];
        let options = self.options();
        if !options.is_empty() {
            let entries = options.iter().flat_map(|(key, value)| [text(key), text(value)]);
            arguments.push(expression::call("map", entries.collect()));
        }
        let function = match self.format {
            Format::Csv => "from_csv",
            Format::Json => "from_json",
        };
        expression::call(function, arguments)
    }
}

impl TransformKind for Parse {
    fn check(&self, checking: &mut Checking<'_>) {
        for (key, value) in self.options.iter() {
            learn_literal(&key.value, value.exposed().expose());
        }
        if checking.refuses_secret(&self.schema) {
            return;
        }
        if self.schema.is_blank() {
            checking.report(Diagnostic::new(Code::WrongType, self.schema.span(), "the schema is empty"));
            return;
        }
        if self.column.is_some() {
            return;
        }
        if self.name.is_some() {
            let message = "`as` names what is made of one column, and none is named";
            checking
                .report(checking.needless("as", message).help("say which one is parsed: `column: payload`"));
        }
        for field in fields(&self.schema.plain()) {
            if let Err(text) = field {
                let message = format!("`{text}` is no column with a single type");
                checking.report(
                    Diagnostic::new(Code::Settings, self.schema.span(), message)
                        .help("write `name TYPE, name TYPE`; with `column` every type can stand here"),
                );
            }
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        if dialect.implementation() != Implementation::Sail {
            return None;
        }
        if self.format == Format::Csv {
            return Some(format!(
                "{dialect} parses no CSV in columns, since it knows no quotes there; Spark does"
            ));
        }
        if self.column.is_none() {
            return Some(format!(
                "{dialect} parses one `column` among others, and no rows as a whole; Spark does"
            ));
        }
        let is_unknown =
            |key: &&Spanned<String>| !OPTIONS_OF_SAIL.contains(&key.value.to_lowercase().as_str());
        if let Some(key) = self.options.iter().map(|(key, _)| key).find(is_unknown) {
            return Some(format!("{dialect} passes over the option `{}`; Spark knows it", key.value));
        }
        let corrupt = self.schema.plain().to_lowercase().contains(CORRUPT);
        corrupt.then(|| format!("{dialect} does not fill the column `{CORRUPT}`; Spark does"))
    }

    fn parts(&self) -> Vec<Span> {
        vec![self.schema.span()]
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.column.iter().collect()
    }

    fn names(&self) -> Names<'_> {
        if self.column.is_some() { Names::Kept } else { Names::Gone }
    }

    fn order(&self) -> RowOrder<'_> {
        match self.name.as_ref().or(self.column.as_ref()) {
            Some(name) => RowOrder::Changed(Some(vec![name.value.as_str()])),
            None => RowOrder::Gone,
        }
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        if lowering.masks.hides(self.schema.span()) {
            return input;
        }
        if let Some(column) = &self.column {
            let name = self.name.as_ref().unwrap_or(column).value.clone();
            let text = if lowering.masks.hides(column.span) {
                expression::expression_string("CAST(NULL AS STRING)")
            } else {
                expression::attribute(quoted(&column.value))
            };
            return relation::with_columns(input, [(name, self.parsed(text, lowering))]);
        }
        let format = match self.format {
            Format::Csv => ParseFormat::Csv,
            Format::Json => ParseFormat::Json,
        };
        let fields = fields(&self.schema.plain()).into_iter().flatten();
        let fields = fields.map(|(name, data_type)| data_type::StructField {
            name,
            data_type: Some(of(&data_type)),
            nullable: true,
            metadata: None,
        });
        let columns = data_type::Struct { fields: fields.collect(), ..data_type::Struct::default() };
        relation::of(RelType::Parse(Box::new(crate::proto::spark::Parse {
            input: Some(Box::new(input)),
            format: format.into(),
            schema: Some(DataType { kind: Some(data_type::Kind::Struct(columns)) }),
            options: self.options(),
        })))
    }
}

/// The columns of a DDL, each or the text that is none.
fn fields(ddl: &str) -> Vec<Result<(String, Type), String>> {
    let mut depth = 0_i32;
    let mut is_name = false;
    let parts = ddl.split(|c: char| {
        match c {
            '`' => is_name = !is_name,
            '<' | '(' if !is_name => depth += 1,
            '>' | ')' if !is_name => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0 && !is_name
    });
    parts.map(|part| field(part.trim()).ok_or_else(|| part.trim().to_owned())).collect()
}

fn field(text: &str) -> Option<(String, Type)> {
    let (name, rest) = match text.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`')?,
        None => text.split_at(text.find([' ', '\t', '\n', ':'])?),
    };
    let data_type = Type::parse(rest.trim_start().trim_start_matches(':').trim())?;
    (!name.is_empty() && *data_type.item() != Type::Identifier).then(|| (name.to_owned(), data_type))
}

/// A type as the protocol writes it, which has no text for it here.
fn of(data_type: &Type) -> DataType {
    use data_type::Kind;
    let kind = match data_type {
        Type::String | Type::Identifier => Kind::String(data_type::String::default()),
        Type::Binary => Kind::Binary(data_type::Binary::default()),
        Type::Boolean => Kind::Boolean(data_type::Boolean::default()),
        Type::TinyInt => Kind::Byte(data_type::Byte::default()),
        Type::SmallInt => Kind::Short(data_type::Short::default()),
        Type::Int => Kind::Integer(data_type::Integer::default()),
        Type::BigInt => Kind::Long(data_type::Long::default()),
        Type::Float => Kind::Float(data_type::Float::default()),
        Type::Double => Kind::Double(data_type::Double::default()),
        Type::Decimal { precision, scale } => Kind::Decimal(data_type::Decimal {
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
            ..data_type::Decimal::default()
        }),
        Type::Date => Kind::Date(data_type::Date::default()),
        Type::Time => Kind::Time(data_type::Time::default()),
        Type::Timestamp => Kind::Timestamp(data_type::Timestamp::default()),
        Type::TimestampNtz => Kind::TimestampNtz(data_type::TimestampNtz::default()),
        Type::Months => Kind::YearMonthInterval(data_type::YearMonthInterval::default()),
        Type::DayTime => Kind::DayTimeInterval(data_type::DayTimeInterval::default()),
        Type::Array(item) => Kind::Array(Box::new(data_type::Array {
            element_type: Some(Box::new(of(item))),
            contains_null: true,
            ..data_type::Array::default()
        })),
    };
    DataType { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_ddl_are_told_apart() {
        let read = |ddl: &str| -> Vec<Result<(String, String), String>> {
            fields(ddl).into_iter().map(|field| field.map(|(name, of)| (name, of.to_string()))).collect()
        };
        let right = |name: &str, of: &str| Ok((name.to_owned(), of.to_owned()));
        assert_eq!(
            read("a INT, `b, c` decimal(5,2),d: array<string>"),
            [right("a", "int"), right("b, c", "decimal(5,2)"), right("d", "array<string>")]
        );
        for wrong in ["a", "a struct<b: int>", "a identifier", "`a INT", "", "a INT NOT NULL"] {
            assert_eq!(read(wrong), [Err(wrong.to_owned())], "{wrong}");
        }
    }
}
