//! The Spark Connect protocol: the generated messages, and what makes them short to write.
//!
//! `build.rs` generates [`spark`] from `proto/`. Lowering builds plans with the functions of [`relation`], [`expression`] and
//! [`command`]; what these do not name is written as a message. No function here sets a plan id: who needs one numbers the
//! finished tree.

pub(crate) mod command;
pub(crate) mod ddl;
pub(crate) mod expression;
pub(crate) mod local;
pub(crate) mod relation;

/// The generated messages and the client, under the protocol's own names.
#[allow(
    dead_code,
    deprecated,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::clone_on_ref_ptr,
    clippy::unused_trait_names,
    clippy::use_self,
    reason = "generated code, and the protocol has more messages than pipectl sends"
)]
pub(crate) mod spark {
    tonic::include_proto!("spark.connect");
}
