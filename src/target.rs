//! Owns targets: where a pipeline runs, and what it is told there. Only `spec` makes one, from a project file.

use crate::secret::{Plain, Secret};
use crate::shape::Many;
use crate::text::{Sources, Spanned};

/// A project file without mistakes.
#[derive(Debug)]
pub(crate) struct Project {
    /// The names of its targets, in the order of the file.
    pub(crate) names: Vec<String>,
    /// The target that was asked for, else the default one; nothing where there is no such target.
    pub(crate) target: Option<Target>,
    /// The file's text, for what turns out to be wrong with its values.
    pub(crate) sources: Sources,
}

/// One target, with the values that hold here and now.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) server: Server,
    /// Where relative paths start at the engine: a folder there, or a URL.
    pub(crate) root: Option<Spanned<String>>,
    /// Whether an engine that is not pipectl's own reads this machine's files.
    pub(crate) shared_files: bool,
    pub(crate) settings: TargetSettings,
}

/// What works out a target's plans.
#[derive(Debug)]
pub(crate) enum Server {
    /// An engine that pipectl starts, by its name; the usual one without a name.
    Managed(Option<String>),
    /// A server that somebody else runs.
    Remote {
        /// Its connection string.
        url: Spanned<String>,
        /// For this very server, and nobody else.
        token: Option<Secret>,
        certificates: CertificateFiles,
        /// The host to which the token may go in the clear.
        plaintext: Option<Spanned<String>>,
    },
}

/// Files with certificates for the way to a server; relative paths start at the project file's folder.
#[derive(Debug, Default)]
pub(crate) struct CertificateFiles {
    /// Authorities, in place of the system's.
    pub(crate) authorities: Option<Spanned<String>>,
    /// Our own certificate and its key; both or none.
    pub(crate) identity: Option<(Spanned<String>, Spanned<String>)>,
}

/// What a target says to every pipeline.
#[derive(Debug, Default)]
pub(crate) struct TargetSettings {
    /// Spark SQL settings; they go before a pipeline's own.
    pub(crate) conf: Vec<(String, Plain)>,
    /// Values of variables; a pipeline takes those that it declares.
    pub(crate) variables: Vec<Variable>,
}

/// The value that a target gives to a variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: Many<Plain>,
    /// File, line and column, for messages.
    pub(crate) place: String,
}
