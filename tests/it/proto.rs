//! The generated messages, for the server that tests script.

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
    reason = "generated code"
)]
pub(crate) mod spark {
    tonic::include_proto!("spark.connect");
}
