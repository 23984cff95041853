//! Variables: every type comes back from both engines with exactly that type and value; who goes before whom; what is refused.

use std::fs;

use crate::support::Case;
use crate::support::Warm;

/// Types, a text, the type's name at the engine, and the value as JSON.
fn typed() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        ("string", "it's \"\\\" -- ü", "string", r#""it's \"\\\" -- ü""#),
        ("string", "", "string", r#""""#),
        ("binary", "0x00ff27", "binary", r#""00ff27""#),
        ("binary", "X''", "binary", r#""""#),
        ("boolean", "true", "boolean", "true"),
        ("boolean", "FALSE", "boolean", "false"),
        ("tinyint", "-128", "tinyint", "-128"),
        ("short", "32767", "smallint", "32767"),
        ("integer", "-2147483648", "int", "-2147483648"),
        ("long", "-9223372036854775808", "bigint", "-9223372036854775808"),
        ("long", "9223372036854775807", "bigint", "9223372036854775807"),
        ("real", "0.1", "float", "0.1"),
        ("float", "-3.4028235e38", "float", "-3.4028235e38"),
        ("float", "1e-45", "float", "1e-45"),
        ("double", "1.7976931348623157e308", "double", "1.7976931348623157e308"),
        ("double", "5e-324", "double", "5e-324"),
        ("double", "-0", "double", "-0.0"),
        ("double", "NaN", "double", r#""NaN""#),
        ("double", "-inf", "double", r#""-Infinity""#),
        ("decimal(5,2)", "-123.45", "decimal(5,2)", "-123.45"),
        (
            "numeric(38,0)",
            "99999999999999999999999999999999999999",
            "decimal(38,0)",
            "99999999999999999999999999999999999999",
        ),
        (
            "dec(38,38)",
            "0.00000000000000000000000000000000000001",
            "decimal(38,38)",
            "0.00000000000000000000000000000000000001",
        ),
        ("date", "0001-01-01", "date", r#""0001-01-01""#),
        ("date", "9999-12-31", "date", r#""9999-12-31""#),
        ("timestamp", "2026-03-29T02:30:00.123456", "timestamp", r#""2026-03-29T02:30:00.123456Z""#),
        ("timestamp_ltz", "2026-01-31T12:00:00+02:00", "timestamp", r#""2026-01-31T10:00:00Z""#),
        ("timestamp", "0001-01-02T00:00:00-18:00", "timestamp", r#""0001-01-02T18:00:00Z""#),
        ("timestamp", "9999-12-31T23:59:59.999999Z", "timestamp", r#""9999-12-31T23:59:59.999999Z""#),
        ("timestamp_ntz", "0001-01-01 00:00", "timestamp_ntz", r#""0001-01-01T00:00:00""#),
        ("timestamp_ntz", "2026-01-31", "timestamp_ntz", r#""2026-01-31T00:00:00""#),
        ("interval year to month", "-1-2", "interval year to month", r#""-P1Y2M""#),
        ("interval year to month", "178956970-7", "interval year to month", r#""P178956970Y7M""#),
        ("interval day to second", "3 days", "interval day to second", r#""P3D""#),
        ("interval day to second", "-3 04:05:06.789", "interval day to second", r#""-P3DT4H5M6.789S""#),
        (
            "interval day to second",
            "106751990 23:59:59.999999",
            "interval day to second",
            r#""P106751990DT23H59M59.999999S""#,
        ),
        ("time", "00:00", "time(6)", r#""00:00:00""#),
        ("time", "23:59:59.999999", "time(6)", r#""23:59:59.999999""#),
    ]
}

/// In expressions, in queries, and as the item of a list.
pub(crate) fn every_type_comes_back(warm: &Warm, engine: &str) {
    let typed = typed();
    let each = |part: &dyn Fn(usize) -> String, between: &str| {
        (0..typed.len()).map(part).collect::<Vec<_>>().join(between)
    };
    let columns = |at: usize| {
        format!("typeof(${{v{at}}}) AS t{at}, ${{v{at}}} AS v{at}, ${{v{at}}} IN ${{list{at}}} AS i{at}")
    };
    let items = |at: usize| {
        let parts = columns(at);
        parts.split(", ").map(|part| format!("          - {part}\n")).collect::<String>()
    };
    // Spark has times only where it is told so.
    let conf = if engine == "spark" { "spark.sql.timeType.enabled: true" } else { "" };
    let declared = each(
        &|at| format!("  v{at}: {{ type: \"{0}\" }}\n  list{at}: {{ type: \"array<{0}>\" }}\n", typed[at].0),
        "",
    );
    let pipeline = format!(
        "version: 1\nconf: {{ {conf} }}\nvars:\n{declared}steps:\n  expressions:\n    range: 1\n    transform:\n      - select:\n{}    write: {{ ndjson: out/expressions.ndjson }}\n  query:\n    sql: SELECT {}\n    write: {{ ndjson: out/query.ndjson }}\n",
        each(&items, ""),
        each(&columns, ", "),
    );
    let case = Case::new(["run", "-q", "p.yaml", "--engine", engine]).env("XDG_RUNTIME_DIR", warm.runtime());
    let case = typed.iter().enumerate().fold(case, |case, (at, (_, text, ..))| {
        let list = format!("list{at}=['{}']", text.replace('\'', "''"));
        case.args(["--var", &format!("v{at}={text}"), "--var", &list])
    });
    let outcome = case.file("p.yaml", pipeline).run();
    for place in ["expressions", "query"] {
        // The text, since numbers lose digits where they are read.
        let text = fs::read_to_string(outcome.path(&format!("out/{place}.ndjson"))).unwrap();
        for (at, (data_type, written, name, value)) in typed.iter().enumerate() {
            let expected = format!("\"t{at}\":\"{name}\",\"v{at}\":{value},\"i{at}\":true");
            assert!(text.contains(&expected), "{engine}, {place}, {data_type} {written}: {expected}\n{text}");
        }
    }
}

#[test]
fn sail_has_every_type() {
    every_type_comes_back(&Warm::shared("sail"), "sail");
}
