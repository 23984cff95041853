//! What an engine complains about, the same whichever engine it is.

use super::names::unquoted;
use crate::connect::ServerError;

/// What an engine finds wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Complaint {
    /// A name that means no column, or no field of one.
    Column(Vec<String>),
    /// A field that a column does not have.
    Field(String),
    Ambiguous {
        name: Vec<String>,
        /// All that it could mean.
        meanings: Vec<Vec<String>>,
    },
    Function(Vec<String>),
    Table(Vec<String>),
    DataType(String),
    /// A column that is neither grouped by nor aggregated; Sail does not say which.
    Ungrouped(Option<String>),
    /// A condition of another type.
    NotBoolean(String),
    Types(String),
    Syntax,
    Other,
}

impl Complaint {
    pub(super) fn of(error: &ServerError) -> Self {
        let parameter = |name: &str| error.parameters.get(name).map(String::as_str);
        let names = |name: &str| parameter(name).map(unquoted).filter(|names| !names.is_empty());
        let plain = |name: &str| parameter(name).map(|text| text.trim_matches(['"', '`']).to_owned());
        let class = error.class.as_deref().unwrap_or_default();
        let family = class.split('.').next().unwrap_or_default();
        let found = match family {
            "UNRESOLVED_COLUMN" | "UNRESOLVED_FIELD" | "UNRESOLVED_MAP_KEY" => {
                names("objectName").map(Self::Column)
            }
            "FIELD_NOT_FOUND" => plain("fieldName").map(Self::Field),
            "AMBIGUOUS_REFERENCE" => names("name").map(|name| {
                let meanings = parameter("referenceNames").unwrap_or_default();
                let meanings = meanings.trim_matches(['[', ']']).split(", ").map(unquoted);
                Self::Ambiguous { name, meanings: meanings.filter(|it| !it.is_empty()).collect() }
            }),
            "UNRESOLVED_ROUTINE" => names("routineName").map(Self::Function),
            "UNRESOLVABLE_TABLE_VALUED_FUNCTION" => names("name").map(Self::Function),
            "TABLE_OR_VIEW_NOT_FOUND" => names("relationName").map(Self::Table),
            "UNSUPPORTED_DATATYPE" => plain("typeName").map(Self::DataType),
            "MISSING_AGGREGATION" => Some(Self::Ungrouped(plain("expression"))),
            "MISSING_GROUP_BY" => Some(Self::Ungrouped(None)),
            "PARSE_SYNTAX_ERROR" => Some(Self::Syntax),
            "DATATYPE_MISMATCH" if class.ends_with(".FILTER_NOT_BOOLEAN") => {
                Some(Self::NotBoolean(plain("type").unwrap_or_default()))
            }
            "DATATYPE_MISMATCH" => Some(Self::Types(of_types(&error.message))),
            _ => None,
        };
        found.unwrap_or(Self::Other)
    }

    /// Whether it says that something does not exist: that is so whatever stands beside it.
    pub(super) fn is_about_a_name(&self) -> bool {
        match self {
            Self::Column(_)
            | Self::Field(_)
            | Self::Ambiguous { .. }
            | Self::Function(_)
            | Self::Table(_)
            | Self::DataType(_) => true,
            Self::Ungrouped(_) | Self::NotBoolean(_) | Self::Types(_) | Self::Syntax | Self::Other => false,
        }
    }
}

/// What a message says of types, without the expression as Spark writes it anew.
fn of_types(message: &str) -> String {
    match message.split_once("due to data type mismatch: ") {
        Some((_, reason)) => format!("the types do not fit: {}", with_small_letter(reason)),
        None => message.to_owned(),
    }
}

fn with_small_letter(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parameters_say_what_is_meant() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (class, parameters, complaint) in [
            (
                "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                vec![("objectName", "`other`.`i d`")],
                Complaint::Column(names(&["other", "i d"])),
            ),
            (
                "AMBIGUOUS_REFERENCE",
                vec![("name", "`id`"), ("referenceNames", "[`a`.`id`, `b`.`id`]")],
                Complaint::Ambiguous {
                    name: names(&["id"]),
                    meanings: vec![names(&["a", "id"]), names(&["b", "id"])],
                },
            ),
            (
                "UNSUPPORTED_DATATYPE",
                vec![("typeName", "\"NOSUCH\"")],
                Complaint::DataType("NOSUCH".to_owned()),
            ),
            (
                "MISSING_AGGREGATION",
                vec![("expression", "\"id\"")],
                Complaint::Ungrouped(Some("id".to_owned())),
            ),
            ("UNRESOLVED_ROUTINE", vec![], Complaint::Other),
            ("BOOM", vec![], Complaint::Other),
        ] {
            let parameters: BTreeMap<String, String> =
                parameters.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let error = ServerError { class: Some(class.to_owned()), parameters, ..ServerError::default() };
            assert_eq!(Complaint::of(&error), complaint, "{class}");
        }
    }

    #[test]
    fn what_is_said_of_types_is_told_without_the_expression() {
        let said = "Cannot resolve \"(a + b)\" due to data type mismatch: The left one. Really.";
        assert_eq!(of_types(said), "the types do not fit: the left one. Really.");
        assert_eq!(of_types("cast one side"), "cast one side");
    }
}
