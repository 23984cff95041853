//! Sail's errors in Spark's terms. Sail sends a text and the name of a Java class; where the text can mean one thing alone, it
//! gets the class and the state that Spark has for that. Words that only Sail's authors can read are taken out.

use super::text::{between, one_line, shortened};

/// What one of Sail's texts means.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) class: Option<&'static str>,
    pub(crate) state: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// Whether Sail itself has failed, and not what it was asked to do.
    pub(crate) is_internal: bool,
}

/// Characters of a message whose meaning is not known.
const LONGEST: usize = 600;

/// Layers of Sail and of its libraries, each of which puts its own name before a text.
const LAYERS: [&str; 19] = [
    "error in DataFusion: ",
    "This feature is not implemented: ",
    "invalid argument: ",
    "internal error: ",
    "Execution error: ",
    "External error: ",
    "External: ",
    "Internal error: ",
    "Error during planning: ",
    "Arrow error: ",
    "Invalid argument error: ",
    "Compute error: ",
    "Parser error: ",
    "Schema error: ",
    "type_coercion\ncaused by\n",
    "caused by\n",
    "Cast error: ",
    "Arithmetic overflow: ",
    "Table not found: ",
];
/// With these words `DataFusion` says that the fault is its own.
const FAULTS: [&str; 2] = ["This was likely caused by a bug", "This issue was likely caused by a bug"];
const PANIC: &str = " panicked";
/// The states of classes that Sail names itself.
const STATES: [(&str, &str); 8] = [
    ("ARITHMETIC_OVERFLOW", "22003"),
    ("CAST_INVALID_INPUT", "22018"),
    ("CAST_OVERFLOW", "22003"),
    ("DIVIDE_BY_ZERO", "22012"),
    ("DUPLICATED_MAP_KEY", "23505"),
    ("INVALID_ARRAY_INDEX", "22003"),
    ("INVALID_TIMEZONE", "22009"),
    ("UNSUPPORTED_GROUPING_EXPRESSION", "42K0E"),
];
/// Functions that need a window. Without one Sail does not know their names.
const WINDOW_FUNCTIONS: [&str; 9] =
    ["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "nth_value"];

impl Told {
    fn of(class: &'static str, state: &'static str, message: impl Into<String>) -> Self {
        Self { class: Some(class), state: Some(state), message: message.into(), ..Self::default() }
    }

    fn words(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }
}

/// Reads a text of Sail's; `java` is the class that it sends with it.
pub(crate) fn told(text: &str, java: Option<&str>) -> Told {
    let text = text.trim();
    let fault = FAULTS.iter().find_map(|fault| text.split_once(fault).map(|(said, _)| said));
    let is_internal = fault.is_some() || text.contains(PANIC);
    let text = without_layers(fault.unwrap_or(text)).trim();
    if let Some(told) = named(text) {
        return told;
    }
    if is_internal {
        return Told {
            class: Some("INTERNAL_ERROR"),
            state: Some("XX000"),
            message: shortened(&one_line(text), LONGEST),
            is_internal,
            ..Told::default()
        };
    }
    let text = text.trim_end_matches('.');
    known(text).unwrap_or_else(|| {
        let is_lack = java == Some("java.lang.UnsupportedOperationException");
        let text = shortened(&one_line(&names(&without_debug(text))), LONGEST);
        Told::words(if is_lack { format!("the engine does not support this: {text}") } else { text })
    })
}

fn known(text: &str) -> Option<Told> {
    at_run_time(text)
        .or_else(|| about_names(text))
        .or_else(|| about_types(text))
        .or_else(|| about_syntax(text))
}

/// What Sail says as Spark does.
fn named(text: &str) -> Option<Told> {
    let (class, message) = text.strip_prefix('[')?.split_once("] ")?;
    let (class, state) = STATES.iter().find(|(known, _)| *known == class)?;
    Some(Told::of(class, state, one_line(message)))
}

/// What rows bring about.
fn at_run_time(text: &str) -> Option<Told> {
    const TRY: &str = "to tolerate it and return NULL instead";
    let cast_input = |value: &str, target: &str| {
        let message = format!(
            "The value '{value}' of the type \"STRING\" cannot be cast to \"{target}\" because it is malformed. Use `try_cast` {TRY}."
        );
        Told::of("CAST_INVALID_INPUT", "22018", message)
            .with("expression", format!("'{value}'"))
            .with("sourceType", "\"STRING\"")
            .with("targetType", format!("\"{target}\""))
    };
    match text {
        "Division by zero" | "Divide by zero error" | "Divide by zero" => {
            return Some(Told::of(
                "DIVIDE_BY_ZERO",
                "22012",
                format!("Division by zero. Use `try_divide` {TRY}."),
            ));
        }
        "Remainder by zero" => {
            return Some(Told::of(
                "REMAINDER_BY_ZERO",
                "22012",
                format!("Remainder by zero. Use `try_mod` {TRY}."),
            ));
        }
        "Scalar subquery returned more than one row" => {
            let message = "More than one row returned by a subquery used as an expression.";
            return Some(Told::of("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", message));
        }
        "element_at: the index is out of bounds" => {
            let message = format!("The index is out of bounds. Use `try_element_at` {TRY}.");
            return Some(Told::of("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", message));
        }
        _ => {}
    }
    if text.starts_with("Cannot cast ")
        && let Some((value, target)) = text.split_once("' to value of ")
        && let Some((_, value)) = value.split_once('\'')
    {
        return Some(cast_input(value, &base_type(target.strip_suffix(" type")?)));
    }
    if let Some(value) = text.strip_prefix("invalid timestamp: ") {
        return Some(cast_input(value, "TIMESTAMP"));
    }
    if let Some(rest) = text.strip_prefix("Can't cast value ") {
        let (value, target) = rest.split_once(" to type ")?;
        let target = base_type(target);
        let message = format!(
            "The value {value} cannot be cast to \"{target}\" due to an overflow. Use `try_cast` {TRY}."
        );
        let told = Told::of("CAST_OVERFLOW", "22003", message);
        return Some(told.with("value", value).with("targetType", format!("\"{target}\"")));
    }
    if let Some((value, rest)) = text.split_once(" is too large to store in a Decimal") {
        let precision = between(rest, "of precision ", ".")?;
        let message = format!("{value} does not fit into a DECIMAL of {precision} digits.");
        return Some(Told::of("NUMERIC_VALUE_OUT_OF_RANGE", "22003", message).with("value", value));
    }
    if let Some(sum) = text.strip_prefix("Overflow happened on: ") {
        let message = format!("Overflow in {sum}.");
        return Some(Told::of("ARITHMETIC_OVERFLOW", "22003", message).with("message", sum));
    }
    if text.starts_with("element_at: the index 0 is invalid") {
        let message =
            "The index 0 is invalid. An index is less or greater than 0 (the first element has index 1).";
        return Some(Told::of("INVALID_INDEX_OF_ZERO", "22003", message));
    }
    // What `to_date` and `to_timestamp` say of a text and a format; only they parse by one.
    if let Some(field) = between(text, "invalid parsed ", ": input is out of range") {
        let message = format!("A text can not be parsed by its format: its {field} is out of range.");
        return Some(Told::of("CANNOT_PARSE_TIMESTAMP", "22007", message));
    }
    if let Some(at) = text.strip_prefix("expected numeric datetime field at byte offset ") {
        let message = format!("A text can not be parsed by its format: there is no number at its byte {at}.");
        return Some(Told::of("CANNOT_PARSE_TIMESTAMP", "22007", message));
    }
    if let Some((field, value)) =
        text.strip_suffix("' is out of range").and_then(|it| it.split_once(" value '"))
        && ["Year", "Month", "Day"].contains(&field)
    {
        let message = format!("{value} is no {} of a date.", field.to_lowercase());
        return Some(Told::of("DATETIME_FIELD_OUT_OF_BOUNDS", "22023", message));
    }
    if let Some(day) = text.strip_prefix("Illegal input for day of week: ") {
        return Some(Told::of(
            "ILLEGAL_DAY_OF_WEEK",
            "22009",
            format!("Illegal input for day of week: {day}."),
        ));
    }
    if let Some(function) = between(text, "Spark `", "` function: Invalid regex pattern") {
        let message = format!("The pattern of `{function}` is no regular expression.");
        return Some(Told::of("INVALID_PARAMETER_VALUE.PATTERN", "22023", message));
    }
    if let Some(rest) = text.strip_prefix("Resources exhausted: ") {
        let rest = rest.split([':', '\n']).next().unwrap_or_default();
        return Some(Told::words(format!("The engine has used up the memory that it may use: {rest}")));
    }
    None
}

/// What the analysis, or a parser, says of names.
fn about_names(text: &str) -> Option<Told> {
    let column = |text: &str| names(text).trim_matches('`').to_owned();
    if let Some((attribute, _)) = text.split_once(" is missing from the schema")
        && let Some(name) = attribute.strip_prefix("attribute ")
    {
        let message = format!("the column `{}` cannot be resolved", column(name));
        let told = Told::of("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", message);
        return Some(told.with("objectName", quoted_names(name)));
    }
    if let Some(name) = text.strip_prefix("ambiguous attribute: ") {
        let message = format!("the column `{}` is ambiguous: more than one input has it", column(name));
        return Some(Told::of("AMBIGUOUS_REFERENCE", "42704", message).with("name", quoted_names(name)));
    }
    if let Some(name) = text.strip_prefix("unknown function: ") {
        if WINDOW_FUNCTIONS.contains(&name.to_lowercase().as_str()) {
            let message = format!("the window function `{name}` needs an OVER clause");
            return Some(Told::of("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", message));
        }
        let told = Told::of("UNRESOLVED_ROUTINE", "42883", format!("there is no function `{name}`"));
        return Some(told.with("routineName", format!("`{name}`")));
    }
    if let Some(name) = text.strip_prefix("unknown table function: ") {
        let told = Told::of(
            "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
            "42883",
            format!("there is no table function `{name}`"),
        );
        return Some(told.with("name", format!("`{name}`")));
    }
    if let Some(name) = text.strip_prefix("[TABLE_OR_VIEW_NOT_FOUND] Table or view not found: ") {
        let message = format!("the table or view `{name}` cannot be found");
        return Some(
            Told::of("TABLE_OR_VIEW_NOT_FOUND", "42P01", message).with("relationName", format!("`{name}`")),
        );
    }
    if let Some(name) = text.strip_prefix("No data source found for: ") {
        let message = format!("the engine has no data source `{name}`");
        return Some(Told::of("DATA_SOURCE_NOT_FOUND", "42K02", message).with("provider", name));
    }
    // Sail calls columns by numbers then, which are not those of the user's tables.
    if text.starts_with("No field named ") && text.contains('#') {
        return Some(Told::of(
            "MISSING_AGGREGATION",
            "42803",
            "a column is used where there is none, perhaps one that is neither grouped by nor inside an aggregate function",
        ));
    }
    if text.starts_with("Aggregate function calls cannot be nested") {
        let message = "an aggregate function stands in the argument of another one";
        return Some(Told::of("NESTED_AGGREGATE_FUNCTION", "42607", message));
    }
    if let Some(what) = text.strip_prefix("Physical plan does not support logical expression ") {
        let what = if what.starts_with("AggregateFunction") {
            "an aggregate function stands where none may, as in a filter"
        } else {
            "the engine can not work out an expression at this place"
        };
        return Some(Told::words(what));
    }
    if text.starts_with("Cannot resolve column position ") {
        return Some(Told { state: Some("42805"), ..Told::words(text) });
    }
    None
}

fn about_types(text: &str) -> Option<Told> {
    if let Some(types) = between(text, "Cannot coerce arithmetic expression ", " to valid types") {
        let mut parts = types.splitn(3, ' ');
        let (left, operator, right) = (parts.next()?, parts.next()?, parts.next()?);
        let message = format!(
            "{} {operator} {} can not be worked out: cast one side",
            type_name(left),
            type_name(right)
        );
        return Some(Told::of("DATATYPE_MISMATCH", "42K09", message));
    }
    if let Some(function) = between(text, "Failed to coerce arguments to satisfy a call to '", "' function")
        .or_else(|| between(text, "Function '", "' user-defined coercion failed with: "))
    {
        let function = function.strip_prefix("spark_").unwrap_or(function);
        if let Some((needs, has)) =
            between(text, " function requires ", ". No function").and_then(|it| it.split_once(", got "))
        {
            let message = format!("the function `{function}` takes {needs}, not {has}");
            return Some(Told::of("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", message));
        }
        let types = between(text, "coercion from ", " to the signature")?;
        let types: Vec<String> = items(types).into_iter().map(type_name).collect();
        return Some(Told::words(format!("the function `{function}` does not take {}", types.join(", "))));
    }
    if let Some((takes, values)) = text.split_once(": [")
        && let Some(takes) = takes.strip_suffix(" expected")
        && takes.split(' ').any(|word| word.starts_with("value") || word.starts_with("argument"))
    {
        let values = items(values.strip_suffix(']').unwrap_or(values)).len();
        let message = format!("a function takes {takes}, not {values}");
        return Some(Told::of("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", message));
    }
    if let Some((function, takes)) =
        text.strip_suffix(" arguments").and_then(|it| it.split_once(" requires "))
        && !function.contains(' ')
    {
        let message = format!("the function `{function}` takes {takes} values");
        return Some(Told::of("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", message));
    }
    if let Some((_, found)) = text
        .strip_prefix("Cannot create filter with non-boolean predicate ")
        .and_then(|rest| rest.rsplit_once(" returning "))
    {
        let found = type_name(found);
        let message = format!("the condition is neither true nor false: its type is {found}");
        return Some(Told::of("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", message).with("type", found));
    }
    if text.starts_with("UNION queries have different number of columns") {
        let left = between(text, "left has ", " col")?;
        let right = between(text, "right has ", " col")?;
        let message = format!("a union of {left} and {right} columns");
        return Some(Told::of("NUM_COLUMNS_MISMATCH", "42826", message));
    }
    if let Some(rest) = text.strip_prefix("Incompatible inputs for Union: Previous inputs were of type ") {
        let (left, rest) = rest.split_once(", but got incompatible type ")?;
        let (right, _) = rest.split_once(" on column")?;
        let message = format!("a union of columns of the types {} and {}", type_name(left), type_name(right));
        return Some(Told::of("INCOMPATIBLE_COLUMN_TYPE", "42825", message));
    }
    if let Some(limit) = between(text, "LIMIT must be >= 0, '", "'") {
        let message = format!("a limit is 0 or more, not {limit}");
        return Some(Told::of("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", message));
    }
    None
}

fn about_syntax(text: &str) -> Option<Told> {
    if let Some(fields) = between(text, "DateValue { ", " }") {
        let numbers: Vec<&str> =
            fields.split(", ").filter_map(|field| field.split_once(": ")).map(|it| it.1).collect();
        let message = format!("the date {} does not exist", numbers.join("-"));
        return Some(Told::of("INVALID_TYPED_LITERAL", "42604", message));
    }
    // `error in SQL parser: ` comes where a schema is part of an expression.
    let text = text.rsplit_once("error in SQL parser: ").map_or(text, |(_, text)| text);
    let (found, expected) = text.strip_prefix("found ")?.split_once(" expected ")?;
    let found = match found.rsplit_once(" at ") {
        Some((found, place)) if place.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') => found,
        _ => found,
    };
    if expected == "data type" {
        let message = format!("there is no data type `{found}`");
        return Some(Told::of("UNSUPPORTED_DATATYPE", "0A000", message).with("typeName", found));
    }
    let place = if found == "end of input" { found.to_owned() } else { format!("`{found}`") };
    Some(Told::of("PARSE_SYNTAX_ERROR", "42601", format!("Syntax error at or near {place}.")))
}

/// What a text says behind the names of the layers that it has come through.
fn without_layers(text: &str) -> &str {
    let mut text = text;
    while let Some(rest) = LAYERS.iter().find_map(|layer| text.strip_prefix(layer)) {
        text = rest;
    }
    // An optimizer's rule names itself and then its reason.
    match text.split_once("\ncaused by\n") {
        Some((_, reason)) => without_layers(reason),
        None => text,
    }
}

/// Cuts what Rust prints of its own values: no user has seen the names in it.
fn without_debug(text: &str) -> String {
    let is_value = |inside: &str| {
        ["Column(", "Literal(", "Cast(", "Alias(", "AggregateFunction(", "ScalarFunction(", "BinaryExpr("]
            .iter()
            .any(|name| inside.trim_start_matches(['[', '(', ' ']).starts_with(name))
    };
    let at = text
        .match_indices(": ")
        .map(|(at, _)| at)
        .find(|at| is_value(text.get(at + 2..).unwrap_or_default()));
    at.and_then(|at| text.get(..at)).unwrap_or(text).to_owned()
}

/// Writes names as users do that Rust prints as values.
fn names(text: &str) -> String {
    let mut text = text;
    let mut clean = String::with_capacity(text.len());
    while let Some((before, rest)) = text.split_once("ObjectName([") {
        let Some((names, after)) = rest.split_once("])") else { break };
        let names =
            names.split("Identifier(\"").filter_map(|name| name.split_once("\")")).map(|(name, _)| name);
        clean.push_str(before);
        clean.push('`');
        clean.push_str(&names.collect::<Vec<_>>().join("."));
        clean.push('`');
        text = after;
    }
    clean + text
}

/// Names that Rust prints as values, each in quotes.
fn quoted_names(text: &str) -> String {
    let names =
        text.split("Identifier(\"").skip(1).filter_map(|name| name.split_once("\")")).map(|(name, _)| {
            let name = name.replace("\\\"", "\"").replace("\\\\", "\\");
            format!("`{}`", name.replace('`', "``"))
        });
    let quoted = names.collect::<Vec<_>>().join(".");
    if quoted.is_empty() { format!("`{}`", text.trim_matches('`')) } else { quoted }
}

/// The items of a list, brackets heeded.
fn items(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.extend(list.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    items.extend(list.get(start..));
    items.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// An Arrow type without its parameters, which are those of a step on the way and not the user's.
fn base_type(arrow: &str) -> String {
    let name = type_name(arrow);
    name.split('(').next().unwrap_or_default().to_owned()
}

/// Spark's name for an Arrow type.
fn type_name(arrow: &str) -> String {
    let arrow = arrow.trim().trim_start_matches("non-null ");
    let inside =
        || arrow.split_once('(').map(|(_, rest)| rest.strip_suffix(')').unwrap_or(rest)).unwrap_or_default();
    match arrow.split('(').next().unwrap_or_default() {
        "Int8" => "TINYINT".to_owned(),
        "Int16" => "SMALLINT".to_owned(),
        "Int32" => "INT".to_owned(),
        "Int64" => "BIGINT".to_owned(),
        "Float32" => "FLOAT".to_owned(),
        "Float64" => "DOUBLE".to_owned(),
        "Utf8" | "LargeUtf8" | "Utf8View" => "STRING".to_owned(),
        "Binary" | "LargeBinary" | "BinaryView" | "FixedSizeBinary" => "BINARY".to_owned(),
        "Boolean" => "BOOLEAN".to_owned(),
        "Date32" => "DATE".to_owned(),
        "Null" => "VOID".to_owned(),
        "Decimal128" | "Decimal256" => format!("DECIMAL({})", inside().replace(' ', "")),
        "Timestamp" if arrow.contains("Some(") || arrow.contains('"') => "TIMESTAMP".to_owned(),
        "Timestamp" => "TIMESTAMP_NTZ".to_owned(),
        "Interval" | "Duration" => "INTERVAL".to_owned(),
        "List" | "LargeList" => format!("ARRAY<{}>", type_name(inside())),
        "Map" => "MAP".to_owned(),
        "Struct" => "STRUCT".to_owned(),
        _ => arrow.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNSUPPORTED: &str = "java.lang.UnsupportedOperationException";

    /// What Sail 0.7.2 sends, and what a user is told.
    const TOLD: &[(&str, &str)] = &[
        (
            "Division by zero",
            "DIVIDE_BY_ZERO 22012 Division by zero. Use `try_divide` to tolerate it and return NULL instead.",
        ),
        (
            "Arrow error: Divide by zero error",
            "DIVIDE_BY_ZERO 22012 Division by zero. Use `try_divide` to tolerate it and return NULL instead.",
        ),
        (
            "Remainder by zero",
            "REMAINDER_BY_ZERO 22012 Remainder by zero. Use `try_mod` to tolerate it and return NULL instead.",
        ),
        (
            "Cast error: Cannot cast string 'a0' to value of Int32 type",
            "CAST_INVALID_INPUT 22018 The value 'a0' of the type \"STRING\" cannot be cast to \"INT\" because it is malformed. Use `try_cast` to tolerate it and return NULL instead.",
        ),
        (
            "Cast error: Cannot cast string 'it's' to value of Decimal128(38, 10) type",
            "CAST_INVALID_INPUT 22018 The value 'it's' of the type \"STRING\" cannot be cast to \"DECIMAL\" because it is malformed. Use `try_cast` to tolerate it and return NULL instead.",
        ),
        (
            "Cast error: Cannot cast value 'a0' to value of Boolean type",
            "CAST_INVALID_INPUT 22018 The value 'a0' of the type \"STRING\" cannot be cast to \"BOOLEAN\" because it is malformed. Use `try_cast` to tolerate it and return NULL instead.",
        ),
        (
            "[CAST_INVALID_INPUT] The value '2024-13-00' of the type \"STRING\" cannot be cast to \"DATE\" because it is malformed.",
            "CAST_INVALID_INPUT 22018 The value '2024-13-00' of the type \"STRING\" cannot be cast to \"DATE\" because it is malformed.",
        ),
        (
            "invalid timestamp: 2024-13-00",
            "CAST_INVALID_INPUT 22018 The value '2024-13-00' of the type \"STRING\" cannot be cast to \"TIMESTAMP\" because it is malformed. Use `try_cast` to tolerate it and return NULL instead.",
        ),
        (
            "invalid parsed month: input is out of range",
            "CANNOT_PARSE_TIMESTAMP 22007 A text can not be parsed by its format: its month is out of range.",
        ),
        (
            "expected numeric datetime field at byte offset 0",
            "CANNOT_PARSE_TIMESTAMP 22007 A text can not be parsed by its format: there is no number at its byte 0.",
        ),
        ("Month value '13' is out of range", "DATETIME_FIELD_OUT_OF_BOUNDS 22023 13 is no month of a date."),
        (
            "Cast error: Can't cast value 3000000000 to type Int32",
            "CAST_OVERFLOW 22003 The value 3000000000 cannot be cast to \"INT\" due to an overflow. Use `try_cast` to tolerate it and return NULL instead.",
        ),
        (
            "Cast error: Can't cast value NaN to type Int32",
            "CAST_OVERFLOW 22003 The value NaN cannot be cast to \"INT\" due to an overflow. Use `try_cast` to tolerate it and return NULL instead.",
        ),
        (
            "Invalid argument error: 3000.0 is too large to store in a Decimal128 of precision 3. Max is 99.9",
            "NUMERIC_VALUE_OUT_OF_RANGE 22003 3000.0 does not fit into a DECIMAL of 3 digits.",
        ),
        (
            "Arithmetic overflow: Overflow happened on: 2 * 99999",
            "ARITHMETIC_OVERFLOW 22003 Overflow in 2 * 99999.",
        ),
        (
            "[ARITHMETIC_OVERFLOW] integer overflow on abs(-2147483648)",
            "ARITHMETIC_OVERFLOW 22003 integer overflow on abs(-2147483648)",
        ),
        (
            "element_at: the index is out of bounds",
            "INVALID_ARRAY_INDEX_IN_ELEMENT_AT 22003 The index is out of bounds. Use `try_element_at` to tolerate it and return NULL instead.",
        ),
        (
            "element_at: the index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1)",
            "INVALID_INDEX_OF_ZERO 22003 The index 0 is invalid. An index is less or greater than 0 (the first element has index 1).",
        ),
        (
            "Scalar subquery returned more than one row",
            "SCALAR_SUBQUERY_TOO_MANY_ROWS 21000 More than one row returned by a subquery used as an expression.",
        ),
        ("Illegal input for day of week: x0", "ILLEGAL_DAY_OF_WEEK 22009 Illegal input for day of week: x0."),
        (
            "Spark `regexp_extract` function: Invalid regex pattern",
            "INVALID_PARAMETER_VALUE.PATTERN 22023 The pattern of `regexp_extract` is no regular expression.",
        ),
        (
            "[DUPLICATED_MAP_KEY] Duplicate map key 1 was found.",
            "DUPLICATED_MAP_KEY 23505 Duplicate map key 1 was found.",
        ),
        (
            "Resources exhausted: Failed to allocate additional 1.2 MB for GroupedHashAggregateStream[0] with 1 MB already allocated: more",
            "- - The engine has used up the memory that it may use: Failed to allocate additional 1.2 MB for GroupedHashAggregateStream[0] with 1 MB already allocated",
        ),
        // What somebody else has said is left alone.
        ("boom 0", "- - boom 0"),
        (
            "Csv error: incorrect number of fields for line 3, expected 2 got 1",
            "- - Csv error: incorrect number of fields for line 3, expected 2 got 1",
        ),
        (
            "Execution error: String 'a0' does not match the expected regex pattern.",
            "- - String 'a0' does not match the expected regex pattern",
        ),
        // The analysis.
        (
            "attribute ObjectName([Identifier(\"t\"), Identifier(\"nope\")]) is missing from the schema: cannot resolve attribute",
            "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION 42703 the column `t.nope` cannot be resolved",
        ),
        (
            "ambiguous attribute: ObjectName([Identifier(\"id\")])",
            "AMBIGUOUS_REFERENCE 42704 the column `id` is ambiguous: more than one input has it",
        ),
        (
            "Table not found: [TABLE_OR_VIEW_NOT_FOUND] Table or view not found: nope",
            "TABLE_OR_VIEW_NOT_FOUND 42P01 the table or view `nope` cannot be found",
        ),
        ("unknown function: nofn", "UNRESOLVED_ROUTINE 42883 there is no function `nofn`"),
        (
            "unknown function: row_number",
            "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE 42601 the window function `row_number` needs an OVER clause",
        ),
        ("No data source found for: orc", "DATA_SOURCE_NOT_FOUND 42K02 the engine has no data source `orc`"),
        (
            "one value expected: [Column(Column { relation: Some(Bare { table: \"range\" }), name: \"#0\" }), Literal(Int32(2), None)]",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION 42605 a function takes one value, not 2",
        ),
        (
            "invalid argument: substr requires 2 or 3 arguments",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION 42605 the function `substr` takes 2 or 3 values",
        ),
        (
            "Execution error: Function 'spark_conv' user-defined coercion failed with: Execution error: Spark `spark_conv` function requires 3 arguments, got 1. No function matches the given name and argument types 'spark_conv(Int64)'. You might need to add explicit type casts.\n\tCandidate functions:\n\tspark_conv(UserDefined)",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION 42605 the function `conv` takes 3 arguments, not 1",
        ),
        (
            "Failed to coerce arguments to satisfy a call to 'spark_array' function: coercion from Int32, Utf8, Map(\"entries\": non-null Struct(\"key\": non-null Int32, \"value\": non-null Int32), unsorted) to the signature OneOf(UserDefined, Nullary) failed. No function matches",
            "- - the function `array` does not take INT, STRING, MAP",
        ),
        (
            "Cannot coerce arithmetic expression Int64 + List(non-null Int32) to valid types",
            "DATATYPE_MISMATCH 42K09 BIGINT + ARRAY<INT> can not be worked out: cast one side",
        ),
        (
            "Cannot create filter with non-boolean predicate 'range.#0' returning Int64",
            "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN 42K09 the condition is neither true nor false: its type is BIGINT",
        ),
        (
            "UNION queries have different number of columns: left has 1 columns whereas right has 2 columns",
            "NUM_COLUMNS_MISMATCH 42826 a union of 1 and 2 columns",
        ),
        (
            "Error during planning: Incompatible inputs for Union: Previous inputs were of type Int64, but got incompatible type List(non-null Int32) on column '#2'",
            "INCOMPATIBLE_COLUMN_TYPE 42825 a union of columns of the types BIGINT and ARRAY<INT>",
        ),
        (
            "Aggregate function calls cannot be nested: 'sum(range.#0)' is nested inside 'sum(sum(range.#0))'",
            "NESTED_AGGREGATE_FUNCTION 42607 an aggregate function stands in the argument of another one",
        ),
        (
            "No field named range.\"#0\". Did you mean '\"sum(range.#0)\"'?\nValid fields are \"sum(range.#0)\".",
            "MISSING_AGGREGATION 42803 a column is used where there is none, perhaps one that is neither grouped by nor inside an aggregate function",
        ),
        (
            "Error during planning: LIMIT must be >= 0, '-1' was provided",
            "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE 42K0E a limit is 0 or more, not -1",
        ),
        (
            "invalid argument: Cannot resolve column position 5. Valid positions are 1 to 1.",
            "- 42805 Cannot resolve column position 5. Valid positions are 1 to 1",
        ),
        (
            "invalid argument: found SELEC at 0:5 expected something else, ';', statement, or end of input",
            "PARSE_SYNTAX_ERROR 42601 Syntax error at or near `SELEC`.",
        ),
        (
            "invalid argument: found end of input expected '->', '.', '('",
            "PARSE_SYNTAX_ERROR 42601 Syntax error at or near end of input.",
        ),
        (
            "invalid argument: found nosuchtype at 18:28 expected data type",
            "UNSUPPORTED_DATATYPE 0A000 there is no data type `nosuchtype`",
        ),
        (
            "invalid argument: DateValue { year: 2024, month: 13, day: 1 }",
            "INVALID_TYPED_LITERAL 42604 the date 2024-13-1 does not exist",
        ),
        (
            "Optimizer rule 'x' failed\ncaused by\ntype_coercion\ncaused by\nError during planning: no way",
            "- - no way",
        ),
    ];

    #[test]
    fn sails_words_are_told_in_sparks() {
        for (text, expected) in TOLD.iter().copied() {
            let told = told(text, Some("org.apache.spark.sql.AnalysisException"));
            let line =
                format!("{} {} {}", told.class.unwrap_or("-"), told.state.unwrap_or("-"), told.message);
            assert_eq!(line, expected, "{text}");
            assert!(!told.is_internal);
        }
    }

    #[test]
    fn what_is_lacking_and_what_is_broken_is_said() {
        let aggregate = "Physical plan does not support logical expression AggregateFunction(AggregateFunction { func: AggregateUDF { inner: Sum { signature";
        let told_of = told(aggregate, Some(UNSUPPORTED));
        assert_eq!(told_of.message, "an aggregate function stands where none may, as in a filter");
        assert_eq!(
            told("collect metrics", Some(UNSUPPORTED)).message,
            "the engine does not support this: collect metrics"
        );
        for text in [
            "Internal error: index out of bounds: the len is 3 but the index is 7.\nThis was likely caused by a bug in DataFusion's code. Please help us to resolve this by filing a bug report in our issue tracker: https://x",
            "task 12 panicked with message \"index out of bounds\"",
        ] {
            let told = told(text, None);
            assert!(told.is_internal && told.class == Some("INTERNAL_ERROR"), "{told:?}");
            assert!(
                told.message.contains("index out of bounds") && !told.message.contains("issue tracker"),
                "{told:?}"
            );
        }
    }

    #[test]
    fn values_of_rust_are_not_shown() {
        let text = "can not sort by this: [Column(Column { relation: None, name: \"x\" })]";
        assert_eq!(told(text, None).message, "can not sort by this");
        let long = told(&"x ".repeat(5_000), None);
        assert!(long.message.chars().count() <= LONGEST + 1);
    }
}
