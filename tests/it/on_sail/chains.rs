//! `run`: pipelines of many steps are run rightly, with plans that grow with the file.

use std::fmt::Write as _;

use crate::support::Case;

/// Each step adds its number to what the one before made.
pub(crate) fn chain(steps: usize) -> String {
    let mut text = "version: 1\nsteps:\n  s0: { range: 3 }\n".to_owned();
    for step in 1..=steps {
        let before = step - 1;
        let _ = writeln!(
            text,
            "  s{step}:\n    from: s{before}\n    transform: [with_columns: {{ n: id + {step} }}]"
        );
    }
    text.push_str("    write: { stdout: csv }\n");
    text
}

/// Each rung parts what the one before made, and puts it together again.
pub(crate) fn ladder(rungs: usize, parts: [&str; 2], together: &str) -> String {
    let mut text = "version: 1\nsteps:\n  s0: { range: 4 }\n".to_owned();
    for rung in 1..=rungs {
        let before = rung - 1;
        for (name, part) in ["a", "b"].iter().zip(parts) {
            let _ = writeln!(text, "  {name}{rung}:\n    from: s{before}\n    transform: [{part}]");
        }
        let together = together.replace("OTHER", &format!("b{rung}"));
        let _ = writeln!(text, "  s{rung}:\n    from: a{rung}\n    transform: [{together}]");
    }
    let _ =
        writeln!(text, "  end:\n    from: s{rungs}\n    transform: [sort: id]\n    write: {{ stdout: csv }}");
    text
}

#[test]
pub(crate) fn a_thousand_steps_make_a_chain() {
    for steps in [100, 1_000] {
        let rows: String = (0..3).map(|id| format!("{id},{}\n", id + steps)).collect();
        Case::pipeline(&chain(steps)).stdout(&format!("id,n\n{rows}")).run();
    }
}

#[test]
pub(crate) fn thirty_diamonds_of_unions() {
    let text = ladder(30, ["filter: id % 2 = 0", "filter: id % 2 = 1"], "union: OTHER");
    Case::pipeline(&text).stdout("id\n0\n1\n2\n3\n").run();
}

#[test]
pub(crate) fn thirty_diamonds_of_joins() {
    let parts = ["with_columns: { n: id * 2 }", "select: [id, id + 1 AS m]"];
    let text = ladder(30, parts, "join: { with: OTHER, using: id }, drop: [n, m]");
    Case::pipeline(&text).stdout("id\n0\n1\n2\n3\n").run();
}
