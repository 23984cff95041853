//! Holds `proto/` to the listing of the server's protocol, in both directions: a field that is missing, invented or
//! numbered otherwise would be misread in silence.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
};

/// The protocol's files as `PySpark` carries them; `python3 tests/descriptors.py` writes them.
const DESCRIPTORS: &[u8] = include_bytes!("../../protocol/pyspark-4.3.0.descriptors.binpb");
const LISTING: &str = include_str!("../../protocol/spark-connect-4.3.txt");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
const PACKAGE: &str = ".spark.connect.";

/// A line of the listing with single spaces and a oneof's members sorted, after the file in which it stands.
type Facts = BTreeSet<(String, String)>;

#[test]
fn our_messages_are_the_servers() {
    let (ours, theirs) = (ours(), theirs());
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let invented: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:#?}\ninvented: {invented:#?}");
    assert!(ours.len() > 1700, "the listing was not read: {} lines", ours.len());
}

#[test]
fn our_messages_are_those_of_pyspark() {
    let descriptors = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let mut theirs = Facts::new();
    for file in descriptors.file.iter().filter(|file| !file.name().contains("/ml")) {
        // Of a test, and of nothing that is served.
        if file.name().contains("example") {
            continue;
        }
        let mut lines = Lines(Vec::new());
        lines.file(file);
        let kept = lines.0.iter().filter_map(|line| without_learning(line));
        theirs.extend(kept.map(|line| (file.name().to_owned(), line)));
    }
    let ours = ours();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let invented: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:#?}\ninvented: {invented:#?}");
}

#[test]
fn the_clients_page_tells_of_every_call() {
    let page = include_str!("../../../src/connect/mod.rs");
    let service = include_str!("../../../proto/spark/connect/base.proto");
    let calls: Vec<&str> = service
        .lines()
        .filter_map(|line| line.trim().strip_prefix("rpc ")?.split_once('(').map(|(name, _)| name))
        .collect();
    assert_eq!(calls.len(), 12);
    let told = |call: &&str| {
        page.lines().any(|line| line.starts_with("//! | `") && line.contains(&format!("`{call}`")))
    };
    let untold: Vec<&&str> = calls.iter().filter(|call| !told(call)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

/// The listing without machine learning.
fn theirs() -> Facts {
    let mut file = String::new();
    let mut facts = Facts::new();
    for line in LISTING.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(rest) = line.strip_prefix("FILE") {
            rest.split_whitespace().next().unwrap().clone_into(&mut file);
        }
        facts.extend(without_learning(line).map(|line| (file.clone(), line)));
    }
    facts
}

/// A line with single spaces; what is about machine learning goes: its messages are gone, its fields are reserved.
fn without_learning(line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let subject = if matches!(words[0], "MESSAGE" | "import") { words[1] } else { words[0] };
    let learning = subject.starts_with("spark/connect/ml")
        || matches!(subject.split('.').next(), Some("MlRelation" | "Fetch"));
    if learning {
        return None;
    }
    if let Some((oneof, members)) = line.split_once(" = ") {
        let mut members: Vec<_> = members.split(" | ").filter(|name| !name.starts_with("ml_")).collect();
        members.sort_unstable();
        let oneof = oneof.split_whitespace().collect::<Vec<_>>().join(" ");
        return Some(format!("{oneof} = {}", members.join(" | ")));
    }
    if words.get(3).is_some_and(|kind| kind.starts_with("msg:Ml")) {
        return Some(format!("{subject} reserved {}", words[1]));
    }
    Some(words.join(" "))
}

/// Our own files in the listing's words.
fn ours() -> Facts {
    let listed: Vec<_> =
        LISTING.lines().filter_map(|line| line.strip_prefix("FILE")?.split_whitespace().next()).collect();
    let FileDescriptorSet { file: files } = protox::compile(listed, [ROOT]).unwrap();
    let mut facts = Facts::new();
    for file in files.iter().filter(|file| file.package() == "spark.connect") {
        let mut lines = Lines(Vec::new());
        lines.file(file);
        facts.extend(lines.0.into_iter().map(|line| (file.name().to_owned(), line)));
    }
    facts
}

struct Lines(Vec<String>);

impl Lines {
    fn file(&mut self, file: &FileDescriptorProto) {
        self.0.push(format!("FILE {} syntax={} package={}", file.name(), file.syntax(), file.package()));
        self.0.extend(file.dependency.iter().map(|import| format!("import {import}")));
        for service in &file.service {
            self.0.push(format!("SERVICE spark.connect.{}", service.name()));
            for rpc in &service.method {
                let stream = |yes: bool| if yes { "stream " } else { "" };
                self.0.push(format!(
                    "{}/{} request={}{} response={}{}",
                    service.name(),
                    rpc.name(),
                    stream(rpc.client_streaming()),
                    short(rpc.input_type()),
                    stream(rpc.server_streaming()),
                    short(rpc.output_type()),
                ));
            }
        }
        file.enum_type.iter().for_each(|item| self.values(item, item.name()));
        file.message_type.iter().for_each(|item| self.message(item, item.name()));
    }

    fn values(&mut self, item: &EnumDescriptorProto, path: &str) {
        self.0.push(format!("ENUM {path}"));
        self.0.extend(item.value.iter().map(|value| format!("{path} {} {}", value.number(), value.name())));
    }

    fn message(&mut self, item: &DescriptorProto, path: &str) {
        let fields = if item.field.is_empty() { " (no fields)" } else { "" };
        self.0.push(format!("MESSAGE {path}{fields}"));
        for (index, oneof) in item.oneof_decl.iter().enumerate() {
            let mut members: Vec<_> = item
                .field
                .iter()
                .filter(|field| !field.proto3_optional() && field.oneof_index == i32::try_from(index).ok())
                .map(FieldDescriptorProto::name)
                .collect();
            members.sort_unstable();
            if !members.is_empty() {
                self.0.push(format!("{path} ONEOF {} = {}", oneof.name(), members.join(" | ")));
            }
        }
        self.0.extend(item.field.iter().map(|field| field_line(item, path, field)));
        for range in &item.reserved_range {
            self.0.extend((range.start()..range.end()).map(|number| format!("{path} reserved {number}")));
        }
        self.0.extend(item.reserved_name.iter().map(|name| format!("{path} reserved name {name}")));
        item.enum_type.iter().for_each(|inner| self.values(inner, &format!("{path}.{}", inner.name())));
        for inner in item.nested_type.iter().filter(|inner| !is_entry(inner)) {
            self.message(inner, &format!("{path}.{}", inner.name()));
        }
    }
}

fn field_line(message: &DescriptorProto, path: &str, field: &FieldDescriptorProto) -> String {
    let entry = message
        .nested_type
        .iter()
        .find(|inner| is_entry(inner) && field.type_name().ends_with(&format!(".{}", inner.name())));
    let kind = entry.map_or_else(
        || kind(field),
        |entry| format!("map<{},{}>", kind(&entry.field[0]), kind(&entry.field[1])),
    );
    let repeated = field.label() == Label::Repeated;
    let label = match (repeated, field.proto3_optional()) {
        (true, _) => "repeated",
        (false, true) => "optional",
        (false, false) => "singular",
    };
    let mut line = format!("{path} {} {label} {kind} {}", field.number(), field.name());
    if let (Some(index), false) = (field.oneof_index, field.proto3_optional()) {
        line += " oneof=";
        line += message.oneof_decl[usize::try_from(index).unwrap()].name();
    }
    let explicit = field.oneof_index.is_some() || field.r#type() == Type::Message;
    let numeric = !matches!(field.r#type(), Type::Message | Type::String | Type::Bytes);
    line += match (repeated, explicit) {
        (true, _) if entry.is_some() => " map",
        (true, _) if numeric => " packed",
        (true, _) => "",
        (false, true) => " presence=explicit",
        (false, false) => " presence=implicit",
    };
    if field.options.as_ref().is_some_and(prost_types::FieldOptions::deprecated) {
        line += " deprecated";
    }
    line
}

fn kind(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message => format!("msg:{}", short(field.type_name())),
        Type::Enum => format!("enum:{}", short(field.type_name())),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix(PACKAGE).unwrap_or_else(|| name.trim_start_matches('.'))
}

fn is_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
}
