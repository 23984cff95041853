//! `call`: the rows of a table-valued function.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use super::{Setting, SourceKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Role, Template, Token, TokenKind};
use crate::lowering::{Checking, Lowering};
use crate::proto::expression::expression_string;
use crate::proto::relation;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, ToDf, UnresolvedTableValuedFunction};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Begins with the rows of a table-valued function. In short: `call: range(10)`.
///
/// Every such function of the engine works: `range`, `explode`, `posexplode`, `inline`, `stack`, the user's own, and with Spark also
/// `json_tuple`, `variant_explode` and `sql_keywords`. Arguments are expressions without columns; a step's columns are exploded with
/// `select`. Sail fails where `explode` is given a map: `inline(map_entries(…))` is the same on both.
///
/// ```yaml
/// version: 1
/// vars:
///   least: 2
/// steps:
///   days:
///     call:
///       function: explode
///       arguments:
///         - sequence(DATE '2026-01-30', DATE '2026-02-02')
///       columns: [day]
///     write: stdout
///   numbers:
///     call: range(${least}, 5)
///     after: [days]
///     write: stdout
/// ```
///
/// ```text
/// day
/// ----------
/// 2026-01-30
/// 2026-01-31
/// 2026-02-01
/// 2026-02-02
/// id
/// --
///  2
///  3
///  4
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Call(Called);

/// The settings of a call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct CallSettings {
    /// The function's name, or the whole call: `explode`, `range(10)`.
    #[schemars(extend("minLength" = 1))]
    function: Template,
    /// The arguments, each an expression: those that do not stand in brackets behind the name.
    arguments: Option<Many<Expr>>,
    /// Names for the columns, in place of those that the function gives them.
    columns: Option<Many<Spanned<String>>>,
}

impl Shorthand for CallSettings {
    const NAME: &'static str = "$pipectl::short:function";
}

/// A call taken apart.
#[derive(Debug, Clone)]
struct Called {
    settings: CallSettings,
    /// The function's name; nothing where the text is no call.
    name: Option<Template>,
    /// Whether the arguments stand in brackets behind the name.
    is_whole: bool,
    arguments: Vec<Expr>,
}

impl Called {
    fn new(settings: CallSettings) -> Self {
        let (name, within) = match parts(&settings.function) {
            Some((name, within)) => (Some(name), within),
            None => (None, None),
        };
        let is_whole = within.is_some();
        let beside = settings.arguments.iter().flat_map(|arguments| arguments.iter().cloned());
        let arguments = within.unwrap_or_default().into_iter().map(Expr::new).chain(beside).collect();
        Self { settings, name, is_whole, arguments }
    }
}

impl<'de> Deserialize<'de> for Called {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Short::<CallSettings>::deserialize(deserializer).map(|settings| Self::new(settings.0))
    }
}

impl JsonSchema for Called {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        Short::<CallSettings>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Short::<CallSettings>::json_schema(generator)
    }
}

/// The name of `name` or `name(argument, …)`, and the arguments where there are brackets.
fn parts(text: &Template) -> Option<(Template, Option<Vec<Template>>)> {
    let mut tokens = text.tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let is_name = |token: &Token, at: usize| match token.kind {
        TokenKind::Word | TokenKind::QuotedName | TokenKind::Variable => at.is_multiple_of(2),
        TokenKind::Symbol('.') => !at.is_multiple_of(2),
        _ => false,
    };
    let named = tokens.iter().enumerate().take_while(|(at, token)| is_name(token, *at)).count();
    if named.is_multiple_of(2) {
        return None;
    }
    let (name, rest) = tokens.split_at(named);
    let name = text.part(&(name.first()?.range.start..name.last()?.range.end));
    let within = match rest {
        [] => return Some((name, None)),
        [open, within @ .., close]
            if open.kind == TokenKind::Symbol('(') && close.kind == TokenKind::Symbol(')') =>
        {
            within
        }
        _ => return None,
    };
    let mut arguments = Vec::new();
    let mut depth = 0_usize;
    let is_comma = |token: &Token| {
        match token.kind {
            TokenKind::Symbol('(' | '[') => depth += 1,
            TokenKind::Symbol(')' | ']') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        Some(depth == 0 && token.kind == TokenKind::Symbol(','))
    };
    // A bracket that closes before its end makes two calls of it.
    let commas: Vec<bool> = within.iter().map(is_comma).collect::<Option<_>>()?;
    if within.is_empty() {
        return Some((name, Some(arguments)));
    }
    let mut from = 0;
    for end in
        commas.iter().enumerate().filter(|(_, is_comma)| **is_comma).map(|(at, _)| at).chain([within.len()])
    {
        let argument = within.get(from..end)?;
        arguments.push(text.part(&(argument.first()?.range.start..argument.last()?.range.end)));
        from = end + 1;
    }
    Some((name, Some(arguments)))
}

/// Whether an argument is an expression, and not what only a query's call takes: `name => value`, `TABLE(…)`.
fn is_expression(argument: &Expr) -> bool {
    let template = argument.template();
    let text = template.scanned();
    let tokens = template.tokens();
    let is_table = tokens.first().is_some_and(|token| token.is_word(&text, "table"));
    let arrow = [TokenKind::Symbol('='), TokenKind::Symbol('>')];
    !is_table && !tokens.windows(2).any(|pair| [pair[0].kind, pair[1].kind] == arrow)
}

impl SourceKind for Call {
    fn check(&self, checking: &mut Checking<'_>) {
        let Called { settings, name, is_whole, arguments } = &self.0;
        if settings.function.check(checking.found).is_none() {
            return;
        }
        let Some(name) = name else {
            let message = "this is no call of a function";
            checking.report(
                Diagnostic::new(Code::Expression, settings.function.span(), message)
                    .help("write the name and the arguments in brackets: `range(10)`"),
            );
            return;
        };
        checking.identifier(name, "function");
        if *is_whole && settings.arguments.as_ref().is_some_and(|arguments| !arguments.is_empty()) {
            checking.report(
                checking
                    .needless("arguments", "the call has its arguments in brackets already")
                    .related(settings.function.span(), "here")
                    .help("keep the function's name alone, or leave `arguments` out"),
            );
            return;
        }
        for argument in arguments {
            argument.check(Role::Value, checking.found);
        }
        let mut seen: HashMap<String, &Spanned<String>> = HashMap::new();
        for column in settings.columns.iter().flat_map(|columns| columns.iter()) {
            if let Some(first) = seen.insert(column.value.to_lowercase(), column) {
                let message = format!("there is another column `{}`", column.value);
                checking.report(
                    Diagnostic::new(Code::DuplicateColumn, column.span, message)
                        .related(first.span, "first here"),
                );
            }
        }
    }

    fn arguments(&self) -> Vec<&Expr> {
        self.0.arguments.iter().collect()
    }

    fn place_of(&self, setting: Setting) -> Option<&Template> {
        self.0.name.as_ref().filter(|_| setting == Setting::Function)
    }

    fn is_heavy(&self) -> bool {
        true
    }

    /// Spark has a relation for it, which takes plain names and expressions alone; the rest is said in SQL.
    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        let Called { settings, name, arguments, .. } = &self.0;
        let name = name.as_ref().map(|name| lowering.name(name)).unwrap_or_default();
        let is_plain = crate::name::is_name(&name) && arguments.iter().all(is_expression);
        let rows = if is_plain && lowering.dialect.has_table_functions() {
            relation::of(RelType::UnresolvedTableValuedFunction(UnresolvedTableValuedFunction {
                function_name: name,
                arguments: arguments
                    .iter()
                    .map(|argument| expression_string(lowering.sql(argument)))
                    .collect(),
            }))
        } else {
            // A line break ends a comment behind an argument.
            let arguments: Vec<String> =
                arguments.iter().map(|argument| format!("{}\n", lowering.sql(argument))).collect();
            relation::sql(format!("SELECT * FROM {name}({})", arguments.join(", ")), BTreeMap::new())
        };
        match &settings.columns {
            Some(columns) => relation::of(RelType::ToDf(Box::new(ToDf {
                input: Some(Box::new(rows)),
                column_names: columns.iter().map(|column| column.value.clone()).collect(),
            }))),
            None => rows,
        }
    }
}
