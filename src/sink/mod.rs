//! The kinds of output where pipectl runs (`write`): settings, and writers of record batches.
//!
//! A sink blocks, so it is driven from a thread of its own. It is told where relative paths start and which
//! handle is stdout; it reads no environment, prints nothing and does not know which step it serves. Its
//! output becomes visible at [`Writer::finish`] alone (but for stdout, where rows are gone once written); a
//! writer that is dropped leaves nothing.
//!
//! [`columns`] finds what an output cannot hold before the first byte, [`stage`] makes a file appear whole,
//! [`lock`] keeps two runs off one output.

mod columns;
mod error;
mod lock;
mod stage;

pub(crate) use self::columns::Refusal;
pub(crate) use self::error::Error;
pub(crate) use self::lock::OutputLock;
