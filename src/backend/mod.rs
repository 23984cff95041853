//! An engine that is ready, however it came to be: managed for one run, kept warm between runs, or a server that runs already.
//!
//! [`connect()`] reaches it, [`settings`] sets its session up, [`Backend`] supervises the work in a session and begins it again in another
//! one where that is lost, [`upload`] sends what a session must have. Nothing here reads the environment or prints.

mod connect;
mod error;
mod location;
mod session;
mod settings;
mod stop;
pub(crate) mod upload;

pub(crate) use connect::{Connected, Session, connect, preparation};
pub(crate) use error::Error;
pub(crate) use location::{Location, Options};
pub(crate) use session::{Backend, SessionError};
pub(crate) use stop::Stop;
