//! `plan`: plans grow with the file.

use crate::on_sail::chains::{chain, ladder};
use crate::support::Case;

/// How many bytes all plans have.
fn bytes(text: &str) -> usize {
    let outcome = Case::new(["plan", "p.yaml"]).file("p.yaml", text).any_stdout().run();
    let last = outcome.stdout.lines().last().unwrap();
    let before = last.split(" bytes").next().unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
pub(crate) fn plans_grow_with_the_file() {
    let parts = ["filter: id % 2 = 0", "filter: id % 2 = 1"];
    let made: [(&str, &dyn Fn(usize) -> String); 2] =
        [("chain", &chain), ("ladder", &|rungs| ladder(rungs, parts, "union: OTHER"))];
    for (what, make) in made {
        let [one, two, four] = [100, 200, 400].map(|steps| bytes(&make(steps)));
        for (less, more) in [(one, two), (two, four)] {
            assert!(more > less && more < less * 9 / 4, "{what}: {less}, then {more} bytes");
        }
    }
}
