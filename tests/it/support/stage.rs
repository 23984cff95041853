//! A scripted server and the threads in which it runs, with runs at it.

use tokio::runtime::Runtime;

use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{Integer, Kind, Struct, StructField};
use crate::scripted::{Script, Scripted};
use crate::support::Case;

/// A server that plays a script, and the threads in which it does.
pub(crate) struct Stage {
    pub(crate) server: Scripted,
    _threads: Runtime,
}

impl Stage {
    pub(crate) fn play(script: Script) -> Self {
        let threads = Runtime::new().unwrap();
        let server = threads.block_on(script.columns(numbers()).serve());
        Self { server, _threads: threads }
    }

    /// A run of a pipeline at this server.
    pub(crate) fn run(&self, pipeline: &str) -> Case {
        let url = format!("sc://127.0.0.1:{}", self.server.port);
        Case::new(["run", "-q", "--retry-budget", "5", "--remote", &url, "p.yaml"]).file("p.yaml", pipeline)
    }
}

/// One column `n`.
fn numbers() -> DataType {
    let integer = DataType { kind: Some(Kind::Integer(Integer::default())) };
    let field = StructField { name: "n".to_owned(), data_type: Some(integer), ..StructField::default() };
    DataType { kind: Some(Kind::Struct(Struct { fields: vec![field], ..Struct::default() })) }
}
