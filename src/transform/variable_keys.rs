//! The keys of subtotals, in a form in which the engine finds none of them constant.
//!
//! Sail takes a key that is the same in all rows, because of a filter or as a literal, for the same in all groups of a rollup too, though
//! these make NULL of it. It then leaves the key out where it sorts the groups, and even gives a group several times, since it takes the
//! groups to be sorted by it. What depends on chance it takes for no constant.

use crate::expr::{Expr, Token, TokenKind, tokens};
use crate::lowering::Lowering;
use crate::proto::spark::{Expression, Relation};
use crate::proto::{expression, relation};

/// The keys of an aggregate, and what its input needs for them.
#[derive(Debug, Default)]
pub(super) struct VariableKeys {
    pub(super) keys: Vec<Expression>,
    /// Columns that the input gets, or that take the place of its own.
    columns: Vec<(String, Expression)>,
    /// Keys that are paths, `orders.town`, and have a column of their own, by which the aggregates must call them.
    pub(super) paths: Vec<Path>,
}

/// A key of several words, and the column that stands for it.
#[derive(Debug)]
pub(super) struct Path {
    words: Vec<String>,
    column: String,
    /// What its column is called in the result.
    name: String,
}

impl VariableKeys {
    /// The keys as they are.
    pub(super) fn same<'e>(keys: impl Iterator<Item = &'e Expr>, lowering: &Lowering<'_>) -> Self {
        Self { keys: keys.map(|key| lowering.column(key)).collect(), ..Self::default() }
    }

    pub(super) fn of<'e>(keys: impl Iterator<Item = &'e Expr>, lowering: &Lowering<'_>) -> Self {
        let mut made = Self::default();
        for (at, key) in keys.enumerate() {
            let words = path(key);
            let name = key.column_name();
            let key = match (words.as_deref(), name) {
                _ if lowering.masks.hides(key.span()) => lowering.column(key),
                (Some([_]), Some(name)) => {
                    made.columns.push((name, variable(lowering.expr(key))));
                    lowering.column(key)
                }
                (Some(words), Some(name)) => {
                    let column = format!("pipectl__key_{at}");
                    made.columns.push((column.clone(), variable(lowering.expr(key))));
                    made.paths.push(Path { words: words.to_vec(), column: column.clone(), name });
                    expression::attribute(column)
                }
                // Nothing else in the aggregate can name these: they are wrapped where they stand.
                (_, name) => {
                    let name = name.unwrap_or_else(|| lowering.sql(key));
                    expression::alias(variable(lowering.expr(key)), name)
                }
            };
            made.keys.push(key);
        }
        made
    }

    /// The input with the columns that stand for keys.
    pub(super) fn input(&self, input: Relation) -> Relation {
        if self.columns.is_empty() {
            return input;
        }
        relation::with_columns(input, self.columns.clone())
    }

    /// An expression over the input.
    pub(super) fn expr(&self, expr: &Expr, lowering: &Lowering<'_>) -> Expression {
        if self.paths.is_empty() || lowering.masks.hides(expr.span()) {
            return lowering.expr(expr);
        }
        expression::expression_string(self.called(&lowering.sql(expr)))
    }

    /// The names that columns of the result have, and those that they shall have.
    pub(super) fn names(&self) -> impl Iterator<Item = (String, String)> {
        self.paths.iter().map(|path| (path.column.clone(), path.name.clone()))
    }

    /// The text with the columns of paths in place of these.
    fn called(&self, sql: &str) -> String {
        let tokens = tokens(sql, &[]);
        let (mut text, mut done, mut at) = (String::new(), 0, 0);
        while at < tokens.len() {
            let is_inside = at.checked_sub(1).is_some_and(|before| is_dot(&tokens[before]));
            let found = self.paths.iter().find(|path| !is_inside && path.begins(&tokens[at..], sql));
            at += match found {
                Some(path) => {
                    let length = 2 * path.words.len() - 1;
                    text.push_str(sql.get(done..tokens[at].range.start).unwrap_or_default());
                    text.push_str(&path.column);
                    done = tokens[at + length - 1].range.end;
                    length
                }
                None => 1,
            };
        }
        text.push_str(sql.get(done..).unwrap_or_default());
        text
    }
}

impl Path {
    fn begins(&self, tokens: &[Token], sql: &str) -> bool {
        let length = 2 * self.words.len() - 1;
        tokens.len() >= length
            && self.words.iter().enumerate().all(|(at, word)| {
                let name = tokens[2 * at].name(sql).map(|name| name.to_lowercase());
                name.as_ref() == Some(word) && (at == 0 || is_dot(&tokens[2 * at - 1]))
            })
    }
}

fn is_dot(token: &Token) -> bool {
    token.kind == TokenKind::Symbol('.')
}

/// The words of a key that is a column, or a path to one, in lower case.
fn path(key: &Expr) -> Option<Vec<String>> {
    let text = key.template().scanned();
    let mut tokens = key.template().tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let word = |(at, token): (usize, &Token)| match token.kind {
        TokenKind::Word | TokenKind::QuotedName if at.is_multiple_of(2) => token.name(&text),
        _ => None,
    };
    let are_joined = tokens.iter().skip(1).step_by(2).all(is_dot) && tokens.len() % 2 == 1;
    let words: Option<Vec<String>> = tokens.iter().enumerate().step_by(2).map(word).collect();
    words.filter(|_| are_joined).map(|words| words.iter().map(|word| word.to_lowercase()).collect())
}

/// The same value, which is no constant to an engine.
fn variable(value: Expression) -> Expression {
    let always = expression::expression_string("rand() >= 0");
    expression::call("when", vec![always, value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Template;

    #[test]
    fn a_path_is_called_by_its_column_wherever_it_begins() {
        let key = Expr::new(Template::of_text("Orders . `town`"));
        let words = path(&key).unwrap();
        assert_eq!(words, ["orders", "town"]);
        let path = Path { words, column: "k".to_owned(), name: "town".to_owned() };
        let keys = VariableKeys { paths: vec![path], ..VariableKeys::default() };
        for (text, called) in [
            ("grouping(orders.town)", "grouping(k)"),
            (
                "concat(ORDERS.`Town`, orders.town.part) || 'orders.town'",
                "concat(k, k.part) || 'orders.town'",
            ),
            ("x.orders.town + orders.towns + town", "x.orders.town + orders.towns + town"),
        ] {
            assert_eq!(keys.called(text), called);
        }
    }

    #[test]
    fn only_columns_have_paths() {
        for (text, words) in [
            ("town", "town"),
            ("a.b.c", "a b c"),
            ("town AS t", ""),
            ("upper(town)", ""),
            ("a.b AS t", ""),
            ("1", ""),
        ] {
            let found = path(&Expr::new(Template::of_text(text))).unwrap_or_default();
            assert_eq!(found.join(" "), words, "{text}");
        }
    }
}
