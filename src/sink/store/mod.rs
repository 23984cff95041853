//! Object stores: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.
//!
//! [`url`] says which object is meant, [`settings`] what the environment says, [`s3`], [`google`] and [`azure`] turn both
//! into a client, which [`stores`] keep; [`probe`] finds out whether an output can be written, [`upload`] writes one object and
//! [`folder`] several. All requests run on a runtime of their own: an upload must be ended at the
//! store also where the run around it is already gone, and outputs are written from threads that block.

mod azure;
mod credentials;
mod failure;
mod folder;
mod google;
mod http;
mod probe;
mod profile;
mod s3;
mod settings;
mod stores;
mod upload;
mod url;

pub(super) use self::folder::{StoreFolder, StorePart};
pub(crate) use self::probe::InStore;
pub(crate) use self::settings::StoreSettings;
pub(crate) use self::stores::Stores;
pub(super) use self::upload::Upload;
pub(super) use self::url::{Object, canonical, without_secrets};
