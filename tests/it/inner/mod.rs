//! The inner loop: what no engine is needed for. Whatever asks for one here fails.

mod archives;
mod chains;
mod conversations;
mod diagnostics;
mod doctor;
mod engines;
mod gate;
mod generated;
mod hostile;
pub(crate) mod includes;
mod injection;
mod inputs;
mod kinds;
mod large;
mod layers;
mod ls;
mod managed;
mod protocol;
mod readme;
pub(crate) mod reference;
mod run;
mod schema;
mod secrets;
mod specs;
mod targets;
pub(crate) mod tokens;
mod variables;
