//! `pipectl help`: verbs, kinds, and what else there is to be read about.

use std::io;

use clap::{Args, Command};

use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::diagnostic::{Code, nearest};
use crate::manual::{self, Page, Section};

/// Explain a verb, a kind of step, or a key of the file.
///
/// Without a topic this lists the verbs. `pipectl help step` lists the kinds of source, transform, expectation and output; `pipectl
/// help step filter`, or `help filter` in short, prints the page of one, with its settings and an example. There are also
/// `pipeline`, `vars`, `contract` and `project`, every common key of a step (`help timeout`), and `reference`: all pages as Markdown. `pipectl
/// help E012` explains a code of what is wrong with a file, with an example of the mistake and of the mend; `help codes` lists them.
#[derive(Debug, Args)]
pub(crate) struct Help {
    /// What to explain: `run`, `engine install`, `step`, `step filter`, `vars`, `E012`, `codes`, `reference`.
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// A page is as wide where nobody says how wide the terminal is.
const WIDTH: usize = 80;
/// Longer lines are hard to read.
const WIDEST: usize = 100;

pub(crate) fn help(arguments: &Help, command: fn() -> Command) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.topic.iter().map(String::as_str).collect();
    // The page of what it is about explains the verb too.
    if is_verb(&words, command) && words != ["contract"] {
        return usage(command(), &words);
    }
    if let [code] = words.as_slice()
        && let Some(code) = Code::parse(code)
    {
        return print(&manual::section(code.page(), width()));
    }
    let pages = manual::pages();
    let width = width();
    let text = match words.as_slice() {
        ["reference"] => manual::document(),
        ["codes" | "diagnostics"] => codes(),
        ["step" | "steps"] => {
            let step = page(&pages, "step").map(|page| manual::text(page, width));
            format!("{}\n{}", step.unwrap_or_default(), manual::list(&pages, &Section::KINDS, width))
        }
        ["step" | "steps", key] => {
            found(&pages, &Section::KINDS, key, width).ok_or_else(|| unknown(&pages, &words, command))?
        }
        [section] if Section::named(section).is_some() => {
            let section = Section::named(section);
            manual::list(&pages, section.as_slice(), width)
        }
        [section, key] if Section::named(section).is_some() => {
            let section = Section::named(section);
            found(&pages, section.as_slice(), key, width).ok_or_else(|| unknown(&pages, &words, command))?
        }
        [topic] => {
            let key = match *topic {
                "variables" | "var" => "vars",
                "target" | "targets" => "project",
                "contracts" => "contract",
                topic => topic,
            };
            let about = page(&pages, key).filter(|page| !Section::KINDS.contains(&page.section));
            match about {
                Some(page) => manual::text(page, width),
                None => found(&pages, &Section::KINDS, key, width)
                    .ok_or_else(|| unknown(&pages, &words, command))?,
            }
        }
        _ => return Err(unknown(&pages, &words, command)),
    };
    print(&text)
}

/// Whether these words are a verb, or a part of one (`engine install`); none of them is the program itself.
fn is_verb(words: &[&str], command: fn() -> Command) -> bool {
    let mut command = command();
    words.iter().all(|word| match command.find_subcommand(word).cloned() {
        Some(inner) => {
            command = inner;
            true
        }
        None => false,
    })
}

/// What `--help` says, as it says it.
fn usage(command: Command, words: &[&str]) -> Result<(), Failure> {
    let asked = ["pipectl"].iter().chain(words).chain(&["--help"]);
    match command.try_get_matches_from(asked) {
        Err(said) => match said.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        },
        Ok(_) => Ok(()),
    }
}

/// All codes, a line each.
fn codes() -> String {
    let headings = Code::ALL.iter().map(|code| code.page().lines().next().unwrap_or_default());
    headings.map(|heading| format!("{heading}\n")).collect()
}

fn page<'p>(pages: &'p [Page], key: &str) -> Option<&'p Page> {
    pages.iter().find(|page| page.key == key)
}

/// The kinds of this name, one after the other, or the common key of steps.
fn found(pages: &[Page], sections: &[Section], key: &str, width: usize) -> Option<String> {
    let named = pages.iter().filter(|page| page.key == key && sections.contains(&page.section));
    let texts: Vec<String> = named.map(|page| manual::text(page, width)).collect();
    if !texts.is_empty() {
        return Some(texts.join("\n\n"));
    }
    let step = page(pages, "step").filter(|_| sections.len() > 1)?;
    manual::key(step, key, width)
}

fn unknown(pages: &[Page], words: &[&str], command: fn() -> Command) -> Failure {
    let message = format!("there is no topic `{}`", words.join(" "));
    let last = words.last().copied().unwrap_or_default();
    let verbs: Vec<String> = command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let step = page(pages, "step").into_iter().flat_map(Page::keys);
    let known = pages.iter().map(|page| page.key.as_str());
    let known = known
        .chain(["codes"])
        .chain(Code::ALL.iter().map(|code| code.as_str()))
        .chain(step)
        .chain(verbs.iter().map(String::as_str))
        .chain(["reference"]);
    let hint = match (manual::elsewhere(last), nearest(last, known)) {
        _ if words.len() > 1 && is_verb(&words[..1], command) => {
            format!("did you mean `pipectl help {}`?", words[0])
        }
        (Some(hint), _) => hint,
        (None, Some(near)) => format!("did you mean `pipectl help {near}`?"),
        (None, None) => "`pipectl help` lists the verbs, `pipectl help step` the kinds".to_owned(),
    };
    Failure::Usage { message, hints: vec![hint] }
}

/// How wide lines may be.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    size.map_or(WIDTH, |size| usize::from(size.ws_col).clamp(WIDTH / 2, WIDEST))
}
