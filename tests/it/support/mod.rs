//! What the tests share: a run and what it leaves, engines that are installed, warm or started by hand, servers that play a script.

mod canary;
mod case;
pub(crate) mod daemon;
mod elsewhere;
pub(crate) mod fronts;
mod home;
mod install;
mod lock;
mod outcome;
mod process;
pub(crate) mod proxy;
mod reader;
mod running;
pub(crate) mod sail;
mod stage;
mod tier;
mod warm;

pub(crate) use canary::{Canary, base64};
pub(crate) use case::{Case, ENDLESS, bare};
pub(crate) use elsewhere::elsewhere;
pub(crate) use home::Home;
pub(crate) use install::{CACHE, installed, installed_spark};
pub(crate) use lock::place;
pub(crate) use outcome::{Outcome, files};
pub(crate) use process::{processes, signal};
pub(crate) use reader::{read_back, validated};
pub(crate) use running::Running;
pub(crate) use stage::Stage;
pub(crate) use warm::{Warm, version};
