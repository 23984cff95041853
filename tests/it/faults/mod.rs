//! Networks that fail, servers and engines that are killed, interruptions and limits of time.

mod connections;
mod engines;
mod files;
mod interrupts;
mod network;
mod secrets;
pub(crate) mod timeouts;
