//! `read`: files, or any data source that the engine can reach.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::options;
use super::{Setting, SourceKind, Wanted};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Template, Type};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::proto::spark::read::{DataSource, ReadType};
use crate::proto::spark::relation::RelType;
use crate::scalar::Segment;
use crate::secret::learn_literal;
use crate::shape::{Entries, Many};
use crate::text::Spanned;

/// Reads files, or any data source that the engine can reach.
///
/// Relative paths start at the pipeline file's folder, or at the target's `root` where it has one. A file that is not there is an
/// error, on every engine. CSV and JSON have no types: give them by `schema`, or by a `contract` beside `read`. For CSV both name
/// the columns by their position. A `schema` passes over a header, whatever it says; a contract is compared with it. In CSV a quote
/// inside of quotes is doubled, unless the option `escape` says otherwise.
///
/// A path is a file, a folder or a pattern with `*`, `?`, `[…]` and `{…}`. Of a folder Spark reads the files directly in it and those of
/// partitions (`day=2026-01-31/`), and Sail all below; with the option `recursiveFileLookup` so does Spark. Name the files to be sure:
/// on Sail a pattern finds files, and no folders but by `*`.
///
/// A bad row of CSV or JSON is an error, on every engine; with the option `mode: PERMISSIVE` Spark makes NULLs of it, and with `mode:
/// DROPMALFORMED` it leaves it out. Sail reads no `orc`, `xml` and `jdbc`, and makes strings of columns that are folders' names: cast them.
///
/// ```csv data/people.csv
/// name,age
/// Ann,34
/// "Bob ""Bobby"" Bell",12
/// Cem,
/// ```
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     read:
///       format: csv
///       path: data/people.csv
///       schema: name STRING, age INT
///       options: { header: true }
///     transform:
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name             |  age
/// -----------------+-----
/// Ann              |   34
/// Bob "Bobby" Bell |   12
/// Cem              | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Read {
    /// The data source: `parquet`, `csv`, `json`, `text`, `orc`, `avro`, or any other name that the engine knows.
    #[schemars(extend("examples" = ["parquet", "csv", "json", "text", "orc", "avro", "delta", "iceberg"]))]
    format: Spanned<String>,
    /// Files or folders at the engine, also with `*`, relative to this file.
    #[schemars(extend("minItems" = 1))]
    path: Option<Many<Template>>,
    /// The names and types of the columns as DDL, for data that has none of its own: `id BIGINT, name STRING`.
    schema: Option<Template>,
    /// Options of the data source; the text stands as written.
    #[serde(default)]
    options: Entries<Template>,
    /// Conditions in the database's own SQL, a partition of `jdbc` each: together they say which rows are read.
    #[schemars(extend("minItems" = 1))]
    predicates: Option<Many<Template>>,
}

/// Formats whose data has no types of its own.
const WITHOUT_TYPES: [&str; 2] = ["csv", "json"];
/// The option by which an engine finds out the types of CSV.
const INFER: &str = "inferSchema";

/// A path as an engine reads its pattern: `[!a]` is `[^a]` to Sail, and means the same to Spark.
fn spelt_for(dialect: &Dialect, path: String) -> String {
    match dialect.implementation() {
        Implementation::Sail => path.replace("[!", "[^"),
        Implementation::Spark => path,
    }
}

/// Whether a path has a pattern in it at or before a folder's `column=`.
fn has_pattern_of_partitions(path: &str) -> bool {
    path.split('/').skip_while(|part| !part.contains(['*', '?', '[', '{'])).any(|part| part.contains('='))
}

/// Whether the text of a value has digits, signs and points alone: what no SQL takes for anything but one value.
fn has_digits_alone(data_type: &Type) -> bool {
    match data_type {
        Type::TinyInt
        | Type::SmallInt
        | Type::Int
        | Type::BigInt
        | Type::Decimal { .. }
        | Type::Date
        | Type::Time
        | Type::Timestamp
        | Type::TimestampNtz => true,
        Type::String
        | Type::Binary
        | Type::Boolean
        | Type::Float
        | Type::Double
        | Type::Months
        | Type::DayTime
        | Type::Identifier
        | Type::Array(_) => false,
    }
}

impl Read {
    fn format(&self) -> String {
        self.format.value.to_lowercase()
    }

    /// What a predicate says is the database's to read: what could be more than one value there has no place in it.
    fn check_predicates(&self, checking: &mut Checking<'_>) {
        let Some(predicates) = &self.predicates else { return };
        if self.format() != "jdbc" {
            let message =
                format!("`predicates` part what `jdbc` reads, and the format is `{}`", self.format.value);
            checking.report(
                checking
                    .needless("predicates", message)
                    .help("use `filter` in `transform` to leave rows out"),
            );
            return;
        }
        for predicate in predicates.iter() {
            if checking.refuses_secret(predicate) {
                continue;
            }
            if predicate.is_blank() {
                checking.report(Diagnostic::new(
                    Code::Expression,
                    predicate.span(),
                    "the predicate is empty",
                ));
            }
            let variables = predicate.segments().iter().filter_map(|segment| match segment {
                Segment::Variable { index, .. } => Some(checking.bindings.get(*index)),
                Segment::Text { .. } => None,
            });
            let unfit: Vec<String> = variables
                .filter(|bound| !has_digits_alone(&bound.data_type))
                .map(|bound| {
                    format!(
                        "`{}` has the type {}, and a predicate takes numbers, dates and times",
                        bound.name, bound.data_type
                    )
                })
                .collect();
            for message in unfit {
                checking.report(Diagnostic::new(Code::BadVariable, predicate.span(), message).help(
                    "a predicate is in the database's own SQL, into which no other value can be put safely",
                ));
            }
        }
    }

    fn has_option(&self, name: &str) -> bool {
        self.options.iter().any(|(key, _)| key.value.eq_ignore_ascii_case(name))
    }

    fn option(&self, name: &str) -> Option<String> {
        let named = self.options.iter().find(|(key, _)| key.value.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.exposed().expose().to_owned())
    }

    /// The options as the engine is told them.
    fn options(&self, dialect: &Dialect) -> BTreeMap<String, String> {
        let mut options: BTreeMap<String, String> = self
            .options
            .iter()
            .map(|(key, value)| (key.value.clone(), value.exposed().expose().to_owned()))
            .collect();
        if self.format() == "csv" && !self.has_option("escape") {
            // Engines differ in what escapes a quote; files that follow RFC 4180 double it.
            options.insert("escape".to_owned(), "\"".to_owned());
        }
        let is_lenient = dialect.implementation() == Implementation::Spark && !self.has_option("mode");
        if is_lenient && WITHOUT_TYPES.contains(&self.format().as_str()) {
            // Sail fails at a bad row, and Spark would make NULLs of it, without a word.
            options.insert("mode".to_owned(), "FAILFAST".to_owned());
        }
        options
    }

    fn relation(
        &self,
        schema: Option<String>,
        options: BTreeMap<String, String>,
        lowering: &Lowering<'_>,
    ) -> Relation {
        relation::of(RelType::Read(crate::proto::spark::Read {
            is_streaming: false,
            read_type: Some(ReadType::DataSource(DataSource {
                format: Some(self.format.value.clone()),
                schema,
                options,
                paths: self
                    .paths()
                    .iter()
                    .map(|path| spelt_for(lowering.dialect, lowering.path(path)))
                    .collect(),
                predicates: self.predicates.iter().flat_map(|all| all.iter()).map(Template::plain).collect(),
                ..DataSource::default()
            })),
        }))
    }
}

impl SourceKind for Read {
    fn check(&self, checking: &mut Checking<'_>) {
        for path in self.paths() {
            checking.engine_path(path);
        }
        if let Some(schema) = &self.schema {
            checking.refuses_secret(schema);
        }
        for (key, value) in self.options.iter() {
            learn_literal(&key.value, value.exposed().expose());
            options::check(&self.format(), key, checking.found);
        }
        self.check_predicates(checking);
        if self.path.as_ref().is_some_and(|paths| paths.is_empty()) {
            checking.report(Diagnostic::new(Code::Path, self.format.span, "the list of paths is empty"));
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        if dialect.implementation() != Implementation::Sail {
            return None;
        }
        let format = self.format();
        if ["orc", "xml", "jdbc"].contains(&format.as_str()) {
            return Some(format!("{dialect} can't read the format `{format}`; Spark can"));
        }
        if self.has_option("basePath") {
            return Some(format!(
                "{dialect} passes over the option `basePath`; Spark has it. Read the folder and `filter` it"
            ));
        }
        let path = self.paths().iter().map(Template::plain).find(|path| has_pattern_of_partitions(path))?;
        Some(format!(
            "{dialect} finds nothing by a pattern for folders of partitions: `{path}`; Spark does. Read the folder above it and `filter` it"
        ))
    }

    fn paths(&self) -> &[Template] {
        self.path.as_deref().unwrap_or_default()
    }

    fn format(&self) -> Option<&str> {
        Some(&self.format.value)
    }

    fn place_of(&self, setting: Setting) -> Option<&Template> {
        match setting {
            Setting::Path => self.paths().first(),
            Setting::Schema => self.schema.as_ref(),
            Setting::Table | Setting::Function | Setting::History => None,
        }
    }

    fn takes_schema(&self) -> bool {
        self.schema.is_none() && WITHOUT_TYPES.contains(&self.format().as_str())
    }

    fn has_header(&self) -> Option<bool> {
        let is_csv = self.takes_schema() && self.format() == "csv";
        is_csv.then(|| self.option("header").is_some_and(|value| value.eq_ignore_ascii_case("true")))
    }

    fn as_found(&self, wanted: Wanted, lowering: &Lowering<'_>) -> Option<Relation> {
        if !self.takes_schema() {
            return None;
        }
        let mut options = self.options(lowering.dialect);
        match (self.format().as_str(), wanted) {
            ("csv", Wanted::FirstLine) => {
                options.retain(|key, _| !key.eq_ignore_ascii_case(INFER));
                options.insert(INFER.to_owned(), "false".to_owned());
            }
            ("csv", Wanted::Types) if !self.has_option(INFER) => {
                options.insert(INFER.to_owned(), "true".to_owned());
            }
            (_, Wanted::FirstLine) => return None,
            (_, Wanted::Types) => {}
        }
        Some(self.relation(None, options, lowering))
    }

    fn lower(&self, schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        let schema = self.schema.as_ref().map(Template::plain).or(schema.map(str::to_owned));
        self.relation(schema, self.options(lowering.dialect), lowering)
    }
}
