//! Owns the tree: what was written, where.

use std::borrow::Cow;

use crate::diagnostic::{Code, Diagnostic};
use crate::scalar::{Layout, Segment, Style};
use crate::text::Span;

#[derive(Debug, Clone)]
pub(crate) struct Scalar<'t> {
    pub(crate) text: Cow<'t, str>,
    pub(crate) style: Style,
    /// Whether the file has a `$` here, so that most texts need not be searched for variables.
    pub(crate) has_dollar: bool,
    /// What most scalars have nothing of.
    further: Option<Box<Further>>,
}

#[derive(Debug, Clone, Default)]
struct Further {
    layout: Layout,
    /// Set where the text had variables.
    bound: Option<Bound>,
    /// Whether YAML took part of the text away, which was reported: nothing is known of it.
    is_misread: bool,
}

/// A scalar's text with values put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) segments: Vec<Segment>,
    /// Whether all of the values are known; those that are not were reported.
    pub(crate) is_complete: bool,
    /// What the last of them is, in words for a message.
    pub(crate) says: Option<String>,
}

impl<'t> Scalar<'t> {
    pub(super) fn new(text: Cow<'t, str>, style: Style, layout: Layout, has_dollar: bool) -> Self {
        let further =
            (layout != Layout::Verbatim).then(|| Box::new(Further { layout, ..Further::default() }));
        Self { text, style, has_dollar, further }
    }

    /// A text of which YAML took part away, which was reported.
    pub(super) fn misread(text: Cow<'t, str>) -> Self {
        let further = Further { is_misread: true, ..Further::default() };
        Self { text, style: Style::Plain, has_dollar: false, further: Some(Box::new(further)) }
    }

    /// Whether what was meant is not known, since YAML took part of it away; that was reported.
    pub(crate) fn is_misread(&self) -> bool {
        self.further.as_ref().is_some_and(|further| further.is_misread)
    }

    pub(crate) fn layout(&self) -> &Layout {
        self.further.as_ref().map_or(&Layout::Verbatim, |further| &further.layout)
    }

    pub(crate) fn bound(&self) -> Option<&Bound> {
        self.further.as_ref()?.bound.as_ref()
    }

    /// Its text is not in the file at its own place, as that of an alias, so that no part of it is found there.
    pub(super) fn stands_elsewhere(&mut self) {
        self.further.get_or_insert_default().layout = Layout::Runs(Box::default());
    }

    /// Puts values in.
    pub(crate) fn bind(&mut self, bound: Bound) {
        self.further.get_or_insert_default().bound = Some(bound);
    }

    /// The text with the values in it; secrets, which only a [`Written`](crate::scalar::Written) hands over, are not shown.
    pub(crate) fn plain(&self) -> Cow<'_, str> {
        match self.bound() {
            None => Cow::Borrowed(&self.text),
            Some(bound) => bound.segments.iter().map(Segment::shown).collect::<String>().into(),
        }
    }

    pub(crate) fn has_secret(&self) -> bool {
        self.bound().is_some_and(|bound| bound.segments.iter().any(Segment::is_secret))
    }

    /// Takes back that all values are known, once what is wrong with them was reported.
    pub(crate) fn mark_reported(&mut self) {
        if let Some(bound) = self.further.as_mut().and_then(|further| further.bound.as_mut()) {
            bound.is_complete = false;
        }
    }

    /// Whether YAML reads it as nothing.
    pub(crate) fn is_null(&self) -> bool {
        self.style.is_plain()
            && self.bound().is_none()
            && !self.is_misread()
            && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Key<'t> {
    pub(crate) text: Cow<'t, str>,
    pub(crate) span: Span,
    pub(crate) style: Style,
    /// Whether the file has a `$` here.
    pub(crate) has_dollar: bool,
}

impl Key<'_> {
    fn into_owned<'o>(self) -> Key<'o> {
        Key { text: Cow::Owned(self.text.into_owned()), ..self }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum NodeKind<'t> {
    Scalar(Scalar<'t>),
    Sequence(Vec<Node<'t>>),
    Mapping(Vec<(Key<'t>, Node<'t>)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Node<'t> {
    pub(crate) span: Span,
    pub(crate) kind: NodeKind<'t>,
}

impl<'t> Node<'t> {
    /// A value that is not there, at the place where it would stand.
    pub(crate) fn nothing(span: Span) -> Self {
        let scalar = Scalar::new("".into(), Style::Plain, Layout::Verbatim, false);
        Self { span, kind: NodeKind::Scalar(scalar) }
    }

    /// What stands where YAML took part of a text away.
    pub(super) fn misread(span: Span, text: impl Into<Cow<'t, str>>) -> Self {
        Self { span, kind: NodeKind::Scalar(Scalar::misread(text.into())) }
    }

    /// Whether nothing is known of it, which was reported.
    pub(crate) fn is_misread(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_misread)
    }

    /// The same, with texts of its own.
    pub(super) fn into_owned<'o>(self) -> Node<'o> {
        let kind = match self.kind {
            NodeKind::Scalar(scalar) => NodeKind::Scalar(Scalar {
                text: Cow::Owned(scalar.text.into_owned()),
                style: scalar.style,
                has_dollar: scalar.has_dollar,
                further: scalar.further,
            }),
            NodeKind::Sequence(items) => {
                NodeKind::Sequence(items.into_iter().map(Self::into_owned).collect())
            }
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
            ),
        };
        Node { span: self.span, kind }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar(scalar) if scalar.is_null())
    }

    pub(crate) fn as_scalar(&self) -> Option<&Scalar<'t>> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        }
    }

    pub(crate) fn as_mapping(&self) -> Option<&[(Key<'t>, Self)]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
        }
    }

    /// What it is, in words for a message.
    pub(crate) fn describe(&self) -> Cow<'static, str> {
        /// Characters of a text that are shown.
        const SHOWN: usize = 40;
        match &self.kind {
            NodeKind::Scalar(scalar) if scalar.is_null() => "nothing".into(),
            NodeKind::Scalar(scalar) => {
                let text = scalar.plain();
                let line = text.lines().next().unwrap_or_default();
                let shown: String = line.chars().take(SHOWN).collect();
                let more = if shown.len() < text.len() { "…" } else { "" };
                format!("`{shown}{more}`").into()
            }
            NodeKind::Sequence(_) => "a list".into(),
            NodeKind::Mapping(_) => "a mapping".into(),
        }
    }
}

/// A file's tree, and what stands in it beside it.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    pub(crate) root: Node<'t>,
    /// The entries whose key has occurred before in the same mapping, which are not in the tree.
    pub(crate) repeated: Vec<Repeated<'t>>,
    /// How many values it has, those that aliases repeat included.
    pub(crate) nodes: usize,
    /// Whether YAML took part of a text away, so that what seems to be missing may be there.
    pub(crate) is_misread: bool,
}

impl Document<'_> {
    /// The same, with texts of its own.
    pub(super) fn into_owned<'o>(self) -> Document<'o> {
        let repeated = self.repeated.into_iter().map(|one| Repeated {
            first: one.first,
            key: one.key.into_owned(),
            value: one.value.into_owned(),
        });
        Document {
            root: self.root.into_owned(),
            repeated: repeated.collect(),
            nodes: self.nodes,
            is_misread: self.is_misread,
        }
    }
}

/// An entry whose key has occurred before.
#[derive(Debug)]
pub(crate) struct Repeated<'t> {
    pub(crate) first: Span,
    pub(crate) key: Key<'t>,
    pub(crate) value: Node<'t>,
}

impl Repeated<'_> {
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        let message = format!("the key `{}` occurs twice", self.key.text);
        Diagnostic::new(Code::DuplicateKey, self.key.span, message)
            .related(self.first, "first here")
            .help("keep one of them")
    }
}
