//! README, "Kinds": the tables hold every kind.

use std::fs;

use crate::on_sail::readme::section;

#[test]
fn every_kind_stands_in_the_tables_of_kinds() {
    let section = section("Kinds");
    for (kinds, heading) in [("source", "Source"), ("transform", "Transform"), ("expectation", "Expectation")]
    {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
        let reference = fs::read_to_string(folder).unwrap();
        let title = format!("### {heading} `");
        let keys: Vec<&str> =
            reference.lines().filter_map(|line| line.strip_prefix(&title)?.strip_suffix('`')).collect();
        assert!(keys.len() >= 2, "the reference has no {kinds}");
        for key in keys {
            let row = format!("| [`{key}`](docs/reference.md#{kinds}-{key}) | ");
            assert_eq!(section.matches(&row).count(), 1, "a row for the {kinds} `{key}`: {row}");
        }
    }
}
