//! Owns what is wrong with the user's file: what, where, why, and how to mend it.
//!
//! This is data. Producers return it, `report` draws it. Codes are a public contract: a code is never given a second
//! meaning, and a new mistake gets a new code.

use crate::text::Span;

/// Whether a diagnostic stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Error,
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The stable name of a kind of mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// In the order in which they are listed.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

codes! {
    /// The file is not YAML.
    Syntax = "E001",
    /// The file is not UTF-8, too large, too deep, or holds more than one document.
    Unreadable = "E002",
    /// A key is not known at its place.
    UnknownKey = "E003",
    /// A key occurs twice in one mapping.
    DuplicateKey = "E004",
    /// A value has the wrong type or form.
    WrongType = "E005",
    /// A required key is missing.
    MissingKey = "E006",
    /// YAML took part of the text away: a tag, a comment, a comma.
    Misread = "E007",
    /// A name is not allowed.
    BadName = "E008",
    /// Two steps have one name, case ignored.
    DuplicateStep = "E009",
    /// A step refers to a step that does not exist.
    UnknownStep = "E010",
    /// Steps need each other in a circle.
    Cycle = "E011",
    /// A step has no source, or several.
    Source = "E012",
    /// The pipeline has no output.
    NoOutput = "E013",
    /// A variable is not declared.
    UnknownVariable = "E014",
    /// A variable's value is missing or of the wrong type.
    BadVariable = "E015",
    /// A variable stands where it can't: in a key, in SQL quotes.
    MisplacedVariable = "E016",
    /// An expression is malformed, as far as can be seen without an engine.
    Expression = "E017",
    /// Settings of a kind contradict each other.
    Settings = "E018",
    /// A path leaves its folder or has no meaning at the engine.
    Path = "E019",
    /// Another file that the pipeline names can't be used.
    File = "E020",
    /// Known, and not available in this version.
    Unsupported = "E021",
    /// The engine lacks what a step needs.
    Gap = "E022",
    /// The engine's analysis found a mistake.
    Analysis = "E023",
    /// A column does not exist.
    UnknownColumn = "E024",
    /// Two columns of a step have one name.
    DuplicateColumn = "E025",
    /// An input has no data and no columns.
    NoInput = "E026",
    /// Two outputs write to one place.
    SameOutput = "E027",
    /// Files include one another in a circle, clash, or can't be included.
    Include = "E028",
    /// A secret stands where it would be seen: in a name, a path, a connection string.
    Secret = "E029",
    /// A target, or the engine of one, does not exist.
    UnknownTarget = "E030",
    /// A source has other columns than its contract says.
    Contract = "E031",
    /// A variable is declared and never used.
    UnusedVariable = "W001",
    /// A step feeds no output.
    UnusedStep = "W002",
    /// A limit takes any rows, because no sort stands before it.
    LimitWithoutSort = "W003",
    /// A join's condition does not relate its sides.
    JoinWithoutCondition = "W004",
    /// Several steps print on standard output, in a form that a program reads as one.
    SharedStdout = "W005",
    /// An expression means something else on another engine.
    ReadOtherwise = "W006",
    /// A step has other columns on another engine.
    SchemaDiffers = "W007",
    /// An option is none of the format's, so that engines pass over it.
    UnknownOption = "W008",
    /// A step reads what an output of the same run replaces.
    OverwrittenInput = "W009",
}

/// What is said of each code at length: a section each.
const PAGES: &str = include_str!("../docs/diagnostics.md");

impl Code {
    /// What it means, with an example of the mistake and of the mend, as Markdown; its heading comes first.
    pub(crate) fn page(self) -> &'static str {
        let section = PAGES.split("\n## ").find(|section| section.starts_with(self.as_str()));
        section.unwrap_or_default().trim_end()
    }

    /// The code of a text, case ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    pub(crate) fn severity(self) -> Severity {
        if self.as_str().starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) code: Code,
    pub(crate) span: Span,
    /// One sentence: what is wrong.
    pub(crate) message: String,
    /// A few words beside the caret.
    pub(crate) label: Option<String>,
    /// Other places that belong to it.
    pub(crate) related: Vec<(Span, String)>,
    /// What belongs to it, a line each.
    pub(crate) notes: Vec<String>,
    /// How to mend it.
    pub(crate) help: Vec<String>,
    /// What the engine calls it, where it is the engine that has found it: the error's class, and the SQL state.
    pub(crate) class: Option<String>,
    pub(crate) sql_state: Option<String>,
}

impl Diagnostic {
    /// A secret at a place where it would be seen.
    pub(crate) fn secret(span: Span) -> Self {
        Self::new(Code::Secret, span, "a secret would be seen here: messages, files or processes show this text").help(
            "secrets stand in expressions, queries, rows of `values`, options and `conf`; in a target in `token`, `conf` and `vars`",
        )
    }

    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            class: None,
            sql_state: None,
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.code.severity() == Severity::Error
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// What the engine calls it.
    pub(crate) fn called(mut self, class: Option<String>, sql_state: Option<String>) -> Self {
        (self.class, self.sql_state) = (class, sql_state);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Proposes the nearest of `known` names, where one is near, and otherwise lists them where they are few.
    pub(crate) fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        const FEW: usize = 12;
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = nearest(wrong, known.iter().copied()) {
            return self.help(format!("did you mean `{near}`?"));
        }
        if known.is_empty() || known.len() > FEW {
            return self;
        }
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.help(format!("expected one of {list}"))
    }
}

/// The name nearest to `wrong`, where it is near enough for a slip of the finger.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let length = lower.chars().count();
    let allowed = match length {
        0 => return None,
        1..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .filter(|name| name.chars().count().abs_diff(length) <= allowed)
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Returns how many errors there are, in words; of warnings that are errors, how many these are.
pub(crate) fn counted(diagnostics: &[Diagnostic]) -> String {
    match diagnostics.iter().filter(|one| one.is_error()).count() {
        0 if diagnostics.len() == 1 => "1 warning, and `--deny-warnings` takes it for a mistake".to_owned(),
        0 => format!("{} warnings, and `--deny-warnings` takes them for mistakes", diagnostics.len()),
        1 => "1 mistake".to_owned(),
        errors => format!("{errors} mistakes"),
    }
}

/// All that was found, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(diagnostics);
    }

    pub(crate) fn contains(&self, diagnostic: &Diagnostic) -> bool {
        self.0.contains(diagnostic)
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether a source is other than its contract says.
    pub(crate) fn has_contract(&self) -> bool {
        self.0.iter().any(|one| one.code == Code::Contract)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn without(mut self, codes: &[Code]) -> Self {
        self.0.retain(|one| !codes.contains(&one.code));
        self
    }

    /// Sorts by place and drops exact repetitions.
    pub(crate) fn sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.0.dedup();
        self.0
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, items: I) {
        self.0.extend(items);
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_given_once() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn every_code_has_a_page() {
        for code in Code::ALL {
            let page = code.page();
            for part in ["Wrong:", "Right:", "```yaml"] {
                assert!(page.contains(part), "{} lacks {part}", code.as_str());
            }
        }
        // The section of a code that is gone would lie.
        assert_eq!(PAGES.matches("\n## ").count(), Code::ALL.len());
    }

    #[test]
    fn only_near_names_are_proposed() {
        let known = ["orders", "customers", "id"];
        for (wrong, near) in [
            ("ordres", Some("orders")),
            ("ORDERS", Some("orders")),
            ("custmer", Some("customers")),
            ("ids", Some("id")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), near, "{wrong}");
        }
    }
}
