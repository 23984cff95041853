//! `include`: a pipeline of several files on an engine.

use std::fs;

use crate::inner::includes::case;

#[test]
fn paths_start_at_the_folder_of_the_file_in_which_they_stand() {
    let outcome = case("run").args(["-q"]).engine().stdout("name\nAnn\nDan\n").run();
    let written = fs::read_to_string(outcome.path("common/out/adults.csv")).unwrap();
    assert_eq!(written, "name\nAnn\nCid\nDan\n");
    let record = outcome.record();
    let files: Vec<&str> = record["files"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    assert_eq!(
        files,
        [
            "pipelines/main.yaml",
            "common/sources.yaml",
            "vars.yaml",
            "common/people.yaml",
            "common/adults.sql"
        ]
    );
}

#[test]
fn a_root_and_values_from_outside_reach_included_files() {
    let project = "targets: { t: { engine: sail, root: lake, vars: { without: Dan } } }\n";
    case("run")
        .args(["-q", "--target", "t", "--var", "least=30"])
        .file("pipectl.yaml", project)
        .file("lake/data/people.csv", "name,age\nEve,31\nDan,50\n")
        .engine()
        .stdout("name\nEve\n")
        .run();
}
