//! What pipectl is measured against, from the same server: the ASF's Rust client, and reading a result to drop it.
//!
//! `pipectl-peers write REMOTE QUERY OUT` collects with the ASF's client and then writes one Parquet file;
//! `pipectl-peers drain REMOTE QUERY` reads the same stream and does nothing with it. QUERY is a file with one SQL query.
//! Both say on standard output how many rows there were.

use std::error::Error;
use std::fs::{self, File};
use std::process::ExitCode;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spark_connect::SparkSession;
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::plan::OpType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::spark_connect_service_client::SparkConnectServiceClient;
use spark_connect_proto::{ExecutePlanRequest, Plan, Relation, ReleaseSessionRequest, Sql, UserContext};
use tonic::transport::Endpoint;
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Rows of a row group of the file: what the parquet crate takes where nothing is said, and so does pipectl at most.
const GROUP_ROWS: usize = 1 << 20;
/// Bytes that a server may send before it hears that they were read; with less, the server waits for the reader.
const WINDOW: u32 = 16 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rows = match words.as_slice() {
        ["write", remote, query, out] => write(remote, query, out),
        ["drain", remote, query] => drain(remote, query),
        _ => Err("usage: pipectl-peers write REMOTE QUERY OUT | drain REMOTE QUERY".into()),
    };
    match rows {
        Ok(rows) => {
            println!("{rows}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pipectl-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Collects all batches, then writes them: this client has no other way to have a result as Arrow.
fn write(remote: &str, query: &str, out: &str) -> Result<usize> {
    let session = SparkSession::builder().remote(remote).get_or_create()?;
    let batches = session.sql(&fs::read_to_string(query)?)?.collect_record_batches()?;
    let first = batches.first().ok_or("a result without columns")?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(out)?, first.schema(), Some(properties))?;
    for batch in &batches {
        writer.write(batch)?;
    }
    // pipectl's file is on the disk when it says so; this one too.
    writer.into_inner()?.sync_all()?;
    session.stop()?;
    Ok(batches.iter().map(|batch| batch.num_rows()).sum())
}

/// Reads the stream and drops it, with the messages alone: no rows are decoded and nothing is kept.
fn drain(remote: &str, query: &str) -> Result<usize> {
    let query = fs::read_to_string(query)?;
    // All that pipectl does besides takes place on threads of its own, so one is enough here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = remote.replacen("sc://", "http://", 1);
        let (address, parameters) = address.split_once("/;").unwrap_or((&address, ""));
        let token = parameters.split(';').find_map(|parameter| parameter.strip_prefix("token="));
        let channel = Endpoint::from_shared(address.to_owned())?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .connect()
            .await?;
        let authorization = token.map(|token| format!("Bearer {token}").parse()).transpose()?;
        let authorize = move |mut request: tonic::Request<()>| {
            if let Some(authorization) = Option::clone(&authorization) {
                request.metadata_mut().insert("authorization", authorization);
            }
            Ok(request)
        };
        let mut client = SparkConnectServiceClient::with_interceptor(channel, authorize)
            .max_decoding_message_size(usize::MAX);
        let user_context = Some(UserContext { user_id: "peers".to_owned(), ..UserContext::default() });
        let session_id = Uuid::new_v4().to_string();
        let relation =
            Relation { common: None, rel_type: Some(RelType::Sql(Sql { query, ..Sql::default() })) };
        let request = ExecutePlanRequest {
            session_id: session_id.clone(),
            user_context: user_context.clone(),
            plan: Some(Plan { op_type: Some(OpType::Root(relation)), ..Plan::default() }),
            ..ExecutePlanRequest::default()
        };
        let mut stream = client.execute_plan(request).await?.into_inner();
        let mut rows = 0;
        while let Some(response) = stream.message().await? {
            if let Some(ResponseType::ArrowBatch(batch)) = response.response_type {
                // No chunks were asked for, so that each batch comes once.
                rows += batch.row_count;
            }
        }
        let released = ReleaseSessionRequest { session_id, user_context, ..ReleaseSessionRequest::default() };
        client.release_session(released).await?;
        Ok(usize::try_from(rows)?)
    })
}
