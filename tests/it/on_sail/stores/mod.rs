//! Outputs in object stores, against a server that speaks S3 and against one that does what a test says.

mod moto;
mod scripted;
mod uploads;
