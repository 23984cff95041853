//! Takes the text of an error apart: class, state, what it says, and what only a developer of the engine wants to read.
//!
//! Spark writes `[CLASS] text SQLSTATE: 42P01`, and behind it places, plans and stacks. What is said comes out on one line.

/// Characters of an original text that are kept.
const LONGEST_ORIGINAL: usize = 4_000;

/// How lines begin that say what may be done about other errors of the same name.
const ADVICE: [&str; 3] =
    ["Search path: [", "If you did not qualify the name", "To tolerate the error on drop"];

/// The parts of an error's text.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) class: Option<String>,
    pub(crate) state: Option<String>,
    /// On one line.
    pub(crate) message: String,
}

/// Takes a text apart that Spark may have written.
pub(crate) fn parts(text: &str) -> Parts {
    let text = without_exception(without_stack(task_failure(text.trim())));
    let memory = text.starts_with("java.lang.OutOfMemoryError");
    let text = if memory { format!("The engine has run out of memory: {text}") } else { text.to_owned() };
    let (text, state) = before_state(&text);
    let text = state.as_ref().map_or_else(|| without_places(&text).to_owned(), |_| text.clone());
    let (class, text) = bracketed(&text).map_or((None, text.clone()), |(class, rest)| (Some(class), rest));
    let is_said = |line: &&str| !ADVICE.iter().any(|advice| line.starts_with(advice));
    let lines: Vec<&str> = text.lines().filter(is_said).collect();
    Parts { class, state, message: one_line(&lines.join(" ")) }
}

/// The text as it came, where it says more than its parts do.
pub(crate) fn original(text: &str, parts: &Parts) -> Option<String> {
    let class = parts.class.as_ref().map(|class| format!("[{class}] ")).unwrap_or_default();
    let state = parts.state.as_ref().map(|state| format!(" SQLSTATE: {state}")).unwrap_or_default();
    let told = format!("{class}{}{state}", parts.message);
    (one_line(text) != told).then(|| shortened(text.trim(), LONGEST_ORIGINAL))
}

/// A text of at most so many characters, with a mark where something was cut off.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between two texts.
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(inner, _)| inner)
}

/// The reason of a task that has failed so often that its job was given up.
fn task_failure(text: &str) -> &str {
    let reason = text.starts_with("Job aborted").then(|| text.split_once("most recent failure: ")).flatten();
    let reason =
        reason.and_then(|(_, failure)| failure.split_once("): ").filter(|(task, _)| !task.contains('\n')));
    reason.map_or(text, |(_, reason)| reason)
}

fn without_stack(text: &str) -> &str {
    ["\n\tat ", "\nDriver stacktrace:", "\nJVM stacktrace:", "\n\nJVM stacktrace:"]
        .iter()
        .filter_map(|stack| text.find(stack))
        .min()
        .and_then(|at| text.get(..at))
        .unwrap_or(text)
}

/// Takes the name of a Java exception off, where it says no more than the class behind it.
fn without_exception(text: &str) -> &str {
    match text.split_once(": ") {
        Some((name, rest)) if rest.starts_with('[') && is_java_class(name) => rest,
        _ => text,
    }
}

fn is_java_class(name: &str) -> bool {
    name.contains('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
}

/// What stands before the state, and the state. Behind it are plans, and places, which are those of a text that pipectl has made.
fn before_state(text: &str) -> (String, Option<String>) {
    const MARK: &str = "SQLSTATE: ";
    for (at, _) in text.rmatch_indices(MARK) {
        let (Some(before), Some(rest)) = (text.get(..at), text.get(at + MARK.len()..)) else { continue };
        let word = first_word(rest);
        let Some(tail) = rest.get(word.len()..).filter(|_| is_state(word)) else { continue };
        if !(tail.is_empty() || tail.starts_with([';', '\n']) || tail.starts_with(" (line ")) {
            continue;
        }
        return (before.trim_end().to_owned(), Some(word.to_owned()));
    }
    (text.to_owned(), None)
}

/// What stands before the places and plans that Spark adds also where there is no state.
fn without_places(text: &str) -> &str {
    let at = text.find("\n== SQL").or_else(|| {
        text.match_indices("; line ").map(|(at, _)| at).find(|at| {
            let rest = text.get(at + "; line ".len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            rest.starts_with(" pos ")
        })
    });
    at.and_then(|at| text.get(..at)).unwrap_or(text)
}

fn first_word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default()
}

fn is_state(word: &str) -> bool {
    word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The class in brackets at the start, where Spark puts it, or after a prefix, where Sail does.
fn bracketed(text: &str) -> Option<(String, String)> {
    let (before, rest) = text.split_once('[')?;
    let (class, rest) = rest.split_once(']')?;
    let named = class.len() > 2
        && class.starts_with(|letter: char| letter.is_ascii_uppercase())
        && class
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    let at_start = before.is_empty() || before.ends_with(": ");
    (named && at_start).then(|| (class.to_owned(), rest.trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_apart() {
        let table = [
            (
                "[TABLE_OR_VIEW_NOT_FOUND] The table `a` cannot be found.\nIf so, do.\nTo tolerate the error on drop use DROP. SQLSTATE: 42P01; line 1 pos 14;\n'Project [*]\n+- 'UnresolvedRelation [a]\n",
                (Some("TABLE_OR_VIEW_NOT_FOUND"), "The table `a` cannot be found. If so, do.", Some("42P01")),
            ),
            (
                "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'x'. SQLSTATE: 42601 (line 1, pos 2)\n\n== SQL ==\nx y\n--^^^\n",
                (Some("PARSE_SYNTAX_ERROR"), "Syntax error at or near 'x'.", Some("42601")),
            ),
            (
                "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n== SQL (line 1, position 8) ==\nSELECT 1 / 0\n       ^^^^^\n",
                (Some("DIVIDE_BY_ZERO"), "Division by zero.", Some("22012")),
            ),
            (
                "Job aborted due to stage failure: Task 1 in stage 26.0 failed 4 times, most recent failure: Lost task 1.0 in stage 26.0 (TID 51) (10.0.0.1 executor 2): org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n\tat a.b.c(D.java:1)\n\nDriver stacktrace:\n\tat e",
                (Some("DIVIDE_BY_ZERO"), "Division by zero.", Some("22012")),
            ),
            (
                "Job aborted due to stage failure: Task 1 in stage 26.0 failed 1 times, most recent failure: Lost task 1.0 in stage 26.0 (TID 51) (localhost executor driver): java.lang.OutOfMemoryError: Java heap space\n\tat a.b.c(D.java:1)",
                (None, "The engine has run out of memory: java.lang.OutOfMemoryError: Java heap space", None),
            ),
            (
                "[USER_RAISED_EXCEPTION] the file says SQLSTATE: 22012 here SQLSTATE: P0001",
                (Some("USER_RAISED_EXCEPTION"), "the file says SQLSTATE: 22012 here", Some("P0001")),
            ),
            ("cannot resolve x; line 1 pos 7;\n'Project ['x]\n", (None, "cannot resolve x", None)),
            ("boom\n\nJVM stacktrace:\nx.Y\n\tat z", (None, "boom", None)),
            ("boom [LOUD] SQLSTATE: is no state", (None, "boom [LOUD] SQLSTATE: is no state", None)),
            ("in line; line up", (None, "in line; line up", None)),
            ("", (None, "", None)),
        ];
        for (text, (class, message, state)) in table {
            let parts = parts(text);
            let found = (parts.class.as_deref(), parts.message.as_str(), parts.state.as_deref());
            assert_eq!(found, (class, message, state), "{text}");
            assert!(!parts.message.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_text_is_kept_only_where_it_says_more() {
        let kept = |text: &str| original(text, &parts(text));
        assert_eq!(kept("[A_B] text. SQLSTATE: 42P01"), None);
        assert_eq!(kept("[A_B] text.\nand more SQLSTATE: 42P01\n"), None);
        assert_eq!(kept("text; line 1 pos 7;\nplan").as_deref(), Some("text; line 1 pos 7;\nplan"));
        let long = format!("x\n\tat {}", "y".repeat(9_000));
        assert_eq!(kept(&long).unwrap().chars().count(), LONGEST_ORIGINAL + 1);
    }
}
