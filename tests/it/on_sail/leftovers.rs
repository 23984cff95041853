//! What killed runs leave: the next start of an engine removes it, and nothing that is used.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::support::{Case, ENDLESS, Running, processes, signal};

const NUMBERS: &str = "version: 1\nsteps: { numbers: { range: 3, write: { stdout: csv } } }\n";

/// The private folders of engines.
fn folders(temporary: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn long_run(temporary: Option<&Path>) -> Running {
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", ENDLESS).engine().any_stderr().any_leftovers();
    let case = match temporary {
        Some(temporary) => case.env("TMPDIR", temporary),
        None => case,
    };
    let mut running = case.start();
    running.wait_for("checked");
    running
}

/// Ends a run with all that it has started, as nothing can be done against and nobody can tidy up after.
fn kill_everything(running: &Running) {
    // It would remove the folder when its launcher is gone.
    running.signal("STOP");
    let started = processes(&running.path(""));
    assert!(started.len() >= 2, "{started:?}");
    for (process, _) in started {
        signal(process, "KILL");
    }
    running.signal("KILL");
}

#[test]
fn the_next_start_removes_what_a_killed_run_left() {
    let dead = long_run(None);
    let temporary = dead.path("tmp");
    let left = folders(&temporary);
    assert_eq!(left.len(), 1, "{left:?}");
    kill_everything(&dead);
    File::create(left[0].join("spill/rows")).unwrap().set_len(10_000_000_000).unwrap();

    // One that lives in the same place.
    let neighbour = long_run(Some(&temporary));
    let living = folders(&temporary);
    assert_eq!(living.len(), 1, "{living:?}");
    assert_ne!(living, left);
    let run =
        || Case::new(["run", "-q", "p.yaml"]).file("p.yaml", NUMBERS).engine().env("TMPDIR", &temporary);
    run().stdout("id\n0\n1\n2\n").run();
    assert_eq!(folders(&temporary), living);

    // pipectl alone is gone: the launcher holds the folder until the engine has ended, and removes it.
    neighbour.kill();
    run().stdout("id\n0\n1\n2\n").run();
    assert_eq!(folders(&temporary), Vec::<PathBuf>::new());
}

/// The engine is kept from ending by a second writer of its input, which only Linux lets a stranger open.
#[cfg(target_os = "linux")]
#[test]
fn an_engine_that_outlives_its_launcher_keeps_its_folder() {
    let dead = long_run(None);
    let temporary = dead.path("tmp");
    let left = folders(&temporary);
    dead.signal("STOP");
    let started = processes(&dead.path(""));
    let (engine, launcher): (Vec<_>, Vec<_>) =
        started.into_iter().partition(|(_, line)| line.contains("serve.py") && !line.contains("launch.py"));
    assert_eq!((engine.len(), launcher.len()), (1, 1), "{engine:?} {launcher:?}");
    // Without this it would end itself, since its input would end with its launcher.
    let input = format!("/proc/{}/fd/0", engine[0].0);
    let _open = File::options().write(true).open(input).unwrap();
    signal(launcher[0].0, "KILL");
    dead.signal("KILL");
    let run =
        || Case::new(["run", "-q", "p.yaml"]).file("p.yaml", NUMBERS).engine().env("TMPDIR", &temporary);
    run().stdout("id\n0\n1\n2\n").run();
    assert_eq!(folders(&temporary), left);
    signal(engine[0].0, "KILL");
    run().stdout("id\n0\n1\n2\n").run();
    assert_eq!(folders(&temporary), Vec::<PathBuf>::new());
}
