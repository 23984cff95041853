//! The 22 queries of TPC-H as pipelines of `DataFrame` steps, at scale factor 0.1: each gives what its engine gives for the published
//! SQL, and both engines give the same.

mod answer;
mod tables;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;

use crate::support::Case;
use crate::support::{Warm, version};

use answer::Answer;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tpch");
/// How many pipelines run side by side.
const THREADS: usize = 4;

/// A query, and what is known of its answer.
struct Query {
    name: &'static str,
    /// How many rows there are, at this scale factor.
    rows: usize,
    /// The columns by which the specification sorts them.
    order: &'static [&'static str],
    /// Averages and quotients of decimals, of which engines keep more digits or fewer.
    rounded: &'static [&'static str],
}

const fn query(name: &'static str, rows: usize, order: &'static [&'static str]) -> Query {
    Query { name, rows, order, rounded: &[] }
}

const QUERIES: [Query; 22] = [
    Query {
        rounded: &["avg_qty", "avg_price", "avg_disc"],
        ..query("q01", 4, &["l_returnflag", "l_linestatus"])
    },
    query("q02", 44, &["s_acctbal", "n_name", "s_name", "p_partkey"]),
    query("q03", 10, &["revenue", "o_orderdate"]),
    query("q04", 5, &["o_orderpriority"]),
    query("q05", 5, &["revenue"]),
    query("q06", 1, &[]),
    query("q07", 4, &["supp_nation", "cust_nation", "l_year"]),
    Query { rounded: &["mkt_share"], ..query("q08", 2, &["o_year"]) },
    query("q09", 175, &["nation", "o_year"]),
    query("q10", 20, &["revenue"]),
    query("q11", 22, &["value"]),
    query("q12", 2, &["l_shipmode"]),
    query("q13", 37, &["custdist", "c_count"]),
    Query { rounded: &["promo_revenue"], ..query("q14", 1, &[]) },
    query("q15", 1, &["s_suppkey"]),
    query("q16", 2762, &["supplier_cnt", "p_brand", "p_type", "p_size"]),
    query("q17", 1, &[]),
    query("q18", 5, &["o_totalprice", "o_orderdate"]),
    query("q19", 1, &[]),
    query("q20", 9, &["s_name"]),
    query("q21", 47, &["numwait", "s_name"]),
    query("q22", 7, &["cntrycode"]),
];

/// An engine that is kept, and the tables.
struct Engine<'t> {
    warm: Warm,
    kind: String,
    tables: &'t Path,
}

impl Engine<'_> {
    /// A run in a folder of its own, which has the tables.
    fn case(&self, pipeline: &str) -> Case {
        // A query of so few rows needs no two hundred tasks.
        let target = format!("engine: {}, conf: {{ spark.sql.shuffle.partitions: 2 }}", self.kind);
        let project = format!("default_target: here\ntargets: {{ here: {{ {target} }} }}\n");
        let case = Case::new(["run", pipeline, "--deny-warnings", "-q"])
            .env("XDG_RUNTIME_DIR", self.warm.runtime())
            .file("pipectl.yaml", project)
            .file(pipeline, text(pipeline))
            .file("sources.yaml", text("sources.yaml"));
        symlink(self.tables, case.path("data")).unwrap();
        case
    }

    /// What the engine answers to the published queries, all of them in one run.
    fn published(&self) -> Vec<Answer> {
        let mut case = self.case("queries.yaml");
        for query in &QUERIES {
            let file = format!("{}.sql", query.name);
            case = case.file(&file, text(&file));
        }
        let outcome = case.run();
        let answers = QUERIES.iter().map(|query| outcome.path(&format!("out/{}.parquet", query.name)));
        answers.map(|file| Answer::read(&file)).collect()
    }

    /// What the pipelines of steps write.
    fn of_steps(&self) -> Vec<Answer> {
        let answer = |query: &Query| {
            let outcome = self.case(&format!("{}.yaml", query.name)).run();
            Answer::read(&outcome.path(&format!("out/{}.parquet", query.name)))
        };
        let part = |part: usize| -> Vec<_> {
            let queries = QUERIES.iter().enumerate().skip(part).step_by(THREADS);
            queries.map(|(at, query)| (at, answer(query))).collect()
        };
        let mut answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || part(number))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Both; the answers of the steps come back when they are those of the queries.
    fn answers(&self) -> Vec<Answer> {
        let (published, steps) = (self.published(), self.of_steps());
        for ((query, published), steps) in QUERIES.iter().zip(&published).zip(&steps) {
            let difference = published.difference(steps, query.order, &[]);
            let name = query.name;
            assert_eq!(difference, None, "`{name}.sql` and `{name}.yaml` on {}", self.kind);
            assert_eq!(steps.len(), query.rows, "the rows of `{name}.yaml` on {}", self.kind);
        }
        steps
    }
}

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).unwrap()
}

#[test]
fn every_query_is_answered_by_steps_as_by_sql() {
    let (on_sail, on_spark) = thread::scope(|scope| {
        // It takes its time to start.
        let spark = scope.spawn(|| Warm::shared(&version()));
        let sail = Warm::shared("sail");
        let made = tables::parquet(sail.runtime());
        let tables = made.path("data");
        let on_sail = Engine { warm: sail, kind: "sail".to_owned(), tables: &tables }.answers();
        let spark = Engine { warm: spark.join().unwrap(), kind: version(), tables: &tables };
        (on_sail, spark.answers())
    });
    for ((query, sail), spark) in QUERIES.iter().zip(&on_sail).zip(&on_spark) {
        let difference = sail.difference(spark, query.order, query.rounded);
        assert_eq!(difference, None, "`{}.yaml` on Sail and on {}", query.name, version());
    }
}

#[test]
fn the_pipelines_are_steps_alone() {
    for query in &QUERIES {
        let text = text(&format!("{}.yaml", query.name));
        assert!(!text.contains("sql:"), "`{}.yaml` has a query in it", query.name);
    }
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name());
    let pipelines = files.filter(|name| name.to_string_lossy().starts_with('q'));
    // A pipeline and a query each, and the pipeline of all queries.
    assert_eq!(pipelines.count(), 2 * QUERIES.len() + 1);
}
