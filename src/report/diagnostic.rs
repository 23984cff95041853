//! Draws diagnostics: the line, a caret, and how to mend it.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::escape::escaped;
use crate::diagnostic::{Diagnostic, Severity};
use crate::secret::{scrubbed, scrubbed_with_range};
use crate::text::{Source, Sources, Span};

/// Whether what is drawn may be coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Always,
    Never,
}

/// All diagnostics as text, a blank line between them.
pub(crate) fn render(sources: &Sources, diagnostics: &[Diagnostic], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Always => Renderer::styled(),
        Colour::Never => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(140);
    let drawn: Vec<String> = diagnostics.iter().map(|one| renderer.render(&[group(sources, one)])).collect();
    drawn.join("\n\n")
}

fn group<'s>(sources: &'s Sources, diagnostic: &'s Diagnostic) -> Group<'s> {
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escaped(&diagnostic.message)).id(diagnostic.code.as_str());
    let primary = AnnotationKind::Primary;
    let label = diagnostic.label.as_deref();
    let mut group = title.element(snippet(sources, diagnostic.span, primary, label));
    for (span, label) in &diagnostic.related {
        group = group.element(snippet(sources, *span, AnnotationKind::Context, Some(label)));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(escaped(note)));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(escaped(help)));
    }
    group
}

/// The lines of a span alone: the renderer reads all that it is given.
fn snippet<'s>(
    sources: &'s Sources,
    span: Span,
    kind: AnnotationKind,
    label: Option<&'s str>,
) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
    /// A span over more lines is cut: what matters is where it begins.
    const MOST_LINES: usize = 6;
    let source: &Source = sources.get(span.file);
    let text = source.text();
    let start = (span.start as usize).min(text.len());
    let end = (span.end as usize).clamp(start, text.len());
    let from = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let within = text.get(start..end).unwrap_or_default();
    // A block's text ends where the next line begins, which is none of it.
    let within = within.get(..within.trim_end().len()).filter(|text| !text.is_empty()).unwrap_or(within);
    let end = start + within.match_indices('\n').nth(MOST_LINES - 1).map_or(within.len(), |(at, _)| at);
    let to = text.get(end..).and_then(|after| after.find('\n')).map_or(text.len(), |at| end + at);
    let shown = text.get(from..to).unwrap_or_default();
    let line = source.position(span.start).line;
    // Before the renderer cuts long lines, and a secret with them.
    let (shown, range) = scrubbed_with_range(shown.trim_end_matches('\r'), start - from..end - from);
    let range = range.start.min(shown.len())..range.end.min(shown.len());
    Snippet::source(shown)
        .line_start(line)
        .path(scrubbed(&source.path().display().to_string()).into_owned())
        .annotation(kind.span(range).label(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn a_mistake_is_shown_with_its_line_and_its_mend() {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("daily.yaml", "version: 1\nstpes:\n  a: { range: 3 }\n"));
        let span = Span { file, start: 11, end: 16 };
        let diagnostic =
            Diagnostic::new(Code::UnknownKey, span, "unknown key `stpes`").help("did you mean `steps`?");
        insta::assert_snapshot!(render(&sources, &[diagnostic], Colour::Never), @r"
        error[E003]: unknown key `stpes`
         --> daily.yaml:2:1
          |
        2 | stpes:
          | ^^^^^
          |
          = help: did you mean `steps`?
        ");
    }
    #[test]
    fn a_secret_in_the_file_is_not_shown() {
        let secret = crate::secret::Secret::new("sn1pp3t-c4n4ry");
        let mut sources = Sources::default();
        let text = format!("a: {{ password: {}, oops: 1 }}\n", secret.expose());
        let at = u32::try_from(text.find("oops").unwrap()).unwrap();
        let file = sources.add(Source::new("daily.yaml", text));
        let span = Span { file, start: at, end: at + 4 };
        let diagnostic = Diagnostic::new(Code::UnknownKey, span, "unknown key `oops`");
        insta::assert_snapshot!(render(&sources, &[diagnostic], Colour::Never), @r"
        error[E003]: unknown key `oops`
         --> daily.yaml:1:21
          |
        1 | a: { password: ***, oops: 1 }
          |                     ^^^^
        ");
    }
}
