//! `run`: killed while it writes a folder.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::on_sail::files::{numbers, tree};
use crate::support::Case;

#[test]
fn a_run_that_is_killed_leaves_the_old_folder_and_the_next_one_cleans_up() {
    let home = TempDir::new().unwrap();
    let out = home.path().join("rows");
    let output = |path: &Path| format!("csv: {{ path: {}, max_rows_per_file: 1000 }}", path.display());
    Case::pipeline(&numbers(2_500, &output(&out))).run();
    let old = ["part-00000.csv", "part-00001.csv", "part-00002.csv"];
    assert_eq!(tree(&out), old);

    let text = numbers(100_000_000, &output(&out));
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", &text).engine().any_stderr();
    let running = case.start();
    running.wait_for_file(&home.path().to_string_lossy(), 0);
    let is_partial = |path: &String| path.starts_with('.') && path.contains(".partial/");
    while tree_while_it_changes(home.path()).iter().filter(|path| is_partial(path)).count() < 3 {}
    running.kill();
    assert_eq!(tree(&out), old);
    assert!(tree(home.path()).iter().any(is_partial));

    Case::pipeline(&numbers(1, &output(&out))).run();
    assert_eq!(tree(home.path()), ["rows", "rows/part-00000.csv"]);
}

/// The same as [`tree`] of a folder in which files come and go.
fn tree_while_it_changes(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let inside = fs::read_dir(entry.path()).into_iter().flatten().flatten();
        found.extend(inside.map(|it| format!("{name}/{}", it.file_name().to_string_lossy())));
        found.push(name);
    }
    found
}
