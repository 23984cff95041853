//! Owns the shape of `artifacts`: files that the session shall have, one an item, the key saying what it is.

use std::collections::HashMap;
use std::path::Path;

use super::items::kinds;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Bindings, Template};
use crate::lowering::{Base, Checking, SettingKeys, is_url, normal};
use crate::pipeline::{Artifact, ArtifactKind};
use crate::text::Sources;
use crate::yaml::{Node, decode};

/// Reads the items; those that are wrong are reported and left out.
pub(super) fn read(node: &Node<'_>, found: &mut Diagnostics) -> Vec<(ArtifactKind, Template)> {
    let keys = ArtifactKind::ALL.map(ArtifactKind::key);
    let mut artifacts = Vec::new();
    for item in kinds(node, "artifacts", &keys, found) {
        match ArtifactKind::ALL.into_iter().find(|kind| kind.key() == item.key) {
            Some(kind) => {
                artifacts.extend(decode::<Template>(&item.settings, found).map(|path| (kind, path)));
            }
            None => {
                let message = format!("there is no artifact `{}`", item.key);
                let diagnostic = Diagnostic::new(Code::UnknownKey, item.span, message);
                found.push(if item.key.contains(['/', '.']) {
                    diagnostic.help(format!("say what it is: `- {}: {}`", likely(&item.key).key(), item.key))
                } else {
                    diagnostic.suggest(&item.key, keys)
                });
            }
        }
    }
    artifacts
}

/// What a file probably is, by its name.
fn likely(name: &str) -> ArtifactKind {
    let name = name.to_lowercase();
    let is_one = |kind: &ArtifactKind| kind.endings().iter().any(|ending| name.ends_with(ending));
    let guesses = [ArtifactKind::Jar, ArtifactKind::Archive, ArtifactKind::Pyfile];
    guesses.into_iter().find(is_one).unwrap_or(ArtifactKind::File)
}

/// Checks paths and names, once the values of variables are known.
pub(super) fn check(
    artifacts: Vec<(ArtifactKind, Template)>,
    bindings: &Bindings,
    base: &Base,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Vec<Artifact> {
    let none = SettingKeys::default();
    let mut names = HashMap::new();
    let mut checked = Vec::with_capacity(artifacts.len());
    for (kind, template) in artifacts {
        let mut checking =
            Checking { bindings, root: &base.root, item: template.span(), keys: &none, sources, found };
        if !checking.path(&template) {
            continue;
        }
        match artifact(kind, &template, &base.folder) {
            Err(diagnostic) => found.push(*diagnostic),
            Ok(artifact) => {
                if let Some(first) = names.insert(artifact.name.clone(), artifact.span) {
                    let message = format!("the session would have two artifacts `{}`", artifact.name);
                    found.push(
                        Diagnostic::new(Code::Settings, artifact.span, message)
                            .related(first, "the other one")
                            .help("folders do not count: give one of the files another name"),
                    );
                }
                checked.push(artifact);
            }
        }
    }
    checked
}

fn artifact(kind: ArtifactKind, template: &Template, folder: &Path) -> Result<Artifact, Box<Diagnostic>> {
    let written = template.plain();
    let wrong = |message: String| Diagnostic::new(Code::Settings, template.span(), message);
    if is_url(&written) {
        let diagnostic = wrong(format!("`{written}` is not a file where pipectl runs"));
        let help = "let the engine fetch it: `ADD JAR`, or a setting of its own";
        return Err(diagnostic.help(help).into());
    }
    let (path, unpacked) = match written.rsplit_once('#') {
        Some((path, unpacked)) if kind == ArtifactKind::Archive => (path, Some(unpacked)),
        _ => (written.as_str(), None),
    };
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(name) = name else {
        return Err(wrong(format!("`{written}` names no file")).into());
    };
    let endings = kind.endings();
    let lower = name.to_lowercase();
    if !endings.is_empty() && !endings.iter().any(|ending| lower.ends_with(ending)) {
        let known = endings.iter().map(|ending| format!("`{ending}`")).collect::<Vec<_>>().join(", ");
        let message = format!("the name of `{}: {written}` ends with none of {known}", kind.key());
        return Err(wrong(message).help("`file` takes files of any name").into());
    }
    // Neither may be more than one part of the session's own paths.
    let is_plain = |name: &str| !name.is_empty() && !name.contains(['/', '\\', '#']) && name != "..";
    if !is_plain(&name) || unpacked.is_some_and(|name| !is_plain(name)) {
        let message = format!("the session can't have an artifact of the name `{written}`");
        return Err(wrong(message)
            .help("rename the file: letters, digits, `.`, `-` and `_` go everywhere")
            .into());
    }
    let group = match kind {
        ArtifactKind::File => "files",
        ArtifactKind::Archive => "archives",
        ArtifactKind::Pyfile => "pyfiles",
        ArtifactKind::Jar => "jars",
    };
    let unpacked = unpacked.map(|name| format!("#{name}")).unwrap_or_default();
    Ok(Artifact {
        kind,
        path: normal(&folder.join(path)),
        name: format!("{group}/{name}{unpacked}"),
        span: template.span(),
        written,
    })
}
