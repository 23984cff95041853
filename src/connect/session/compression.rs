//! Plans on their way to the server: compressed where it offers that and it pays, and refused where it would not take them.
//!
//! A message that is too large ends a connection in the middle, and everything else that goes over it. So it is never sent: the
//! error says how large it is and what would have been taken.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use prost::Message as _;
use tokio::task::spawn_blocking;
use tonic::{Code, Status};

use crate::connect::error::Error;
use crate::connect::session::features::Features;
use crate::proto::spark::plan::compressed_operation::OpType as Kind;
use crate::proto::spark::plan::{CompressedOperation, OpType};
use crate::proto::spark::{CompressionCodec, Plan};

/// Zstandard's own default: a second for each 300 MB.
const LEVEL: i32 = 3;

/// What a session knows of sizes.
#[derive(Debug)]
pub(crate) struct Packing {
    /// Bytes of the largest message that this side sends and takes.
    own_limit: u64,
    offered: OnceLock<Offered>,
    /// Whether the server has refused a compressed plan although it offers to take them.
    refused: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Offered {
    compressed_from: Option<u64>,
    largest_message: Option<u64>,
    largest_plan: Option<u64>,
}

/// A plan as it is sent, and as it was where that is something else.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) plan: Plan,
    pub(crate) original: Option<Plan>,
}

impl Packing {
    pub(crate) fn new(own_limit: usize) -> Self {
        Self { own_limit: own_limit as u64, offered: OnceLock::new(), refused: AtomicBool::new(false) }
    }

    /// Takes note of what the server offers; what was noted first stays.
    pub(crate) fn learn(&self, features: &Features) {
        self.offered.get_or_init(|| Offered {
            compressed_from: features.compressed_from,
            largest_message: features.largest_message,
            largest_plan: features.largest_plan,
        });
    }

    /// The plan as it is to be sent.
    pub(crate) async fn pack(&self, plan: Plan) -> Result<Packed, Error> {
        let size = plan.encoded_len() as u64;
        if let Some(limit) = self.offered.get().and_then(|offered| offered.largest_plan)
            && size > limit
        {
            return Err(Error::TooLarge { size, limit });
        }
        if self.compresses(size) { compressed(plan).await } else { Ok(Packed { plan, original: None }) }
    }

    fn compresses(&self, size: u64) -> bool {
        let from = self.offered.get().and_then(|offered| offered.compressed_from);
        from.is_some_and(|from| size > from) && !self.refused.load(Ordering::Relaxed)
    }

    /// Takes note that the server does not understand compressed plans after all; they are sent as they are from now on.
    pub(crate) fn stop_compressing(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether a message of so many bytes may be sent.
    pub(crate) fn fits(&self, size: usize) -> Result<(), Error> {
        let theirs = self.offered.get().and_then(|offered| offered.largest_message);
        let (size, limit) = (size as u64, theirs.unwrap_or(u64::MAX).min(self.own_limit));
        if size > limit { Err(Error::TooLarge { size, limit }) } else { Ok(()) }
    }

    /// What a status says about the size or the depth of a message. Both sides have the same words where both are written in Rust: the limit
    /// tells whose they are.
    pub(crate) fn judge(&self, status: &Status) -> Option<Error> {
        let message = status.message();
        let (size, limit) = match status.code() {
            // Without this limit, which is not for plans, a server could let us run out of stack.
            Code::Internal if message.contains("recursion limit reached") => {
                let what = "an answer that is nested too deep: types may have some thirty levels";
                return Some(Error::Protocol(what.to_owned()));
            }
            Code::OutOfRange => {
                let (_, numbers) = message.split_once("message length too large: found ")?;
                let (size, rest) = numbers.split_once(" bytes, the limit is: ")?;
                (size, rest.split(' ').next()?)
            }
            Code::ResourceExhausted => {
                let (_, numbers) = message.split_once("message exceeds maximum size ")?;
                let (limit, size) = numbers.split_once(": ")?;
                (size, limit)
            }
            _ => return None,
        };
        let (size, limit) = (size.trim().parse().ok()?, limit.trim().parse().ok()?);
        let is_ours = status.code() == Code::OutOfRange && limit == self.own_limit;
        Some(if is_ours { Error::AnswerTooLarge { size, limit } } else { Error::TooLarge { size, limit } })
    }
}

/// Whether a server that was sent a compressed plan says that it can't read it.
pub(crate) fn is_refusal(code: Option<Code>, message: &str) -> bool {
    code == Some(Code::Unimplemented) || message.contains(CANNOT_PARSE)
}

pub(crate) const CANNOT_PARSE: &str = "CONNECT_INVALID_PLAN.CANNOT_PARSE";

/// Compresses a plan, in a thread where that holds nobody up.
async fn compressed(plan: Plan) -> Result<Packed, Error> {
    let work = spawn_blocking(move || {
        let Some((kind, bytes)) = encoded(&plan) else { return Packed { plan, original: None } };
        let packed = zstd::bulk::compress(&bytes, LEVEL).ok().filter(|packed| packed.len() < bytes.len());
        let Some(data) = packed else { return Packed { plan, original: None } };
        let operation = CompressedOperation {
            data: Bytes::from(data),
            op_type: kind.into(),
            compression_codec: CompressionCodec::Zstd.into(),
        };
        let small = Plan { op_type: Some(OpType::CompressedOperation(operation)) };
        Packed { plan: small, original: Some(plan) }
    });
    work.await.map_err(|panic| Error::Protocol(format!("a plan could not be compressed: {panic}")))
}

fn encoded(plan: &Plan) -> Option<(Kind, Vec<u8>)> {
    match plan.op_type.as_ref()? {
        OpType::Root(relation) => Some((Kind::Relation, relation.encode_to_vec())),
        OpType::Command(command) => Some((Kind::Command, command.encode_to_vec())),
        OpType::CompressedOperation(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tonic::{Code, Status};

    use super::{Packed, Packing, is_refusal};
    use crate::connect::error::Error;
    use crate::connect::session::features::Features;
    use crate::proto::spark::plan::OpType;
    use crate::proto::spark::{Plan, Relation};
    use crate::proto::{command, relation};

    fn packing(features: &Features) -> Packing {
        let packing = Packing::new(1000);
        packing.learn(features);
        packing
    }

    fn query(letters: usize) -> Relation {
        relation::sql("x".repeat(letters), std::collections::BTreeMap::new())
    }

    fn data(packed: &Packed) -> Option<Vec<u8>> {
        match &packed.plan.op_type {
            Some(OpType::CompressedOperation(operation)) => {
                Some(zstd::bulk::decompress(&operation.data, 1 << 20).unwrap())
            }
            _ => None,
        }
    }

    #[tokio::test]
    async fn large_plans_are_compressed() {
        let packing = packing(&Features { compressed_from: Some(100), ..Features::default() });
        let small = packing.pack(query(20).into()).await.unwrap();
        assert_eq!((data(&small), small.original), (None, None));

        let packed = packing.pack(query(500).into()).await.unwrap();
        assert_eq!(data(&packed), Some(query(500).encode_to_vec()));
        assert_eq!(packed.original, Some(query(500).into()));

        let view = command::create_view(query(500), "v");
        let packed = packing.pack(view.clone().into()).await.unwrap();
        assert_eq!(data(&packed), Some(view.encode_to_vec()));

        packing.stop_compressing();
        assert_eq!(data(&packing.pack(query(500).into()).await.unwrap()), None);
    }

    #[tokio::test]
    async fn what_does_not_get_smaller_is_sent_as_it_is() {
        let packing = packing(&Features { compressed_from: Some(0), ..Features::default() });
        let plan: Plan = relation::range(0, 9, 1, None).into();
        let packed = packing.pack(plan.clone()).await.unwrap();
        assert_eq!((packed.plan, packed.original), (plan, None));
    }

    #[tokio::test]
    async fn nothing_is_compressed_for_a_server_that_does_not_offer_it() {
        assert_eq!(data(&Packing::new(1000).pack(query(5000).into()).await.unwrap()), None);
        assert_eq!(data(&packing(&Features::default()).pack(query(5000).into()).await.unwrap()), None);
    }

    #[tokio::test]
    async fn the_smaller_limit_counts() {
        for (largest_message, limit) in [(None, 1000), (Some(2000), 1000), (Some(500), 500)] {
            let packing = packing(&Features { largest_message, ..Features::default() });
            assert!(packing.fits(limit).is_ok());
            let error = packing.fits(limit + 1).unwrap_err();
            assert!(
                matches!(error, Error::TooLarge { limit: found, .. } if found == limit as u64),
                "{error}"
            );
        }
        let packing = packing(&Features { largest_plan: Some(50), ..Features::default() });
        assert!(matches!(packing.pack(query(60).into()).await, Err(Error::TooLarge { limit: 50, .. })));
    }

    #[test]
    fn statuses_about_sizes() {
        let packing = packing(&Features::default());
        let rust = |limit: u64| {
            Status::out_of_range(format!(
                "Error, decoded message length too large: found 5000 bytes, the limit is: {limit} bytes"
            ))
        };
        let table = [
            (rust(1000), Some("AnswerTooLarge { size: 5000, limit: 1000 }")),
            (rust(900), Some("TooLarge { size: 5000, limit: 900 }")),
            (
                Status::resource_exhausted("gRPC message exceeds maximum size 900: 5000"),
                Some("TooLarge { size: 5000, limit: 900 }"),
            ),
            (
                Status::internal("failed to decode Protobuf message: Struct.fields: recursion limit reached"),
                Some("Protocol(\"an answer that is nested too deep: types may have some thirty levels\")"),
            ),
            (Status::resource_exhausted("no more slots"), None),
            (Status::out_of_range("row 5"), None),
            (Status::internal("message length too large: found 1 bytes, the limit is: 1 bytes"), None),
        ];
        for (status, expected) in table {
            let found = packing.judge(&status).map(|error| format!("{error:?}"));
            assert_eq!(found.as_deref(), expected, "{status:?}");
        }
    }

    #[test]
    fn refusals() {
        let parse = "[CONNECT_INVALID_PLAN.CANNOT_PARSE] Cannot decompress or parse the input plan";
        assert!(is_refusal(Some(Code::Internal), parse));
        assert!(is_refusal(Some(Code::Unimplemented), "compressed operation plan"));
        assert!(!is_refusal(Some(Code::Internal), "[TABLE_OR_VIEW_NOT_FOUND] no"));
    }
}
