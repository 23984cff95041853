//! What a server sends: rows whole and in pieces, schemas, the end.

use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use bytes::Bytes;

use super::Step;
use crate::proto::spark::execute_plan_response::execution_progress::StageInfo;
use crate::proto::spark::execute_plan_response::{
    ArrowBatch, ExecutionProgress, ResponseType, ResultComplete,
};
use crate::proto::spark::{DataType, ExecutePlanResponse};

/// Rows `from..to` of a column `n` as one response, under this id.
pub(crate) fn rows(id: &str, from: i32, to: i32) -> Step {
    batch(id, i64::from(from), &numbers(from, to))
}

/// The same in two responses, `ID-0` and `ID-1`.
pub(crate) fn halves(id: &str, from: i32, to: i32) -> [Step; 2] {
    let mut halves = pieces(id, i64::from(from), &numbers(from, to), 2).into_iter();
    [(); 2].map(|()| halves.next().unwrap())
}

/// A batch that begins with row `offset` of the result, as one response.
pub(crate) fn batch(id: &str, offset: i64, batch: &RecordBatch) -> Step {
    send(id, arrow_batch(offset, batch))
}

/// The same in `count` responses, `ID-0`, `ID-1`, and so on.
pub(crate) fn pieces(id: &str, offset: i64, batch: &RecordBatch, count: usize) -> Vec<Step> {
    let whole = arrow_batch(offset, batch);
    let length = whole.data.len().div_ceil(count);
    let piece = |index: usize| ArrowBatch {
        data: whole
            .data
            .slice((index * length).min(whole.data.len())..((index + 1) * length).min(whole.data.len())),
        chunk_index: i64::try_from(index).ok(),
        num_chunks_in_batch: i64::try_from(count).ok(),
        ..whole.clone()
    };
    (0..count).map(|index| send(&format!("{id}-{index}"), piece(index))).collect()
}

/// A result of `count` batches, which are these again and again and share their bytes, so that a long result needs little memory.
pub(crate) fn repeated(batches: &[RecordBatch], count: usize) -> Vec<Step> {
    let encoded: Vec<ArrowBatch> = batches.iter().map(|batch| arrow_batch(0, batch)).collect();
    let mut offset = 0;
    let mut next = |(at, batch): (usize, &ArrowBatch)| {
        let start_offset = Some(offset);
        offset += batch.row_count;
        send(&at.to_string(), ArrowBatch { start_offset, ..batch.clone() })
    };
    encoded.iter().cycle().take(count).enumerate().map(&mut next).collect()
}

pub(crate) fn schema(id: &str) -> Step {
    let schema = Some(DataType::default());
    Step::Send(Box::new(ExecutePlanResponse {
        response_id: id.to_owned(),
        schema,
        ..ExecutePlanResponse::default()
    }))
}

/// How far the engine is: tasks of one stage, and bytes that it has read.
pub(crate) fn progress(id: &str, completed: i64, tasks: i64, bytes: i64) -> Step {
    let stage = StageInfo {
        stage_id: 1,
        num_tasks: tasks,
        num_completed_tasks: completed,
        input_bytes_read: bytes,
        done: completed == tasks,
    };
    let progress = ExecutionProgress { stages: vec![stage], num_inflight_tasks: tasks - completed };
    Step::Send(Box::new(ExecutePlanResponse {
        response_id: id.to_owned(),
        response_type: Some(ResponseType::ExecutionProgress(progress)),
        ..ExecutePlanResponse::default()
    }))
}

pub(crate) fn complete() -> Step {
    Step::Send(Box::new(ExecutePlanResponse {
        response_id: "last".to_owned(),
        response_type: Some(ResponseType::ResultComplete(ResultComplete {})),
        ..ExecutePlanResponse::default()
    }))
}

fn send(id: &str, batch: ArrowBatch) -> Step {
    Step::Send(Box::new(ExecutePlanResponse {
        response_id: id.to_owned(),
        response_type: Some(ResponseType::ArrowBatch(batch)),
        ..ExecutePlanResponse::default()
    }))
}

fn arrow_batch(offset: i64, batch: &RecordBatch) -> ArrowBatch {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    ArrowBatch {
        row_count: i64::try_from(batch.num_rows()).unwrap(),
        data: Bytes::from(writer.into_inner().unwrap()),
        start_offset: Some(offset),
        ..ArrowBatch::default()
    }
}

fn numbers(from: i32, to: i32) -> RecordBatch {
    let numbers = Int32Array::from_iter_values(from..to);
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap()
}
