//! `read`: files, or any data source that the engine can reach.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Setting};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::Template;
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::proto::spark::read::{DataSource, ReadType};
use crate::proto::spark::relation::RelType;
use crate::secret::learn_literal;
use crate::shape::{Entries, Many};
use crate::text::Spanned;

/// Reads files, or any data source that the engine can reach.
///
/// Relative paths start at the pipeline file's folder, or at the target's `root` where it has one. A file that is not there is an
/// error, on every engine. CSV and JSON have no types: give them by `schema`, or by a `contract` beside `read`. For CSV both name
/// the columns by their position: a header is passed over, whatever it says. In CSV a quote inside of quotes is doubled, unless the
/// option `escape` says otherwise.
///
/// Sail reads no `orc`, `xml` and `jdbc`, and makes strings of columns that are folders' names (`day=2026-01-31/`): cast them. It
/// fails at a bad row of CSV or JSON, where Spark can make NULLs of it (`mode: PERMISSIVE`).
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
}

/// Formats whose data has no types of its own.
const WITHOUT_TYPES: [&str; 2] = ["csv", "json"];

impl Read {
    fn format(&self) -> String {
        self.format.value.to_lowercase()
    }

    fn has_option(&self, name: &str) -> bool {
        self.options.iter().any(|(key, _)| key.value.eq_ignore_ascii_case(name))
    }
}

impl Kind for Read {
    fn check(&self, checking: &mut Checking<'_>) {
        for path in self.paths() {
            checking.engine_path(path);
        }
        if let Some(schema) = &self.schema {
            checking.refuses_secret(schema);
        }
        for (key, value) in self.options.iter() {
            learn_literal(&key.value, value.exposed().expose());
        }
        if self.path.as_ref().is_some_and(|paths| paths.is_empty()) {
            checking.report(Diagnostic::new(Code::Path, self.format.span, "the list of paths is empty"));
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        let format = self.format();
        let missing = dialect.implementation() == Implementation::Sail
            && ["orc", "xml", "jdbc"].contains(&format.as_str());
        missing.then(|| format!("{dialect} can't read the format `{format}`; Spark can"))
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
            Setting::Table => None,
        }
    }

    fn takes_schema(&self) -> bool {
        self.schema.is_none() && WITHOUT_TYPES.contains(&self.format().as_str())
    }

    fn lower(&self, schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        let mut options: BTreeMap<String, String> = self
            .options
            .iter()
            .map(|(key, value)| (key.value.clone(), value.exposed().expose().to_owned()))
            .collect();
        if self.format() == "csv" && !self.has_option("escape") {
            // Engines differ in what escapes a quote; files that follow RFC 4180 double it.
            options.insert("escape".to_owned(), "\"".to_owned());
        }
        let schema = self.schema.as_ref().map(Template::plain).or(schema.map(str::to_owned));
        relation::of(RelType::Read(crate::proto::spark::Read {
            is_streaming: false,
            read_type: Some(ReadType::DataSource(DataSource {
                format: Some(self.format.value.clone()),
                schema,
                options,
                paths: self.paths().iter().map(|path| lowering.path(path)).collect(),
                ..DataSource::default()
            })),
        }))
    }
}
