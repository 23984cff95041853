//! The generated server; what it serves is `crate::proto::spark` of whoever includes it.

#![expect(
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::allow_attributes,
    clippy::clone_on_ref_ptr,
    reason = "generated code"
)]

include!("generated/spark.connect.rs");
