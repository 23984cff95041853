//! Owns the way from a file's text to a [`Pipeline`](crate::pipeline::Pipeline): the document's shape, variables bound on
//! nodes, every kind decoded, names resolved. All mistakes are collected; a mistake ends its own item and never the reading.
//!
//! It is pure: files and environment come through [`Inputs`], which the caller hands in.

mod artifacts;
mod context;
mod contract;
mod document;
mod elsewhere;
mod include;
mod inputs;
mod items;
mod keys;
mod load;
mod moment;
mod project;
mod reference;
mod resolve;
mod schema;
mod step;
mod vars;
mod warnings;

pub(crate) use contract::contract_text;
pub(crate) use inputs::{Document, Documents, Inputs};
pub(crate) use load::{Loaded, load, load_unfinished};
pub(crate) use project::{LoadedProject, ProjectInputs, Token, load_project};
pub(crate) use schema::{
    Block, Doc, Family, KindSchema, contract_schema, described, json_schema, kinds, project_schema,
};
