//! Values of variables as data: what no engine gives back, and what no path may hold.

use crate::on_sail::injection::{assert_same, values, yaml};
use crate::proto::spark::plan::OpType;
use crate::proto::spark::read::ReadType;
use crate::proto::spark::relation::RelType;
use crate::scripted::{Script, complete, rows};
use crate::support::Case;
use crate::support::Stage;

/// What a server is told of options and settings, which no engine gives back.
#[test]
fn options_and_settings_hold_values() {
    let values = values();
    let named: String =
        values.iter().enumerate().map(|(at, value)| format!("v{at}: {}\n", yaml(value))).collect();
    let each = |part: &dyn Fn(usize) -> String| (0..values.len()).map(part).collect::<String>();
    let pipeline = format!(
        "version: 1\nvars:\n{}conf:\n{}steps:\n  a:\n    read:\n      format: custom\n      options:\n{}    write: {{ stdout: csv }}\n",
        each(&|at| format!("  v{at}: {{ type: string }}\n")),
        each(&|at| format!("  spark.pipectl.c{at}: \"${{v{at}}}\"\n")),
        each(&|at| format!("        o{at}: \"${{v{at}}}\"\n")),
    );
    let stage = Stage::play(Script::default().stream([rows("a", 0, 1), complete()]));
    stage.run(&pipeline).args(["--vars", "given.yaml"]).file("given.yaml", named).stdout("n\n0\n").run();
    let script = &stage.server.script;
    let settings: Vec<String> =
        (0..values.len()).map(|at| script.value(&format!("spark.pipectl.c{at}")).unwrap()).collect();
    assert_same("conf", &values, settings.iter().map(String::as_str));
    let plan = script.executed()[0].plan.clone().unwrap();
    let Some(OpType::Root(root)) = plan.op_type else { panic!("{plan:?}") };
    let Some(RelType::Read(read)) = root.rel_type else { panic!("another relation") };
    let Some(ReadType::DataSource(source)) = read.read_type else { panic!("no data source") };
    let options = (0..values.len()).map(|at| source.options[&format!("o{at}")].as_str());
    assert_same("options", &values, options);
}

/// A value that nothing holds is refused where it is given.
#[test]
fn several_variables_together_lead_nowhere_else() {
    let pipeline = "version: 1
vars: { a: { type: string }, b: { type: string } }
steps:
  s:
    range: 1
    write: { ndjson: \"${a}${b}/f.ndjson\" }
";
    for (a, b) in
        [(".", "."), ("", "/etc"), ("s3:", "//bucket"), ("..", ""), ("x/.", "./.."), ("%2", "e%2e"), ("", "")]
    {
        let given = [format!("a={a}"), format!("b={b}")];
        let case = Case::new(["validate", "p.yaml", "--var", &given[0], "--var", &given[1]]);
        let stderr = case.file("p.yaml", pipeline).code(78).any_stderr().run().stderr;
        assert!(stderr.starts_with("error[E019]"), "{a:?} {b:?}: {stderr}");
    }
}
