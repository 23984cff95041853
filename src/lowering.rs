//! Owns what a kind is told when its settings are checked and when it becomes a relation: the values of variables, the
//! engine's dialect, where paths start, and the relations of the steps it reads.

mod branches;
mod keys;
mod query;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use chrono::NaiveDate;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::expr::{Bindings, Bound, Expr, Template, Type, Value};
use crate::local::{self, Blob};
use crate::proto::expression::{self, expression_string};
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::{Expression, Relation};
use crate::scalar::Segment;
use crate::secret::learn_from_text;
use crate::text::{Sources, Span};

pub(crate) use branches::Branches;
pub(crate) use keys::SettingKeys;
pub(crate) use query::around;

/// Where relative paths start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// At a folder that runner and engine share.
    Folder(PathBuf),
    /// At a place that the engine alone knows: a folder of its machine, or a URL.
    Engine(String),
    /// Nowhere: the engine shares no files with the runner, and was given no root.
    None,
}

impl Root {
    /// A path of the file as the engine is told it; nothing where it is relative and there is no root.
    pub(crate) fn join(&self, path: &str) -> Option<String> {
        if is_url(path) || Path::new(path).is_absolute() {
            return Some(path.to_owned());
        }
        match self {
            Self::Folder(folder) => Some(normal(&folder.join(path)).to_string_lossy().into_owned()),
            Self::Engine(root) => {
                Some(format!("{}/{}", root.trim_end_matches('/'), path.trim_start_matches("./")))
            }
            Self::None => None,
        }
    }

    /// The path on the runner's own machine, where the engine shares its files.
    pub(crate) fn shared(&self, path: &str) -> Option<PathBuf> {
        let local = path.strip_prefix("file://").unwrap_or(path);
        match self {
            Self::Folder(_) if !is_url(local) => self.join(local).map(PathBuf::from),
            _ => None,
        }
    }
}

/// Where the relative paths of one file start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// Those that the engine reads.
    pub(crate) root: Root,
    /// Those that pipectl reads and writes: the file's folder.
    pub(crate) folder: PathBuf,
}

/// Whether a path names a store: `s3://…`, `file:///…`.
pub(crate) fn is_url(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// A path without `.` and without `..` that go back over a named folder.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.components().next_back(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// What settings are checked against, and where what is wrong goes.
pub(crate) struct Checking<'a> {
    pub(crate) bindings: &'a Bindings,
    pub(crate) root: &'a Root,
    /// The key of what is checked, for what is wrong with it as a whole.
    pub(crate) item: Span,
    pub(crate) keys: &'a SettingKeys,
    pub(crate) sources: &'a Sources,
    pub(crate) found: &'a mut Diagnostics,
}

impl Checking<'_> {
    /// Where a key of the settings stands; the whole where they are written without it.
    pub(crate) fn key(&self, name: &str) -> Span {
        self.keys.key(self.sources, self.item, name).unwrap_or(self.item)
    }

    /// What is wrong with a setting as such, whatever its value is.
    pub(crate) fn setting(&self, name: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::Settings, self.key(name), message)
    }

    /// The same, where leaving the setting out fixes it.
    pub(crate) fn needless(&self, name: &str, message: impl Into<String>) -> Diagnostic {
        let removal = self.keys.removal(self.sources, self.item, name);
        removal.into_iter().fold(self.setting(name, message), Diagnostic::suggestion)
    }

    /// Two settings of which one excludes the other.
    pub(crate) fn exclusive(&self, first: &str, other: &str) -> Diagnostic {
        self.setting(other, format!("`{first}` and `{other}` exclude each other"))
            .related(self.key(first), "the other one")
    }

    /// Reports a list or mapping without entries.
    pub(crate) fn not_empty(&mut self, is_empty: bool, what: &str) {
        if is_empty {
            let message = format!("{what} are missing here");
            self.report(Diagnostic::new(Code::MissingKey, self.item, message));
        }
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Checks a path that the engine reads.
    pub(crate) fn engine_path(&mut self, template: &Template) {
        if !self.path(template) {
            return;
        }
        // Engines take these for patterns, and some decode what looks like a URL's escapes.
        for (bound, value) in self.values(template) {
            let pattern = value.chars().find(|c| "*?[]{}\\".contains(*c));
            let wrong = match pattern {
                Some(c) => format!("holds `{c}`, which engines take for a part of a pattern"),
                None if has_escapes(&value) => {
                    "holds `%` and two digits, which engines may decode".to_owned()
                }
                None => continue,
            };
            let message = format!("the value of `{bound}` {wrong}");
            let help = "a variable stands for itself in a path: write patterns into the file";
            self.report(Diagnostic::new(Code::Path, template.span(), message).help(help));
            return;
        }
        let text = template.plain();
        if self.root.join(&text).is_none() {
            self.report(
                Diagnostic::new(
                    Code::Path,
                    template.span(),
                    format!("the relative path `{text}` has no meaning at this engine"),
                )
                .help("say where relative paths start there: `--root s3://bucket/prod`")
                .help("or write the whole path"),
            );
        }
    }

    /// Checks what variables do to a path: they may neither climb nor make it absolute.
    pub(crate) fn path(&mut self, template: &Template) -> bool {
        if self.refuses_secret(template) {
            return false;
        }
        let text = template.plain();
        if is_url(&text) {
            learn_from_text(&text);
        }
        if text.is_empty() {
            self.report(Diagnostic::new(Code::Path, template.span(), "a path is missing here"));
            return false;
        }
        let own: String = template.segments().iter().map(own_text).collect();
        if let Some((written, help)) = foreign(&own) {
            let message = format!("`{written}` in a path is replaced by nothing");
            self.report(Diagnostic::new(Code::Path, template.span(), message).help(help));
            return false;
        }
        let leaves = |text: &str, own: &str| {
            (Path::new(text).is_absolute() && !Path::new(own).is_absolute()) || (is_url(text) && !is_url(own))
        };
        let wrong = |name: &str, value: &str| {
            if let Some(control) = value.chars().find(|c| c.is_control()) {
                let code = u32::from(control);
                return Some(format!(
                    "the value of `{name}` holds the control character U+{code:04X}, which no path has"
                ));
            }
            let is_out = climbs(value) > 0 || leaves(value, "");
            is_out.then(|| format!("the value of `{name}` would take this path out of its folder"))
        };
        let values = self.values(template);
        let is_first =
            |at: usize| at == 0 && matches!(template.segments().first(), Some(Segment::Variable { .. }));
        let mut message = values.iter().enumerate().find_map(|(at, (name, value))| {
            // In the middle of a path a value may begin with `/`.
            let value = if is_first(at) { value.as_str() } else { value.trim_start_matches('/') };
            wrong(name, value)
        });
        // Each value may be harmless and all of them together not.
        if message.is_none() && (climbs(&text) > climbs(&own) || leaves(&text, &own)) {
            message = Some(format!("the variables would take this path out of its folder: `{text}`"));
        }
        if message.is_none() && parts(&text) < parts(&own) {
            message = Some(format!("the variables would leave a part of this path out: `{text}`"));
        }
        if message.is_none() && text.split('/').any(|part| part.len() > LONGEST_NAME) {
            let all =
                format!("the variables would make a name of more than {LONGEST_NAME} bytes in this path");
            message = Some(all).filter(|_| !values.is_empty());
        }
        if message.is_none() && is_url(&own) && values.iter().any(|(_, value)| value.contains(['?', '#'])) {
            message = Some(format!("the variables would add more than a path to this URL: `{text}`"));
        }
        if let Some(message) = message {
            self.report(Diagnostic::new(Code::Path, template.span(), message));
            return false;
        }
        true
    }

    /// The variables of a path, by name, and their text.
    fn values(&self, template: &Template) -> Vec<(String, String)> {
        let value = |segment: &Segment| match segment {
            Segment::Variable { index, text, .. } => {
                Some((self.bindings.get(*index).name.clone(), text.shown().to_owned()))
            }
            Segment::Text { .. } => None,
        };
        template.segments().iter().filter_map(value).collect()
    }

    /// Reports a secret where it would be seen, and says whether there is one.
    pub(crate) fn refuses_secret(&mut self, template: &Template) -> bool {
        let has_secret = template.has_secret();
        if has_secret {
            self.report(Diagnostic::secret(template.span()));
        }
        has_secret
    }

    /// Checks a table's name: only identifiers may be put into it.
    pub(crate) fn table(&mut self, template: &Template) {
        self.identifier(template, "table");
    }

    /// Checks the name of a table or a function: only identifiers may be put into it.
    pub(crate) fn identifier(&mut self, template: &Template, what: &str) {
        if self.refuses_secret(template) {
            return;
        }
        if template.plain().is_empty() {
            let message = format!("a {what}'s name is missing here");
            self.report(Diagnostic::new(Code::WrongType, template.span(), message));
        }
        for segment in template.segments() {
            let Segment::Variable { index, .. } = segment else { continue };
            let bound = self.bindings.get(*index);
            if bound.data_type != Type::Identifier {
                let message = format!(
                    "`{}` has the type {}, and a {what}'s name takes an identifier",
                    bound.name, bound.data_type
                );
                let help = format!("declare it as `{}: {{ type: identifier }}`", bound.name);
                self.found.push(Diagnostic::new(Code::BadVariable, template.span(), message).help(help));
            }
        }
    }
}

/// What other tools replace in a path, and what to write instead.
fn foreign(path: &str) -> Option<(&str, String)> {
    const VARIABLES: &str = "a variable is declared under `vars` and stands as `${name}`";
    if let Some((_, rest)) = path.split_once("{{")
        && let Some((name, _)) = rest.split_once("}}")
        && !name.contains([',', '{', '/'])
    {
        let start = path.len() - rest.len() - 2;
        return Some((path.get(start..start + name.len() + 4)?, VARIABLES.to_owned()));
    }
    let begins_a_name = |c: char| c.is_ascii_alphabetic() || c == '_';
    // Where a part of the path begins; elsewhere it may belong to a name.
    let begins_a_part =
        |at: usize| path.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(['/', '=']));
    let dollar = path.match_indices('$').find(|(at, _)| {
        begins_a_part(*at) && path.get(at + 1..).is_some_and(|rest| rest.starts_with(begins_a_name))
    });
    if let Some((at, _)) = dollar {
        let (path, rest) = (path.get(at..)?, path.get(at + 1..)?);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest.get(..end).filter(|name| !name.is_empty())?;
        return Some((path.get(..=end)?, format!("the environment's variable stands as `${{env:{name}}}`")));
    }
    if path.starts_with("~/") {
        return Some(("~", "the home folder stands as `${env:HOME}`".to_owned()));
    }
    let (_, rest) = path.split_once("%(")?;
    let (name, _) = rest.split_once(")s")?;
    let start = path.len() - rest.len() - 2;
    Some((path.get(start..start + name.len() + 4)?, VARIABLES.to_owned()))
}

/// What the user wrote of a path; a letter stands where a variable's value will.
fn own_text(segment: &Segment) -> &str {
    match segment {
        Segment::Text { text, .. } => text,
        Segment::Variable { .. } => "v",
    }
}

/// Bytes; file systems know no longer name.
const LONGEST_NAME: usize = 255;

/// How many parts of a path lead out of the folder before them, those too that are escaped as in URLs.
fn climbs(text: &str) -> usize {
    let climbs = |text: &str| text.split(['/', '\\']).filter(|part| *part == "..").count();
    climbs(text).max(climbs(&unescaped(text)))
}

/// A text with the escapes of URLs for dots and slashes put back; also where the `%` itself is escaped.
fn unescaped(text: &str) -> String {
    let mut text = text.to_lowercase();
    while text.contains("%25") {
        text = text.replace("%25", "%");
    }
    text.replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\")
}

/// Whether there is a `%` with two hexadecimal digits.
fn has_escapes(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|three| three[0] == b'%' && three[1].is_ascii_hexdigit() && three[2].is_ascii_hexdigit())
}

/// How many parts of a path name something.
fn parts(text: &str) -> usize {
    text.split('/').filter(|part| !["", "."].contains(part)).count()
}

/// What is left out of a plan, because it is known to be wrong, so that the rest can be analysed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masks {
    /// Expressions in place of which `NULL` stands, and settings that are left out.
    whole: HashSet<Span>,
    /// Expressions and queries of which parts are masked: the text that is sent in their place.
    texts: HashMap<Span, String>,
}

impl Masks {
    pub(crate) fn hide(&mut self, span: Span) {
        self.texts.remove(&span);
        self.whole.insert(span);
    }

    pub(crate) fn replace(&mut self, span: Span, text: String) {
        self.texts.insert(span, text);
    }

    pub(crate) fn hides(&self, span: Span) -> bool {
        self.whole.contains(&span)
    }

    pub(crate) fn text(&self, span: Span) -> Option<&str> {
        self.texts.get(&span).map(String::as_str)
    }
}

/// What lowering is told.
pub(crate) struct Lowering<'a> {
    pub(crate) dialect: &'a Dialect,
    pub(crate) bindings: &'a Bindings,
    pub(crate) root: &'a Root,
    pub(crate) masks: &'a Masks,
    /// The relation of a step that this one reads.
    pub(crate) input: &'a dyn Fn(&str) -> Relation,
    /// The steps that this one's query names, and the views under which the engine knows them.
    pub(crate) views: &'a [(String, String)],
    /// The name that qualifies the columns a transform begins with; empty for a source.
    pub(crate) left: &'a str,
    /// Where rows are put that travel beside the plan.
    pub(crate) blobs: &'a RefCell<Vec<Blob>>,
    /// The relations that unite rows.
    pub(crate) branches: &'a Branches,
    /// The sort keys of a transform's input that the relation itself does not sort by yet.
    pub(crate) order: &'a [SortOrder],
    /// Whether the next transform is a limit.
    pub(crate) is_limited: bool,
}

impl Lowering<'_> {
    pub(crate) fn input(&self, step: &str) -> Relation {
        (self.input)(step)
    }

    pub(crate) fn expr(&self, expr: &Expr) -> Expression {
        expression_string(self.sql(expr))
    }

    /// A transform's input in the order that it should have, for one that takes rows by their place.
    pub(crate) fn in_order(&self, input: Relation) -> Relation {
        self.branches.sort(input, self.order)
    }

    /// An expression that is true or false; what stands in for a wrong one is neither.
    pub(crate) fn condition(&self, expr: &Expr) -> Expression {
        if self.masks.hides(expr.span()) {
            return expression_string("CAST(NULL AS BOOLEAN)");
        }
        self.expr(expr)
    }

    /// Rows that pipectl has, as a relation with the columns of `ddl`; they travel as the engine wants them.
    pub(crate) fn rows(
        &self,
        batches: impl IntoIterator<Item = RecordBatch>,
        schema: &Schema,
        ddl: String,
    ) -> Relation {
        let put = &mut |blob| self.blobs.borrow_mut().push(blob);
        local::relation(batches, schema, ddl, self.dialect.local_rows(), put)
    }

    /// An expression that makes a column; one that stands in for a wrong one has its name.
    pub(crate) fn column(&self, expr: &Expr) -> Expression {
        match expr.column_name() {
            Some(name) if self.masks.hides(expr.span()) => expression::alias(expression_string("NULL"), name),
            _ => self.expr(expr),
        }
    }

    /// An expression as text, for where it becomes part of a larger one.
    pub(crate) fn sql(&self, expr: &Expr) -> String {
        if self.masks.hides(expr.span()) {
            return "NULL".to_owned();
        }
        match self.masks.text(expr.span()) {
            Some(text) => text.to_owned(),
            None => expr.sql(self.bindings, self.dialect.quotes()),
        }
    }

    /// A value as an argument of a query; nothing where its literal is read in more places, or read alike by more engines. A whole
    /// number is a literal, since Sail takes no argument where a table function does (`range(${n})`), and the intervals and the
    /// timestamps that depend on the session's time zone are, since engines know them best. Sail takes a decimal's digits for unscaled
    /// ones, and Spark takes no expressions.
    pub(crate) fn argument(bound: &Bound) -> Option<Expression> {
        Some(match (&bound.value, &bound.data_type) {
            (Value::Text(text), _) => expression::literal_string(text.clone()),
            (Value::Binary(bytes), _) => expression::literal_binary(bytes.clone()),
            (Value::Secret(secret), _) => expression::literal_string(secret.expose().to_owned()),
            (Value::Boolean(value), _) => expression::literal_boolean(*value),
            (Value::Float(value), _) => expression::literal_float(*value),
            (Value::Double(value), _) => expression::literal_double(*value),
            (Value::Date(date), _) => {
                let days = date.signed_duration_since(NaiveDate::default()).num_days();
                expression::literal_date(i32::try_from(days).ok()?)
            }
            (Value::Timestamp(at), Type::TimestampNtz) => {
                expression::literal_timestamp_ntz(at.and_utc().timestamp_micros())
            }
            (Value::Instant(at), _) => expression::literal_timestamp(at.timestamp_micros()),
            _ => return None,
        })
    }

    /// The name of a table or a function, what variables bring quoted.
    pub(crate) fn name(&self, template: &Template) -> String {
        let part = |segment: &Segment| match segment {
            Segment::Text { text, .. } => text.clone(),
            Segment::Variable { index, .. } => self.bindings.get(*index).literal(),
        };
        template.segments().iter().map(part).collect()
    }

    /// A path as the engine is told it.
    pub(crate) fn path(&self, template: &Template) -> String {
        let text = template.plain();
        self.root.join(&text).unwrap_or(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_root() {
        let folder = Root::Folder(PathBuf::from("/p/pipelines"));
        let engine = Root::Engine("s3://lake/prod/".to_owned());
        for (root, path, joined) in [
            (&folder, "data/a.csv", Some("/p/pipelines/data/a.csv")),
            (&folder, "./../data/a.csv", Some("/p/data/a.csv")),
            (&folder, "/abs/a.csv", Some("/abs/a.csv")),
            (&folder, "s3://b/a", Some("s3://b/a")),
            (&engine, "./a/b", Some("s3://lake/prod/a/b")),
            (&Root::None, "a", None),
            (&Root::None, "/a", Some("/a")),
        ] {
            assert_eq!(root.join(path).as_deref(), joined, "{path}");
        }
        assert_eq!(folder.shared("file:///x/y"), Some(PathBuf::from("/x/y")));
        assert_eq!(folder.shared("s3://x/y"), None);
        assert_eq!(engine.shared("a"), None);
    }
}
