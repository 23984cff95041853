//! `run` over a network that is as bad as networks are, and at servers that are killed: real ones, behind a proxy that cuts,
//! delays and swallows.
//!
//! What Spark goes through it does in few tests, for each of its servers takes a while to start.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::proxy::{Cuts, Delay, Network, Proxy};
use crate::support::{Case, Outcome, place};
use crate::support::{daemon, sail};

/// Small batches, so that there are many places between two of them.
const BATCH_ROWS: &str = "2000";
/// Has no divisor in common with any number of rows that is a power of ten.
const FACTOR: i64 = 1_234_567;
const MODULUS: i64 = 1_000_003;
/// Prints, and reads what is printed not before it is told to; the code is in a file.
const SLOWLY: &str =
    "{ \"$@\"; echo $? > code; } | (dd bs=1 count=1 2> /dev/null; touch printed; sleep $PAUSE; cat)";
/// So many bytes of a server's are rows already.
const BEGUN: usize = 1_000_000;
/// How long a dead connection may go unnoticed, and what it holds up may take then.
const NOTICED: Duration = Duration::from_secs(45);

/// What happens at a server, by its name.
type Scenario = (&'static str, fn(&Remote));

/// How many tests at a time have servers of Spark, which take some memory and their time to start.
fn place_for_spark() -> File {
    place("sparks", 2)
}

/// A server that somebody else started.
enum Remote {
    Sail(sail::Server),
    Spark(daemon::Server),
}

impl Remote {
    fn sail(settings: &[(&str, &str)]) -> Self {
        Self::Sail(sail::Server::with(settings))
    }

    fn spark(settings: &[(&str, &str)]) -> Self {
        Self::Spark(daemon::Server::start("local[2]", settings))
    }

    fn port(&self) -> u16 {
        match self {
            Self::Sail(server) => server.port,
            Self::Spark(server) => server.port.parse().unwrap(),
        }
    }

    fn kill(&mut self) {
        match self {
            Self::Sail(server) => server.kill(),
            Self::Spark(server) => server.daemon.kill(),
        }
    }

    /// The source and the transforms of a step whose only row, `4`, takes as long as this or longer.
    fn slow(&self, seconds: u64) -> String {
        match self {
            Self::Spark(_) => {
                let sleep = format!("reflect('java.lang.Thread', 'sleep', CAST({seconds}000 AS BIGINT))");
                let columns = format!("with_columns: {{ n: \"length({sleep})\" }}");
                format!(
                    "    range: 1\n    transform:\n      - {columns}\n      - aggregate: {{ columns: {{ n: max(n) }} }}\n"
                )
            }
            Self::Sail(_) => {
                // It has nothing that waits, so it counts; how fast is tried out.
                const TRIED: u64 = 300_000_000;
                let count = |rows: u64| {
                    format!(
                        "    range: {rows}\n    transform: [aggregate: {{ columns: {{ n: min(id % 7) + 4 }} }}]\n"
                    )
                };
                let pipeline = format!("version: 1\nsteps:\n  n:\n{}    write: stdout\n", count(TRIED));
                let url = format!("sc://127.0.0.1:{}", self.port());
                let since = Instant::now();
                Case::new(["run", "-q", "p.yaml", "--remote", &url])
                    .file("p.yaml", &pipeline)
                    .any_stdout()
                    .run();
                let milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap();
                // Half as much again, for the machine may have been busy just now.
                count(TRIED * seconds * 1_600 / milliseconds.max(1))
            }
        }
    }
}

/// So many rows, which the engine has to sort: the one at `k` is known in advance.
fn shuffled(rows: i64) -> String {
    format!(
        "\
version: 1
conf:
  spark.sql.execution.arrow.maxRecordsPerBatch: '{BATCH_ROWS}'
  spark.sql.adaptive.enabled: false
  spark.sql.shuffle.partitions: '40'
steps:
  rows:
    range: {rows}
    transform:
      - with_columns:
          k: (id * {FACTOR} + 89) % {rows}
          v: id * id % {MODULUS}
      - sort: k
    write: {{ parquet: out/rows.parquet }}
"
    )
}

/// Fails unless all rows are there, once and in order, each as it must be.
fn assert_shuffled(outcome: &Outcome, rows: i64) {
    let file = File::open(outcome.path("out/rows.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), rows);
    let (mut next, mut sum) = (0, 0);
    for batch in reader.with_batch_size(100_000).build().unwrap() {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().values();
        for ((id, k), v) in column("id").iter().zip(column("k")).zip(column("v")) {
            assert_eq!((*k, (id * FACTOR + 89) % rows, *v), (next, next, id * id % MODULUS));
            next += 1;
            sum += id;
        }
    }
    assert_eq!((next, sum), (rows, rows * (rows - 1) / 2));
}

fn run(proxy: &Proxy, pipeline: &str) -> Case {
    Case::new(["run", "p.yaml", "--remote", &proxy.url()]).file("p.yaml", pipeline).any_stderr()
}

fn wait_until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "it did not come about");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Carries out tests side by side; gives the names of those that fail.
fn at_once(server: &Remote, tests: &[Scenario]) -> Vec<&'static str> {
    let failed = |test: fn(&Remote)| catch_unwind(AssertUnwindSafe(|| test(server))).is_err();
    thread::scope(|scope| {
        let running: Vec<_> =
            tests.iter().map(|(name, test)| (*name, scope.spawn(move || failed(*test)))).collect();
        running.into_iter().filter_map(|(name, test)| test.join().unwrap().then_some(name)).collect()
    })
}

/// Five million rows come through hundreds of cuts.
fn cuts(server: &Remote) {
    const ROWS: i64 = 5_000_000;
    let proxy = Proxy::to(server.port());
    let mut running = run(&proxy, &shuffled(ROWS)).at_most(Duration::from_secs(300)).start();
    running.wait_for("engine");
    // Sail does not know a view whose request was lost, and can't send again what it has sent to the end.
    if let Remote::Sail(_) = server {
        wait_until(|| proxy.received() > BEGUN);
    }
    let cuts = Some(Cuts { from_server: 400_000, from_client: 2_000, at_most: 220 });
    proxy.set(Network { cuts, ..Network::default() });
    let outcome = running.end();
    assert_shuffled(&outcome, ROWS);
    assert!(proxy.cuts() >= 200, "{} cuts", proxy.cuts());
}

/// The same where what is sent takes a while to arrive, so that more of it is on its way when the connection is cut.
fn delays(server: &Remote) {
    const ROWS: i64 = 1_000_000;
    let proxy = Proxy::to(server.port());
    let delay = Some(Delay { latency: Duration::from_millis(30), bytes_per_second: 12_000_000 });
    proxy.set(Network { delay, ..Network::default() });
    let mut running = run(&proxy, &shuffled(ROWS)).start();
    running.wait_for("checked");
    wait_until(|| proxy.received() > BEGUN);
    let cuts = Some(Cuts { from_server: 1_000_000, from_client: 2_000, at_most: 8 });
    proxy.set(Network { cuts, delay });
    let outcome = running.end();
    assert_shuffled(&outcome, ROWS);
    assert!(proxy.cuts() >= 5, "{} cuts", proxy.cuts());
}

/// A connection goes dark in the middle of a stream.
fn dark_in_a_stream(server: &Remote) {
    const ROWS: i64 = 1_000_000;
    let proxy = Proxy::to(server.port());
    let delay = Some(Delay { latency: Duration::from_millis(1), bytes_per_second: 8_000_000 });
    proxy.set(Network { delay, ..Network::default() });
    let running = run(&proxy, &shuffled(ROWS)).at_most(NOTICED * 4).start();
    wait_until(|| proxy.received() > BEGUN);
    let since = Instant::now();
    proxy.go_dark();
    proxy.set(Network::default());
    let outcome = running.end();
    assert_shuffled(&outcome, ROWS);
    assert!(since.elapsed() < NOTICED, "{:?}", since.elapsed());
}

/// A connection goes dark while a query has no rows yet.
fn dark_in_a_query(server: &Remote) {
    let proxy = Proxy::to(server.port());
    let pipeline = format!("version: 1\nsteps:\n  s:\n{}    write: {{ stdout: csv }}\n", server.slow(8));
    let mut running = run(&proxy, &pipeline).stdout("n\n4\n").start();
    running.wait_for("checked");
    thread::sleep(Duration::from_secs(2));
    let since = Instant::now();
    proxy.go_dark();
    running.end();
    assert!(since.elapsed() < NOTICED, "{:?}", since.elapsed());
}

/// A connection goes dark while plans are analysed.
fn dark_in_the_check(server: &Remote) {
    let proxy = Proxy::to(server.port());
    // Long enough that the check has not got far when it begins.
    let delay = Some(Delay { latency: Duration::from_millis(300), bytes_per_second: 1_000_000 });
    proxy.set(Network { delay, ..Network::default() });
    let steps: String =
        (0..5).map(|n| format!("  s{n}: {{ range: {n}, write: {{ stdout: csv }} }}\n")).collect();
    let mut running = run(&proxy, &format!("version: 1\nsteps:\n{steps}")).any_stdout().start();
    running.wait_for("engine");
    let since = Instant::now();
    proxy.go_dark();
    proxy.set(Network::default());
    running.wait_for("checked");
    assert!(since.elapsed() < NOTICED, "{:?}", since.elapsed());
    let outcome = running.end();
    assert_eq!(outcome.stdout.lines().count(), 15);
}

const DARK: [Scenario; 3] =
    [("in a stream", dark_in_a_stream), ("in a query", dark_in_a_query), ("in the check", dark_in_the_check)];

/// A server that was killed is waited for until the budget ends.
fn killed(mut server: Remote) {
    let slow = server.slow(60);
    let url = format!("sc://127.0.0.1:{}", server.port());
    let pipeline = format!(
        "\
{}    after: first
  first: {{ range: 3, write: {{ stdout: csv }} }}
  slow:
    after: first
{slow}    write: {{ parquet: out/slow.parquet }}
",
        shuffled(10_000_000)
    );
    let arguments = ["run", "p.yaml", "--retry-budget", "20", "--remote", &url];
    let case = Case::new(arguments).file("p.yaml", &pipeline).stdout("id\n0\n1\n2\n").code(69).any_stderr();
    let mut running = case.start();
    running.wait_for("done  first");
    thread::sleep(Duration::from_secs(3));
    let since = Instant::now();
    server.kill();
    let outcome = running.end();
    let took = since.elapsed();
    assert!((Duration::from_secs(19)..Duration::from_secs(35)).contains(&took), "{took:?}");
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert!(outcome.stderr.contains(&format!("{url} can not be reached: ")), "{}", outcome.stderr);
    for lost in ["failed  slow: ", "failed  rows: "] {
        assert!(outcome.stderr.contains(lost), "{}", outcome.stderr);
    }
    assert_eq!(outcome.record()["exit_code"], 69);
}

/// A server that was killed before anything was received, and comes back, is given the settings and the views again.
fn comes_back(mut first: Remote, second: &Remote) {
    let proxy = Proxy::to(first.port());
    let pipeline = format!(
        "\
version: 1
conf: {{ spark.sql.session.timeZone: Asia/Tokyo }}
steps:
  slow:
{}  shared:
    from: slow
    transform: [aggregate: {{ columns: {{ n: max(n), zone: max(current_timezone()) }} }}]
  a: {{ from: shared, write: {{ stdout: csv }} }}
  b:
    from: shared
    transform: [with_columns: {{ more: n + 1 }}]
    write: {{ parquet: out/b.parquet }}
",
        first.slow(10)
    );
    let mut running = run(&proxy, &pipeline).stdout("n,zone\n4,Asia/Tokyo\n").start();
    running.wait_for("checked");
    thread::sleep(Duration::from_secs(2));
    first.kill();
    thread::sleep(Duration::from_secs(2));
    proxy.lead_to(second.port());
    let outcome = running.end();
    assert_eq!(outcome.parquet("out/b.parquet"), "n,zone,more\n4,Asia/Tokyo,5\n");
}

/// A server that was killed after something was written, and comes back, ends the run.
fn comes_back_too_late(mut first: Remote, second: &Remote) {
    let proxy = Proxy::to(first.port());
    let pipeline = format!(
        "\
version: 1
steps:
  before: {{ range: 3, write: {{ parquet: out/before.parquet }} }}
  slow:
    after: before
{}    write: {{ parquet: out/slow.parquet }}
",
        first.slow(10)
    );
    let mut running = run(&proxy, &pipeline).code(69).start();
    running.wait_for("done  before");
    thread::sleep(Duration::from_secs(2));
    first.kill();
    thread::sleep(Duration::from_secs(1));
    proxy.lead_to(second.port());
    let outcome = running.end();
    assert_eq!(outcome.files(), ["out/before.parquet"]);
    assert!(outcome.stderr.contains("slow: the server has lost the session"), "{}", outcome.stderr);
    assert_eq!(outcome.record()["exit_code"], 69);
}

/// A server that is replaced between two steps has other settings, and gives no rows under them.
fn is_replaced(mut first: Remote, second: &Remote) {
    let proxy = Proxy::to(first.port());
    // All that is printed is here, and more than a pipe holds, while its reader waits; so nothing is asked of the server.
    let pipeline = "\
version: 1
conf: { spark.sql.session.timeZone: Asia/Tokyo }
steps:
  printed: { range: 30000, write: { stdout: csv } }
  zone:
    after: printed
    range: 1
    transform: [with_columns: { zone: current_timezone() }]
    write: { parquet: out/zone.parquet }
";
    let case = run(&proxy, pipeline).any_stdout().env("PAUSE", "8");
    let printed = case.path("printed");
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            wait_until(|| printed.exists());
            thread::sleep(Duration::from_secs(3));
            first.kill();
            proxy.lead_to(second.port());
        });
        case.run_in_shell(SLOWLY)
    });
    assert_eq!(std::fs::read_to_string(outcome.path("code")).unwrap(), "69\n", "{}", outcome.stderr);
    assert_eq!(outcome.files(), ["code", "printed"]);
    assert!(outcome.stderr.contains("the server has lost the session"), "{}", outcome.stderr);
}

/// A query answers nothing for longer than sessions live, or streams.
fn silent_for(server: &Remote, seconds: u64) {
    let pipeline =
        format!("version: 1\nsteps:\n  s:\n{}    write: {{ stdout: csv }}\n", server.slow(seconds));
    let url = format!("sc://127.0.0.1:{}", server.port());
    let since = Instant::now();
    let case = Case::new(["run", "p.yaml", "--remote", &url]).file("p.yaml", &pipeline).any_stderr();
    case.stdout("n\n4\n").run();
    assert!(since.elapsed() > Duration::from_secs(seconds), "the query was too quick for this test");
}

/// Nothing is asked of the server for so long, between two steps or within one.
fn idle_for(server: &Remote, seconds: u64, rows: i64) {
    let pipeline = format!(
        "\
version: 1
conf: {{ spark.sql.session.timeZone: Asia/Tokyo }}
steps:
  printed: {{ range: {rows}, write: {{ stdout: csv }} }}
  shared:
    range: 1
    transform: [aggregate: {{ columns: {{ zone: max(current_timezone()) }} }}]
  a: {{ from: shared, after: printed, write: {{ parquet: out/a.parquet }} }}
  b: {{ from: shared, after: printed, write: {{ parquet: out/b.parquet }} }}
"
    );
    let url = format!("sc://127.0.0.1:{}", server.port());
    let case = Case::new(["run", "p.yaml", "--remote", &url]).file("p.yaml", &pipeline).any_stderr();
    let outcome = case.any_stdout().env("PAUSE", seconds.to_string()).run_in_shell(SLOWLY);
    assert_eq!(std::fs::read_to_string(outcome.path("code")).unwrap(), "0\n", "{}", outcome.stderr);
    let expected: String = (0..rows).map(|id| format!("{id}\n")).collect();
    assert!(outcome.stdout == format!("id\n{expected}"), "other rows were printed");
    for name in ["a", "b"] {
        assert_eq!(outcome.parquet(&format!("out/{name}.parquet")), "zone\nAsia/Tokyo\n");
    }
}

/// Session and streams live much shorter than these.
const LONG: u64 = 40;

fn silent(server: &Remote) {
    silent_for(server, LONG);
}

fn idle(server: &Remote) {
    idle_for(server, LONG, 30_000);
}

fn unread(server: &Remote) {
    idle_for(server, LONG, 3_000_000);
}

#[test]
fn a_network_that_fails_loses_no_row_of_sails() {
    let server = Remote::sail(&[("SAIL_EXECUTION__BATCH_SIZE", BATCH_ROWS)]);
    cuts(&server);
    delays(&server);
}

#[test]
fn a_network_that_fails_and_a_server_that_is_killed_leave_no_half_of_sparks_rows() {
    let _place = place_for_spark();
    let server = Remote::spark(&[]);
    cuts(&server);
    delays(&server);
    let failed = at_once(&server, &DARK);
    assert!(failed.is_empty(), "{failed:?}");
    killed(server);
}

#[test]
fn what_sail_has_forgotten_is_not_left_out() {
    const ROWS: i64 = 1_000_000;
    // Sail keeps so many batches and no more, however small they are: a slow network has more of them on the way.
    let server = Remote::sail(&[("SAIL_EXECUTION__BATCH_SIZE", "100")]);
    let proxy = Proxy::to(server.port());
    let delay = Some(Delay { latency: Duration::from_millis(1), bytes_per_second: 2_000_000 });
    proxy.set(Network { delay, ..Network::default() });
    let running = run(&proxy, &shuffled(ROWS)).start();
    wait_until(|| proxy.received() > BEGUN);
    thread::sleep(Duration::from_secs(1));
    proxy.set(Network::default());
    proxy.break_all();
    let outcome = running.end();
    let restarts = &outcome.record()["restarts"];
    assert!(restarts[0].as_str().unwrap().contains("it no longer has what was on its way"), "{restarts}");
    assert_eq!(outcome.record()["actions"][0]["rows"], ROWS);
}

#[test]
fn a_result_of_sails_that_is_lost_before_its_first_row_is_had_again() {
    let server = Remote::sail(&[]);
    let proxy = Proxy::to(server.port());
    let pipeline = format!("version: 1\nsteps:\n  s:\n{}    write: {{ stdout: csv }}\n", server.slow(2));
    let mut running = run(&proxy, &pipeline).stdout("n\n4\n").start();
    running.wait_for("checked");
    // What is sent from now on is still on its way when the connection breaks.
    thread::sleep(Duration::from_millis(500));
    let delay = Some(Delay { latency: Duration::from_secs(60), bytes_per_second: 1_000_000 });
    proxy.set(Network { delay, ..Network::default() });
    thread::sleep(Duration::from_secs(6));
    proxy.set(Network::default());
    proxy.break_all();
    running.end();
}

#[test]
fn a_dead_connection_to_sail_is_noticed() {
    let server = Remote::sail(&[("SAIL_EXECUTION__BATCH_SIZE", BATCH_ROWS)]);
    let failed = at_once(&server, &DARK);
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn sail_that_is_killed_is_waited_for() {
    killed(Remote::sail(&[]));
}

#[test]
fn sail_that_comes_back_goes_on() {
    comes_back(Remote::sail(&[]), &Remote::sail(&[]));
}

#[test]
fn sail_that_comes_back_too_late_ends_the_run() {
    comes_back_too_late(Remote::sail(&[]), &Remote::sail(&[]));
}

#[test]
fn sail_that_is_replaced_gives_no_rows() {
    is_replaced(Remote::sail(&[]), &Remote::sail(&[]));
}

#[test]
fn spark_that_comes_back_goes_on_unless_it_is_too_late() {
    let _place = place_for_spark();
    let start = || Remote::spark(&[]);
    let (first, second) = thread::scope(|scope| {
        let second = scope.spawn(start);
        (start(), second.join().unwrap())
    });
    let came_back = catch_unwind(AssertUnwindSafe(|| comes_back(first, &second)));
    comes_back_too_late(second, &start());
    came_back.unwrap();
}

#[test]
fn sail_may_be_idle_for_longer_than_its_sessions_live() {
    let server = Remote::sail(&[("SAIL_SPARK__SESSION_TIMEOUT_SECS", "15")]);
    let failed = at_once(&server, &[("idle", idle), ("unread", unread)]);
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn sail_may_be_silent_for_longer_than_its_sessions_live() {
    let server = Remote::sail(&[
        ("SAIL_SPARK__SESSION_TIMEOUT_SECS", "5"),
        ("SAIL_SPARK__EXECUTION_HEARTBEAT_INTERVAL_SECS", "1"),
    ]);
    silent_for(&server, 16);
}

#[test]
fn spark_may_be_idle_and_silent_for_longer_than_its_sessions_live() {
    let _place = place_for_spark();
    let server = Remote::spark(&[
        ("spark.connect.session.manager.defaultSessionTimeout", "15s"),
        ("spark.connect.session.manager.maintenanceInterval", "1s"),
        ("spark.connect.execute.reattachable.senderMaxStreamDuration", "5s"),
        ("spark.connect.execute.manager.detachedTimeout", "20s"),
        ("spark.connect.execute.manager.maintenanceInterval", "1s"),
        ("spark.connect.progress.reportInterval", "-1"),
    ]);
    let failed = at_once(&server, &[("silent", silent), ("idle", idle), ("unread", unread)]);
    assert!(failed.is_empty(), "{failed:?}");
}
