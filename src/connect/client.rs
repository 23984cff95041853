//! A session at a Spark Connect server: questions with one answer, and executions.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tonic::Code;

use crate::connect::endpoint::Endpoint;
use crate::connect::error::Error;
use crate::connect::reach::reach;
use crate::connect::reattach::{Execution, interrupt};
use crate::connect::session::{Call, Interrupted, OperationId, Session, Tag};
use crate::connect::stream::{Event, ResponseStream};
use crate::proto::relation;
use crate::proto::spark::analyze_plan_request::{Analyze, Schema, SparkVersion};
use crate::proto::spark::analyze_plan_response::Result as Analysis;
use crate::proto::spark::config_request::operation::OpType;
use crate::proto::spark::config_request::{GetOption, Operation, Set};
use crate::proto::spark::{
    AnalyzePlanRequest, ConfigRequest, ConfigResponse, DataType, KeyValue, Plan, ReleaseSessionRequest,
};

/// Spark 4 brought `WithRelations`, arguments as expressions, and checkpoints.
const OLDEST_MAJOR: u32 = 4;
/// Analysis may infer the schema of many files.
const ANALYZE_LIMIT: Duration = Duration::from_secs(3600);
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
        self.session.observed().is_some_and(|observed| observed == self.session_id())
    }

    pub(crate) fn session_id(&self) -> &str {
        &self.session.id
    }

    /// The columns of a plan. Anything wrong with it comes as an error for which `is_analysis` holds.
    pub(crate) async fn analyze_schema(&self, plan: Plan) -> Result<DataType, Error> {
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

    /// A setting of the session; nothing where the server does not know it.
    pub(crate) async fn config_get(&self, key: &str) -> Result<Option<String>, Error> {
        let answer = self.config(OpType::GetOption(GetOption { keys: vec![key.to_owned()] })).await?;
        Ok(answer.pairs.into_iter().find(|pair| pair.key == key).and_then(|pair| pair.value))
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
        let (session_id, user_context, client_type) = self.session.identity();
        let question = ConfigRequest {
            session_id,
            user_context,
            operation: Some(Operation { op_type: Some(operation) }),
            client_type,
            client_observed_server_side_session_id: self.session.observed(),
        };
        let call = Call { name: "Config", limit: CONFIG_LIMIT, budget: self.session.patience.budget };
        self.session.call(call, question, async |mut stub, question| stub.config(question).await).await
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
    use crate::connect::scripted::{Script, complete, spark_error};
    use crate::connect::session::OperationId;
    use crate::proto::relation;

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
}
