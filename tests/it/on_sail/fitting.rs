//! Values that stand in the file and the columns that they are meant for: what does not fit is told, since engines say nothing.

use crate::on_sail::check::mistakes;
use crate::support::Case;

const THINGS: &str = "\
version: 1
vars: { at: { type: timestamp_ntz, default: 2026-01-31T12:00 } }
steps:
  things:
    values:
      columns: { name: string, age: int, small: smallint, day: date, price: \"decimal(4,1)\", new: boolean, at: timestamp_ntz }
      rows: [[Ann, 1, 1, 2026-01-31, 1.5, true, 2026-01-31T12:00]]
    transform:
";

fn checked(transforms: &[&str]) -> Vec<String> {
    let items: String = transforms.iter().map(|transform| format!("      - {transform}\n")).collect();
    let text = format!("{THINGS}{items}    write: stdout\n");
    mistakes(Case::new(["check", "-q", "--log-format", "json", "p.yaml"]).file("p.yaml", text).engine())
}

#[test]
pub(crate) fn a_value_that_fits_no_column_is_told() {
    let found = checked(&[
        "fill_nulls: { age: x, name: 3, day: \"2026-01-31\", small: 70000, price: 1.25, new: 1 }",
        "fill_nulls: { AGE: 1.5 }",
        "fill_nulls: { name: x, age: 1, small: -32768, price: 1.5, new: false, day: 2026-01-31, at: \"${at}\" }",
        "replace: { columns: [age], values: { 1: 2.5, a: b } }",
        "replace: { columns: [name, age], values: { 1: 2, a: b, true: false } }",
        "replace: { columns: [price, age], values: { 1.5: 1 } }",
        "replace: { columns: [price, name], values: { 1.5: 1, a: b } }",
        "replace: { columns: [day], values: { 9999-12-31: null, \"2026-01-31\": x } }",
        "fill_nulls: { at: 2026-01-31T12:00 }",
    ]);
    let expected = [
        "9:28 E023 the text `x` does not fit `age`, which is of type INT",
        "9:37 E023 the number `3` does not fit `name`, which is of type STRING",
        "9:45 E023 the text `2026-01-31` does not fit `day`, which is of type DATE",
        "9:66 E023 the number `70000` does not fit `small`, which is of type SMALLINT",
        "9:80 E023 the number `1.25` does not fit `price`, which is of type DECIMAL(4,1)",
        "9:91 E023 the number `1` does not fit `new`, which is of type BOOLEAN",
        "10:28 E023 the number `1.5` does not fit `age`, which is of type INT",
        "12:49 E023 the number `2.5` does not fit `age`, which is of type INT",
        "12:54 E023 the text `a` does not fit `age`, which is of type INT",
        "13:64 E023 `true` fits none of `name`, `age`",
        "14:53 E023 the number `1.5` does not fit `age`, which is of type INT",
        "16:64 E023 the text `2026-01-31` does not fit `day`, which is of type DATE",
        "17:27 E023 the timestamp `2026-01-31T12:00:00` does not fit `at`, which is of type TIMESTAMP_NTZ",
    ];
    assert_eq!(found, expected);
}

#[test]
pub(crate) fn a_column_of_values_that_is_not_there_is_told() {
    let found = checked(&[
        "fill_nulls: { nam: x, things.age: 1 }",
        "drop_nulls: [nam]",
        "drop_nulls: { columns: [name, ags], how: all }",
        "replace: { columns: [Age, nope], values: { 1: 2, 3: 4 } }",
        "sort: { keys: [nam], within_partitions: true }",
        "sample_by: { by: tow, fractions: { 1: 1 } }",
        "repartition: { partitions: 2, by: [ag] }",
    ]);
    let expected = [
        "9:23 E024 there is no column `nam`",
        "9:31 E024 there is no column `things.age`",
        "10:22 E024 there is no column `nam`",
        "11:39 E024 there is no column `ags`",
        "12:30 E024 the column is called `age`: values are replaced where it is spelt so",
        "12:35 E024 there is no column `nope`",
        "13:24 E024 there is no column `nam`",
        "14:26 E024 there is no column `tow`",
        "15:44 E024 there is no column `ag`",
    ];
    assert_eq!(found, expected);
}
