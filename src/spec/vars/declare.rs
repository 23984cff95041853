//! Owns the way from declarations to values: what is given from outside, else the default, in an order in which defaults may refer to
//! each other; each checked against its type and its rules.

use std::collections::{BTreeMap, BTreeSet};

use super::declaration::Declaration;
use super::given::{Given, Texts, variable};
use super::piece::{Piece, pieces};
use super::rules::Rules;
use super::secrets;
use super::{NAMES, Scope, Variables};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Bound, TYPE_NAMES, Type, Value};
use crate::name::is_name;
use crate::scalar::Segment;
use crate::secret::{Plain, learn_literal};
use crate::shape::Short;
use crate::spec::inputs::Inputs;
use crate::spec::reference::Reference;
use crate::text::Span;
use crate::yaml::{Key, Node, NodeKind, decode};

/// Bytes of a default that is made of other variables: those that double each other would soon fill all memory.
const LONGEST: usize = 1 << 20;

/// Where a value is given from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    CommandLine,
    File,
}

/// A declaration that could be read.
struct Declared<'n, 't> {
    span: Span,
    /// That of its default; its own without one.
    place: Span,
    declaration: Declaration,
    /// The scalars of the default, where it has one.
    default: Option<Vec<&'n Node<'t>>>,
    /// Whether the default is a list.
    is_list: bool,
}

impl<'a> Variables<'a> {
    /// Declares what `vars` holds and finds every value.
    pub(in crate::spec) fn declare(
        entries: &[(Key<'_>, Node<'_>)],
        given: &Given,
        time_zone: chrono_tz::Tz,
        inputs: &'a Inputs<'a>,
        found: &mut Diagnostics,
    ) -> Self {
        let mut variables = Self::none(inputs, time_zone, Scope::Pipeline);
        let mut declared = BTreeMap::new();
        for (key, node) in entries {
            if is_name(&key.text) {
                variables.declared.insert(key.text.to_string(), key.span);
            } else {
                let message = format!("`{}` can't name a variable", key.text);
                found.push(Diagnostic::new(Code::BadName, key.span, message).help(NAMES));
                variables.is_incomplete = true;
            }
            // Until its value is known it has none, which is known to have been reported.
            variables.values.insert(key.text.to_string(), None);
            secrets::in_declaration(node, found);
            if let Some(declaration) = decode::<Short<Declaration>>(node, found) {
                declared.insert(key.text.to_string(), Declared::new(key.span, declaration.0, node));
            }
        }
        // Before any value is looked at: what is said of a wrong one does not show it.
        for (name, one) in &declared {
            let scalars = one.default.iter().flatten().filter_map(|node| node.as_scalar());
            scalars.for_each(|scalar| learn_literal(name, &scalar.text));
            given.value(name, inputs).into_iter().flat_map(|outside| outside.texts.all()).for_each(|text| {
                learn_literal(name, text.expose());
            });
        }
        for name in order(&declared, found) {
            let value = variables.value(name, &declared[name], given, found);
            match &value {
                Some((_, Value::List(items))) => {
                    for item in items {
                        learn_literal(name, item.plain().expose());
                    }
                }
                Some((_, value)) => learn_literal(name, value.plain().expose()),
                None => {}
            }
            variables.values.insert(name.to_owned(), value);
        }
        variables
    }

    /// Reports values that are given to what is no variable; `place` is where it would be declared.
    pub(in crate::spec) fn unknown_names(&self, place: Span, given: &Given, found: &mut Diagnostics) {
        let mut report = |name: &str, span: Span, origin: Origin| {
            if !self.declared.contains_key(name) {
                let given = match origin {
                    Origin::CommandLine => ", given on the command line,",
                    Origin::File => "",
                };
                let message = format!("the variable `{name}`{given} is not declared under `vars`");
                let mut diagnostic = Diagnostic::new(Code::UnknownVariable, span, message);
                if let Some((before, after)) = name.split_once(':') {
                    diagnostic =
                        diagnostic.help(format!("YAML wants a space after a `:`: `{before}: {after}`"));
                }
                let known = self.declared.keys().map(String::as_str);
                found.push(match origin {
                    Origin::CommandLine => diagnostic.near(name, known),
                    Origin::File => diagnostic.suggest(name, known),
                });
            }
        };
        for (name, _) in self.inputs.variables {
            report(name, place, Origin::CommandLine);
        }
        for (name, span) in given.names() {
            report(name, span, Origin::File);
        }
    }

    /// The value of one variable: what is given from outside, else the default. Both are checked.
    fn value(
        &mut self,
        name: &str,
        declared: &Declared<'_, '_>,
        given: &Given,
        found: &mut Diagnostics,
    ) -> Option<(Type, Value)> {
        let outside = given.value(name, self.inputs);
        let default = match outside {
            // It need not have a value here; what is written in it is looked at all the same.
            Some(_) => self.look_at(declared, found),
            None => declared.default.as_ref().map(|nodes| self.default(nodes, found)),
        };
        // A default whose own references have no value was reported.
        let default = match default {
            Some(None) if outside.is_none() => return None,
            default => default.flatten(),
        };
        if declared.declaration.r#type.is_none()
            && let [only] = declared.default.as_deref().unwrap_or_default()
            && let Some(scalar) =
                only.as_scalar().filter(|scalar| scalar.style.is_plain() && !declared.is_list)
            && Type::parse(&scalar.text).is_some()
        {
            let message =
                format!("`{}` is the name of a type, and stands where the default does", scalar.text);
            found.push(
                Diagnostic::new(Code::BadVariable, only.span, message)
                    .help(format!("write `{name}: {{ type: {} }}`", scalar.text))
                    .help("for a text of these letters write it in quotes"),
            );
            return None;
        }
        let data_type = match &declared.declaration.r#type {
            Some(written) => parse_type(&written.value.0, written.span, found)?,
            None => default.as_ref().map_or(Type::String, |default| look_of(default, declared.is_list)),
        };
        let rules = Rules::new(name, &data_type, &declared.declaration, self.time_zone, found);
        let default = default.map(|default| checked_default(&data_type, &default, declared, &rules, found));
        let Some(outside) = outside else {
            if default.is_none() {
                let message = format!("the variable `{name}` has no value");
                let variable = variable(name);
                found.push(Diagnostic::new(Code::BadVariable, declared.span, message).help(format!(
                    "give it with `--var {name}=VALUE`, with `{variable}`, in a target's `vars`, or with a `default`"
                )));
            }
            return Some((data_type, default??));
        };
        let place = outside.place.unwrap_or(declared.span);
        let origin = outside.origin;
        let read = outside.texts.of(&data_type).map_err(|reason| (reason, None)).and_then(|texts| {
            let item = data_type.item();
            let values = texts.iter().map(|(text, at)| Value::of(item, text).map_err(|reason| (reason, *at)));
            let mut values = values.collect::<Result<Vec<Value>, _>>()?;
            let places: Vec<Option<Span>> = texts.iter().map(|(_, at)| *at).collect();
            Ok((if data_type.is_list() { Value::List(values) } else { values.swap_remove(0) }, places))
        });
        match read {
            Err((reason, at)) => {
                let place = at.unwrap_or(place);
                found.push(Diagnostic::new(Code::BadVariable, place, format!("{origin}{reason}")));
                None
            }
            Ok((value, places)) => match rules.check(&value) {
                Ok(()) => Some((data_type, value)),
                Err(broken) => {
                    let item = places.get(broken.item).copied().flatten();
                    found.push(broken.at(item.unwrap_or(place), &origin));
                    None
                }
            },
        }
    }

    /// A default that is not needed: its text where it holds no variables, and what is wrong with those that it holds. What the
    /// environment lacks is no mistake here.
    fn look_at(&mut self, declared: &Declared<'_, '_>, found: &mut Diagnostics) -> Option<Option<Vec<Part>>> {
        let nodes = declared.default.as_ref()?;
        let holds = |node: &Node<'_>| node.as_scalar().is_some_and(|scalar| scalar.text.contains("${"));
        if !nodes.iter().any(|node| holds(node)) {
            return Some(self.default(nodes, found));
        }
        let was_incomplete = self.is_incomplete;
        let mut own = Diagnostics::default();
        let parts = self.default(nodes, &mut own);
        self.is_incomplete = was_incomplete;
        for diagnostic in own.sorted() {
            if diagnostic.code != Code::BadVariable {
                found.push(diagnostic);
            }
        }
        // The type is that of what it would be, where that is known.
        let is_declared = declared.declaration.r#type.is_some();
        parts.filter(|_| !is_declared).map(Some)
    }

    /// What a default is made of; nothing where a variable in it has no value, which was reported.
    fn default(&mut self, nodes: &[&Node<'_>], found: &mut Diagnostics) -> Option<Vec<Part>> {
        let mut parts = Vec::with_capacity(nodes.len());
        let mut is_complete = true;
        for node in nodes {
            let Some(scalar) = node.as_scalar() else { continue };
            if !scalar.text.contains("${") {
                parts.push(Part { text: Plain::from(&*scalar.text), span: node.span, bound: None });
                continue;
            }
            let bound = self.bound(&scalar.text, scalar.layout(), node.span, found);
            is_complete &= bound.is_complete;
            let list = bound.segments.iter().find_map(|segment| match segment {
                Segment::Variable { index, .. } => {
                    Some(self.bindings.get(*index)).filter(|bound| bound.data_type.is_list())
                }
                Segment::Text { .. } => None,
            });
            let whole = match bound.segments.as_slice() {
                [Segment::Variable { index, .. }] => Some(self.bindings.get(*index).clone()),
                _ => None,
            };
            if let Some(list) = list
                && (whole.is_none() || nodes.len() > 1)
            {
                let message = format!("`{}` is a list, and can't be a part of a value", list.name);
                found.push(Diagnostic::new(Code::BadVariable, node.span, message));
                is_complete = false;
            }
            let text = Segment::plain(&bound.segments);
            if text.expose().len() > LONGEST {
                let message =
                    format!("a value has at most {} KiB, and this default would have more", LONGEST >> 10);
                found.push(Diagnostic::new(Code::BadVariable, node.span, message));
                is_complete = false;
                continue;
            }
            parts.push(Part { text, span: node.span, bound: whole });
        }
        is_complete.then_some(parts)
    }
}

impl<'n, 't> Declared<'n, 't> {
    fn new(span: Span, declaration: Declaration, node: &'n Node<'t>) -> Self {
        let default = match node.as_mapping() {
            Some(entries) => entries.iter().find(|(key, _)| key.text == "default").map(|(_, node)| node),
            None => Some(node),
        };
        let default = default.filter(|default| !default.is_null());
        let is_list = default.is_some_and(|default| matches!(default.kind, NodeKind::Sequence(_)));
        let nodes = default.map(|default| match &default.kind {
            NodeKind::Sequence(items) => items.iter().collect(),
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => vec![default],
        });
        let place = default.map_or(span, |default| default.span);
        Self { span, place, declaration, default: nodes, is_list }
    }

    /// The names to which its default refers.
    fn references(&self) -> BTreeSet<&'n str> {
        let nodes = self.default.iter().flatten();
        let texts = nodes.filter_map(|node| Some(&*node.as_scalar()?.text));
        let references = texts.flat_map(pieces).filter_map(|piece| match piece {
            Piece::Reference { text, .. } => Reference::parse(text).ok().map(|reference| reference.name),
            Piece::Text { .. } | Piece::Open { .. } => None,
        });
        references.collect()
    }
}

/// One scalar of a default, with values put in.
struct Part {
    text: Plain,
    span: Span,
    /// The variable that it is, where it is nothing else.
    bound: Option<Bound>,
}

/// The variables in an order in which each comes after those to which its default refers. Those that need each other in a circle are
/// reported, and are left out with those that need them.
fn order<'d>(declared: &'d BTreeMap<String, Declared<'_, '_>>, found: &mut Diagnostics) -> Vec<&'d str> {
    let needs: BTreeMap<&str, BTreeSet<&str>> = declared
        .iter()
        .map(|(name, one)| {
            let known = one.references().into_iter().filter(|name| declared.contains_key(*name));
            (name.as_str(), known.collect())
        })
        .collect();
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, needed) in &needs {
        waiting.insert(name, needed.len());
        for one in needed {
            readers.entry(one).or_default().push(name);
        }
    }
    let mut ordered: Vec<&str> =
        needs.iter().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| *name).collect();
    let mut next = 0;
    while let Some(name) = ordered.get(next).copied() {
        next += 1;
        for reader in readers.get(name).into_iter().flatten() {
            let left = waiting.entry(reader).or_default();
            *left -= 1;
            if *left == 0 {
                ordered.push(reader);
            }
        }
    }
    circles(&needs, &ordered, declared, found);
    let position = |name: &str| declared.get_key_value(name).map(|(name, _)| name.as_str());
    ordered.into_iter().filter_map(position).collect()
}

/// Reports each circle of variables once.
fn circles(
    needs: &BTreeMap<&str, BTreeSet<&str>>,
    ordered: &[&str],
    declared: &BTreeMap<String, Declared<'_, '_>>,
    found: &mut Diagnostics,
) {
    let done: BTreeSet<&str> = ordered.iter().copied().collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    'starts: for start in needs.keys().filter(|name| !done.contains(**name)) {
        if !seen.insert(start) {
            continue;
        }
        // Each that is left needs one that is left: the way comes back to where it was.
        let mut way: Vec<&str> = vec![start];
        let circle = loop {
            let last = way[way.len() - 1];
            let Some(next) = needs[last].iter().find(|name| !done.contains(**name)) else { return };
            if let Some(at) = way.iter().position(|name| name == next) {
                break way.split_off(at);
            }
            if !seen.insert(next) {
                // From there on the way was gone before.
                continue 'starts;
            }
            way.push(next);
        };
        let first = circle[0];
        let names: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
        let message = match circle.len() {
            1 => format!("the default of `{first}` refers to itself"),
            _ => format!("dependency cycle of variables: {} -> `{first}`", names.join(" -> ")),
        };
        let others = circle.iter().skip(1).chain([&first]);
        let mut references = circle
            .iter()
            .zip(others)
            .map(|(name, other)| (declared[*name].place, format!("`{name}` refers to `{other}` here")));
        let (place, label) = references.next().unwrap_or_default();
        let diagnostic = Diagnostic::new(Code::BadVariable, place, message)
            .help("give one of them a default without a variable");
        // That of one variable says no more than the heading.
        let diagnostic = if circle.len() > 1 { diagnostic.label(label) } else { diagnostic };
        found
            .push(references.fold(diagnostic, |diagnostic, (place, label)| diagnostic.related(place, label)));
    }
}

fn parse_type(text: &str, span: Span, found: &mut Diagnostics) -> Option<Type> {
    let data_type = Type::parse(text);
    if data_type.is_none() {
        let message = format!("`{text}` is not a type that a variable can have");
        let diagnostic = Diagnostic::new(Code::BadVariable, span, message);
        found.push(match Type::instead_of(text) {
            Some(help) => diagnostic.help(help),
            None => diagnostic
                .suggest(text, TYPE_NAMES)
                .help(format!("the types are {}", TYPE_NAMES.map(|name| format!("`{name}`")).join(", "))),
        });
    }
    data_type
}

/// The default's value, where it has one that keeps the rules.
fn checked_default(
    data_type: &Type,
    parts: &[Part],
    declared: &Declared<'_, '_>,
    rules: &Rules,
    found: &mut Diagnostics,
) -> Option<Value> {
    let place = declared.place;
    let mut report = |place, reason: String| {
        found.push(Diagnostic::new(Code::BadVariable, place, reason));
        None
    };
    let value = match parts {
        [Part { bound: Some(bound), .. }] if bound.data_type == *data_type && !declared.is_list => {
            bound.value.clone()
        }
        [Part { bound: Some(bound), .. }] if bound.data_type.is_list() => {
            let message =
                format!("`{}` has the type {}, and this one {data_type}", bound.name, bound.data_type);
            return report(place, message);
        }
        _ => {
            let texts = parts.iter().map(|part| (part.text.clone(), Some(part.span)));
            let texts = match parts {
                [only] if !declared.is_list => Texts::One(only.text.clone(), Some(only.span)),
                _ => Texts::Several(texts.collect()),
            };
            let items = match texts.of(data_type) {
                Ok(items) => items,
                Err(reason) => return report(declared.place, reason),
            };
            let mut values = Vec::with_capacity(items.len());
            for (text, at) in &items {
                match Value::of(data_type.item(), text) {
                    Ok(value) => values.push(value),
                    Err(reason) => return report(at.unwrap_or(place), reason),
                }
            }
            if data_type.is_list() { Value::List(values) } else { values.swap_remove(0) }
        }
    };
    if let Err(broken) = rules.check(&value) {
        let part = parts.get(broken.item).filter(|_| declared.is_list);
        let place = part.map_or(place, |part| part.span);
        found.push(broken.at(place, ""));
        return None;
    }
    Some(value)
}

/// The type that a default looks like; what is a variable and nothing else has its type.
fn look_of(parts: &[Part], is_list: bool) -> Type {
    if let [Part { bound: Some(bound), .. }] = parts
        && !is_list
    {
        return bound.data_type.clone();
    }
    let looks = |data_type: &Type| parts.iter().all(|part| Value::of(data_type, &part.text).is_ok());
    let item = [Type::BigInt, Type::Boolean, Type::Date, Type::Double]
        .into_iter()
        .find(looks)
        .unwrap_or(Type::String);
    if is_list { Type::Array(Box::new(item)) } else { item }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_tells_its_type() {
        for (texts, is_list, data_type) in [
            (vec!["1"], false, "bigint"),
            (vec!["true"], false, "boolean"),
            (vec!["2026-01-31"], false, "date"),
            (vec!["1.5"], false, "double"),
            (vec!["EUR"], false, "string"),
            (vec!["1", "2"], true, "array<bigint>"),
            (vec!["1"], true, "array<bigint>"),
        ] {
            let part = |text: &str| Part { text: Plain::from(text), span: Span::default(), bound: None };
            let parts: Vec<Part> = texts.into_iter().map(part).collect();
            assert_eq!(look_of(&parts, is_list).to_string(), data_type);
        }
    }
}
