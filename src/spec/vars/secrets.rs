//! Owns `${secret:…}`: where a secret comes from, and what can be wrong with it there.

use std::path::Path;

use super::piece::has_secret;
use super::problem::Problem;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Type, Value};
use crate::secret::{Secret, came_from_variable};
use crate::spec::context::reason;
use crate::spec::inputs::Inputs;
use crate::yaml::{Node, NodeKind};

/// Bytes that a secret's file may have; a password, a token or a key has fewer.
const LARGEST: usize = 64 * 1024;

/// The secret of `${secret:PLACE}`: the environment's variable, or with `file:` before it the content of a file, whose path starts at
/// `folder`.
pub(super) fn value(
    place: &str,
    folder: &Path,
    inputs: &Inputs<'_>,
) -> Result<(Type, Value), Option<Problem>> {
    let text = match place.split_once(':') {
        Some(("file", path)) => of_file(path, folder, inputs)?,
        _ => (inputs.environment)(place).filter(|text| !text.is_empty()).inspect(|_| came_from_variable(place)).ok_or_else(|| {
            let message = format!("the secret `{place}` is missing: the environment has no such variable, or an empty one");
            Problem::new(Code::BadVariable, message).help(format!(
                "set `{place}` in the environment of pipectl, or write `${{secret:file:PATH}}` for the content of a file"
            ))
        })?,
    };
    Ok((Type::String, Value::Secret(Secret::new(text))))
}

/// Reports secrets in a variable's declaration, whose texts stand for themselves.
pub(super) fn in_declaration(node: &Node<'_>, found: &mut Diagnostics) {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            if has_secret(&scalar.text) {
                let message = "a secret can't be declared: what stands here is in messages and in help";
                found.push(Diagnostic::new(Code::Secret, node.span, message).help(
                    "write `${secret:NAME}` where it is needed, or give the variable its value in a target's `vars`",
                ));
            }
        }
        NodeKind::Sequence(items) => items.iter().for_each(|item| in_declaration(item, found)),
        NodeKind::Mapping(entries) => entries.iter().for_each(|(_, node)| in_declaration(node, found)),
    }
}

fn of_file(path: &str, folder: &Path, inputs: &Inputs<'_>) -> Result<String, Problem> {
    let wrong = |reason: &str| {
        Problem::new(Code::BadVariable, format!("the secret's file `{path}` can't be used: {reason}"))
    };
    if path.is_empty() {
        return Err(Problem::new(Code::BadVariable, "the path of a secret's file is missing".to_owned())
            .help("write `${secret:file:PATH}`"));
    }
    let bytes = (inputs.files)(&folder.join(path)).map_err(|error| wrong(&reason(&error)))?;
    if bytes.len() > LARGEST {
        return Err(wrong(&format!("it is larger than {} KiB", LARGEST / 1024)));
    }
    let is_text = |text: &String| !text.contains(|c: char| c.is_control() && !"\n\r\t".contains(c));
    let Some(mut text) = String::from_utf8(bytes).ok().filter(is_text) else {
        return Err(wrong("it is not text")
            .help("write the secret into it as text in UTF-8; of bytes the text in base64"));
    };
    // Editors and `echo` end a file with a line break that is none of the secret.
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(wrong("it is empty"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::{Path, PathBuf};

    use chrono::DateTime;

    use crate::secret::{Plain, Secret};
    use crate::spec::{Inputs, load};
    use crate::target::{TargetSettings, Variable};

    #[test]
    fn a_pipeline_holds_secrets_that_nothing_prints() {
        let text = "\
version: 1
vars: { given: { type: string } }
conf: { spark.a: \"${secret:CANARY}\" }
steps:
  a:
    read: { format: jdbc, options: { password: \"${secret:CANARY}\" } }
    transform: [ { filter: \"a = ${secret:file:c.txt} OR b = ${given}\" } ]
    expect: [ { that: \"a <> ${secret:CANARY}\" } ]
    write: stdout
  b: { values: { columns: { a: string }, rows: [[\"${secret:CANARY}\"]] }, write: stdout }
  c: { sql: \"SELECT ${secret:CANARY} AS a\", write: stdout }
";
        let canary = "d3bug-c4n4ry";
        let value = given(canary);
        let inputs = Inputs {
            variables: &[],
            documents: &crate::spec::Documents::default(),
            canonical: &|path| Ok(path.to_path_buf()),
            environment: &|name| (name == "CANARY").then(|| canary.to_owned()),
            files: &|path| {
                if path.ends_with("c.txt") {
                    Ok(format!("{canary}\n").into())
                } else {
                    Err(io::ErrorKind::NotFound.into())
                }
            },
            run_id: "",
            started_at: DateTime::UNIX_EPOCH,
            root: None,
            target: &TargetSettings { conf: Vec::new(), variables: vec![value] },
        };
        let loaded = load(Path::new("p.yaml"), PathBuf::from("/"), text.as_bytes().to_vec(), &inputs);
        let pipeline = loaded.pipeline.map_err(|_| loaded.diagnostics).unwrap();
        let shown = format!("{pipeline:?}");
        assert!(shown.contains("Secret(…)") && !shown.contains(canary), "{shown}");
        assert_eq!(pipeline.conf[0].1.expose(), canary);
    }

    fn given(canary: &str) -> Variable {
        let value = std::iter::once(Plain::Hidden(Secret::new(canary))).collect();
        Variable { name: "given".to_owned(), value, place: String::new() }
    }
}
