//! The workflows: they can be read, run scripts that there are, use actions that nobody can replace, and may do little.

use std::fs;
use std::path::Path;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The name, the text and the content of each workflow.
fn workflows() -> Vec<(String, String, Value)> {
    let folder = Path::new(ROOT).join(".github/workflows");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let content =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        found.push((path.file_name().unwrap().to_string_lossy().into_owned(), text, content));
    }
    assert!(found.len() >= 3, "{}", found.len());
    found
}

/// The jobs of a workflow.
fn jobs(workflow: &Value) -> Vec<&Value> {
    let jobs: Vec<&Value> = workflow["jobs"].as_object().unwrap().values().collect();
    assert!(!jobs.is_empty());
    jobs
}

/// What all steps of a workflow say under a key.
fn said<'w>(workflow: &'w Value, key: &str) -> Vec<&'w str> {
    let steps = jobs(workflow).into_iter().flat_map(|job| job["steps"].as_array().unwrap());
    steps.filter_map(|step| step.get(key)).map(|said| said.as_str().unwrap()).collect()
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    for (name, text, workflow) in workflows() {
        let uses = said(&workflow, "uses");
        assert!(!uses.is_empty(), "{name}");
        for action in uses {
            let (_, commit) = action.split_once('@').unwrap();
            let is_hash = commit.len() == 40
                && commit.chars().all(|digit| digit.is_ascii_hexdigit() && !digit.is_uppercase());
            assert!(is_hash, "{name}: {action}");
            assert!(
                text.contains(&format!("uses: {action} # v")),
                "{name}: {action} has no version beside it"
            );
        }
    }
}

#[test]
fn every_script_that_is_run_is_there() {
    for (name, _, workflow) in workflows() {
        let words = said(&workflow, "run").into_iter().flat_map(str::split_whitespace);
        let scripts: Vec<&str> = words.filter(|word| word.starts_with(".ci/")).collect();
        assert!(!scripts.is_empty(), "{name} runs none of the scripts that developers run");
        for script in scripts {
            assert!(Path::new(ROOT).join(script).is_file(), "{name}: {script}");
        }
    }
}

#[test]
fn workflows_may_do_little() {
    for (name, text, workflow) in workflows() {
        assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }), "{name}");
        assert!(!text.contains("pull_request_target"), "{name} would run foreign code with rights");
        for job in jobs(&workflow) {
            assert!(job["timeout-minutes"].is_u64(), "{name}: {}", job["name"]);
            // Who may write runs no code of the repository.
            if job.get("permissions").is_some() {
                assert!(!job.to_string().contains("actions/checkout"), "{name}: {}", job["name"]);
            }
        }
        let checkouts = text.matches("actions/checkout@").count();
        assert_eq!(text.matches("persist-credentials: false").count(), checkouts, "{name}");
    }
}
