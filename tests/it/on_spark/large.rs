//! `run`: what is large, in both directions, and what is sent to a session beside its plans.

use std::fs;

use crate::support::Warm;
use crate::support::daemon::Server;
use crate::support::{Case, Outcome};

pub(crate) const CACHED_FROM: &str = "spark.sql.session.localRelationCacheThreshold";
const CODEC: &str = "spark.sql.execution.arrow.compression.codec";

/// Rows of a MiB each, which a variable makes of a small file.
pub(crate) fn mebibytes(rows: usize, conf: &str) -> String {
    let blob = "x".repeat(1 << 20);
    let values = "        - ['${blob}']\n".repeat(rows);
    format!(
        "version: 1
conf: {{ {conf} }}
vars: {{ blob: {{ type: string, default: {blob} }} }}
steps:
  many:
    values:
      columns: {{ t: string }}
      rows:
{values}
  sums:
    from: many
    transform: [aggregate: {{ columns: {{ n: count(*), letters: sum(length(t)) }} }}]
    write: {{ stdout: csv }}
"
    )
}

/// Many short rows of several types.
fn short(rows: usize, conf: &str) -> String {
    let values: String =
        (0..rows).map(|row| format!("        - [{row}, 'row {row}', {row}.50, null]\n")).collect();
    format!(
        "version: 1
conf: {{ {conf} }}
steps:
  many:
    values:
      columns: {{ id: int, t: string, d: \"decimal(12,2)\", none: date }}
      rows:
{values}
  sums:
    from: many
    transform: [aggregate: {{ columns: {{ n: count(*), s: sum(id), d: sum(d), none: count(none) }} }}]
    write: {{ stdout: csv }}
  last:
    from: many
    transform: [filter: id >= {rows} - 1]
    write: {{ stdout: csv }}
"
    )
}

fn short_rows(rows: usize) -> String {
    let sum = rows * (rows - 1) / 2;
    let (last, cents) = (rows - 1, sum * 100 + rows * 50);
    let decimal = format!("{}.{:02}", cents / 100, cents % 100);
    format!("n,s,d,none\n{rows},{sum},{decimal},0\nid,t,d,none\n{last},row {last},{last}.50,\n")
}

pub(crate) fn sums(rows: usize) -> String {
    format!("n,letters\n{rows},{}\n", rows << 20)
}

/// A run at an engine that is kept for the test.
pub(crate) fn at(warm: &Warm, kind: &str, text: &str) -> Case {
    Case::new(["run", "-q", "p.yaml", "--engine", kind])
        .file("p.yaml", text)
        .env("XDG_RUNTIME_DIR", warm.runtime())
}

fn refused(case: Case, says: &str) {
    let outcome = case.code(78).any_stderr().run();
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("put rows of `values` and `upload` into a file"), "{}", outcome.stderr);
}

pub(crate) const WIDE: &str = "version: 1
steps:
  wide:
    sql: \"SELECT repeat('x', 140000000) AS t\"
    write: { ndjson: out/wide.ndjson }
";

fn wide_is_whole(outcome: &Outcome) {
    let bytes = fs::read(outcome.path("out/wide.ndjson")).unwrap();
    let text = bytes.strip_prefix(b"{\"t\":\"").and_then(|bytes| bytes.strip_suffix(b"\"}\n")).unwrap();
    assert_eq!(text.len(), 140_000_000);
    assert!(text.iter().all(|byte| *byte == b'x'));
}

pub(crate) fn wide_is_refused(case: Case) {
    let outcome = case.code(1).any_stderr().run();
    assert!(
        outcome
            .stderr
            .contains("MiB at once, and the limit is 128 MiB\n          help: raise `grpc_max_message_size`")
    );
    assert!(!outcome.path("out").exists());
}

#[test]
fn spark_takes_large_plans_and_sends_large_rows() {
    let warm = Warm::shared("spark");
    let run = |text: &str| at(&warm, "spark", text);
    let inline = format!("{CACHED_FROM}: \"2000000000\"");
    let plain = format!("{inline}, spark.connect.session.planCompression.threshold: \"-1\"");
    // Compressed, and as it is.
    run(&mebibytes(130, &inline)).stdout(&sums(130)).run();
    run(&mebibytes(100, &plain)).stdout(&sums(100)).run();
    refused(run(&mebibytes(130, &plain)), "a request of 130.01 MiB is more than the server takes at once");
    wide_is_whole(&run(WIDE).run());
}

#[test]
fn spark_takes_rows_in_chunks_and_artifacts() {
    let warm = Warm::shared("spark");
    let run = |text: &str| at(&warm, "spark", text);
    let low = format!("{CACHED_FROM}: \"1000\", spark.sql.session.localRelationChunkSizeBytes: 5000");
    run(&short(2000, &low)).stdout(&short_rows(2000)).run();
    let least = format!("{low}, spark.sql.session.localRelationSizeLimit: 9000");
    let outcome = run(&short(2000, &least)).code(78).any_stderr().run();
    assert!(outcome.stderr.contains("and Spark 4.3.0 takes 9000 at most"), "{}", outcome.stderr);
    artifacts_are_there(&run);
}

#[test]
fn an_older_spark_takes_plans_up_to_its_limit() {
    let warm = Warm::shared("spark-4.0");
    let run = |text: &str| at(&warm, "spark-4.0", text);
    let inline = format!("{CACHED_FROM}: \"2000000000\"");
    run(&mebibytes(100, &inline)).stdout(&sums(100)).run();
    refused(run(&mebibytes(130, &inline)), "a request of 130.01 MiB");
    wide_is_refused(run(WIDE));
}

#[test]
fn an_older_spark_takes_rows_whole_and_artifacts() {
    let warm = Warm::shared("spark-4.0");
    let run = |text: &str| at(&warm, "spark-4.0", text);
    run(&short(2000, &format!("{CACHED_FROM}: \"1000\""))).stdout(&short_rows(2000)).run();
    artifacts_are_there(&run);
}

/// A class file whose method `hello` returns a text.
fn class() -> Vec<u8> {
    let text = |text: &str| [&[1, 0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let parts: [&[u8]; 12] = [
        // Version 49, nine constants: the class, its parent, the method and its type, its code, the text.
        &[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 49, 0, 10],
        &text("Proof"),
        &[7, 0, 1],
        &text("java/lang/Object"),
        &[7, 0, 3],
        &text("hello"),
        &text("()Ljava/lang/String;"),
        &text("Code"),
        &text("from the jar"),
        &[8, 0, 8],
        // Public, no interfaces and fields, one method, which is public and static.
        &[0, 0x21, 0, 2, 0, 4, 0, 0, 0, 0, 0, 1, 0, 9, 0, 5, 0, 6, 0, 1],
        // Its code: load the text, return it.
        &[0, 7, 0, 0, 0, 15, 0, 1, 0, 0, 0, 0, 0, 3, 0x12, 9, 0xb0, 0, 0, 0, 0, 0, 0],
    ];
    parts.concat()
}

/// A zip archive of files that are stored as they are.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    for (name, data) in files {
        let at = archive.len();
        // Version, flags, method, time and date; checksum and sizes; the lengths of the name and of what follows it.
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &crc32fast::hash(data).to_le_bytes(),
            &number(data.len()),
            &number(data.len()),
            &short(name.len()),
            &[0, 0],
        ]
        .concat();
        archive.extend([b"PK\x03\x04".as_slice(), &common, name.as_bytes(), data].concat());
        let entry = [b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 10], &number(at), name.as_bytes()];
        directory.extend(entry.concat());
    }
    let (at, size, count) = (archive.len(), directory.len(), short(files.len()));
    archive.extend(directory);
    archive.extend(
        [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &number(size), &number(at), &[0, 0]].concat(),
    );
    archive
}

/// Files are under their names, archives and modules too, and a jar that took many chunks can be loaded.
fn artifacts_are_there(run: &dyn Fn(&str) -> Case) {
    let text = "version: 1
vars: { name: lookup.txt }
artifacts:
  - file: data/${name}
  - archive: env.zip#env
  - pyfile: lib.py
  - jar: lib/proof.jar
steps:
  hello: { sql: \"SELECT reflect('Proof', 'hello') AS h FROM range(2)\", write: { stdout: csv } }
  path:
    sql: \"SELECT regexp_extract(reflect('org.apache.spark.SparkFiles', 'get', 'lookup.txt'), '[^/]*$', 0) AS p\"
    after: hello
    write: { stdout: csv }
  files: { sql: LIST FILES, write: { csv: out/files.csv } }
  archives: { sql: LIST ARCHIVES, write: { csv: out/archives.csv } }
  jars: { sql: LIST JARS, write: { csv: out/jars.csv } }
";
    // What can't be compressed, so that there are many chunks: the jar is loaded only if all of them came as they were.
    let padding: Vec<u8> =
        (0..1_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let case = run(text)
        .file("data/lookup.txt", "a,b\n")
        .file("lib.py", "x = 1\n")
        .file("env.zip", zip(&[("a.txt", b"a")]))
        .file("lib/proof.jar", zip(&[("padding", &padding), ("Proof.class", &class())]));
    let outcome = case.stdout("h\nfrom the jar\nfrom the jar\np\nlookup.txt\n").run();
    let listed = |name: &str| fs::read_to_string(outcome.path(name)).unwrap();
    for (list, entry) in [
        ("out/files.csv", "/files/lookup.txt"),
        ("out/files.csv", "/pyfiles/lib.py"),
        ("out/archives.csv", "/archives/env.zip#env"),
        ("out/jars.csv", "/jars/proof.jar"),
    ] {
        assert!(listed(list).contains(entry), "{}", listed(list));
    }
}

#[test]
fn results_are_compressed_as_it_pays() {
    let server = Server::start("local[1]", &[]);
    let run = |host: &str, conf: &str, steps: &str| {
        let url = format!("sc://{host}:{}", server.port);
        let text = format!("version: 1\nconf: {{ {conf} }}\nsteps:\n{steps}");
        Case::new(["run", "p.yaml", "--remote", &url]).file("p.yaml", text)
    };
    let asks = format!(
        "  codec: {{ sql: SET {CODEC}, write: {{ stdout: csv }} }}
  rows:
    sql: SELECT count(*) AS n, sum(id) AS s FROM VALUES (1), (2), (3) AS t(id)
    after: codec
    write: {{ stdout: csv }}
  many:
    sql: \"SELECT id, repeat('x', 100) AS t FROM range(50000)\"
    write: {{ parquet: out/many.parquet }}
"
    );
    let lz4 = format!("{CODEC}: lz4");
    // This name of this machine is not known to be one.
    for (host, conf, codec, note) in [
        ("127.0.0.1", "", "none", None),
        ("127.1", "", "zstd", None),
        ("127.1", lz4.as_str(), "zstd", Some("is `zstd` and not `lz4`")),
        ("127.0.0.1", lz4.as_str(), "none", Some("is `none` and not `lz4`")),
    ] {
        let expected = format!("key,value\n{CODEC},{codec}\nn,s\n3,6\n");
        let outcome = run(host, conf, &asks).stdout(&expected).any_stderr().run();
        let record = outcome.record();
        let many = record["actions"].as_array().unwrap().iter().find(|action| action["step"] == "many");
        assert_eq!(many.unwrap()["rows"], 50_000, "{host} {conf}");
        assert_eq!(outcome.stderr.contains("and not `lz4`"), note.is_some(), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(note.unwrap_or_default()), "{}", outcome.stderr);
    }
    // Whoever sets it behind pipectl's back gets it, slowly, and right.
    let sets = format!(
        "  codec: {{ sql: SET {CODEC}=lz4, write: {{ parquet: out/set.parquet }} }}
  rows: {{ sql: \"SELECT id, repeat('x', 9) AS t FROM range(3)\", after: codec, write: {{ stdout: csv }} }}
"
    );
    let rows = "id,t\n0,xxxxxxxxx\n1,xxxxxxxxx\n2,xxxxxxxxx\n";
    run("127.0.0.1", "", &sets).stdout(rows).any_stderr().run();
}
