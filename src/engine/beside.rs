//! An engine beside the program: where pipectl was installed into a Python environment that has the engine's package too, as
//! `pip install pipectl-spark[sail]` does it, that package is used and nothing is downloaded.
//!
//! The environment is the one whose `bin` holds this program. It may have anything else installed, also a `PySpark` that the
//! engine would take for its own, so nothing but the engine's package is imported from there (see `packages` of the Python
//! part). What others could have changed is not run: everything that is used belongs to this user or to root.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::installation::{Installation, Trust};
use super::packages::{Beside, Packages};
use super::paths::EnginePaths;
use super::python::{self, Interpreter};

/// What a look for one gives.
pub(super) enum Found {
    Nothing,
    /// There is one that is not used, and why.
    Ignored(String),
    Whole(Installation),
}

/// Names of the folder of a Python's packages; Debian has one of its own.
const SITES: [&str; 2] = ["site-packages", "dist-packages"];
/// No engine has more files, and no description of a package more bytes.
const MOST_FILES: usize = 20_000;
const LONGEST_METADATA: u64 = 1 << 20;

/// Where an environment has it.
struct Located<'a> {
    prefix: &'a Path,
    package: &'static Beside,
    /// The folder of its packages.
    site: PathBuf,
    /// What says which version it is.
    description: PathBuf,
}

/// Looks for one. Its interpreter is that of the environment, unless the user names another.
pub(super) async fn find(packages: &'static Packages, place: &EnginePaths, trust: Trust) -> Found {
    let Some(package) = &packages.beside else { return Found::Nothing };
    let Some(prefix) = place.program.as_deref().and_then(prefix) else { return Found::Nothing };
    let Some(located) = locate(prefix, package) else { return Found::Nothing };
    match take(packages, place, &located, trust).await {
        Ok(installation) => Found::Whole(installation),
        Err(reason) => {
            let name = package.name;
            Found::Ignored(format!(
                "`{name}` beside pipectl, in `{}`, is ignored: {reason}",
                prefix.display()
            ))
        }
    }
}

/// The environment that a program is installed in.
fn prefix(program: &Path) -> Option<&Path> {
    let folder = program.parent()?;
    folder.file_name().filter(|name| *name == "bin")?;
    folder.parent()
}

fn locate<'a>(prefix: &'a Path, package: &'static Beside) -> Option<Located<'a>> {
    let folders = ["lib", "lib64"].into_iter().flat_map(|name| entries(&prefix.join(name)));
    let pythons = folders.filter(|(name, _)| name.starts_with("python3"));
    let mut sites = pythons.flat_map(|(_, folder)| SITES.map(|site| folder.join(site)));
    sites.find_map(|site| {
        let mut descriptions = entries(&site).filter(|(name, _)| {
            let version = name.strip_prefix(package.name).and_then(|rest| rest.strip_prefix('-'));
            version.is_some_and(|version| version.ends_with(".dist-info"))
        });
        let (_, description) = descriptions.next()?;
        Some(Located { prefix, package, site, description })
    })
}

/// The names and paths in a folder; none where it can't be read.
fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
}

async fn take(
    packages: &'static Packages,
    place: &EnginePaths,
    located: &Located<'_>,
    trust: Trust,
) -> Result<Installation, String> {
    let Located { prefix, package, site, description } = located;
    let version = version(description)?;
    if version != packages.version {
        return Err(format!("its version is {version}, and this pipectl needs {}", packages.version));
    }
    let mut check = Check::of_this_user();
    check.chain(prefix, site)?;
    check.everything(description)?;
    check.everything(&site.join(package.name))?;
    let python = interpreter(place, prefix, &check).await?;
    let installation = Installation::beside((*prefix).to_owned(), site.clone(), check.bytes, python, package);
    if trust == Trust::Verify {
        installation.prove(packages).await.map_err(|reason| format!("it cannot be loaded: {reason}"))?;
    }
    Ok(installation)
}

/// The version of a project, as its description says it.
fn version(description: &Path) -> Result<String, String> {
    let mut text = String::new();
    let path = description.join("METADATA");
    let read = File::open(&path).and_then(|file| file.take(LONGEST_METADATA).read_to_string(&mut text));
    read.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    let version = text.lines().find_map(|line| line.strip_prefix("Version:"));
    version
        .map_or_else(|| Err(format!("`{}` names no version", path.display())), |it| Ok(it.trim().to_owned()))
}

async fn interpreter(place: &EnginePaths, prefix: &Path, check: &Check) -> Result<Interpreter, String> {
    let own = ["python3", "python"].map(|name| prefix.join("bin").join(name));
    // What `pip install --user` makes has none: any that fits runs the package.
    let own = own.into_iter().find(|python| python.exists()).filter(|_| place.python.is_none());
    if let Some(own) = &own {
        check.path(&prefix.join("bin"))?;
        check.path(own)?;
    }
    let found = python::find(own.as_deref().or(place.python.as_deref()), &place.search_path).await;
    let python = found.map_err(|error| error.to_string())?;
    if own.is_some() {
        check.path(&python.executable)?;
    }
    Ok(python)
}

/// Looks who could have changed what is used.
struct Check {
    user: u32,
    files: usize,
    bytes: u64,
}

impl Check {
    fn of_this_user() -> Self {
        Self { user: rustix::process::geteuid().as_raw(), files: 0, bytes: 0 }
    }

    /// The folders from one down to another.
    fn chain(&self, top: &Path, bottom: &Path) -> Result<(), String> {
        let folders = bottom.ancestors().take_while(|folder| folder.starts_with(top));
        folders.into_iter().try_for_each(|folder| self.path(folder).map(drop))
    }

    /// A folder and all that is in it.
    fn everything(&mut self, folder: &Path) -> Result<(), String> {
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            self.path(&folder)?;
            for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
                let entry = entry.map_err(|error| unreadable(&folder, &error))?;
                let (path, kind) = (entry.path(), entry.file_type());
                self.files += 1;
                if self.files > MOST_FILES {
                    return Err(format!("it has more than {MOST_FILES} files"));
                }
                if kind.is_ok_and(|kind| kind.is_dir()) {
                    waiting.push(path);
                    continue;
                }
                // A link to a file is one to a store of packages; a link to a folder would lead anywhere.
                let found = self.path(&path)?;
                if found.is_dir() {
                    return Err(format!("`{}` is a link to a folder", path.display()));
                }
                self.bytes += found.len();
            }
        }
        Ok(())
    }

    /// A file or folder, and where it is a link, what that leads to.
    fn path(&self, path: &Path) -> Result<Metadata, String> {
        let entry = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
        let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        for metadata in [&entry, &found] {
            if ![self.user, 0].contains(&metadata.uid()) {
                return Err(format!("`{}` belongs to another user", path.display()));
            }
            // A link has a mode that means nothing, and a group of the user's own number has no other member.
            let others = if metadata.gid() == metadata.uid() { 0o002 } else { 0o022 };
            if !metadata.is_symlink() && metadata.mode() & others != 0 {
                let mode = metadata.mode() & 0o777;
                return Err(format!("others may write `{}` (mode {mode:o})", path.display()));
            }
        }
        Ok(found)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder with a file in a folder, and what a look at it says.
    fn checked(change: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("pysail");
        fs::create_dir_all(package.join("spark")).unwrap();
        fs::write(package.join("spark/a.py"), "1234").unwrap();
        for path in [&package, &package.join("spark"), &package.join("spark/a.py")] {
            mode(path, 0o755);
        }
        change(&package);
        let mut check = Check::of_this_user();
        let said = check.everything(&package).err().unwrap_or_else(|| format!("{} bytes", check.bytes));
        said.replace(&*folder.path().to_string_lossy(), "[folder]")
    }

    #[test]
    fn only_what_nobody_else_can_change_is_used() {
        insta::assert_snapshot!(checked(|_| {}), @"4 bytes");
        insta::assert_snapshot!(checked(|package| mode(package, 0o777)), @"others may write `[folder]/pysail` (mode 777)");
        insta::assert_snapshot!(checked(|package| mode(&package.join("spark/a.py"), 0o646)), @"others may write `[folder]/pysail/spark/a.py` (mode 646)");
        let link = |package: &Path| symlink("/", package.join("spark/link")).unwrap();
        insta::assert_snapshot!(checked(link), @"`[folder]/pysail/spark/link` is a link to a folder");
        let nowhere = |package: &Path| symlink("/nowhere", package.join("spark/link")).unwrap();
        insta::assert_snapshot!(checked(nowhere), @"`[folder]/pysail/spark/link` cannot be read: No such file or directory (os error 2)");
    }

    #[test]
    fn what_belongs_to_another_user_is_not_used() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let user = rustix::process::geteuid().as_raw();
        if user == 0 {
            // What is root's may be used by everybody.
            chown(file.path(), Some(1), None).unwrap();
        }
        let check = Check { user: user + 2, files: 0, bytes: 0 };
        let said = check.path(file.path()).unwrap_err();
        assert!(said.ends_with("belongs to another user"), "{said}");
    }

    #[test]
    fn the_environment_is_that_of_the_program() {
        assert_eq!(prefix(Path::new("/opt/env/bin/pipectl")), Some(Path::new("/opt/env")));
        assert_eq!(prefix(Path::new("/src/target/debug/pipectl")), None);
        assert_eq!(prefix(Path::new("/bin/pipectl")), Some(Path::new("/")));
    }

    #[test]
    fn it_is_found_where_any_python_has_its_packages() {
        static PACKAGE: Beside = Beside { name: "pysail", versions: &[] };
        for site in
            ["lib/python3.12/site-packages", "lib64/python3.10/site-packages", "lib/python3/dist-packages"]
        {
            let folder = tempfile::tempdir().unwrap();
            let site = folder.path().join(site);
            fs::create_dir_all(site.join("pysail_extra-1.0.dist-info")).unwrap();
            assert!(locate(folder.path(), &PACKAGE).is_none());
            let description = site.join("pysail-0.7.2.dist-info");
            fs::create_dir(&description).unwrap();
            let located = locate(folder.path(), &PACKAGE).unwrap();
            assert_eq!((&located.site, &located.description), (&site, &description));
            assert!(version(&description).unwrap_err().contains("METADATA` cannot be read"));
            fs::write(description.join("METADATA"), "Metadata-Version: 2.4\nName: pysail\nVersion: 0.7.2\n")
                .unwrap();
            assert_eq!(version(&description).unwrap(), "0.7.2");
        }
    }
}
