//! `sql`: a query, which may name steps as if they were tables.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceKind;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Template, Token, TokenKind, check_query};
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::Relation;
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Begins with the rows of a query, which may name other steps as if they were tables. In short: `sql: SELECT …`.
///
/// A name after `FROM` or `JOIN` is the step of that name where there is one, else a table of the catalog. Variables are bound as
/// arguments of the query, whatever their type. The query is one statement in the engine's own SQL: Sail has no `QUALIFY`,
/// `GROUP BY ALL`, recursive `WITH` and `|>`.
///
/// ```yaml
/// version: 1
/// vars:
///   least: 18
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows:
///         - [Ann, 34]
///         - [Bob, 12]
///         - [Cem, null]
///   counted:
///     sql: |
///       SELECT age >= ${least} AS is_grown_up, count(*) AS people
///       FROM people
///       GROUP BY 1
///       ORDER BY 1
///     write: stdout
/// ```
///
/// ```text
/// is_grown_up | people
/// ------------+-------
/// NULL        |      1
/// false       |      1
/// true        |      1
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Sql(Short<SqlSettings>);

/// The settings of a query.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(extend("oneOf" = [{ "required": ["query"] }, { "required": ["file"] }]))]
struct SqlSettings {
    /// The query: one statement that returns rows.
    query: Option<Template>,
    /// A file with the query, relative to this file.
    file: Option<Template>,
    /// The steps that the query names; found by themselves where not given.
    inputs: Option<Many<StepRef>>,
}

impl Shorthand for SqlSettings {
    const NAME: &'static str = "$pipectl::short:query";
}

impl Sql {
    /// The file in which the query stands, where it stands in one.
    pub(crate) fn file(&self) -> Option<&Template> {
        self.0.0.file.as_ref()
    }

    /// The query as the user wrote it.
    pub(crate) fn query(&self) -> Option<&Template> {
        self.0.0.query.as_ref()
    }

    /// Whether it may be a statement that changes data, and no query: by its first word.
    pub(super) fn may_change_data(&self) -> bool {
        let Some(query) = self.query() else { return false };
        let text = query.scanned();
        let mut tokens = query.tokens().into_iter().filter(|token| token.kind != TokenKind::Comment);
        let first = tokens.find(|token| token.kind != TokenKind::Symbol('('));
        first.is_some_and(|token| !is_word(&token, &text, READ_ONLY))
    }

    /// Puts in the text of the file.
    pub(crate) fn set_query(&mut self, query: Template) {
        self.0.0.query = Some(query);
    }
}

impl SourceKind for Sql {
    fn inputs(&self) -> Vec<&StepRef> {
        self.0.0.inputs.iter().flat_map(|inputs| inputs.iter()).collect()
    }

    fn mentions(&self) -> Vec<Spanned<String>> {
        match (&self.0.0.inputs, &self.0.0.query) {
            (None, Some(query)) => tables(query),
            _ => Vec::new(),
        }
    }

    fn check(&self, checking: &mut Checking<'_>) {
        let settings = &self.0.0;
        if let Some(query) = &settings.query
            && query.is_blank()
        {
            checking.report(Diagnostic::new(Code::Expression, query.span(), "the query is empty"));
            return;
        }
        match (&settings.query, &settings.file) {
            // The text of a file is the query by now, so both are there.
            (Some(query), Some(file)) if query.span().file == file.span().file => {
                checking.report(checking.exclusive("query", "file").help("keep one of them"));
            }
            (Some(query), _) => check_query(query, checking.found),
            (None, Some(_)) => {}
            (None, None) => {
                checking.report(
                    Diagnostic::new(Code::MissingKey, checking.item, "the query is missing")
                        .help("write `sql: SELECT …`, or `file: query.sql`"),
                );
            }
        }
    }

    fn is_heavy(&self) -> bool {
        true
    }

    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        self.0.0.query.as_ref().map_or_else(Relation::default, |query| lowering.query(query))
    }
}

/// The names that stand where a query names tables: after `FROM` and `JOIN`, and after a comma among them.
fn tables(query: &Template) -> Vec<Spanned<String>> {
    let text = query.scanned();
    let mut tokens = query.tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut found = Vec::new();
    // One entry for each open bracket: whether a comma at this level goes on listing tables.
    let mut listing = vec![false];
    let mut expected = false;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|token| token.kind);
        match token.kind {
            TokenKind::Symbol('(') => listing.push(expected),
            TokenKind::Symbol(')') => {
                listing.pop();
                if listing.is_empty() {
                    listing.push(false);
                }
            }
            TokenKind::Symbol(',') => expected = listing.last().copied().unwrap_or(false),
            TokenKind::Word if is_word(token, &text, &["from", "join"]) => {
                expected = true;
                if let Some(level) = listing.last_mut() {
                    *level = true;
                }
            }
            TokenKind::Word if is_word(token, &text, &["lateral", "only"]) && expected => {}
            TokenKind::Word if is_word(token, &text, ENDS_TABLES) => {
                if let Some(level) = listing.last_mut() {
                    *level = false;
                }
                expected = false;
            }
            TokenKind::Word | TokenKind::QuotedName if expected => {
                let part_of_more = matches!(next, Some(TokenKind::Symbol('(' | '.')));
                if !part_of_more && let Some(name) = token.name(&text) {
                    found.push(Spanned { span: query.place(&token.range), value: name });
                }
                expected = false;
            }
            _ => expected = false,
        }
    }
    found
}

/// Words with which statements begin that change nothing.
const READ_ONLY: &[&str] =
    &["select", "with", "values", "from", "table", "show", "describe", "desc", "explain"];

/// Words after which a comma lists something else.
const ENDS_TABLES: &[&str] = &[
    "select",
    "where",
    "group",
    "having",
    "order",
    "sort",
    "limit",
    "union",
    "intersect",
    "except",
    "minus",
    "window",
    "on",
    "using",
    "cluster",
    "distribute",
    "qualify",
    "values",
];

fn is_word(token: &Token, text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| token.is_word(text, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_change_data_are_recognised() {
        for (text, may_change) in [
            ("-- all\nSELECT 1", false),
            ("(SELECT 1) UNION (SELECT 2)", false),
            ("with a as (select 1) select * from a", false),
            ("INSERT INTO a SELECT 1", true),
            ("CREATE TABLE a AS SELECT 1", true),
        ] {
            let (file, inputs) = (None, None);
            let sql = Sql(Short(SqlSettings { query: Some(Template::of_text(text)), file, inputs }));
            assert_eq!(sql.may_change_data(), may_change, "{text}");
        }
    }

    #[test]
    fn tables_are_found_where_a_query_names_them() {
        for (query, names) in [
            ("SELECT orders FROM a JOIN b ON a.x = b.x", vec!["a", "b"]),
            ("select * from a, `b c` x, c where d > 1", vec!["a", "b c", "c"]),
            ("SELECT * FROM (SELECT y, z FROM inner_one) t, last", vec!["inner_one", "last"]),
            ("WITH w AS (SELECT 1 FROM x) SELECT f(a, b) FROM w", vec!["x", "w"]),
            ("SELECT extract(year FROM day) FROM t", vec!["day", "t"]),
            ("SELECT * FROM db.orders, range(10), LATERAL explode(a)", vec![]),
            ("SELECT 'FROM no' -- FROM no\nFROM yes", vec!["yes"]),
            ("SELECT * FROM a ORDER BY b, c", vec!["a"]),
            ("SELECT * FROM a LEFT OUTER JOIN b USING (c, d)", vec!["a", "b"]),
        ] {
            let found: Vec<String> =
                tables(&Template::of_text(query)).into_iter().map(|name| name.value).collect();
            assert_eq!(found, names, "{query}");
        }
    }
}
