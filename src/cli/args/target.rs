//! The choice of where a pipeline runs: a server or an engine that is named, a target of the project file, or a private Sail.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::connection::{ConnectionArguments, Keys, Speaker};
use super::kind::KindParser;
use crate::backend::Location;
use crate::cli::env::variable;
use crate::cli::failure::Failure;
use crate::cli::file::shown;
use crate::cli::project::{Found, InFile, PROJECT_FILE, find_project, read_project};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::engine::EngineKind;
use crate::lowering::{Root, is_url, normal};
use crate::record::{Event, Notice};
use crate::spec;
use crate::target::{Project, Server, TargetSettings};

#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// A target of the project file, `pipectl.yaml`. Without it `PIPECTL_TARGET`, then the file's `default_target`.
    #[arg(short, long, value_name = "NAME")]
    target: Option<String>,
    /// A Spark Connect server: `sc://host:15002`. It goes before all else; without any of these flags, `PIPECTL_REMOTE`,
    /// `PIPECTL_ENGINE` and `SPARK_REMOTE` do.
    #[arg(long, value_name = "URL")]
    remote: Option<String>,
    /// An engine that pipectl installs and starts by itself: `sail`, or `spark`, which is the newest, or one of its versions.
    #[arg(long, value_name = "KIND", conflicts_with = "remote", value_parser = KindParser)]
    engine: Option<EngineKind>,
    /// Where relative paths start at the engine: a folder there, or a URL. Without it, the `root` of the target that is named,
    /// else `PIPECTL_ROOT`, else that of the default target.
    #[arg(long, value_name = "PATH")]
    root: Option<String>,
    #[command(flatten)]
    connection: ConnectionArguments,
    /// The flag that names another place than these do.
    #[arg(skip)]
    flag: Option<&'static str>,
}

/// Where a pipeline runs, and what it is told there.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) location: Location,
    /// Where relative paths of the engine start; nothing for the pipeline file's folder.
    pub(crate) root: Option<Root>,
    pub(crate) settings: TargetSettings,
    /// The folder of the project file, where it has a say.
    pub(crate) project: Option<PathBuf>,
    /// What applies and why, in words.
    pub(crate) origin: Origin,
    /// What the user should know about the choice.
    pub(crate) notes: Vec<String>,
}

/// Why a run runs where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nothing was said.
    Usual,
    /// A flag or a variable of the environment named a server.
    Server(&'static str),
    /// A flag or a variable of the environment named an engine.
    Engine(&'static str),
    /// A target of a project file.
    Target { name: String, file: PathBuf, because: &'static str },
}

impl Chosen {
    /// What a run tells of the choice.
    pub(crate) fn events(&self) -> Vec<Event> {
        let notes =
            self.notes.iter().map(|note| Event::Notice(Notice::Configuration { message: note.clone() }));
        let target = self.is_told().then(|| Event::TargetChosen { target: self.origin.to_string() });
        notes.chain(target).collect()
    }

    /// Whether the line about the engine does not say it all.
    fn is_told(&self) -> bool {
        !matches!(self.origin, Origin::Usual | Origin::Engine("--engine" | "--also"))
    }

    /// The target in a sentence, where there is one.
    pub(crate) fn where_to(&self) -> String {
        match &self.origin {
            Origin::Target { name, .. } => format!(" for the target `{name}`"),
            Origin::Usual | Origin::Server(_) | Origin::Engine(_) => String::new(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual => f.write_str("a private Sail engine"),
            Self::Server(by) => write!(f, "the server of `{by}`"),
            Self::Engine(by) => write!(f, "the engine of `{by}`"),
            Self::Target { name, file, because } => {
                write!(f, "`{name}` of `{}`, by {because}", file.display())
            }
        }
    }
}

/// What was asked for, and by which flag or variable of the environment.
struct Said<T> {
    by: &'static str,
    value: T,
}

/// The server or engine, and the target, that were asked for.
type Wish = (Option<Said<Named>>, Option<Said<String>>);

/// A server or an engine that was asked for.
enum Named {
    Remote(String),
    Engine(EngineKind),
}

impl TargetArguments {
    /// The arguments that `--also` stands for: an engine, a server, or a target of the project file.
    pub(crate) fn another(&self, name: &str) -> Self {
        let engine = EngineKind::named(name);
        let remote = name.contains("://").then(|| name.to_owned());
        let target = (engine.is_none() && remote.is_none()).then(|| name.to_owned());
        // What is said of the way to a server is for servers.
        let connection =
            if engine.is_none() { self.connection.clone() } else { ConnectionArguments::default() };
        Self { target, remote, engine, root: None, connection, flag: Some("--also") }
    }

    /// Chooses for a pipeline file in `folder`: `--remote`, then `--target`, then the environment, then the project file's default.
    pub(crate) fn choose(&self, folder: &Path) -> Result<Chosen, Failure> {
        let mut notes = Vec::new();
        let found = find_project(folder, &mut notes);
        let (named, wanted) = self.said()?;
        let target = applies(found.as_ref(), named.is_some(), wanted.as_ref(), (folder, &notes))?;
        let origin = match (&named, &target) {
            (_, Some(it)) => Origin::Target {
                name: it.target.name.clone(),
                file: it.file.shown.clone(),
                because: wanted.as_ref().map_or("its `default_target`", |said| said.by),
            },
            (Some(Said { by, value: Named::Remote(_) }), None) => Origin::Server(by),
            (Some(Said { by, value: Named::Engine(_) }), None) => Origin::Engine(by),
            (None, None) => Origin::Usual,
        };
        let location = self.location(named.as_ref(), target.as_ref(), &mut notes)?;
        let shares = match &location {
            Location::Managed(_) => true,
            Location::Remote(_) => {
                named.is_none() && target.as_ref().is_some_and(|it| it.target.shared_files)
            }
        };
        let root = self.root(shares, target.as_ref())?;
        let settings = target.map(|it| it.target.settings).unwrap_or_default();
        let project = found.map(|found| found.folder);
        Ok(Chosen { location, root, settings, project, origin, notes })
    }

    /// The server or engine and the target that were asked for. One that is named stands for itself; a target's settings apply to it
    /// where both are asked for at once.
    fn said(&self) -> Result<Wish, Failure> {
        let remote = |by, url| Said { by, value: Named::Remote(url) };
        let named = match (&self.remote, self.engine) {
            (Some(url), _) => Some(remote(self.flag.unwrap_or("--remote"), url.clone())),
            (None, Some(kind)) => {
                Some(Said { by: self.flag.unwrap_or("--engine"), value: Named::Engine(kind) })
            }
            (None, None) => None,
        };
        let target = self.target.clone().map(|value| Said { by: self.flag.unwrap_or("--target"), value });
        if named.is_some() || target.is_some() {
            return Ok((named, target));
        }
        let named = if let Some(url) = variable("PIPECTL_REMOTE") {
            Some(remote("PIPECTL_REMOTE", url))
        } else if let Some(name) = variable("PIPECTL_ENGINE") {
            let kind = EngineKind::named(&name).ok_or_else(|| Failure::Usage {
                message: format!("`PIPECTL_ENGINE` is `{name}`, which is no engine"),
                hints: vec![format!("one of {}", EngineKind::NAMES.join(", "))],
            })?;
            Some(Said { by: "PIPECTL_ENGINE", value: Named::Engine(kind) })
        } else {
            // What is said to every client of Spark comes last.
            variable("SPARK_REMOTE").map(|url| remote("SPARK_REMOTE", url))
        };
        let target = variable("PIPECTL_TARGET").filter(|_| named.is_none());
        Ok((named, target.map(|value| Said { by: "PIPECTL_TARGET", value })))
    }

    /// The server or engine: what was named, else the target's, else the usual one.
    fn location(
        &self,
        named: Option<&Said<Named>>,
        target: Option<&InFile<'_>>,
        notes: &mut Vec<String>,
    ) -> Result<Location, Failure> {
        let kind = match (named, target.map(|it| (&it.target.server, it))) {
            (Some(Said { by, value: Named::Remote(url) }), _) => {
                let speaker = if by.starts_with("--") { Speaker::Flag(by) } else { Speaker::Variable(by) };
                return self
                    .connection
                    .endpoint(url, speaker, None, notes)
                    .map(|it| Location::Remote(Box::new(it)));
            }
            (None, Some((Server::Remote { url, token, certificates, plaintext }, it))) => {
                let keys = Keys { token: token.as_ref(), certificates, plaintext: plaintext.as_ref(), it };
                let speaker = Speaker::Target(url.span, it);
                return self
                    .connection
                    .endpoint(&url.value, speaker, Some(&keys), notes)
                    .map(|it| Location::Remote(Box::new(it)));
            }
            (Some(Said { value: Named::Engine(kind), .. }), _) => *kind,
            (None, Some((Server::Managed(Some(name)), _))) => {
                EngineKind::named(name).unwrap_or(EngineKind::Sail)
            }
            (None, None | Some((Server::Managed(None), _))) => EngineKind::Sail,
        };
        self.connection.needs_server()?;
        Ok(Location::Managed(kind))
    }

    /// Where relative paths start, said by the flag or else by the target.
    fn root(&self, shares: bool, target: Option<&InFile<'_>>) -> Result<Option<Root>, Failure> {
        let relative = |root: &str| !is_url(root) && Path::new(root).is_relative();
        let of = |root: &str, start: &Path| {
            if shares && !is_url(root) {
                Root::Folder(normal(&start.join(root)))
            } else {
                Root::Engine(root.to_owned())
            }
        };
        // As for the server, the environment comes after a target that is named.
        let named = self.root.clone().or_else(|| variable("PIPECTL_ROOT").filter(|_| self.target.is_none()));
        if let Some(root) = &named {
            if !shares && relative(root) {
                return Err(Failure::Usage {
                    message: format!("the root `{root}` is relative, and means nothing at this engine"),
                    hints: vec!["write a URL, as in `--root s3://lake/prod`, or a whole path".to_owned()],
                });
            }
            return Ok(Some(of(root, &std::env::current_dir().unwrap_or_default())));
        }
        match target.and_then(|it| Some((it.target.root.as_ref()?, it))) {
            Some((root, it)) if !shares && relative(&root.value) => {
                let message =
                    format!("the root `{}` is relative, and means nothing at this engine", root.value);
                let diagnostic = Diagnostic::new(Code::Path, root.span, message)
                    .help("write a URL, as in `root: s3://lake/prod`, or a whole path")
                    .help("or say that the engine reads this machine's files: `shared_files: true`");
                Err(it.wrong(diagnostic))
            }
            Some((root, it)) => Ok(Some(of(&root.value, &it.file.folder))),
            None if shares => Ok(None),
            None => Ok(Some(Root::None)),
        }
    }
}

/// The target that applies.
fn applies<'f>(
    found: Option<&'f Found>,
    is_named: bool,
    wanted: Option<&Said<String>>,
    (folder, notes): (&Path, &[String]),
) -> Result<Option<InFile<'f>>, Failure> {
    if is_named && wanted.is_none() {
        return Ok(None);
    }
    let name = wanted.map(|said| said.value.as_str());
    let token = if is_named { spec::Token::Unused } else { spec::Token::Wanted };
    let project =
        found.map(|found| read_project(found, name, token).map(|project| (project, found))).transpose()?;
    match (project, wanted) {
        (Some((Project { target: Some(target), sources, .. }, file)), _) => {
            Ok(Some(InFile { target, sources, file }))
        }
        (project, Some(said)) => Err(no_such_target(said, project.as_ref(), folder, notes)),
        (_, None) => Ok(None),
    }
}

fn no_such_target(
    said: &Said<String>,
    project: Option<&(Project, &Found)>,
    folder: &Path,
    notes: &[String],
) -> Failure {
    let name = &said.value;
    let Some((project, found)) = project else {
        let place = shown(folder);
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { &place };
        let mut hints = notes.to_vec();
        hints.push(format!("write one: `targets: {{ {name}: {{ remote: sc://host:15002 }} }}`"));
        let message = format!(
            "there is no target `{name}`: there is no `{PROJECT_FILE}` in `{}` or above it",
            place.display()
        );
        return Failure::Usage { message, hints };
    };
    let names = project.names.iter().map(String::as_str);
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if project.names.is_empty() => "the file has no targets".to_owned(),
        None => {
            let names = names.map(|it| format!("`{it}`")).collect::<Vec<_>>();
            format!("its targets are {}", names.join(", "))
        }
    };
    let message =
        format!("there is no target `{name}`, given by {}, in `{}`", said.by, found.shown.display());
    Failure::Usage { message, hints: vec![hint] }
}
