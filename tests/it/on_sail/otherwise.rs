//! W006: what pipectl says that Sail and Spark work out differently, they do.

use crate::support::Case;

/// A function, a call of it, and what each engine makes of it as text.
const ROWS: [(&str, &str, &str, &str); 14] = [
    ("approx_percentile", "approx_percentile(c, 0.5)", "2.5", "2"),
    ("array_contains", "array_contains(array(1, NULL), 2)", "false", "NULL"),
    ("base64", "length(base64(repeat('a', 60)))", "80", "82"),
    ("bround", "bround(2.5)", "3.0", "2"),
    ("date_part dow", "date_part('DOW', DATE'2026-11-23')", "1", "2"),
    ("extract dow", "extract(DOW FROM DATE'2026-11-23')", "1", "2"),
    ("get_json_object", "get_json_object('{\"a\":[1,2]}', '$.a[*]')", "NULL", "[1,2]"),
    ("initcap", "initcap('jean-luc')", "Jean-Luc", "Jean-luc"),
    ("percentile_approx", "percentile_approx(c, 0.25)", "1.5", "1"),
    ("rint", "rint(2.5)", "3.0", "2.0"),
    ("timestamp_seconds", "unix_millis(timestamp_seconds(1.5))", "1000", "1500"),
    ("to_csv", "to_csv(named_struct('a', NULL, 'b', 1))", "\"\",1", ",1"),
    ("to_json", "to_json(named_struct('d', CAST(1.5 AS DECIMAL(10,2))))", "{\"d\":1.5}", "{\"d\":1.50}"),
    ("weekday", "weekday(DATE'2026-11-22')", "-1", "6"),
];

fn hold(expected: impl Fn(&(&str, &str, &'static str, &'static str)) -> &'static str) {
    let columns: Vec<String> = ROWS
        .iter()
        .enumerate()
        .map(|(at, (_, call, ..))| {
            let from = if call.contains("(c,") { " FROM VALUES (1), (2), (3), (4) AS t(c)" } else { "" };
            format!("coalesce(CAST((SELECT {call}{from}) AS STRING), 'NULL') AS c{at}")
        })
        .collect();
    let query = columns.join(",\n        ");
    let pipeline = format!(
        "version: 1\nsteps:\n  a:\n    sql: |\n      SELECT\n        {query}\n    write: {{ stdout: ndjson }}\n"
    );
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", &pipeline).engine();
    let outcome = case.any_stdout().any_stderr().run();
    let row: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    for (at, case) in ROWS.iter().enumerate() {
        assert_eq!(row[format!("c{at}")], expected(case), "{}", case.1);
        let told = format!("warning[W006]: `{}` differs", case.0);
        assert!(outcome.stderr.contains(&told), "{told}:\n{}", outcome.stderr);
    }
    assert_eq!(outcome.stderr.matches("[W006]").count(), ROWS.len(), "a function is not among the cases");
}

#[test]
fn on_sail() {
    hold(|case| case.2);
}

pub(crate) fn on_spark() {
    hold(|case| case.3);
}
