//! The stable names of what can be wrong. They are a public contract: a code never gets a second meaning, and a new error
//! gets a new code.

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
    /// Steps depend on each other in a cycle.
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
    /// Files include one another in a cycle, clash, or can't be included.
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
const PAGES: &str = include_str!("../../docs/diagnostics.md");

impl Code {
    /// What it means, with an example of it and of its fix, as Markdown; its heading comes first.
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
}
