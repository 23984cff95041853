//! Owns the way from text to the tree, and its limits: size, depth, and the number of nodes that aliases may make.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, Span as ParserSpan, StrInput};

use super::flow;
use super::layout::layout;
use super::node::{Document, Key, Node, NodeKind, Repeated, Scalar};
use super::syntax::syntax_error;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::scalar::Style;
use crate::text::{FileId, Span};

/// Bytes; the largest file that is read. A pipeline of 10,000 steps has about five million.
pub(crate) const LARGEST_FILE: u64 = 32 * 1024 * 1024;
/// Nodes of one file, those that aliases repeat included.
pub(crate) const MOST_NODES: usize = 2_000_000;
/// Levels of nesting.
const DEEPEST: usize = 64;
/// Mappings up to this size are searched for repeated keys without a table.
const SMALL_MAPPING: usize = 16;

type Spanned<'t> = (Event<'t>, ParserSpan);

/// Why a text can't be read on.
pub(super) struct Broken {
    pub(super) diagnostic: Box<Diagnostic>,
    /// Where the parser stands, where it is the syntax that is wrong.
    pub(super) at: Option<usize>,
}

/// Reads a text in which the values at `spoilt` stand for others that are no YAML.
pub(super) fn parse<'t>(
    file: FileId,
    text: &'t str,
    spoilt: &[Range<usize>],
    found: &mut Diagnostics,
) -> Result<Option<Document<'t>>, Broken> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.block_nesting_limit = DEEPEST;
    options.flow_nesting_limit = DEEPEST;
    let mut reader = Reader {
        file,
        text,
        parser: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        repeated: Vec::new(),
        items: Vec::new(),
        entries: Vec::new(),
        next_dollar: text.find('$').unwrap_or(usize::MAX),
        flows: 0,
        nodes: 0,
        spoilt,
        is_misread: !spoilt.is_empty(),
        unused: HashMap::new(),
        broken_at: None,
        found,
    };
    match reader.document() {
        Ok(root) => {
            reader.unused_anchors();
            let Reader { repeated, nodes, is_misread, .. } = reader;
            Ok(root.map(|root| Document { root, repeated, nodes, is_misread }))
        }
        Err(diagnostic) => Err(Broken { diagnostic, at: reader.broken_at }),
    }
}

pub(super) struct Reader<'t, 's, 'd> {
    pub(super) file: FileId,
    pub(super) text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, (Node<'t>, usize)>,
    repeated: Vec<Repeated<'t>>,
    /// The children of what is being read, which move into vectors of the right size.
    items: Vec<Node<'t>>,
    entries: Vec<(Key<'t>, Node<'t>)>,
    /// Where the next `$` stands.
    next_dollar: usize,
    /// How many `[` and `{` are open.
    flows: usize,
    nodes: usize,
    /// Values that stand for others, which were reported.
    pub(super) spoilt: &'s [Range<usize>],
    /// Whether YAML took part of a text away.
    pub(super) is_misread: bool,
    /// Anchors of texts that no alias names yet, and where they stand.
    pub(super) unused: HashMap<usize, Span>,
    /// Where the parser stood when it gave up.
    broken_at: Option<usize>,
    pub(super) found: &'d mut Diagnostics,
}

/// Boxed, since a result travels through every level of the recursion.
type Wrong = Box<Diagnostic>;

impl<'t> Reader<'t, '_, '_> {
    fn document(&mut self) -> Result<Option<Node<'t>>, Wrong> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::DocumentStart(..) if root.is_some() => {
                    let message = "the file holds more than one YAML document";
                    return Err(Box::new(
                        Diagnostic::new(Code::Unreadable, self.span(&span), message)
                            .help("keep one document a file: remove the `---` and what follows it"),
                    ));
                }
                Event::DocumentStart(..) => {
                    let first = self.next()?;
                    root = Some(self.node(first, 0)?);
                }
                Event::StreamEnd => return Ok(root),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Spanned<'t>, Wrong> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                let at = self.offset(marker.byte_offset(), marker.index());
                self.broken_at = Some(at as usize);
                Err(Box::new(syntax_error(self.file, self.text, at, &error)))
            }
            None => Err(Box::new(Diagnostic::new(
                Code::Syntax,
                Span::start_of(self.file),
                "the file ends in the middle of its YAML",
            ))),
        }
    }

    fn node(&mut self, (event, span): Spanned<'t>, depth: usize) -> Result<Node<'t>, Wrong> {
        let place = self.span(&span);
        self.count(1, place)?;
        if depth > DEEPEST {
            let message = format!("the file is nested deeper than {DEEPEST} levels");
            return Err(Box::new(Diagnostic::new(Code::Unreadable, place, message)));
        }
        let before = self.nodes;
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(node) = self.misread(tag.as_deref(), &span, place, &text) {
                    return Ok(node);
                }
                self.unused_so_far(anchor, place);
                if anchor != 0 && self.raw(place).is_empty() {
                    // It is reported as long as no alias names it.
                    self.is_misread = true;
                    return Ok(Node::misread(place, ""));
                }
                let style = self.style(style, place);
                // A block goes on to where the next line begins.
                let is_block = matches!(style, Style::Literal | Style::Folded);
                let place = if is_block { self.trimmed(place) } else { place };
                let layout = layout(self.raw(place), &text, style);
                let scalar = Scalar::new(text, style, layout, self.has_dollar(place));
                (anchor, Node { span: place, kind: NodeKind::Scalar(scalar) })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span, place);
                let flow = self.raw_from(place).starts_with('[');
                self.flows += usize::from(flow);
                let first = self.items.len();
                let end = loop {
                    match self.next()? {
                        (Event::SequenceEnd, end) => break end,
                        next => {
                            let item = self.node(next, depth + 1)?;
                            self.joined_items(&item, flow);
                            self.items.push(item);
                        }
                    }
                };
                let mut items: Vec<_> = self.items.drain(first..).collect();
                self.flows -= usize::from(flow);
                if flow {
                    flow::rejoin_items(self.text, &mut items, self.found);
                }
                (anchor, Node { span: self.through(place, &end), kind: NodeKind::Sequence(items) })
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span, place);
                let flow = self.raw_from(place).starts_with('{');
                let is_template = self.raw_from(place).starts_with("{{");
                self.flows += usize::from(flow);
                let first = self.entries.len();
                let end = loop {
                    match self.next()? {
                        (Event::MappingEnd, end) => break end,
                        key => {
                            let key = self.key(key, depth + 1, is_template)?;
                            let value = self.next()?;
                            let value = self.node(value, depth + 1)?;
                            let entry = key.map(|key| (key, value));
                            let entry = entry.map(|entry| if flow { self.spaced(entry) } else { entry });
                            self.entries.extend(entry);
                        }
                    }
                };
                let mut entries: Vec<_> = self.entries.drain(first..).collect();
                if is_template {
                    self.flows -= 1;
                    return Ok(self.template(self.through(place, &end)));
                }
                self.flows -= usize::from(flow);
                if flow {
                    flow::rejoin_entries(self.text, &mut entries, self.found);
                }
                self.repeated_keys(&mut entries);
                (anchor, Node { span: self.through(place, &end), kind: NodeKind::Mapping(entries) })
            }
            Event::Alias(id) => return self.alias(id, place),
            _ => return Err(Box::new(Diagnostic::new(Code::Syntax, place, "a value is missing here"))),
        };
        if anchor != 0 {
            let size = self.nodes - before + 1;
            // What aliases are made from is a copy too, and anchors in anchors are copied at each level.
            self.count(size, place)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    /// What an anchor stands before, once more.
    fn alias(&mut self, id: usize, place: Span) -> Result<Node<'t>, Wrong> {
        self.unused.remove(&id);
        let Some((node, size)) = self.anchors.get(&id) else {
            let message = "an alias stands inside the node it names";
            return Err(Box::new(Diagnostic::new(Code::Syntax, place, message)));
        };
        // Before it is copied: an alias may stand for nearly all that a file may hold.
        if self.nodes + size > MOST_NODES {
            return Err(too_many(place));
        }
        self.nodes += size;
        let mut kind = node.kind.clone();
        if let NodeKind::Scalar(scalar) = &mut kind {
            scalar.stands_elsewhere();
        }
        Ok(Node { span: place, kind })
    }

    /// A key, or nothing where it was reported and is left out with its value.
    fn key(
        &mut self,
        (event, span): Spanned<'t>,
        depth: usize,
        is_template: bool,
    ) -> Result<Option<Key<'t>>, Wrong> {
        let place = self.span(&span);
        if let Event::Scalar(text, style, 0, None) = event {
            self.count(1, place)?;
            let (style, has_dollar) = (self.style(style, place), self.has_dollar(place));
            return Ok(Some(Key { text, span: place, style, has_dollar }));
        }
        match self.node((event, span), depth)?.kind {
            NodeKind::Scalar(scalar) => {
                let Scalar { text, style, has_dollar, .. } = scalar;
                Ok(Some(Key { text, span: place, style, has_dollar }))
            }
            NodeKind::Sequence(_) | NodeKind::Mapping(_) if is_template => Ok(None),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                self.is_misread = true;
                self.found.push(
                    Diagnostic::new(
                        Code::WrongType,
                        place,
                        "a key is a single word, not a list or a mapping",
                    )
                    .help("a value that begins with `{` or `[` needs quotes"),
                );
                Ok(None)
            }
        }
    }

    /// Takes out the entries whose key occurs again: the first one counts.
    fn repeated_keys(&mut self, entries: &mut Vec<(Key<'t>, Node<'t>)>) {
        let repeated = |entries: &[(Key<'t>, Node<'t>)], index: usize| {
            entries[..index].iter().position(|(key, _)| key.text == entries[index].0.text)
        };
        let again: Vec<(usize, usize)> = if entries.len() <= SMALL_MAPPING {
            (1..entries.len()).filter_map(|at| repeated(entries, at).map(|first| (at, first))).collect()
        } else {
            let mut seen = HashSet::with_capacity(entries.len());
            let doubles: Vec<usize> =
                (0..entries.len()).filter(|at| !seen.insert(&*entries[*at].0.text)).collect();
            doubles.into_iter().filter_map(|at| repeated(entries, at).map(|first| (at, first))).collect()
        };
        for (at, first) in again.into_iter().rev() {
            let (first, (key, value)) = (entries[first].0.span, entries.remove(at));
            self.repeated.push(Repeated { first, key, value });
        }
    }

    fn count(&mut self, more: usize, place: Span) -> Result<(), Wrong> {
        self.nodes += more;
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        Err(too_many(place))
    }

    fn style(&self, style: ScalarStyle, place: Span) -> Style {
        match style {
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
            ScalarStyle::Plain => {
                let after = self.text.as_bytes().get(place.end as usize..).unwrap_or_default();
                if after.first() == Some(&b' ') && after.trim_ascii_start().first() == Some(&b'#') {
                    Style::PlainBeforeComment
                } else if self.flows > 0 {
                    Style::PlainInFlow
                } else {
                    Style::Plain
                }
            }
        }
    }

    /// What stands in the file at a span.
    pub(super) fn raw(&self, span: Span) -> &'t str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn raw_from(&self, span: Span) -> &'t str {
        self.text.get(span.start as usize..).unwrap_or_default()
    }

    /// Whether a `$` stands in a span; to be asked in the order of the file.
    fn has_dollar(&mut self, span: Span) -> bool {
        let start = span.start as usize;
        if self.next_dollar < start {
            let rest = self.text.as_bytes().get(start..).unwrap_or_default();
            let next = rest.iter().position(|byte| *byte == b'$');
            self.next_dollar = next.map_or(usize::MAX, |next| start + next);
        }
        self.next_dollar < span.end as usize
    }

    /// A span without the space at its end.
    fn trimmed(&self, span: Span) -> Span {
        let length = u32::try_from(self.raw(span).trim_end().len()).unwrap_or_default();
        Span { end: span.start + length, ..span }
    }

    pub(super) fn span(&self, span: &ParserSpan) -> Span {
        let start = self.offset(span.start.byte_offset(), span.start.index());
        let end = self.offset(span.end.byte_offset(), span.end.index());
        Span { file: self.file, start, end: end.max(start) }
    }

    /// From the beginning of `start` to the end of what the parser read last, without trailing space.
    fn through(&self, start: Span, end: &ParserSpan) -> Span {
        let end = self.span(end).end as usize;
        self.trimmed(Span { end: u32::try_from(end).unwrap_or(u32::MAX), ..start })
    }

    fn offset(&self, bytes: Option<usize>, chars: usize) -> u32 {
        let bytes = bytes.unwrap_or_else(|| {
            self.text.char_indices().nth(chars).map_or(self.text.len(), |(offset, _)| offset)
        });
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

fn too_many(place: Span) -> Wrong {
    let message = format!("the file, with its aliases written out, has more than {MOST_NODES} values");
    Box::new(Diagnostic::new(Code::Unreadable, place, message))
}
