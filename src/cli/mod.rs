//! temp
use std::process::ExitCode;
pub(crate) fn run() -> ExitCode {
    let path = std::path::PathBuf::from(std::env::args().nth(2).unwrap());
    let t = std::time::Instant::now();
    let bytes = std::fs::read(&path).unwrap();
    let inputs = crate::spec::Inputs {
        variables: &[],
        environment: &|_| None,
        files: &|p| std::fs::read(p),
        run_id: "x",
        started_at: chrono::Utc::now(),
        root: None,
    };
    let loaded = crate::spec::load(&path, path.parent().unwrap().to_path_buf(), &bytes, &inputs);
    match &loaded.pipeline {
        Ok(p) => {
            let g = crate::graph::Graph::new(p);
            eprintln!(
                "{}",
                crate::report::render(&p.sources, &loaded.diagnostics, crate::report::Colour::Never)
            );
            eprintln!("ok {} steps {:?}", p.steps.len(), t.elapsed());
            let _ = g.order();
            ExitCode::SUCCESS
        }
        Err(s) => {
            eprintln!("{}", crate::report::render(s, &loaded.diagnostics, crate::report::Colour::Never));
            ExitCode::from(78)
        }
    }
}
