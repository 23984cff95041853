//! `join`: brings the rows of another step beside those of this one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::expr::{Expr, Role, TokenKind};
use crate::lowering::{Checking, Lowering};
use crate::name::{StepName, StepRef};
use crate::proto::relation::{self, JoinOn};
use crate::proto::spark::Relation;
use crate::proto::spark::join::JoinType;
use crate::shape::Many;
use crate::text::{Span, Spanned};

/// Brings the rows of another step beside those of this one.
///
/// In `on`, the left side's columns are qualified by the step they come `from`, the right side's by `as` or its step's name, until
/// the next `select` or `aggregate`. A row that several rows of the other side fit occurs several times. NULL equals nothing, not even
/// NULL; write `a <=> b` where it shall. Two columns of one name stay two, and are a mistake at the step's end: `drop` or `select` one away,
/// or join by `using`. Rows come in no order. After `using`, Sail knows the common columns by their plain names alone.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, town_id: int }
///       rows:
///         - [Ann, 1]
///         - [Bob, 2]
///         - [Cem, null]
///   towns:
///     values:
///       columns: { id: int, town: string }
///       rows:
///         - [1, Ulm]
///         - [3, Jena]
///   with_towns:
///     from: people
///     transform:
///       - join:
///           with: towns
///           on: people.town_id = towns.id
///           how: left
///       - select: [name, town]
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name | town
/// -----+-----
/// Ann  | Ulm
/// Bob  | NULL
/// Cem  | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
// A condition, columns, or for a cross join nothing.
#[schemars(extend("oneOf" = [
    { "required": ["on"] },
    { "required": ["using"] },
    { "required": ["how"], "properties": {
        "how": { "enum": ["cross"], "description": "Every row with every row; without `on` and `using`." },
    } },
]))]
pub(crate) struct Join {
    /// The step on the right side.
    with: StepRef,
    /// The name that qualifies the right side's columns; its step's name where not given.
    r#as: Option<Spanned<StepName>>,
    /// The condition: `orders.customer = customers.id`.
    on: Option<Expr>,
    /// Columns that both sides have; the result has each once.
    #[schemars(extend("minItems" = 1))]
    using: Option<Many<Spanned<String>>>,
    /// Which rows are kept. Spark's other spellings (`left_outer`, `outer`, `leftsemi`) are understood.
    how: Option<Spanned<How>>,
}

/// The kind of join.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum How {
    #[default]
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
    Cross,
}

impl How {
    const NAMES: [&str; 7] = ["inner", "left", "right", "full", "semi", "anti", "cross"];
    /// What each keeps, for users.
    const MEANINGS: [&str; 7] = [
        "The pairs that fit.",
        "The pairs that fit, and the left rows that fit none, with NULLs.",
        "The pairs that fit, and the right rows that fit none, with NULLs.",
        "The pairs that fit, and the rows of both sides that fit none, with NULLs.",
        "The left rows that fit one on the right, each once, with the left columns alone.",
        "The left rows that fit none on the right, with the left columns alone.",
        "Every row with every row; without `on` and `using`.",
    ];

    /// Spark's other spellings are understood: `left_outer`, `outer`, `leftsemi`.
    fn parse(text: &str) -> Option<Self> {
        let plain = text.to_lowercase().replace(['_', ' '], "");
        Some(match plain.as_str() {
            "inner" => Self::Inner,
            "left" | "leftouter" => Self::Left,
            "right" | "rightouter" => Self::Right,
            "full" | "outer" | "fullouter" => Self::Full,
            "semi" | "leftsemi" => Self::Semi,
            "anti" | "leftanti" => Self::Anti,
            "cross" => Self::Cross,
            _ => return None,
        })
    }

    fn join_type(self) -> JoinType {
        match self {
            Self::Inner => JoinType::Inner,
            Self::Left => JoinType::LeftOuter,
            Self::Right => JoinType::RightOuter,
            Self::Full => JoinType::FullOuter,
            Self::Semi => JoinType::LeftSemi,
            Self::Anti => JoinType::LeftAnti,
            Self::Cross => JoinType::Cross,
        }
    }
}

impl Join {
    /// The name that qualifies the right side's columns.
    pub(crate) fn right_name(&self) -> &str {
        self.r#as.as_ref().map_or(self.with.as_str(), |name| name.value.as_str())
    }

    /// The condition, where there is one.
    pub(crate) fn condition(&self) -> Option<&Expr> {
        self.on.as_ref()
    }

    fn how(&self) -> How {
        self.how.as_ref().map_or_else(How::default, |how| how.value)
    }

    fn check_condition(&self, checking: &mut Checking<'_>) {
        let Some(on) = &self.on else { return };
        on.check(Role::Value, checking.found);
        let text = on.template().scanned();
        if let [only] = on.template().tokens().as_slice()
            && matches!(only.kind, TokenKind::Word | TokenKind::QuotedName)
            && let Some(column) = only.name(&text)
            && !["true", "false"].contains(&column.to_lowercase().as_str())
        {
            let message = format!("`{column}` alone is no condition");
            checking.report(Diagnostic::new(Code::Settings, on.span(), message).help(format!(
                "for a column that both sides have write `using: [{column}]` instead of `on`"
            )));
        }
    }
}

impl TransformKind for Join {
    fn inputs(&self) -> Vec<&StepRef> {
        vec![&self.with]
    }

    fn check(&self, checking: &mut Checking<'_>) {
        self.check_condition(checking);
        let needs_none = self.how() == How::Cross;
        let diagnostic = match (&self.on, &self.using) {
            (Some(_), Some(_)) => checking.exclusive("on", "using").help("keep one of them"),
            (Some(_), None) if needs_none => checking
                .needless("on", "a cross join has no condition")
                .related(checking.key("how"), "this makes it a cross join")
                .help("remove `on`, or write `how: inner`"),
            (None, Some(_)) if needs_none => checking
                .needless("using", "a cross join has no `using`")
                .related(checking.key("how"), "this makes it a cross join")
                .help("remove `using`, or write `how: inner`"),
            (None, None) if !needs_none => Diagnostic::new(
                Code::MissingKey,
                checking.item,
                "the join has neither `on` nor `using`",
            )
            .help("write a condition, `on: left.a = right.b`, or columns that both sides have, `using: [a]`")
            .help("for every row with every row write `how: cross`"),
            _ => return,
        };
        checking.report(diagnostic);
    }

    fn columns_shared(&self) -> Vec<&Spanned<String>> {
        self.using.iter().flat_map(|columns| columns.iter()).collect()
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.on.iter().collect()
    }

    fn may_repeat_columns(&self) -> bool {
        !matches!(self.how(), How::Semi | How::Anti)
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names<'_> {
        Names::Wanted
    }

    fn new_name(&self) -> Option<(&str, Span)> {
        let span = self.r#as.as_ref().map_or(self.with.span(), |name| name.span);
        Some((self.right_name(), span))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let right = relation::subquery_alias(lowering.input(self.with.as_str()), self.right_name());
        let on = match (&self.on, &self.using) {
            (Some(on), _) => JoinOn::Condition(lowering.condition(on)),
            (None, Some(columns)) => {
                let kept = columns.iter().filter(|column| !lowering.masks.hides(column.span));
                let kept: Vec<String> = kept.map(|column| column.value.clone()).collect();
                if kept.is_empty() { JoinOn::Nothing } else { JoinOn::Using(kept) }
            }
            (None, None) => JoinOn::Nothing,
        };
        relation::join(input, right, self.how().join_type(), on)
    }
}

impl<'de> Deserialize<'de> for How {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            let near = nearest(&text, Self::NAMES).map(|near| format!("; did you mean `{near}`?"));
            let known = || format!("; there are {}", Self::NAMES.map(|name| format!("`{name}`")).join(", "));
            de::Error::custom(format!("`{text}` is no kind of join{}", near.unwrap_or_else(known)))
        })
    }
}

impl JsonSchema for How {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "How".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = Self::NAMES.iter().zip(Self::MEANINGS);
        let words = words.map(|(name, meaning)| json_schema!({ "const": name, "description": meaning }));
        let mut choices: Vec<Schema> = words.collect();
        choices.push(json_schema!({
            "type": "string",
            "pattern": concat!(
                "^((left|right|full)[_ ]?outer|outer|left[_ ]?(semi|anti)",
                "|INNER|CROSS|(LEFT|RIGHT|FULL)([_ ]?OUTER)?|OUTER|(LEFT[_ ]?)?(SEMI|ANTI))$",
            ),
        }));
        json_schema!({ "oneOf": choices, "default": "inner" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_spark_are_understood() {
        for (text, how) in [
            ("LEFT", How::Left),
            ("left_outer", How::Left),
            ("outer", How::Full),
            ("leftsemi", How::Semi),
            ("left_anti", How::Anti),
        ] {
            assert_eq!(How::parse(text), Some(how), "{text}");
        }
        assert_eq!(How::parse("outside"), None);
    }
}
