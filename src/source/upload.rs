//! `upload`: files where pipectl runs, brought to the engine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceKind;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Template, TokenKind};
use crate::local::{Csv, Rows};
use crate::lowering::{Checking, Lowering, Root, is_url};
use crate::name::quoted;
use crate::proto::spark::read::{DataSource, ReadType};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Read, Relation};
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Begins with the rows of files where pipectl runs, which it brings to the engine. In short: `upload: data/people.csv`.
///
/// Paths start at the pipeline file's folder, whatever the target's `root` is. CSV is read as `write` writes it: names first, nothing at
/// all for NULL, `""` for an empty text. Its columns are text unless `schema`, or a `contract` beside `upload`, gives them types; both
/// name them by their position. JSON has an object in each line, and needs one of both; an array or an object in it becomes the text of
/// its JSON, for `from_json`. A value that is none of its column's type fails the run.
///
/// The rows travel with the plan, or beside it: Sail takes 128 MB, Spark 4.1 takes 3 GB. Put what is larger where the engine can `read` it.
///
/// ```csv data/people.csv
/// name,born
/// Ann,1991-04-30
/// "Bob ""Bobby"" Bell",
/// ```
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     upload: { path: data/people.csv, schema: "name STRING, born DATE" }
///     transform:
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name             | born
/// -----------------+-----------
/// Ann              | 1991-04-30
/// Bob "Bobby" Bell | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Upload(Short<UploadSettings>);

/// The settings of an upload.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct UploadSettings {
    /// A file, or several with the same columns, relative to this file.
    #[schemars(extend("minItems" = 1))]
    path: Many<Template>,
    /// How it is written; where not given, the end of the path says it: `.parquet`, `.csv`, `.ndjson` or `.jsonl`, `.arrow`.
    format: Option<Spanned<Format>>,
    /// The names and types of the columns of CSV and JSON as DDL: `id BIGINT, name STRING`.
    schema: Option<Template>,
    /// Whether the first line of CSV has the names of the columns.
    #[schemars(extend("default" = true))]
    header: Option<Spanned<bool>>,
    /// What stands between the fields of CSV: one character, or `\t` for a tab.
    #[schemars(extend("default" = ",", "pattern" = "^([^\"\r\n]|\\\\t)$"))]
    delimiter: Option<Spanned<String>>,
    /// What stands for NULL in CSV, without quotes; nothing at all always does.
    null_as: Option<Spanned<String>>,
    /// The files, and their rows once they were read.
    #[serde(skip)]
    files: Files,
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values.
    Csv,
    /// A JSON object in each line.
    Ndjson,
    /// An Arrow file, or an Arrow stream.
    Arrow,
}

#[derive(Debug, Clone, Default)]
struct Files {
    paths: Vec<PathBuf>,
    rows: OnceLock<Rows>,
}

impl Shorthand for UploadSettings {
    const NAME: &'static str = "$pipectl::short:path";
}

impl Format {
    /// The format of a path, by its end.
    fn of(path: &str) -> Option<Self> {
        let end = Path::new(path).extension()?.to_str()?.to_lowercase();
        Some(match end.as_str() {
            "parquet" | "pq" => Self::Parquet,
            "csv" => Self::Csv,
            "ndjson" | "jsonl" => Self::Ndjson,
            "arrow" | "arrows" | "ipc" | "feather" => Self::Arrow,
            _ => return None,
        })
    }

    fn has_types(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Arrow => "arrow",
        }
    }
}

impl Upload {
    /// Says where relative paths start.
    pub(crate) fn start_at(&mut self, folder: &Path) {
        let settings = &mut self.0.0;
        settings.files.paths = settings.path.iter().map(|path| folder.join(path.plain())).collect();
    }

    /// The files, each with where it is named.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Template, &Path)> {
        let settings = &self.0.0;
        settings.path.iter().zip(settings.files.paths.iter().map(PathBuf::as_path))
    }

    /// Reads the files, where the engine does not do so itself; `schema` is the contract's, as DDL.
    pub(crate) fn read(
        &self,
        schema: Option<&str>,
        root: &Root,
        files: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Diagnostics {
        let mut found = Diagnostics::default();
        if self.is_read_by_engine(root) || self.0.0.files.rows.get().is_some() {
            return found;
        }
        let columns = self.columns(schema);
        let mut all: Option<Rows> = None;
        for (template, path) in self.files() {
            let bytes = match files(path) {
                // Whoever looks for inputs has told that.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(|error| format!("can't be read: {error}")),
            };
            let result = bytes.and_then(|bytes| self.rows_of(bytes, template, &columns));
            let result = result.and_then(|rows| match &mut all {
                None => {
                    all = Some(rows);
                    Ok(())
                }
                Some(all) => all.append(rows),
            });
            if let Err(reason) = result {
                let message = format!("the file `{}` {reason}", template.plain());
                found.push(Diagnostic::new(Code::File, template.span(), message));
            }
        }
        if let Some(rows) = all.filter(|_| !found.has_errors()) {
            self.0.0.files.rows.get_or_init(|| rows);
        }
        found
    }

    fn rows_of(&self, bytes: Vec<u8>, path: &Template, columns: &[(String, String)]) -> Result<Rows, String> {
        let settings = &self.0.0;
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).map_err(|error| {
                format!(
                    "is not UTF-8: its byte {} begins none of its characters",
                    error.utf8_error().valid_up_to()
                )
            })
        };
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        match self.format(path) {
            Some(Format::Parquet) => Rows::of_parquet(bytes.into()),
            Some(Format::Arrow) => Rows::of_arrow(bytes.into()),
            Some(Format::Csv) => {
                let csv = Csv {
                    has_header: settings.header.as_ref().is_none_or(|header| header.value),
                    delimiter: self.delimiter().unwrap_or(','),
                    null: settings.null_as.as_ref().map(|null| null.value.as_str()),
                };
                Rows::of_csv(&text(bytes)?, &names, csv)
            }
            Some(Format::Ndjson) if names.is_empty() => {
                Err("has no types of its own: give a `schema`, or a `contract` beside `upload`".to_owned())
            }
            Some(Format::Ndjson) => Rows::of_ndjson(&text(bytes)?, &names),
            None => Err("has no format".to_owned()),
        }
    }

    fn format(&self, path: &Template) -> Option<Format> {
        self.0.0.format.as_ref().map(|format| format.value).or_else(|| Format::of(&path.plain()))
    }

    fn formats(&self) -> impl Iterator<Item = Option<Format>> {
        self.0.0.path.iter().map(|path| self.format(path))
    }

    fn delimiter(&self) -> Option<char> {
        let text = self.0.0.delimiter.as_ref()?.value.as_str();
        let mut letters = if text == "\\t" { "\t" } else { text }.chars();
        letters.next().filter(|_| letters.next().is_none())
    }

    /// The names and types of the columns, where they are given.
    fn columns(&self, contract: Option<&str>) -> Vec<(String, String)> {
        let own = self.0.0.schema.as_ref().map(Template::plain);
        own.as_deref().or(contract).and_then(columns).unwrap_or_default()
    }

    /// Whether the engine reads the files where they are, as it would by `read`, whatever their size.
    fn is_read_by_engine(&self, root: &Root) -> bool {
        matches!(root, Root::Folder(_)) && self.formats().all(|format| format == Some(Format::Parquet))
    }
}

impl SourceKind for Upload {
    fn check(&self, checking: &mut Checking<'_>) {
        let settings = &self.0.0;
        if settings.path.is_empty() {
            checking.not_empty(true, "files");
        }
        for path in settings.path.iter() {
            if !checking.path(path) {
                continue;
            }
            let text = path.plain();
            if is_url(&text) {
                let message = format!("`{text}` is not a file where pipectl runs");
                checking.report(
                    Diagnostic::new(Code::Path, path.span(), message).help("the engine reads it: `read`"),
                );
            } else if text.contains(['*', '?']) {
                let message = "a pattern names no file: `upload` takes a file, or a list of them";
                checking.report(Diagnostic::new(Code::Path, path.span(), message));
            } else if self.format(path).is_none() {
                let message = format!("the end of `{text}` does not say how it is written");
                checking.report(
                    Diagnostic::new(Code::Settings, path.span(), message)
                        .help("say `format`: `parquet`, `csv`, `ndjson` or `arrow`"),
                );
            }
        }
        let formats: Vec<Format> = self.formats().flatten().collect();
        if let Some(schema) = &settings.schema {
            checking.refuses_secret(schema);
            if let Some(format) = formats.iter().find(|format| format.has_types()) {
                let message =
                    format!("files of the format `{}` have names and types of their own", format.name());
                checking.report(
                    checking
                        .needless("schema", message)
                        .help("change them by `cast`, `rename` and `select` in `transform`"),
                );
            }
            match columns(&schema.plain()) {
                None => checking.report(
                    Diagnostic::new(Code::Settings, schema.span(), "these are no columns as DDL")
                        .help("write each column's name and type: `id BIGINT, name STRING`"),
                ),
                Some(columns) => {
                    for (name, data_type) in columns {
                        let lower = data_type.to_lowercase();
                        if ["array", "map", "struct", "variant"]
                            .iter()
                            .any(|nested| lower.starts_with(nested))
                        {
                            let message =
                                format!("the column `{name}` has a nested type, and values are single");
                            checking.report(
                                Diagnostic::new(Code::Settings, schema.span(), message).help(
                                    "read it as a string and build it with `from_json` in `with_columns`",
                                ),
                            );
                        }
                    }
                }
            }
        }
        let of_csv = [
            ("header", settings.header.is_some()),
            ("delimiter", settings.delimiter.is_some()),
            ("null_as", settings.null_as.is_some()),
        ];
        if !formats.is_empty() && !formats.contains(&Format::Csv) {
            for (key, _) in of_csv.into_iter().filter(|(_, is_given)| *is_given) {
                let formats: Vec<&str> = formats.iter().map(|format| format.name()).collect();
                let diagnostic = checking.needless(key, format!("`{key}` is for CSV alone"));
                checking.report(diagnostic.label(format!("the files are {}", formats.join(", "))));
            }
        }
        if let Some(delimiter) = &settings.delimiter
            && self.delimiter().is_none_or(|delimiter| ['"', '\r', '\n'].contains(&delimiter))
        {
            let message = "one character stands between fields, and no quote or line break";
            checking.report(
                Diagnostic::new(Code::WrongType, delimiter.span, message).help("for a tab write `\"\\t\"`"),
            );
        }
    }

    fn takes_schema(&self) -> bool {
        self.0.0.schema.is_none() && self.formats().flatten().any(|format| !format.has_types())
    }

    fn lower(&self, schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        if self.is_read_by_engine(lowering.root) {
            let paths = self.0.0.files.paths.iter().map(|path| path.to_string_lossy().into_owned());
            return relation::of(RelType::Read(Read {
                is_streaming: false,
                read_type: Some(ReadType::DataSource(DataSource {
                    format: Some("parquet".to_owned()),
                    paths: paths.collect(),
                    ..DataSource::default()
                })),
            }));
        }
        // Without them nothing but its columns is known.
        let Some(rows) = self.0.0.files.rows.get() else {
            let columns = self.columns(schema);
            let columns: Vec<String> =
                columns.iter().map(|(name, data_type)| format!("{} {data_type}", quoted(name))).collect();
            return relation::empty(columns.join(", "));
        };
        let relation = lowering.rows(rows.batches.iter().cloned(), &rows.schema, rows.ddl.clone());
        let columns = self.columns(schema);
        if columns.is_empty() {
            return relation;
        }
        let casts = columns.into_iter().map(|(name, data_type)| {
            let column = expression::attribute(quoted(&name));
            let is_text = data_type.eq_ignore_ascii_case("string");
            let value = if is_text { column } else { expression::cast(column, data_type) };
            expression::alias(value, name)
        });
        relation::project(relation, casts.collect())
    }
}

/// The names and types of `name TYPE, …`; nothing where that is not what stands there.
fn columns(ddl: &str) -> Option<Vec<(String, String)>> {
    let template = Template::of_plain(ddl);
    let mut tokens = template.tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut columns = Vec::new();
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol('(' | '<') => depth += 1,
            TokenKind::Symbol(')' | '>') => depth = depth.checked_sub(1)?,
            TokenKind::Symbol(',') if depth == 0 => {
                parts.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(from..tokens.len());
    for part in parts {
        let [name, rest @ ..] = tokens.get(part)? else { return None };
        let name = name.name(ddl)?;
        let rest = match rest {
            [colon, rest @ ..] if colon.kind == TokenKind::Symbol(':') => rest,
            rest => rest,
        };
        let [first, ..] = rest else { return None };
        let is_end = |word: &str| rest.iter().position(|token| token.is_word(ddl, word));
        let end = is_end("not").or_else(|| is_end("comment")).unwrap_or(rest.len());
        let last = rest.get(..end)?.last()?;
        columns.push((name, ddl.get(first.range.start..last.range.end)?.to_owned()));
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_apart() {
        let told = |ddl: &str| {
            columns(ddl)
                .map(|all| all.into_iter().map(|(name, kind)| format!("{name}|{kind}")).collect::<Vec<_>>())
        };
        for (ddl, expected) in [
            ("id INT, name STRING", Some(vec!["id|INT", "name|STRING"])),
            (
                "`a, b` decimal(12, 2) NOT NULL, c: MAP<STRING, INT> COMMENT 'x, y'",
                Some(vec!["a, b|decimal(12, 2)", "c|MAP<STRING, INT>"]),
            ),
            ("id", None),
            ("", None),
            ("id INT,", None),
            ("id INT)", None),
        ] {
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(told(ddl), expected, "{ddl}");
        }
    }
}
