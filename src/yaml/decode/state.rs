//! Owns what one decoding has found.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::text::Span;
use crate::yaml::node::Node;

/// What one decoding has found.
pub(super) struct State<'de> {
    pub(super) found: RefCell<Diagnostics>,
    /// Whether a value was not known, which was reported before.
    pub(super) is_unknown: Cell<bool>,
    /// Nodes that could not be read, by their address, and missing keys of nodes.
    pub(super) failed: RefCell<BTreeSet<(*const Node<'de>, Option<&'static str>)>>,
    pub(super) is_again: Cell<bool>,
    /// The places of keys that were reported as unknown.
    pub(super) unknown: RefCell<BTreeSet<Span>>,
    /// What stands in where a key is missing, and where what is wrong with that goes.
    pub(super) nothing: Node<'de>,
    pub(super) nowhere: Option<&'de Self>,
}

impl<'de> State<'de> {
    pub(super) fn new(span: Span, nowhere: Option<&'de Self>) -> Self {
        Self {
            found: RefCell::default(),
            is_unknown: Cell::new(false),
            failed: RefCell::default(),
            is_again: Cell::new(false),
            unknown: RefCell::default(),
            nothing: Node::nothing(span),
            nowhere,
        }
    }

    /// Grows with whatever is found to be wrong.
    pub(super) fn progress(&self) -> usize {
        self.found.borrow().len() + self.failed.borrow().len() + usize::from(self.is_unknown.get())
    }

    pub(super) fn fail(&self, node: &'de Node<'de>, key: Option<&'static str>) {
        self.failed.borrow_mut().insert((std::ptr::from_ref(node), key));
    }

    /// Whether a node, or a key that it lacks, was found to fail in a reading before this one.
    pub(super) fn has_failed(&self, node: &'de Node<'de>, key: Option<&'static str>) -> bool {
        self.is_again.get() && self.failed.borrow().contains(&(std::ptr::from_ref(node), key))
    }

    pub(super) fn record(&self, diagnostic: Diagnostic) {
        let mut found = self.found.borrow_mut();
        if !(self.is_again.get() && found.contains(&diagnostic)) {
            found.push(diagnostic);
        }
    }
}
