//! `table`: a table or view of the engine's catalog.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Setting, SourceKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Bound, Template, Type, Value};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::read::{NamedTable, ReadType};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Read, Relation, RelationChanges};
use crate::secret::learn_literal;
use crate::shape::{Entries, Short, Shorthand};

/// Begins with a table or view of the engine's catalog: `sales.orders`, `${database}.orders`. In short: `table: sales.orders`.
///
/// A variable in the name has the type `identifier`. The catalog of a private engine begins empty with each run, but a file is a table
/// too, under its format and its path at the engine. Sail has a catalog for each session.
///
/// Tables that keep their history, as those of Delta and Iceberg do, are read as they were with `version` or `timestamp`; `changes`
/// gives the rows that came and went in between, where the engine's catalog knows them: Spark 4.2 with such a catalog.
///
/// ```json data/members.json
/// {"age": 34, "name": "Ann"}
/// {"age": 12, "name": "Bob"}
/// ```
///
/// ```yaml
/// version: 1
/// steps:
///   oldest:
///     table: json.`/data/members.json`
///     transform:
///       - sort: [age DESC]
///       - limit: 1
///     write: stdout
/// ```
///
/// ```text
/// age | name
/// ----+-----
///  34 | Ann
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Table(Short<TableSettings>);

/// The settings of a table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct TableSettings {
    /// The table's name, with dots between its parts.
    #[schemars(extend("minLength" = 1))]
    name: Template,
    /// The version to read, for tables that keep their history: a number of Delta, a snapshot or a tag of Iceberg.
    version: Option<Template>,
    /// Read the table as it was at this time: `2026-01-31T12:00:00`, in the session's time zone where it has no offset from UTC.
    timestamp: Option<Template>,
    /// Read what has changed, and not what is there.
    changes: Option<Changes>,
    /// Options of the table's data source; the text stands as written.
    #[serde(default)]
    options: Entries<Template>,
}

impl Shorthand for TableSettings {
    const NAME: &'static str = "$pipectl::short:name";
}

/// What has changed in a table: its rows, each with `_change_type`, `_commit_version` and `_commit_timestamp`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Changes {
    /// The version or the timestamp with which the changes begin.
    from: Template,
    /// The version or the timestamp with which they end; the newest where not given.
    to: Option<Template>,
}

/// The names of formats that can stand for a catalog, and whose files have no versions.
const WITHOUT_VERSIONS: [&str; 7] = ["parquet", "csv", "json", "orc", "text", "avro", "binaryfile"];

/// A time as it was written: of an instant, or in the session's time zone.
fn time(text: &str) -> Result<Value, String> {
    match Type::Date.value(text) {
        Ok(date) => Type::Timestamp.value(&format!("{date}T00:00:00")),
        Err(_) => Type::Timestamp.value(text),
    }
}

/// A time as engines take it in an option.
fn time_option(time: &Value) -> String {
    match time {
        Value::Instant(at) => at.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        Value::Timestamp(at) => at.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        other => other.to_string(),
    }
}

/// Reports what is no time.
fn check_time(template: Option<&Template>, checking: &mut Checking<'_>) {
    if let Some(template) = template
        && let Err(wrong) = time(&template.plain())
    {
        checking.report(Diagnostic::new(Code::WrongType, template.span(), wrong));
    }
}

/// Whether a place in a table's history is a version's number.
fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl TableSettings {
    fn check_history(&self, checking: &mut Checking<'_>) {
        let given = [
            ("version", self.version.as_ref()),
            ("timestamp", self.timestamp.as_ref()),
            ("changes", self.changes.as_ref().map(|changes| &changes.from)),
        ];
        let given: Vec<(&str, &Template)> =
            given.into_iter().filter_map(|(key, template)| Some((key, template?))).collect();
        for (_, template) in &given {
            checking.refuses_secret(template);
        }
        if let [(first, _), (second, _), ..] = given.as_slice() {
            checking.report(checking.exclusive(first, second).help("keep one of them"));
        }
        if let Some(((key, _), format)) = given.first().zip(self.format()) {
            let message =
                format!("files of the format `{format}` have no history, so that `{key}` means nothing");
            let diagnostic = checking.needless(key, message);
            checking.report(diagnostic.help("tables of `delta` and `iceberg` have one"));
        }
        if let Some(version) = self.version.as_ref().filter(|version| version.plain().is_empty()) {
            checking.report(Diagnostic::new(Code::WrongType, version.span(), "a version is missing here"));
        }
        check_time(self.timestamp.as_ref(), checking);
        if let Some(Changes { from, to }) = &self.changes {
            for place in [Some(from), to.as_ref()].into_iter().flatten() {
                check_time(Some(place).filter(|place| !is_version(&place.plain())), checking);
            }
            if let Some(to) = to.as_ref().filter(|to| is_version(&to.plain()) != is_version(&from.plain())) {
                checking.report(
                    Diagnostic::new(
                        Code::Settings,
                        to.span(),
                        "one end is a version, and the other a timestamp",
                    )
                    .related(from.span(), "the other end")
                    .help("give two versions, or two timestamps"),
                );
            }
        }
    }

    /// The format of files that have no history, where the name is that of files.
    fn format(&self) -> Option<&'static str> {
        let name = self.name.plain();
        let (first, rest) = name.split_once('.')?;
        let format = WITHOUT_VERSIONS.into_iter().find(|format| first.eq_ignore_ascii_case(format))?;
        rest.starts_with('`').then_some(format)
    }

    fn time(&self) -> Option<Value> {
        self.timestamp.as_ref().and_then(|template| time(&template.plain()).ok())
    }

    /// Whether the time is in the session's time zone, for which this engine takes UTC where an option says it.
    fn is_time_misread(&self, dialect: &Dialect) -> bool {
        dialect.implementation() == Implementation::Sail && matches!(self.time(), Some(Value::Timestamp(_)))
    }
}

impl Changes {
    /// The ends as options.
    fn options(&self) -> impl Iterator<Item = (String, String)> {
        let of_end = |(end, template): (&str, &Template)| {
            let text = template.plain();
            match time(&text) {
                Ok(time) if !is_version(&text) => (format!("{end}Timestamp"), time_option(&time)),
                _ => (format!("{end}Version"), text),
            }
        };
        [Some(("starting", &self.from)), self.to.as_ref().map(|to| ("ending", to))]
            .into_iter()
            .flatten()
            .map(of_end)
    }
}

impl SourceKind for Table {
    fn check(&self, checking: &mut Checking<'_>) {
        let settings = &self.0.0;
        checking.table(&settings.name);
        settings.check_history(checking);
        for (key, value) in settings.options.iter() {
            learn_literal(&key.value, value.exposed().expose());
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        let settings = &self.0.0;
        if settings.changes.is_some() && !dialect.has_changes() {
            return Some(format!("{dialect} has no `changes` of tables; Spark 4.2 has them"));
        }
        let is_of_history = settings.version.is_some() || settings.timestamp.is_some();
        if is_of_history && !dialect.has_versions_as_options() {
            return Some(format!(
                "{dialect} reads no version of a table by its name; Spark 4.0 does, and so does Sail"
            ));
        }
        (settings.is_time_misread(dialect) && !settings.options.is_empty()).then(|| {
            format!("{dialect} takes a `timestamp` beside `options` for one in UTC; write its offset: `2026-01-31T12:00:00+02:00`")
        })
    }

    fn place_of(&self, setting: Setting) -> Option<&Template> {
        let settings = &self.0.0;
        match setting {
            Setting::Table => Some(&settings.name),
            Setting::History => settings
                .version
                .as_ref()
                .or(settings.timestamp.as_ref())
                .or(settings.changes.as_ref().map(|changes| &changes.from)),
            Setting::Path | Setting::Schema | Setting::Function => None,
        }
    }

    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        let settings = &self.0.0;
        let name = lowering.name(&settings.name);
        let text = |value: &Template| value.exposed().expose().to_owned();
        let mut options: BTreeMap<String, String> =
            settings.options.iter().map(|(key, value)| (key.value.clone(), text(value))).collect();
        if let Some(changes) = &settings.changes {
            options.extend(changes.options());
            return relation::of(RelType::RelationChanges(RelationChanges {
                unparsed_identifier: name,
                options,
                is_streaming: false,
            }));
        }
        if let Some(value) = settings.time().filter(|_| settings.is_time_misread(lowering.dialect)) {
            let at = Bound { name: "timestamp".to_owned(), data_type: Type::Timestamp, value }.literal();
            return relation::sql(format!("SELECT * FROM {name} TIMESTAMP AS OF {at}"), BTreeMap::new());
        }
        options.extend(settings.version.as_ref().map(|version| ("versionAsOf".to_owned(), version.plain())));
        options.extend(settings.time().map(|time| ("timestampAsOf".to_owned(), time_option(&time))));
        let table = NamedTable { unparsed_identifier: name, options };
        relation::of(RelType::Read(Read {
            is_streaming: false,
            read_type: Some(ReadType::NamedTable(table)),
        }))
    }
}
