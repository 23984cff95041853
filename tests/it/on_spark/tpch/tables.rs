//! The tables of TPC-H: the generator's CSV files, made once and kept, and the Parquet files that pipectl makes of them.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;
use tpchgen::csv::{
    CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv,
};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use crate::support::{CACHE, Case, Outcome};

const SCALE_FACTOR: f64 = 0.1;
/// Where they are kept: what the generator or the factor changes gets another name.
const KEPT: &str = "tpch-4.0-sf0.1";

/// The tables, and how many rows the generator makes of each.
const ROWS: [(&str, u64); 8] = [
    ("region", 5),
    ("nation", 25),
    ("supplier", 1_000),
    ("customer", 15_000),
    ("part", 20_000),
    ("partsupp", 80_000),
    ("orders", 150_000),
    ("lineitem", 600_572),
];

/// The Parquet files, as pipectl makes them on the Sail that is kept there: in the folder `data`.
pub(crate) fn parquet(runtime: &Path) -> Outcome {
    let pipeline = include_str!("../../../tpch/tables.yaml");
    let case = Case::new(["run", "tables.yaml", "--deny-warnings", "-q"]).env("XDG_RUNTIME_DIR", runtime);
    let case = case.file("tables.yaml", pipeline);
    symlink(csv(), case.path("csv")).unwrap();
    let outcome = case.run();
    let record = outcome.record();
    let written = record["actions"].as_array().unwrap().iter();
    let mut written: Vec<_> = written.map(|it| (it["step"].as_str(), it["rows"].as_u64())).collect();
    written.sort_unstable();
    let mut expected = ROWS.map(|(table, rows)| (Some(table), Some(rows)));
    expected.sort_unstable();
    assert_eq!(written, expected);
    outcome
}

/// The folder of the CSV files. Whoever finds none makes them beside it, and moves them there in one call; of several who do that at
/// once, the first one's are kept.
fn csv() -> PathBuf {
    let kept = Path::new(CACHE).join(KEPT);
    if !kept.is_dir() {
        fs::create_dir_all(CACHE).unwrap();
        let made = TempDir::with_prefix_in(".tpch-", CACHE).unwrap();
        generate(made.path());
        if fs::rename(made.path(), &kept).is_ok() {
            drop(made.keep());
        }
    }
    assert!(kept.join("lineitem.csv").is_file(), "the tables could not be kept");
    kept
}

fn generate(folder: &Path) {
    let at = |table: &str| folder.join(format!("{table}.csv"));
    thread::scope(|scope| {
        // The largest first, beside all others.
        scope.spawn(|| {
            let rows = LineItemGenerator::new(SCALE_FACTOR, 1, 1);
            write(&at("lineitem"), LineItemCsv::header(), rows.iter().map(LineItemCsv::new));
        });
        let rows = OrderGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("orders"), OrderCsv::header(), rows.iter().map(OrderCsv::new));
        let rows = PartSuppGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("partsupp"), PartSuppCsv::header(), rows.iter().map(PartSuppCsv::new));
        let rows = PartGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("part"), PartCsv::header(), rows.iter().map(PartCsv::new));
        let rows = CustomerGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("customer"), CustomerCsv::header(), rows.iter().map(CustomerCsv::new));
        let rows = SupplierGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("supplier"), SupplierCsv::header(), rows.iter().map(SupplierCsv::new));
        let rows = NationGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("nation"), NationCsv::header(), rows.iter().map(NationCsv::new));
        let rows = RegionGenerator::new(SCALE_FACTOR, 1, 1);
        write(&at("region"), RegionCsv::header(), rows.iter().map(RegionCsv::new));
    });
}

fn write<R: Display>(path: &Path, header: &str, rows: impl Iterator<Item = R>) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    writeln!(file, "{header}").unwrap();
    rows.for_each(|row| writeln!(file, "{row}").unwrap());
    file.flush().unwrap();
}
