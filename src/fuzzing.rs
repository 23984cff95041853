//! What `fuzz/` feeds with any input: the parts that read what users and their schedulers write.
//!
//! It is there with the feature `fuzzing` alone. Each function holds what must be true of every input, and panics where it
//! is not.

use std::io;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use crate::connect::{Defaults, Endpoint};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::{Dialect, Quotes};
use crate::expr::{Bindings, Template, check_query, without_end};
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan;
use crate::report::{Colour, render};
use crate::spec::{self, Documents, Loaded};
use crate::target::TargetSettings;

fn load(text: &[u8], variables: &[(String, String)]) -> Loaded {
    let inputs = spec::Inputs {
        variables,
        documents: &Documents::default(),
        environment: &|_| None,
        files: &|_| Err(io::ErrorKind::NotFound.into()),
        canonical: &|_| Err(io::ErrorKind::NotFound.into()),
        run_id: "fuzz",
        started_at: DateTime::UNIX_EPOCH,
        root: None,
        target: &TargetSettings::default(),
    };
    spec::load(Path::new("fuzz.yaml"), PathBuf::from("/"), text.to_vec(), &inputs)
}

/// Any bytes as a pipeline file: something is made of them, or something is said of them, at a place that is there.
pub fn yaml(bytes: &[u8]) {
    let loaded = load(bytes, &[]);
    match loaded.pipeline {
        Ok(pipeline) => {
            assert!(!loaded.diagnostics.iter().any(Diagnostic::is_error));
            let graph = Graph::new(&pipeline);
            for dialect in [Dialect::sail(), Dialect::spark()] {
                if let Ok(plan) = plan::compile(&pipeline, &graph, &dialect) {
                    assert!(!plan::describe(&pipeline, &plan).is_empty());
                }
            }
        }
        Err(sources) => {
            assert!(loaded.diagnostics.iter().any(Diagnostic::is_error), "refused without a word");
            for one in &loaded.diagnostics {
                let source = sources.get(one.span.file);
                assert!(one.span.start <= one.span.end && one.span.end as usize <= source.text().len());
                let position = source.position(one.span.start);
                assert!(position.line > 0 && position.column > 0);
            }
            assert!(!render(&sources, &loaded.diagnostics, Colour::Never).is_empty());
        }
    }
}

/// Any text as an expression: its tokens are all of it but white space, and rewriting its quotes changes no other token.
pub fn expression(text: &str) {
    let template = Template::of_text(text);
    let tokens = template.tokens();
    let mut end = 0;
    for token in &tokens {
        assert!(token.range.start >= end && token.range.end > token.range.start);
        assert!(
            text.get(end..token.range.start).is_some_and(|gap| gap.trim().is_empty()),
            "text between tokens"
        );
        assert!(text.get(token.range.clone()).is_some(), "a token within a character");
        end = token.range.end;
    }
    assert!(text.get(end..).is_some_and(|rest| rest.trim().is_empty()), "text behind the last token");
    check_query(&template, &mut Diagnostics::default());
    if tokens.iter().all(|token| token.closed) {
        let rewritten = template.sql(&Bindings::default(), Quotes::Backslash);
        let kinds: Vec<_> = tokens.iter().map(|token| token.kind).collect();
        let after: Vec<_> = Template::of_text(&rewritten).tokens().iter().map(|token| token.kind).collect();
        assert_eq!(kinds, after, "{rewritten}");
    }
    assert!(text.starts_with(without_end(text)));
}

/// Any text with `${v}` in it, and any value of it: the value changes nothing but its own literal.
pub fn interpolation(text: &str, value: &str) {
    const STAND_IN: &str = "stand-in";
    // JSON's strings are double-quoted scalars of YAML.
    let scalar = serde_json::Value::from(text).to_string();
    let file = format!(
        "version: 1\nvars: {{ v: {{ type: string, default: x }} }}\nsteps:\n  a:\n    range: 1\n    transform: [filter: {scalar}]\n    write: {{ csv: a.csv }}\n"
    );
    let bound = |value: &str| load(file.as_bytes(), &[("v".to_owned(), value.to_owned())]).pipeline.ok();
    let (bound, stand_in) = (bound(value), bound(STAND_IN));
    let (Some(bound), Some(stand_in)) = (bound, stand_in) else { return };
    let literal = |value: &str| {
        let digits: String = value.bytes().map(|byte| format!("{byte:02X}")).collect();
        format!("CAST(X'{digits}' AS STRING)")
    };
    assert_eq!(filter(&stand_in).replace(&literal(STAND_IN), &literal(value)), filter(&bound));
}

fn filter(pipeline: &Pipeline) -> String {
    let step = &pipeline.steps[0];
    let expressions = step.transforms[0].value.kind().expressions();
    expressions.iter().map(|expr| expr.sql(&pipeline.bindings, Quotes::Doubled)).collect()
}

/// Any text as a connection string: what it keeps from others is in no message.
pub fn connection_string(text: &str) {
    const LONG_ENOUGH: usize = 8;
    let result = Endpoint::parse(text, &Defaults::default());
    let token = text.split_once(";token=").map(|(_, rest)| rest.split(';').next().unwrap_or(rest));
    if let (Ok(endpoint), Some(token)) = (&result, token)
        && token.len() >= LONG_ENOUGH
        && text.matches(token).count() == 1
    {
        let shown = format!("{endpoint} {endpoint:?}");
        assert!(!shown.contains(token), "{shown}");
    }
    if let Err(error) = result {
        assert!(!error.to_string().is_empty());
    }
}
