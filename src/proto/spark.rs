//! The generated messages and the client, under the protocol's own names; tests and benches that play a server include them too.

#![allow(
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

include!("generated/spark.connect.rs");
