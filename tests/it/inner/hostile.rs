//! Files that are made to do harm: each ends with a diagnostic, soon, and in little memory.

use std::time::Duration;

use crate::support::Case;

/// Kilobytes of address space, which is more than of memory.
const MEMORY: &str = "ulimit -v 3000000; exec \"$@\"";
/// A debug build on a machine that does other things too.
const SOON: Duration = Duration::from_secs(60);

/// What is said of a file that can't be right.
fn said_of(text: impl AsRef<[u8]>) -> String {
    let case = Case::new(["validate", "--all-diagnostics", "p.yaml"])
        .file("p.yaml", text)
        .code(78)
        .any_stderr()
        .at_most(SOON);
    let stderr = case.run_in_shell(MEMORY).stderr;
    assert!(stderr.contains("--> p.yaml:"), "{stderr}");
    assert!(stderr.len() < 100_000, "{} bytes are said", stderr.len());
    stderr
}

#[test]
fn nesting_ends_somewhere() {
    for text in [
        "[".repeat(1_000_000),
        "{a: ".repeat(1_000_000),
        "- ".repeat(1_000_000),
        (0..100_000).map(|_| "? ").collect::<String>(),
        (0..300).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>(),
    ] {
        let said = said_of(text);
        assert!(said.contains("error[E00"), "{said}");
    }
}

#[test]
fn aliases_do_not_multiply() {
    let mut laughs = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let alias = format!("*a{}", level - 1);
        laughs += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
    }
    assert!(said_of(laughs).contains("more than 2000000 values"));
    // Anchors in anchors, each with all that is in it.
    let open: String = (0..60).map(|level| format!("&a{level} [")).collect();
    let nested = format!("version: 1\na: {open}{}{}\n", "x, ".repeat(200_000), "]".repeat(60));
    assert!(said_of(nested).contains("more than 2000000 values"));
}

#[test]
fn what_is_large_is_refused_or_read() {
    let size = 50 << 20;
    assert!(said_of("x".repeat(size)).contains("larger than 32 MB"));
    let key =
        format!("version: 1\n{}: 1\nsteps: {{ a: {{ range: 1, write: stdout }} }}\n", "k".repeat(1 << 20));
    let case = Case::new(["validate", "p.yaml"]).file("p.yaml", key).code(78).any_stderr().at_most(SOON);
    let stderr = case.run_in_shell(MEMORY).stderr;
    // No key may be so long.
    assert!(stderr.contains("error[E001]") && stderr.len() < 1_000, "{}", stderr.len());
    let value = format!("version: 1\nsteps: {{ a: {{ range: {}, write: stdout }} }}\n", "9".repeat(1 << 20));
    let case = Case::new(["validate", "p.yaml"]).file("p.yaml", value).code(78).any_stderr().at_most(SOON);
    let stderr = case.run_in_shell(MEMORY).stderr;
    assert!(stderr.contains("error[E005]"), "{}", stderr.len());
    let errors: String = (0..20_000).map(|n| format!("  s{n}: {{ rang: 1 }}\n")).collect();
    let case = Case::new(["validate", "p.yaml"]).file("p.yaml", format!("version: 1\nsteps:\n{errors}"));
    let stderr = case.code(78).any_stderr().at_most(SOON).run_in_shell(MEMORY).stderr;
    assert!(stderr.contains("the pipeline has 20000 mistakes"), "{}", stderr.len());
}

#[test]
fn broken_syntax_is_not_read_again_and_again() {
    let lines: String = (0..100_000).map(|n| format!("  s{n}: @x\n")).collect();
    let said = said_of(format!("version: 1\nsteps:\n{lines}"));
    assert!((1..=40).contains(&said.matches("error[E001]").count()), "{said}");
    let lines: String = (0..200).map(|n| format!("  s{n}: @x\n")).collect();
    let said = said_of(format!("version: 1\nsteps:\n{lines}"));
    assert!((20..=40).contains(&said.matches("error[E001]").count()), "{said}");
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let text = b"version: 1\nsteps:\n  a:\n    range: 3\n    description: \"b\xffc\"\n    write: stdout\n";
    let said = said_of(text);
    assert!(said.contains("error[E002]: the file is not UTF-8") && said.contains("p.yaml:5:20"), "{said}");
    for bytes in [
        &b"version: 1\nsteps:\n  a\0: { range: 1 }\n"[..],
        b"\0\0\0\0",
        b"\xff\xfev\0e\0r\0",
        b"\x1f\x8b\x08\0",
    ] {
        said_of(bytes);
    }
}

#[test]
fn names_that_deceive_are_shown_as_they_are() {
    let said = said_of(
        "version: 1\nsteps:\n  \u{202e}sredro: { range: 1, write: stdout }\n  \u{430}: { from: a, write: stdout }\n",
    );
    assert!(said.contains("U+202E") && said.contains("U+0430"), "{said}");
    assert!(!said.contains('\u{202e}'), "{said}");
}
