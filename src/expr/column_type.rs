//! Owns the types of columns: those that Spark SQL writes, nested ones too, as contracts promise them and as engines tell them.
//!
//! A type has one spelling here, whatever it was written as. Whether a field of a `struct` may be NULL is no part of it: for files
//! engines say that all may.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use super::Type;
use crate::name::{is_name, quoted};

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// One without parts, in its one spelling: `decimal(12,2)`.
    Plain(String),
    Array(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Struct(Vec<(String, Self)>),
}

/// Why a text is no type, and what to write instead where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoType {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The name that is none, where it is a name that is wrong.
    pub(crate) name: Option<String>,
}

/// What is other in a type than was promised: which part of it, what was promised there and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) path: String,
    pub(crate) promised: Option<String>,
    pub(crate) found: Option<String>,
}

/// Types are nested no deeper, so that no file makes the reader overflow.
const DEEPEST: usize = 50;
/// The units of the intervals that Spark has, each family from the largest on.
const UNITS: [&[&str]; 2] = [&["year", "month"], &["day", "hour", "minute", "second"]];

impl ColumnType {
    /// The type of a text, or all that is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<NoType>> {
        let mut reader = Reader::new(text, Strictness::File);
        let data_type = reader.whole();
        if reader.wrong.is_empty() { Ok(data_type) } else { Err(reader.wrong) }
    }

    /// The type that an engine tells; what is unknown here stays as the engine writes it.
    pub(crate) fn told(text: &str) -> Self {
        let mut reader = Reader::new(text, Strictness::Engine);
        let data_type = reader.whole();
        if reader.wrong.is_empty() { data_type } else { Self::Plain(text.to_lowercase()) }
    }

    /// Whether it is a type that a contract can name.
    pub(crate) fn is_known(&self) -> bool {
        Self::parse(&self.ddl()).is_ok()
    }

    /// As an engine reads it, whatever the names of its fields are.
    pub(crate) fn ddl(&self) -> String {
        Text { of: self, name: quoted }.to_string()
    }

    /// Where `found` is other than this, which was promised. The names of fields are compared as engines do, without their case and
    /// without their order.
    pub(crate) fn differences(&self, found: &Self, path: &str) -> Vec<Difference> {
        let inside = |promised: &Self, found: &Self, part: &str| {
            promised.differences(found, &format!("{path}.{part}"))
        };
        match (self, found) {
            (Self::Array(promised), Self::Array(found)) => inside(promised, found, "element"),
            (Self::Map(key, value), Self::Map(found_key, found_value)) => {
                let mut all = inside(key, found_key, "key");
                all.extend(inside(value, found_value, "value"));
                all
            }
            (Self::Struct(promised), Self::Struct(found)) => {
                let missing = promised.iter().flat_map(|(name, promised)| match named(found, name) {
                    Some(found) => inside(promised, found, name),
                    None => vec![Difference {
                        path: format!("{path}.{name}"),
                        promised: Some(promised.to_string()),
                        found: None,
                    }],
                });
                let further = found.iter().filter(|(name, _)| named(promised, name).is_none());
                let further = further.map(|(name, found)| Difference {
                    path: format!("{path}.{name}"),
                    promised: None,
                    found: Some(found.to_string()),
                });
                missing.chain(further).collect()
            }
            _ if self == found => Vec::new(),
            _ => vec![Difference {
                path: path.to_owned(),
                promised: Some(self.to_string()),
                found: Some(found.to_string()),
            }],
        }
    }
}

fn named<'f>(fields: &'f [(String, ColumnType)], name: &str) -> Option<&'f ColumnType> {
    let lower = name.to_lowercase();
    fields.iter().find(|(known, _)| known.to_lowercase() == lower).map(|(_, data_type)| data_type)
}

/// As Spark prints it, without the spaces that YAML would want quotes for.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &str| if is_name(name) { name.to_owned() } else { quoted(name) };
        Text { of: self, name }.fmt(f)
    }
}

/// A type as text, the names of its fields as a function writes them.
struct Text<'a, N> {
    of: &'a ColumnType,
    name: N,
}

impl<N: Fn(&str) -> String + Copy> fmt::Display for Text<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |of| Text { of, name: self.name };
        match self.of {
            ColumnType::Plain(name) => f.write_str(name),
            ColumnType::Array(item) => write!(f, "array<{}>", text(item)),
            ColumnType::Map(key, value) => write!(f, "map<{},{}>", text(key), text(value)),
            ColumnType::Struct(fields) => {
                let fields = fields.iter();
                let fields: Vec<String> =
                    fields.map(|(name, of)| format!("{}:{}", (self.name)(name), text(of))).collect();
                write!(f, "struct<{}>", fields.join(","))
            }
        }
    }
}

/// Who has written a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// A user: what would be passed over is refused.
    File,
    /// An engine: what is no part of a type here is passed over.
    Engine,
}

struct Reader<'t> {
    text: &'t str,
    rest: Peekable<Chars<'t>>,
    strictness: Strictness,
    depth: usize,
    wrong: Vec<NoType>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, strictness: Strictness) -> Self {
        Self { text, rest: text.chars().peekable(), strictness, depth: 0, wrong: Vec::new() }
    }

    fn whole(&mut self) -> ColumnType {
        let data_type = self.data_type();
        self.space();
        if self.rest.peek().is_some() && self.wrong.is_empty() {
            let rest: String = self.rest.by_ref().collect();
            self.is_wrong(format!("`{}` is not a Spark SQL type: `{rest}` is too much", self.text.trim()));
        }
        data_type
    }

    fn is_wrong(&mut self, message: String) {
        self.wrong.push(NoType { message, help: None, name: None });
    }

    fn space(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.space();
        self.rest.next_if_eq(&wanted).is_some()
    }

    /// Takes a character that must come; without it nothing more can be read.
    fn needs(&mut self, wanted: char) {
        if !self.takes(wanted) && self.wrong.is_empty() {
            let message = format!("`{}` is not a Spark SQL type: a `{wanted}` is missing", self.text.trim());
            self.is_wrong(message);
            self.rest.by_ref().for_each(drop);
        }
    }

    fn data_type(&mut self) -> ColumnType {
        self.depth += 1;
        let data_type = if self.depth > DEEPEST {
            self.is_wrong(format!("the type is nested deeper than {DEEPEST} levels"));
            self.rest.by_ref().for_each(drop);
            ColumnType::Plain(String::new())
        } else {
            self.part()
        };
        self.depth -= 1;
        data_type
    }

    fn part(&mut self) -> ColumnType {
        let words = self.words();
        let kind = words.to_lowercase();
        if self.rest.next_if_eq(&'<').is_none() {
            return self.plain(&words);
        }
        let data_type = match kind.as_str() {
            "array" => ColumnType::Array(Box::new(self.data_type())),
            "map" => {
                let key = self.data_type();
                self.needs(',');
                ColumnType::Map(Box::new(key), Box::new(self.data_type()))
            }
            "struct" => self.fields(),
            _ => {
                let message = format!(
                    "`{words}<…>` is not a Spark SQL type: `array`, `map` and `struct` have types inside"
                );
                self.wrong.push(NoType { message, help: instead_of(&words), name: None });
                self.rest.by_ref().for_each(drop);
                return ColumnType::Plain(words);
            }
        };
        self.needs('>');
        self.not_null();
        data_type
    }

    /// What stands before a `<`, a `,` or a `>` that belongs to something else.
    fn words(&mut self) -> String {
        let mut words = String::new();
        let mut brackets = 0_usize;
        while let Some(c) = self.rest.peek().copied() {
            match c {
                '<' | '>' | ',' if brackets == 0 => break,
                '(' => brackets += 1,
                ')' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            words.push(c);
            self.rest.next();
        }
        words.trim().to_owned()
    }

    /// Takes `NOT NULL` behind a type with parts.
    fn not_null(&mut self) {
        self.space();
        if self.rest.peek().is_some_and(|c| c.is_alphabetic()) {
            let words = self.words();
            if !is_not_null(&words) {
                self.is_wrong(format!(
                    "`{}` is not a Spark SQL type: `{words}` is too much",
                    self.text.trim()
                ));
            } else if self.strictness == Strictness::File {
                self.refuses_not_null();
            }
        }
    }

    fn refuses_not_null(&mut self) {
        self.wrong.push(NoType {
            message: "`NOT NULL` inside of a type would not be looked at".to_owned(),
            help: Some(
                "take it out; that a field has a value can be said with `expect`: `that: a.b IS NOT NULL`"
                    .to_owned(),
            ),
            name: None,
        });
    }

    fn fields(&mut self) -> ColumnType {
        let mut fields: Vec<(String, ColumnType)> = Vec::new();
        self.space();
        while self.rest.peek().is_some_and(|c| *c != '>') {
            let Some(name) = self.field_name() else { break };
            self.takes(':');
            let data_type = self.data_type();
            if named(&fields, &name).is_some() {
                self.is_wrong(format!("two fields of a `struct` are called `{name}`"));
            }
            fields.push((name, data_type));
            if !self.takes(',') {
                break;
            }
            self.space();
        }
        if fields.is_empty() && self.strictness == Strictness::File && self.wrong.is_empty() {
            self.is_wrong("a `struct` has fields: `struct<a:int>`".to_owned());
        }
        ColumnType::Struct(fields)
    }

    fn field_name(&mut self) -> Option<String> {
        self.space();
        let mut name = String::new();
        if self.rest.next_if_eq(&'`').is_some() {
            while let Some(c) = self.rest.next() {
                if c != '`' || self.rest.next_if_eq(&'`').is_some() {
                    name.push(c);
                } else {
                    break;
                }
            }
        } else {
            while let Some(c) = self.rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                name.push(c);
            }
        }
        if name.is_empty() {
            if self.wrong.is_empty() {
                let message =
                    format!("`{}` is not a Spark SQL type: the name of a field is missing", self.text.trim());
                let help = "write `name: type`; a name with other characters than letters, digits and `_` stands in backquotes";
                self.wrong.push(NoType { message, help: Some(help.to_owned()), name: None });
            }
            self.rest.by_ref().for_each(drop);
            return None;
        }
        Some(name)
    }

    /// A type without parts.
    fn plain(&mut self, words: &str) -> ColumnType {
        let mut words = words;
        if self.depth > 1
            && let Some(before) = without_not_null(words)
        {
            words = before;
            if self.strictness == Strictness::File {
                self.refuses_not_null();
            }
        }
        if let Some(spelling) = spelling(words) {
            return ColumnType::Plain(spelling);
        }
        if self.strictness == Strictness::Engine && is_text_of_some_length(words) {
            return ColumnType::Plain("string".to_owned());
        }
        if words.is_empty() && !self.wrong.is_empty() {
            // It is missing with what should have stood before it.
            return ColumnType::Plain(String::new());
        }
        let (message, help) = if words.is_empty() {
            (format!("`{}` is not a Spark SQL type: a type is missing in it", self.text.trim()), None)
        } else {
            (format!("`{words}` is not a Spark SQL type"), instead_of(words))
        };
        self.wrong.push(NoType { message, help, name: Some(words.to_owned()) });
        ColumnType::Plain(words.to_owned())
    }
}

fn is_not_null(words: &str) -> bool {
    words.split_whitespace().map(str::to_lowercase).eq(["not", "null"])
}

/// The words before `NOT NULL`, where they end so.
fn without_not_null(words: &str) -> Option<&str> {
    let (before, last) = words.rsplit_once(char::is_whitespace)?;
    let (before, middle) = before.trim_end().rsplit_once(char::is_whitespace)?;
    (last.eq_ignore_ascii_case("null") && middle.eq_ignore_ascii_case("not")).then(|| before.trim_end())
}

fn is_text_of_some_length(words: &str) -> bool {
    let lower = words.to_lowercase();
    ["char(", "varchar("].iter().any(|name| lower.starts_with(name))
}

/// The one spelling of a type without parts; nothing where there is no such type.
fn spelling(words: &str) -> Option<String> {
    match Type::parse(words) {
        Some(Type::Identifier | Type::Array(_)) => return None,
        Some(known) => return Some(known.to_string()),
        None => {}
    }
    let lower = words.to_lowercase();
    let parts: Vec<&str> = lower.split_whitespace().collect();
    match parts.as_slice() {
        ["void"] => return Some("void".to_owned()),
        ["variant"] => return Some("variant".to_owned()),
        ["interval"] => return Some("interval".to_owned()),
        ["interval", from] => return is_interval(from, from).then(|| format!("interval {from}")),
        ["interval", from, "to", to] => {
            return is_interval(from, to).then(|| format!("interval {from} to {to}"));
        }
        ["string", "collate", "utf8_binary"] => return Some("string".to_owned()),
        ["string", "collate", name] => return Some(format!("string collate {}", name.to_uppercase())),
        _ => {}
    }
    let squeezed: String = parts.concat();
    let (name, argument) = squeezed.strip_suffix(')')?.split_once('(')?;
    let is_right = match name {
        "time" | "timestamp_ntz" | "timestamp_ltz" => argument.parse::<u8>().is_ok_and(|digits| digits <= 9),
        "geometry" | "geography" => argument == "any" || argument.parse::<u32>().is_ok(),
        _ => false,
    };
    is_right.then_some(squeezed)
}

fn is_interval(from: &str, to: &str) -> bool {
    UNITS.iter().any(|units| {
        let place = |unit| units.iter().position(|known| *known == unit);
        matches!((place(from), place(to)), (Some(from), Some(to)) if from <= to)
    })
}

fn instead_of(words: &str) -> Option<String> {
    let lower = words.to_lowercase();
    let name = lower.split(['(', ' ']).next().unwrap_or_default();
    Some(match name {
        "text" | "str" | "varchar" | "char" | "character" | "uuid" | "json" => "write `string`".to_owned(),
        "array" | "list" | "seq" | "set" => "write `array<TYPE>`, as in `array<string>`".to_owned(),
        "map" | "dict" => "write `map<TYPE,TYPE>`, as in `map<string,int>`".to_owned(),
        "struct" | "object" | "record" | "row" => {
            "write `struct<name:TYPE>`, as in `struct<a:int,b:string>`".to_owned()
        }
        "variant" => "write `variant`".to_owned(),
        "null" => "write `void`".to_owned(),
        _ if words.contains("${") => "a contract has no variables".to_owned(),
        _ => return Type::instead_of(words).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        ColumnType::parse(text).unwrap().to_string()
    }

    #[test]
    fn a_type_has_one_spelling() {
        for (text, spelling) in [
            ("LONG", "bigint"),
            ("decimal( 12 , 2 )", "decimal(12,2)"),
            ("Array< Struct<a INT, `b c`: STRING> >", "array<struct<a:int,`b c`:string>>"),
            ("map<string,array<decimal(3,1)>>", "map<string,array<decimal(3,1)>>"),
            ("struct<a:struct<b:int>,c:timestamp_ltz>", "struct<a:struct<b:int>,c:timestamp>"),
            ("struct<ü: int, `a``b`: date>", "struct<`ü`:int,`a``b`:date>"),
            ("INTERVAL HOUR TO SECOND", "interval hour to second"),
            ("interval day to second", "interval day to second"),
            ("INTERVAL MONTH", "interval month"),
            ("interval", "interval"),
            ("time(3)", "time(3)"),
            ("TIME(6)", "time"),
            ("timestamp_ntz(9)", "timestamp_ntz(9)"),
            ("string collate utf8_lcase", "string collate UTF8_LCASE"),
            ("variant", "variant"),
            ("void", "void"),
            ("geometry(4326)", "geometry(4326)"),
        ] {
            assert_eq!(shown(text), spelling, "{text}");
            assert_eq!(shown(spelling), spelling, "{text}");
        }
        assert_eq!(ColumnType::parse("struct<a: int>").unwrap().ddl(), "struct<`a`:int>");
    }

    #[test]
    fn all_that_is_no_type_is_told() {
        let told = |text: &str| -> Vec<String> {
            ColumnType::parse(text).unwrap_err().into_iter().map(|wrong| wrong.message).collect()
        };
        for (text, message) in [
            ("strng", "`strng` is not a Spark SQL type"),
            ("", "`` is not a Spark SQL type: a type is missing in it"),
            ("array<>", "`array<>` is not a Spark SQL type: a type is missing in it"),
            ("array", "`array` is not a Spark SQL type"),
            ("array<int", "`array<int` is not a Spark SQL type: a `>` is missing"),
            ("array<int>>", "`array<int>>` is not a Spark SQL type: `>` is too much"),
            ("map<string>", "`map<string>` is not a Spark SQL type: a `,` is missing"),
            ("list<int>", "`list<…>` is not a Spark SQL type: `array`, `map` and `struct` have types inside"),
            ("struct<>", "a `struct` has fields: `struct<a:int>`"),
            ("struct<: int>", "`struct<: int>` is not a Spark SQL type: the name of a field is missing"),
            ("struct<a: int, A: int>", "two fields of a `struct` are called `A`"),
            ("struct<a: int NOT NULL>", "`NOT NULL` inside of a type would not be looked at"),
            ("struct<a: array<int> not null>", "`NOT NULL` inside of a type would not be looked at"),
            ("bigint not null", "`bigint not null` is not a Spark SQL type"),
            ("decimal(39,1)", "`decimal(39,1)` is not a Spark SQL type"),
            ("interval second to day", "`interval second to day` is not a Spark SQL type"),
            ("varchar(20)", "`varchar(20)` is not a Spark SQL type"),
        ] {
            assert_eq!(told(text), [message], "{text}");
        }
        assert_eq!(told("struct<a: it, b: map<strng, int>>").len(), 2);
        let deep = format!("{}int{}", "array<".repeat(10_000), ">".repeat(10_000));
        assert_eq!(told(&deep), ["the type is nested deeper than 50 levels"]);
    }

    #[test]
    fn what_engines_tell_is_understood() {
        for (text, shown) in [
            ("STRUCT<`a`: INT NOT NULL, `b`: ARRAY<STRING> NOT NULL>", "struct<a:int,b:array<string>>"),
            ("VARCHAR(20)", "string"),
            ("TIMESTAMP", "timestamp"),
            ("UDT(org.Point)", "udt(org.point)"),
            ("STRUCT<>", "struct<>"),
        ] {
            assert_eq!(ColumnType::told(text).to_string(), shown);
        }
    }

    #[test]
    fn types_differ_where_their_parts_do() {
        let of = |text: &str| ColumnType::parse(text).unwrap();
        let promised = of("struct<a: int, B: array<struct<c: date>>, m: map<string, int>, gone: int>");
        let found = of("struct<b: array<struct<C: string>>, m: map<string, bigint>, a: int, more: int>");
        let told: Vec<_> = promised
            .differences(&found, "x")
            .into_iter()
            .map(|it| (it.path, it.promised, it.found))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("x.B.element.c".to_owned(), some("date"), some("string")),
                ("x.m.value".to_owned(), some("int"), some("bigint")),
                ("x.gone".to_owned(), some("int"), None),
                ("x.more".to_owned(), None, some("int")),
            ]
        );
        assert_eq!(of("array<int>").differences(&of("int"), "x").len(), 1);
        assert_eq!(promised.differences(&promised, "x"), []);
    }
}
