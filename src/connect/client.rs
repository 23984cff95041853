//! A session at a Spark Connect server: questions with one answer, and executions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Code;

use crate::connect::endpoint::Endpoint;
use crate::connect::error::{Error, ServerError};
use crate::connect::execution::reattach::{Execution, interrupt};
use crate::connect::execution::stream::{Event, ResponseStream};
use crate::connect::session::artifacts::{self, Artifact};
use crate::connect::session::compression::{Packed, is_refusal};
use crate::connect::session::features::{self, Features};
use crate::connect::session::{Call, Interrupted, OperationId, Session, Tag};
use crate::connect::session::{check, keepalive};
use crate::connect::transport::connect::reach;
use crate::proto::relation;
use crate::proto::spark::analyze_plan_request::explain::ExplainMode;
use crate::proto::spark::analyze_plan_request::{Analyze, Explain, Schema, SparkVersion};
use crate::proto::spark::analyze_plan_response::Result as Analysis;
use crate::proto::spark::config_request::operation::OpType;
use crate::proto::spark::config_request::{GetOption, Set};
use crate::proto::spark::{
    AnalyzePlanRequest, ConfigResponse, DataType, KeyValue, Plan, ReleaseSessionRequest,
};
use crate::secret::Plain;

/// Spark 4 brought `WithRelations`, arguments as expressions, and checkpoints.
const OLDEST_MAJOR: u32 = 4;
/// Analysis may infer the schema of many files.
const ANALYZE_LIMIT: Duration = Duration::from_secs(3600);
/// What Sail says where it can make no plan.
const UNPLANNED: &str = "Physical plan error: ";
const CONFIG_LIMIT: Duration = Duration::from_secs(600);
const RELEASE_LIMIT: Duration = Duration::from_secs(10);
const RELEASE_BUDGET: Duration = Duration::from_secs(5);
/// A server that has just come up makes its first session slowly; one that is none never does.
const FIRST_LIMIT: Duration = Duration::from_secs(30);
const FIRST_BUDGET: Duration = Duration::from_secs(5);

/// A session. Clones are the same session, and may be used from many tasks at once.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    session: Arc<Session>,
    version: Arc<str>,
}

impl Client {
    /// Connects and asks the server for its version, which makes the session. A server that is not there, or is none, is found
    /// out within seconds; later a call may go on for as long as `budget` without an answer.
    pub(crate) async fn connect(endpoint: &Endpoint, budget: Duration) -> Result<Self, Error> {
        let session = Arc::new(Session::new(endpoint, reach(endpoint).await?, budget));
        let mut client = Self { session, version: "".into() };
        let version = client.first_answer().await?;
        if is_too_old(&version) {
            return Err(Error::TooOld { server: client.session.server.clone(), version });
        }
        client.version = version.into();
        check::install(&client.session).await?;
        keepalive::start(&client.session);
        Ok(client)
    }

    async fn first_answer(&self) -> Result<String, Error> {
        let call = Call {
            name: "AnalyzePlan",
            limit: FIRST_LIMIT,
            budget: FIRST_BUDGET.min(self.session.patience.budget),
        };
        let answer = self.analyze(call, Analyze::SparkVersion(SparkVersion {})).await;
        let answer = answer.map_err(|error| error.of_a_stranger(&self.session.server))?;
        match answer {
            Analysis::SparkVersion(answer) => Ok(answer.version),
            _ => Err(wrong_answer("its version")),
        }
    }

    /// What the server calls its version of Spark.
    pub(crate) fn server_version(&self) -> &str {
        &self.version
    }

    /// Whether the server calls the session as the client does. Sail does; a JVM server has a name of its own for it.
    pub(crate) fn is_namesake(&self) -> bool {
        self.session.is_namesake()
    }

    /// What is in the way while nobody answers; nothing while somebody does.
    pub(crate) fn outages(&self) -> watch::Receiver<Option<String>> {
        self.session.outage.subscribe()
    }

    pub(crate) fn session_id(&self) -> &str {
        &self.session.id
    }

    /// The server's address, as messages name it.
    pub(crate) fn server(&self) -> &str {
        &self.session.server
    }

    /// The columns of a plan. Anything wrong with it comes as an error for which `is_analysis` holds.
    pub(crate) async fn analyze_schema(&self, plan: Plan) -> Result<DataType, Error> {
        let Packed { plan, original } = self.session.packing.pack(plan).await?;
        match (self.schema(plan).await, original) {
            (Err(Error::Server(error)), Some(plan)) if is_refusal(error.code, &error.to_string()) => {
                self.session.packing.stop_compressing();
                self.schema(plan).await
            }
            (answer, _) => answer,
        }
    }

    /// Has the server plan how it would work a plan out. Anything wrong with it comes as for [`Self::analyze_schema`].
    pub(crate) async fn explain(&self, plan: Plan) -> Result<(), Error> {
        let Packed { plan, .. } = self.session.packing.pack(plan).await?;
        let question = Explain { plan: Some(plan), explain_mode: ExplainMode::Simple.into() };
        match self.ask(Analyze::Explain(question)).await? {
            // Sail makes what it finds then a part of its answer.
            Analysis::Explain(answer) => match answer.explain_string.split_once(UNPLANNED) {
                Some((_, reason)) => Err(Error::Server(Box::new(ServerError::of_sails_plan(reason)))),
                None => Ok(()),
            },
            _ => Err(wrong_answer("a plan")),
        }
    }

    async fn schema(&self, plan: Plan) -> Result<DataType, Error> {
        match self.ask(Analyze::Schema(Schema { plan: Some(plan) })).await? {
            Analysis::Schema(answer) => answer.schema.ok_or_else(|| wrong_answer("a schema")),
            _ => Err(wrong_answer("a schema")),
        }
    }

    /// Sets settings of the session; what the server has to say about them comes back.
    pub(crate) async fn config_set(
        &self,
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<String>, Error> {
        let pairs = pairs.into_iter().map(|(key, value)| KeyValue { key, value: Some(value) }).collect();
        let answer = self.config(OpType::Set(Set { pairs, silent: None })).await?;
        Ok(answer.warnings)
    }

    /// Asks what the server offers, and what else it says to `further`, once the session has these settings. From now on plans
    /// go to it as it wants them.
    pub(crate) async fn features(
        &self,
        further: &[&str],
        settings: &[(String, Plain)],
    ) -> Result<Features, Error> {
        let all: Vec<&str> = features::KEYS.iter().chain(further).copied().collect();
        let mut known = match self.options(&all).await? {
            Some(known) => known,
            // Some vendors refuse a question that names a setting of which they do not speak.
            None => self.options(further).await?.unwrap_or_default(),
        };
        for (key, value) in settings {
            if let Some(known) = known.get_mut(key) {
                value.shown().clone_into(known);
            }
        }
        let features = Features::read(known);
        self.session.packing.learn(&features);
        Ok(features)
    }

    /// The settings that the server knows of these; nothing where it refuses to tell.
    async fn options(&self, keys: &[&str]) -> Result<Option<BTreeMap<String, String>>, Error> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        match self.config(OpType::GetOption(GetOption { keys })).await {
            Ok(answer) => {
                let known = answer.pairs.into_iter().filter_map(|pair| Some((pair.key, pair.value?)));
                Ok(Some(known.collect()))
            }
            Err(Error::Server(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts files and bytes into the session, each under its name; how many bytes were sent comes back.
    pub(crate) async fn add_artifacts(&self, artifacts: Vec<Artifact>) -> Result<u64, Error> {
        artifacts::add(&self.session, artifacts).await
    }

    /// Puts bytes into the session that are called by their own checksums, those that are not there yet.
    pub(crate) async fn add_missing(&self, artifacts: Vec<Artifact>) -> Result<u64, Error> {
        artifacts::add_missing(&self.session, artifacts).await
    }

    /// Lets the server work out and send one row: whether it does what it is for.
    pub(crate) async fn probe(&self) -> Result<(), Error> {
        let one = relation::range(0, 1, 1, None);
        let mut stream = self.execute(one.into(), &[], OperationId::new());
        let mut rows = 0;
        while let Some(event) = stream.next().await? {
            if let Event::Batch(batch) = event {
                rows += batch.num_rows();
            }
        }
        if rows == 1 { Ok(()) } else { Err(wrong_answer("one row")) }
    }

    /// Runs a plan. Nothing is sent before the first event is asked for. Needs a runtime.
    pub(crate) fn execute(&self, plan: Plan, tags: &[Tag], operation: OperationId) -> ResponseStream {
        ResponseStream::new(Execution::new(Arc::clone(&self.session), plan, tags, operation))
    }

    /// Stops an execution; its stream ends with [`Error::Cancelled`]. The ids of what was running come back.
    pub(crate) async fn interrupt_operation(&self, operation: OperationId) -> Result<Vec<String>, Error> {
        interrupt(&self.session, &Interrupted::Operation(operation)).await
    }

    /// Stops all executions with this tag.
    pub(crate) async fn interrupt_tag(&self, tag: &Tag) -> Result<Vec<String>, Error> {
        interrupt(&self.session, &Interrupted::Tag(tag.clone())).await
    }

    /// Ends the session at the server, and with it all that still runs there. Servers before 4.0 let it expire.
    pub(crate) async fn release_session(&self) -> Result<(), Error> {
        keepalive::stop(&self.session);
        // Too late for these is no harm: the session takes them along.
        timeout(RELEASE_LIMIT, self.session.finish_background()).await.ok();
        let (session_id, user_context, client_type) = self.session.identity();
        let question =
            ReleaseSessionRequest { session_id, user_context, client_type, allow_reconnect: false };
        let call = Call { name: "ReleaseSession", limit: RELEASE_LIMIT, budget: RELEASE_BUDGET };
        match self
            .session
            .call(call, question, async |mut stub, question| stub.release_session(question).await)
            .await
        {
            Err(Error::Server(error)) if error.code == Some(Code::Unimplemented) => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn ask(&self, question: Analyze) -> Result<Analysis, Error> {
        let call = Call { name: "AnalyzePlan", limit: ANALYZE_LIMIT, budget: self.session.patience.budget };
        self.analyze(call, question).await
    }

    async fn analyze(&self, call: Call, question: Analyze) -> Result<Analysis, Error> {
        let (session_id, user_context, client_type) = self.session.identity();
        let question = AnalyzePlanRequest {
            session_id,
            user_context,
            client_type,
            client_observed_server_side_session_id: self.session.observed(),
            analyze: Some(question),
        };
        self.session.packing.fits(question.encoded_len())?;
        let answer = self
            .session
            .call(call, question, async |mut stub, question| stub.analyze_plan(question).await)
            .await;
        match answer {
            Ok(answer) => answer.result.ok_or_else(|| wrong_answer("an analysis")),
            Err(Error::Server(mut error)) => {
                error.analysing = true;
                Err(Error::Server(error))
            }
            Err(error) => Err(error),
        }
    }

    async fn config(&self, operation: OpType) -> Result<ConfigResponse, Error> {
        self.session.configure(operation, CONFIG_LIMIT).await
    }
}

/// Older servers pass over what they do not know of a plan, without a word. A version that can't be read is given a try.
fn is_too_old(version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major < OLDEST_MAJOR)
}

fn wrong_answer(expected: &str) -> Error {
    Error::Protocol(format!("asked for {expected}, it answers with something else"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Status;

    use super::Client;
    use crate::connect::endpoint::Endpoint;
    use crate::connect::error::Error;
    use crate::connect::scripted::{Script, Scripted, complete, rows, spark_error};
    use crate::connect::session::OperationId;
    use crate::connect::session::features::Features;
    use crate::proto::spark::plan::OpType;
    use crate::proto::spark::{Plan, Relation};
    use crate::proto::{command, relation};
    use crate::secret::Plain;

    const BUDGET: Duration = Duration::from_secs(5);

    async fn error_of_connecting(status: Status) -> Error {
        let server = Script::default().fail(status).serve().await;
        Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap_err()
    }

    #[tokio::test]
    async fn who_answers_is_asked_for_its_version() {
        let server = Script::default().fail(Status::unavailable("not yet")).serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        assert_eq!(client.server_version(), "4.3.0");
        assert_eq!(server.script.calls(), ["analyze", "analyze"]);
    }

    #[tokio::test]
    async fn who_else_may_answer() {
        let table = [
            (
                Status::unimplemented("no such service"),
                "is not a Spark Connect server: it does not know `AnalyzePlan`",
            ),
            (
                Status::unknown("grpc-status header missing, mapped from HTTP status code 302"),
                "can not be reached: a web server or a proxy answers, with HTTP status 302",
            ),
            (
                Status::unauthenticated("No authentication token provided"),
                "the server refuses this user: No auth",
            ),
            (Status::internal("the cluster is asleep"), "the cluster is asleep"),
        ];
        for (status, message) in table {
            let error = error_of_connecting(status).await.to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[tokio::test]
    async fn questions_are_asked_again_while_that_may_help() {
        let server = Script::default().serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        let script = server.script.clone().fail(Status::unavailable("one")).fail(Status::unavailable("two"));
        client.config_set([("a".to_owned(), "b".to_owned())]).await.unwrap();
        assert_eq!(script.calls(), ["analyze", "config", "config", "config"]);
        let script = script.fail(Status::internal("[CANNOT_MODIFY_STATIC_CONFIG] no"));
        let error = client.config_set([("a".to_owned(), "b".to_owned())]).await.unwrap_err();
        assert_eq!(error.to_string(), "no [CANNOT_MODIFY_STATIC_CONFIG]");
        assert_eq!(script.calls().len(), 5);
    }

    #[tokio::test]
    async fn what_is_wrong_while_analysing_is_wrong_with_the_plan() {
        let server = Script::default().serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        let _script = server.script.clone().fail(spark_error("divide by zero", &[("classes", "[]")]));
        let error = client.analyze_schema(relation::range(0, 1, 1, None).into()).await.unwrap_err();
        assert!(error.is_analysis() && !error.is_unreachable());
    }

    #[tokio::test]
    async fn the_end_of_a_session_waits_for_what_is_under_way() {
        let server = Script::default().stream([complete()]).serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        let mut stream = client.execute(relation::range(0, 9, 1, None).into(), &[], OperationId::new());
        while stream.next().await.unwrap().is_some() {}
        // A server before 4.0, which does not know the call.
        client.release_session().await.unwrap();
        assert_eq!(server.script.calls(), ["analyze", "execute", "release all"]);
    }

    /// A client of a server that compresses plans of more than so many bytes.
    async fn compressing(script: Script, from: &str) -> (Scripted, Client) {
        let prefix = "spark.connect.session.planCompression";
        let script = script
            .setting(&format!("{prefix}.threshold"), from)
            .setting(&format!("{prefix}.defaultAlgorithm"), "ZSTD")
            .setting("spark.connect.grpc.maxInboundMessageSize", "4000")
            .setting("one.more", "8");
        let server = script.serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        let features = client.features(&["one.more", "unknown"], &[]).await.unwrap();
        assert_eq!((features.setting("one.more"), features.setting("unknown")), (Some("8"), None));
        (server, client)
    }

    fn query(letters: usize) -> Plan {
        relation::sql("x".repeat(letters), std::collections::BTreeMap::new()).into()
    }

    fn kinds<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> Vec<&'static str> {
        let kind = |plan: &Plan| match plan.op_type {
            Some(OpType::CompressedOperation(_)) => "compressed",
            Some(_) => "plain",
            None => "nothing",
        };
        plans.into_iter().map(kind).collect()
    }

    async fn drain(client: &Client, plan: Plan) -> Result<(), Error> {
        let mut stream = client.execute(plan, &[], OperationId::new());
        while stream.next().await?.is_some() {}
        Ok(())
    }

    #[tokio::test]
    async fn a_server_that_does_not_speak_of_itself_offers_nothing() {
        let script = Script::default().setting("spark.connect.maxPlanSize", "5").setting("one.more", "8");
        let server = script.serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        let refusal = || Status::internal("[CONFIG_NOT_AVAILABLE] spark.connect.maxPlanSize");
        let script = server.script.clone().fail(refusal());
        let features = client.features(&["one.more"], &[]).await.unwrap();
        assert_eq!((features.largest_plan, features.setting("one.more")), (None, Some("8")));
        let script = script.fail(refusal()).fail(refusal());
        assert_eq!(client.features(&["one.more"], &[]).await.unwrap(), Features::default());
        assert_eq!(script.calls().len(), 5);
    }

    #[tokio::test]
    async fn what_the_session_is_set_to_goes_before_what_the_server_says() {
        let script = Script::default().setting("spark.connect.maxPlanSize", "5");
        let server = script.serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        let set = |key: &str| (key.to_owned(), Plain::from("7b"));
        let settings = [set("spark.connect.maxPlanSize"), set("spark.connect.grpc.maxInboundMessageSize")];
        let features = client.features(&[], &settings).await.unwrap();
        // It is not known to mean anything there.
        assert_eq!((features.largest_plan, features.largest_message), (Some(7), None));
    }

    #[tokio::test]
    async fn large_plans_travel_compressed() {
        let script = Script::default().stream([complete()]).stream([complete()]);
        let (server, client) = compressing(script, "100").await;
        for letters in [20, 3900, 9000] {
            client.analyze_schema(query(letters)).await.unwrap();
        }
        drain(&client, query(20)).await.unwrap();
        drain(&client, query(9000)).await.unwrap();
        assert_eq!(kinds(&server.script.analysed()), ["plain", "compressed", "compressed"]);
        let executed = server.script.executed();
        assert_eq!(kinds(executed.iter().filter_map(|it| it.plan.as_ref())), ["plain", "compressed"]);
    }

    #[tokio::test]
    async fn a_server_that_does_not_understand_them_gets_them_as_they_are() {
        for status in [
            || spark_error("[CONNECT_INVALID_PLAN.CANNOT_PARSE] Cannot decompress or parse", &[]),
            || Status::unimplemented("compressed operation plan"),
        ] {
            let script = Script::default().stream([complete()]).refuse(status()).stream([complete()]);
            let (server, client) = compressing(script, "100").await;
            drain(&client, query(900)).await.unwrap();
            drain(&client, query(900)).await.unwrap();
            let executed = server.script.executed();
            assert_eq!(
                kinds(executed.iter().filter_map(|it| it.plan.as_ref())),
                ["compressed", "compressed", "plain"]
            );
            assert_eq!(executed[1].operation_id, executed[2].operation_id, "it was never begun");
            assert_ne!(executed[0].operation_id, executed[1].operation_id);
            client.analyze_schema(query(900)).await.unwrap();
            assert_eq!(kinds(&server.script.analysed()), ["plain"], "and all that come after");

            let (server, client) = compressing(Script::default().stream([complete()]), "100").await;
            let _script = server.script.clone().fail(status());
            client.analyze_schema(query(900)).await.unwrap();
            drain(&client, query(900)).await.unwrap();
            // The first one was refused before it was looked at.
            assert_eq!(kinds(&server.script.analysed()), ["plain"]);
            let executed = server.script.executed();
            assert_eq!(kinds(executed.iter().filter_map(|it| it.plan.as_ref())), ["plain"]);
        }
    }

    #[tokio::test]
    async fn an_error_of_a_compressed_plan_is_an_error() {
        let error = || spark_error("[TABLE_OR_VIEW_NOT_FOUND] no", &[]);
        let (server, client) = compressing(Script::default().refuse(error()), "100").await;
        let _script = server.script.clone().fail(error());
        assert!(client.analyze_schema(query(900)).await.is_err());
        assert!(drain(&client, query(900)).await.is_err());
        assert_eq!(server.script.executed().len(), 1);
    }

    #[tokio::test]
    async fn what_is_too_large_is_never_sent() {
        let (server, client) = compressing(Script::default(), "-1").await;
        let before = server.script.calls();
        for result in [
            client.analyze_schema(query(5000)).await.map(drop),
            drain(&client, query(5000)).await,
            client
                .execute(command::create_view(relation_of(5000), "v").into(), &[], OperationId::new())
                .next()
                .await
                .map(drop),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit: 4000, .. }), "{error}");
            assert!(!error.is_unreachable() && !error.is_analysis());
        }
        assert_eq!(server.script.calls(), before);
    }

    fn relation_of(letters: usize) -> Relation {
        relation::sql("x".repeat(letters), std::collections::BTreeMap::new())
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_told() {
        let server = Script::default().stream([rows("a", 0, 5000), complete()]).serve().await;
        let url = format!("sc://127.0.0.1:{}/;grpc_max_message_size=9000", server.port);
        let endpoint = Endpoint::parse(&url, &crate::connect::Defaults::default()).unwrap();
        let client = Client::connect(&endpoint, BUDGET).await.unwrap();
        let error = drain(&client, query(20)).await.unwrap_err();
        assert!(matches!(error, Error::AnswerTooLarge { limit: 9000, size: 20_000.. }), "{error}");
    }
}
