//! Owns the formats of files and of text: what each holds, and how values look in it.

pub(super) mod append;
pub(super) mod arrow;
pub(super) mod columns;
mod compression;
pub(super) mod csv;
pub(super) mod file;
mod iso;
pub(super) mod ndjson;
pub(super) mod parquet;
mod stored_type;
pub(super) mod table;
pub(super) mod text;
pub(super) mod text_file;
pub(super) mod value;
mod zone;
