//! The examples of the reference, run on Sail: each gives what its page shows.

use std::fs;
use std::path::Path;
use std::thread;

use crate::inner::reference::{COMMITTED, REFUSED};
use crate::support::Warm;
use crate::support::{Case, Outcome};

/// How many examples run side by side.
const THREADS: usize = 4;

/// A page's example: what there is before, the pipeline, what comes of it.
#[derive(Debug, Default)]
struct Example {
    page: String,
    inputs: Vec<(String, String)>,
    pipeline: String,
    prints: String,
    makes: Vec<(String, String)>,
    lists: Vec<String>,
    says: Vec<String>,
}

fn examples() -> Vec<Example> {
    let text = fs::read_to_string(COMMITTED).unwrap();
    let pages = text.split("\n### ").skip(1).filter(|page| !page.starts_with("Targets\n"));
    pages.map(example).collect()
}

fn example(page: &str) -> Example {
    let mut example = Example { page: page.lines().next().unwrap().to_owned(), ..Example::default() };
    let mut parts = page.split("\n\n```");
    let mut before = parts.next().unwrap();
    for part in parts {
        let caption = before.trim_end().lines().last().unwrap();
        let (block, after) = part.split_once("\n```").unwrap();
        let (_, text) = block.split_once('\n').unwrap();
        let text = format!("{text}\n");
        let file = caption.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
        match (caption, file) {
            (_, Some(file)) if example.pipeline.is_empty() => example.inputs.push((file.to_owned(), text)),
            (_, Some(file)) => example.makes.push((file.to_owned(), text)),
            ("Example:", None) => example.pipeline = text,
            ("What it prints:", None) => example.prints = text,
            ("Files that it makes:", None) => example.lists.extend(text.lines().map(str::to_owned)),
            ("What it says:", None) => example.says.extend(text.lines().map(str::to_owned)),
            (other, None) => panic!("{}: what is `{other}`?", example.page),
        }
        before = after;
    }
    let shows = !example.prints.is_empty() || !example.makes.is_empty() || !example.lists.is_empty();
    assert!(
        !example.pipeline.is_empty() && shows != example.is_refused(),
        "`{}` has no example, or shows nothing of it",
        example.page
    );
    example
}

impl Example {
    /// Whether its first line names the engines that have it, and not this one.
    fn is_of_another(&self, kind: &str) -> bool {
        let first = self.pipeline.lines().next().unwrap_or_default();
        first.strip_prefix("# engines: ").is_some_and(|named| !named.split_whitespace().any(|it| it == kind))
    }

    fn is_refused(&self) -> bool {
        REFUSED.contains(&self.page.as_str())
    }

    /// Runs it on an engine that is kept; says what is not as the page shows it.
    fn run(&self, kind: &str, runtime: &Path) -> Vec<String> {
        // A few rows need no two hundred tasks.
        let target = format!("engine: {kind}, conf: {{ spark.sql.shuffle.partitions: 1 }}");
        let project = format!("default_target: here\ntargets: {{ here: {{ {target} }} }}\n");
        let case = Case::new(["run", "p.yaml"]).env("XDG_RUNTIME_DIR", runtime).file("pipectl.yaml", project);
        // A table may be a file, whose path is a whole one.
        let pipeline = self.pipeline.replace("`/data/", &format!("`{}/data/", case.path("").display()));
        let case = case.file("p.yaml", pipeline);
        let case = self.inputs.iter().fold(case, |case, (path, text)| case.file(path, text));
        if self.is_of_another(kind) {
            let outcome = case.code(78).any_stdout().any_stderr().run();
            let is_refused = outcome.stderr.contains("error[E022]");
            return if is_refused {
                Vec::new()
            } else {
                vec![format!("{} on {kind} is not refused", self.page)]
            };
        }
        if self.is_refused() {
            let outcome = case.code(78).any_stderr().run();
            let is_told = outcome.stderr.contains(" --> p.yaml:") && outcome.stderr.contains("`drawn`");
            return (!is_told)
                .then(|| format!("{} on {kind}: {}", self.page, outcome.stderr))
                .into_iter()
                .collect();
        }
        let outcome = case.any_stdout().any_stderr().run();
        self.compare(&outcome).into_iter().map(|said| format!("{} on {kind}: {said}", self.page)).collect()
    }

    fn compare(&self, outcome: &Outcome) -> Vec<String> {
        let mut wrong = Vec::new();
        if outcome.stdout != self.prints {
            wrong.push(format!("it prints\n{}and not\n{}", outcome.stdout, self.prints));
        }
        for (path, text) in &self.makes {
            let made = fs::read_to_string(outcome.path(path)).unwrap_or_default();
            if made != *text {
                wrong.push(format!("`{path}` is\n{made}and not\n{text}"));
            }
        }
        let mut made = outcome.files();
        made.retain(|path| path.starts_with("out/"));
        if !self.lists.is_empty() && made != self.lists {
            wrong.push(format!("it makes {made:?} and not {:?}", self.lists));
        }
        for line in &self.says {
            if !outcome.stderr.lines().any(|said| said.trim_start() == line) {
                wrong.push(format!("it does not say `{line}`, but\n{}", outcome.stderr));
            }
        }
        wrong
    }
}

/// All examples on one engine, which starts once.
pub(crate) fn hold_on(kind: &str) {
    let examples = examples();
    assert!(examples.len() > 25, "the examples are gone");
    let warm = Warm::shared(kind);
    let share = examples.len().div_ceil(THREADS);
    let wrong: Vec<String> = thread::scope(|scope| {
        let run = |part| {
            let run = |example: &Example| example.run(kind, warm.runtime());
            scope.spawn(move || <[Example]>::iter(part).flat_map(run).collect::<Vec<_>>())
        };
        let threads: Vec<_> = examples.chunks(share).map(run).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_gives_on_sail_what_its_page_shows() {
    hold_on("sail");
}
