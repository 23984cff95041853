//! `run`: objects appear whole or not at all, and no upload is left behind.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::json;

use super::moto::{Bucket, with_moto};
use super::scripted::{Answer, Asked, Scripted};
use crate::support::Case;

const SMALL: &str = "version: 1\nsteps: { rows: { range: 3, write: { parquet: 'URL' } } }\n";

/// Rows that fill several parts, since little can be compressed in them; one is about 36 bytes.
const LARGE: &str = "\
version: 1
steps:
  rows:
    range: { end: ROWS, partitions: 1 }
    transform:
      - with_columns:
          x: sha2(cast(id AS string), 256)
          y: VALUE
    write: { parquet: 'URL' }
";

fn small(url: &str) -> Case {
    Case::pipeline(&SMALL.replace("URL", url))
}

fn large(url: &str, rows: u64, value: &str) -> Case {
    Case::pipeline(&LARGE.replace("URL", url).replace("ROWS", &rows.to_string()).replace("VALUE", value))
}

/// Five parts, the last one smaller.
fn five_parts(url: &str) -> Case {
    large(url, 620_000, "id")
}

#[test]
fn a_small_object_and_a_large_one_are_written() {
    let bucket = Bucket::new("written");
    with_moto(small("s3://written/a dir/small%20#1.parquet")).run();
    let outcome = with_moto(large("s3a://written/large.parquet", 1_200_000, "id")).run();
    assert_eq!(bucket.keys(), ["a dir/small%20#1.parquet", "large.parquet"]);
    assert!(bucket.objects()["large.parquet"].as_u64().unwrap() > 30 << 20);
    assert_eq!(bucket.uploads(), json!([]));
    let record = outcome.record();
    assert_eq!(record["actions"][0]["outputs"][0]["path"], "s3://written/large.parquet", "{record:#}");
    bucket.download("a dir/small%20#1.parquet", &outcome.path("small.parquet"));
    assert_eq!(outcome.parquet("small.parquet"), "id\n0\n1\n2\n");
    bucket.download("large.parquet", &outcome.path("large.parquet"));
    assert_eq!(outcome.parquet("large.parquet").lines().count(), 1_200_001);
}

#[test]
fn an_object_is_replaced_or_kept() {
    let bucket = Bucket::new("replaced");
    bucket.put("a.parquet", "the old one");
    let error = "{ path: 's3://replaced/a.parquet', mode: error }";
    let kept = Case::pipeline(&SMALL.replace("'URL'", error));
    let outcome = with_moto(kept).code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"error: `s3://replaced/a.parquet` exists already, and `mode: error` does not replace it");
    assert_eq!(bucket.objects(), json!({ "a.parquet": 11 }));
    with_moto(small("s3://replaced/a.parquet")).run();
    let fresh = error.replace("a.parquet", "b.parquet");
    with_moto(Case::pipeline(&SMALL.replace("'URL'", &fresh))).run();
    assert_eq!(bucket.keys(), ["a.parquet", "b.parquet"]);
    assert!(bucket.objects()["a.parquet"].as_u64().unwrap() > 100);
}

#[test]
fn an_object_that_comes_meanwhile_is_kept() {
    let error = "{ path: 's3://bucket/a.parquet', mode: error }";
    let server = Scripted::new(|asked, _| match asked {
        Asked::Put => Answer::Wrong(412, "PreconditionFailed"),
        _ => Answer::Right,
    });
    let outcome = server.with(Case::pipeline(&SMALL.replace("'URL'", error))).code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
      failed  rows: `s3://bucket/a.parquet` exists already, and `mode: error` does not replace it
    error: a step failed
    ");
    // Looked at by the check, at the beginning and right before the end.
    let server = Scripted::new(|asked, before| match (asked, before) {
        (Asked::Head, 2) => Answer::Wrong(200, ""),
        _ => Answer::Right,
    });
    let text = LARGE.replace("'URL'", error).replace("ROWS", "620000").replace("VALUE", "id");
    let large = server.with(Case::pipeline(&text)).code(1).any_stderr().run();
    assert_eq!(large.stderr, outcome.stderr);
    assert_eq!((server.count(Asked::Abort), server.count(Asked::Complete)), (2, 0));
}

#[test]
fn what_is_wrong_is_told_before_the_engine_works() {
    Bucket::new("there");
    let missing = with_moto(small("s3://no-such-bucket/a.parquet")).code(1).any_stderr().run();
    assert_snapshot!(missing.stderr, @"error: cannot write `s3://no-such-bucket/a.parquet`: there is no such bucket or container (NoSuchBucket: The specified bucket does not exist)");
    let nowhere = small("s3://there/a.parquet")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_ACCESS_KEY_ID", "k")
        .env("AWS_SECRET_ACCESS_KEY", "s")
        .env("AWS_MAX_ATTEMPTS", "1");
    assert_snapshot!(nowhere.code(1).any_stderr().run().stderr, @"error: cannot write `s3://there/a.parquet`: no connection to `127.0.0.1:1`: Connection refused (os error 111)");
    for (status, code) in [(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (400, "ExpiredToken")] {
        let server = Scripted::new(move |_, _| Answer::Wrong(status, code));
        let outcome = server.with(small("s3://bucket/a.parquet")).code(1).any_stderr().run();
        assert_snapshot!(code, outcome.stderr);
        assert_eq!(server.seen(), [Asked::Begin]);
    }
}

#[test]
fn missing_credentials_are_told_at_once() {
    let none = small("s3://bucket/a.parquet").env("AWS_EC2_METADATA_DISABLED", "true");
    assert_snapshot!(none.code(1).any_stderr().run().stderr, @"
    error: no credentials were found for `s3://bucket/a.parquet`
      help: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a profile of `~/.aws/credentials` by `AWS_PROFILE`
    ");
    let began = Instant::now();
    // A machine that no cloud knows.
    let nobody = small("s3://bucket/a.parquet").env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    nobody.code(1).any_stderr().run();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let half = small("s3://bucket/a.parquet").env("AWS_ACCESS_KEY_ID", "k");
    assert_snapshot!(half.code(1).any_stderr().run().stderr, @"
    error: the credentials can not be used for `s3://bucket/a.parquet`: `AWS_ACCESS_KEY_ID` is set and `AWS_SECRET_ACCESS_KEY` is not
      help: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a profile of `~/.aws/credentials` by `AWS_PROFILE`
    ");
    let plain = small("s3://bucket/a.parquet").env("AWS_ENDPOINT_URL", "http://minio.example:9000");
    assert_snapshot!(plain.code(1).any_stderr().run().stderr, @"error: cannot write `s3://bucket/a.parquet`: the endpoint `http://minio.example:9000` is not protected by TLS; `AWS_ALLOW_HTTP=true` allows it");
    let config = "[profile work]\nsso_session = corp\n";
    let profile = small("s3://bucket/a.parquet").file("config", config).env("AWS_PROFILE", "work");
    let path = profile.path("config");
    assert_snapshot!(profile.env("AWS_CONFIG_FILE", path).code(1).any_stderr().run().stderr, @r#"
    error: the credentials can not be used for `s3://bucket/a.parquet`: the profile `work` gets its keys from SSO (`sso_session`), which pipectl does not do; `eval "$(aws configure export-credentials --profile work --format env)"` puts them into the environment
      help: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a profile of `~/.aws/credentials` by `AWS_PROFILE`
    "#);
}

#[test]
fn a_query_that_fails_leaves_nothing() {
    let bucket = Bucket::new("failing");
    let value = "if(id = 599999, raise_error('boom'), id)";
    let outcome = with_moto(large("s3://failing/a.parquet", 600_000, value)).code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
      failed  rows: boom
    error: a step failed
    ");
    assert_eq!((bucket.keys(), bucket.uploads()), (vec![], json!([])));
}

#[test]
fn an_interruption_leaves_nothing() {
    let bucket = Bucket::new("interrupted");
    let run = with_moto(large("s3://interrupted/a.parquet", 1 << 40, "id")).code(130).any_stderr().start();
    let deadline = Instant::now() + Duration::from_secs(60);
    // The first one is the check's, and gone at once.
    let is_on_its_way = || {
        (0..5).all(|_| {
            thread::sleep(Duration::from_millis(20));
            bucket.uploads() == json!(["a.parquet"])
        })
    };
    while !is_on_its_way() {
        assert!(Instant::now() < deadline, "nothing is uploaded");
    }
    run.signal("INT");
    run.end();
    assert_eq!((bucket.keys(), bucket.uploads()), (vec![], json!([])));
}

#[test]
fn an_interruption_does_not_wait_for_a_silent_store() {
    let long = Duration::from_secs(600);
    let server = Scripted::new(move |asked, _| match asked {
        Asked::Part(_) => Answer::Slow(long),
        _ => Answer::Right,
    });
    let run = server.with(five_parts("s3://bucket/a.parquet")).code(130).any_stderr().start();
    server.wait_for(Asked::Part(1));
    let began = Instant::now();
    run.signal("INT");
    run.end();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // The check's own, and that of the parts.
    assert_eq!((server.count(Asked::Abort), server.count(Asked::Complete)), (2, 0));
}

#[test]
fn a_part_that_is_refused_is_sent_again() {
    let server = Scripted::new(|asked, before| match (asked, before) {
        (Asked::Part(2), 0 | 1) => Answer::Wrong(503, "SlowDown"),
        (Asked::Part(3), 0) => Answer::Reset,
        (Asked::Part(4), _) => Answer::Slow(Duration::from_secs(2)),
        _ => Answer::Right,
    });
    server.with(five_parts("s3://bucket/a.parquet")).run();
    assert_eq!((server.count(Asked::Part(2)), server.count(Asked::Part(3))), (3, 2));
    assert_eq!((server.count(Asked::Abort), server.count(Asked::Complete)), (1, 1));
}

#[test]
fn a_part_that_is_always_refused_fails_the_output() {
    for (answer, stays) in [(503, "SlowDown"), (403, "AccessDenied")] {
        let server = Scripted::new(move |asked, _| match asked {
            Asked::Part(2) => Answer::Wrong(answer, stays),
            _ => Answer::Right,
        });
        let outcome = server.with(five_parts("s3://bucket/a.parquet")).code(1).any_stderr().run();
        assert_snapshot!(format!("part_{stays}"), outcome.stderr);
        assert_eq!(server.count(Asked::Part(2)), if answer == 503 { 3 } else { 1 });
        assert_eq!((server.count(Asked::Abort), server.count(Asked::Complete)), (2, 0));
    }
}

#[test]
fn an_end_that_is_refused_fails_the_output() {
    let server = Scripted::new(|asked, _| match asked {
        Asked::Complete | Asked::Put => Answer::Wrong(403, "AccessDenied"),
        _ => Answer::Right,
    });
    let outcome = server.with(five_parts("s3://bucket/a.parquet")).code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
      failed  rows: cannot write `s3://bucket/a.parquet`: access is denied (AccessDenied: as the test wants it)
    error: a step failed
    ");
    assert_eq!(server.count(Asked::Abort), 2);
    server.with(small("s3://bucket/a.parquet")).code(1).any_stderr().run();
    assert_eq!(server.count(Asked::Put), 1);
}

#[test]
fn a_folder_is_replaced_or_continued() {
    let bucket = Bucket::new("folders");
    let run = |rows: u64, mode: &str| {
        let text = "\
version: 1
steps:
  rows:
    range: ROWS
    transform: [with_columns: { day: id % 3 }]
    write:
      - csv: { path: 's3://folders/out/', partition_by: [day], mode: MODE }
";
        let case = Case::pipeline(&text.replace("ROWS", &rows.to_string()).replace("MODE", mode));
        with_moto(case)
    };
    bucket.put("out.csv", "not in it");
    bucket.put("out/day=0/part-old.csv", "of the old generation");
    bucket.put("out/_SUCCESS", "");
    let outcome = run(6, "overwrite").run();
    let (first, second) = ("out/day=0/part-00000.csv", "out/day=1/part-00000.csv");
    assert_eq!(bucket.keys(), ["out.csv", first, second, "out/day=2/part-00000.csv"]);
    bucket.download(first, &outcome.path("day.csv"));
    assert_eq!(fs::read_to_string(outcome.path("day.csv")).unwrap(), "id\n0\n3\n");

    run(2, "overwrite").run();
    assert_eq!(bucket.keys(), ["out.csv", first, second]);
    run(1, "append").run();
    assert_eq!(bucket.keys().len(), 4);
    let kept = run(1, "error").code(1).any_stderr().run();
    assert_snapshot!(kept.stderr, @"error: `s3://folders/out` exists already, and `mode: error` does not replace it");

    bucket.put("out/notes.txt", "precious");
    let refused = run(1, "overwrite").code(1).any_stderr().run();
    assert_snapshot!(refused.stderr, @"error: `s3://folders/out/notes.txt` is no part of an output, so `s3://folders/out` is not replaced; move it out of there");
    assert_eq!((bucket.keys().len(), bucket.uploads()), (5, json!([])));
}

#[test]
fn a_folder_that_fails_leaves_nothing() {
    let bucket = Bucket::new("broken");
    bucket.put("out/part-00000.parquet", "the old one");
    let value = "if(id = 599999, raise_error('boom'), id % 7)";
    let text = LARGE.replace("'URL'", "{ path: 's3://broken/out', partition_by: [y] }");
    let text = text.replace("ROWS", "600000").replace("VALUE", value);
    with_moto(Case::pipeline(&text)).code(1).any_stderr().run();
    assert_eq!(bucket.objects(), json!({ "out/part-00000.parquet": 11 }));
    assert_eq!(bucket.uploads(), json!([]));
}

#[test]
fn other_stores_take_objects_too() {
    let server = Scripted::new(|_, _| Answer::Right);
    let google = |case: Case| case.env("STORAGE_EMULATOR_HOST", server.url().replace("http://", ""));
    google(small("gs://bucket/a.parquet")).run();
    assert_eq!(server.seen(), [Asked::Begin, Asked::Abort, Asked::Put]);
    google(five_parts("gs://bucket/a.parquet")).run();
    assert_eq!((server.count(Asked::Part(5)), server.count(Asked::Complete)), (1, 1));

    let server = Scripted::new(|asked, before| match (asked, before) {
        (Asked::Part(_), 2) => Answer::Wrong(503, "ServerBusy"),
        _ => Answer::Right,
    });
    let connection = format!("AccountName=acc;AccountKey=c2VjcmV0;BlobEndpoint={}/acc", server.url());
    let azure = |case: Case| case.env("AZURE_STORAGE_CONNECTION_STRING", &connection);
    azure(small("az://container/a.parquet")).run();
    assert_eq!(server.seen(), [Asked::List, Asked::Put]);
    azure(five_parts("abfss://container@acc.dfs.core.windows.net/a.parquet")).run();
    assert_eq!((server.count(Asked::Part(0)), server.count(Asked::Complete)), (6, 1));

    let nobody = small("az://container/a.parquet").code(1).any_stderr().run();
    assert_snapshot!(nobody.stderr, @"error: cannot write `az://container/a.parquet`: no storage account is named; set `AZURE_STORAGE_ACCOUNT_NAME`, or write `abfss://container@account.dfs.core.windows.net/key`");
}

#[test]
fn secrets_are_in_no_message() {
    let server = Scripted::new(|_, _| Answer::Wrong(403, "a-secret-of-tests"));
    let outcome = server.with(small("s3://bucket/a.parquet")).code(1).any_stderr().run();
    assert!(outcome.stderr.contains("(***: as the test wants it)"), "{}", outcome.stderr);
    assert!(!outcome.record().to_string().contains("a-secret-of-tests"));
}
