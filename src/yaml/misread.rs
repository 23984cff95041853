//! Owns what YAML makes of texts that were meant otherwise: tags, anchors, joined lines, keys without a space, templates.
//! Each is reported, and what was meant is not guessed at: the value is known to be misread.

use serde_yaml::granit_parser::{Span as ParserSpan, Tag};

use super::node::{Key, Node};
use super::parse::Reader;
use super::place::TEMPLATES;
use super::syntax::quoted;
use crate::diagnostic::{Code, Diagnostic, Suggestion};
use crate::text::Span;

impl<'t> Reader<'t, '_, '_> {
    /// A text of which YAML took its beginning for a tag, or that stands for one that is no YAML.
    pub(super) fn misread(
        &mut self,
        tag: Option<&Tag>,
        span: &ParserSpan,
        place: Span,
        text: &str,
    ) -> Option<Node<'t>> {
        if self.spoilt.iter().any(|spoilt| spoilt.contains(&(place.start as usize))) {
            return Some(Node::misread(place, text.to_owned()));
        }
        let (tag, at) = self.foreign(tag, span, place)?;
        let written = tag.original();
        let is_alone = self.raw(place).is_empty();
        let whole = if is_alone { written.clone() } else { format!("{written} {text}") };
        let span = if is_alone { at } else { Span { end: place.end, ..at } };
        let diagnostic = Diagnostic::new(Code::Misread, at, format!("YAML reads `{written}` as a tag"))
            .label("this is not part of the value")
            .help(format!("write it in quotes: {}", quoted(&whole)));
        // What goes on over lines, or in quotes of its own, is not written as it is read.
        let is_verbatim = self.raw(span) == whole;
        self.found.push(if is_verbatim {
            diagnostic.suggestion(Suggestion::machine_applicable(span, quoted(&whole)))
        } else {
            diagnostic
        });
        self.is_misread = true;
        Some(Node::misread(place, whole))
    }

    /// Reports a tag before a list or a mapping.
    pub(super) fn refuse_tag(&mut self, tag: Option<&Tag>, span: &ParserSpan, place: Span) {
        let Some((tag, at)) = self.foreign(tag, span, place) else { return };
        let message = format!("YAML reads `{}` as a tag, and a tag means nothing here", tag.original());
        self.found.push(Diagnostic::new(Code::Misread, at, message).help("take it out"));
    }

    /// A tag that says anything but what the value is anyway, and its place.
    fn foreign<'g>(&self, tag: Option<&'g Tag>, span: &ParserSpan, place: Span) -> Option<(&'g Tag, Span)> {
        /// What YAML's own tags name.
        const OWN: [&str; 7] = ["str", "int", "float", "bool", "null", "seq", "map"];
        let tag = tag?;
        let is_own = tag.is_yaml_core_schema()
            && OWN
                .iter()
                .any(|own| tag.original().strip_suffix(own).is_some_and(|rest| rest.ends_with(['!', ':'])));
        (!is_own).then(|| (tag, span.tag_span().map_or(place, |tag| self.span(&tag))))
    }

    /// Notes the anchor of a text, which may have been meant as part of it.
    pub(super) fn unused_so_far(&mut self, anchor: usize, place: Span) {
        if anchor == 0 {
            return;
        }
        let before = self.text.get(..place.start as usize).unwrap_or_default();
        if let Some(start) = before.rfind('&') {
            let length = before.get(start..).unwrap_or_default().trim_end().len();
            let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
            self.unused.insert(anchor, Span { file: self.file, start: at(start), end: at(start + length) });
        }
    }

    /// Reports anchors before texts that nothing refers to.
    pub(super) fn unused_anchors(&mut self) {
        for span in std::mem::take(&mut self.unused).into_values() {
            let written = self.raw(span);
            let message = format!("YAML reads `{written}` as an anchor, and no alias refers to it");
            self.found.push(
                Diagnostic::new(Code::Misread, span, message)
                    .label("this is not part of the value")
                    .help("put the whole value in quotes, or take it out"),
            );
        }
    }

    /// Reports an item that YAML joins to the one above, since it is indented further.
    pub(super) fn joined_items(&mut self, item: &Node<'t>, flow: bool) {
        if flow || item.as_scalar().is_none_or(|scalar| !scalar.style.is_plain() || scalar.is_misread()) {
            return;
        }
        let raw = self.raw(item.span);
        for (at, _) in raw.match_indices('\n') {
            let rest = raw.get(at + 1..).unwrap_or_default();
            let from = at + 1 + rest.len() - rest.trim_start_matches(' ').len();
            if rest.trim_start_matches(' ').starts_with("- ") {
                self.found.push(
                    Diagnostic::new(
                        Code::Misread,
                        item.span.part(from, from + 1),
                        "YAML joins this line to the item above, since it is indented further",
                    )
                    .help("items of one list begin in one column")
                    .help("to subtract, write all of it in one line"),
                );
                return;
            }
        }
    }

    /// An entry whose key has no space after its colon: YAML takes all of it for the key.
    pub(super) fn spaced(&mut self, (key, value): (Key<'t>, Node<'t>)) -> (Key<'t>, Node<'t>) {
        let raw = self.raw(key.span);
        let Some((name, rest)) = raw.split_once(':') else { return (key, value) };
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !value.is_null() || rest.is_empty() || rest.starts_with(':') || !is_name {
            return (key, value);
        }
        let message = format!("YAML reads `{raw}` as a key without a value");
        self.found.push(
            Diagnostic::new(Code::Misread, key.span, message)
                .help(format!("write a space after the `:`: `{name}: {rest}`"))
                .suggestion(Suggestion::machine_applicable(
                    key.span.part(name.len() + 1, name.len() + 1),
                    " ",
                )),
        );
        self.is_misread = true;
        let span = key.span.part(name.len() + 1, raw.len());
        (Key { text: name.into(), span: key.span.part(0, name.len()), ..key }, Node::misread(span, rest))
    }

    /// What stands in place of `{{ … }}`, which other tools take for a variable and YAML for mappings.
    pub(super) fn template(&mut self, span: Span) -> Node<'t> {
        let raw = self.raw(span);
        self.found.push(
            Diagnostic::new(Code::Misread, span, "YAML reads `{{ … }}` as a mapping in a mapping")
                .help(TEMPLATES),
        );
        self.is_misread = true;
        Node::misread(span, raw)
    }
}
