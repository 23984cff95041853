//! The connection that the calls of a session share, and another one in its place where nobody is at the other end any more.
//!
//! A connection can die without either side being told, and a call on it would wait for ever. Who finds out replaces the line;
//! every call on the old one then ends as if it had been cut, and is tried again on the new one.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::connect::transport::tcp::{Dialer, Traffic};

/// How often the traffic is looked at while nothing moves.
const LOOKED_AT: Duration = Duration::from_millis(500);
const DIAL_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Line {
    description: Endpoint,
    current: watch::Sender<Connection>,
}

#[derive(Clone, Debug)]
struct Connection {
    number: u64,
    channel: Channel,
    traffic: Traffic,
}

/// The line as one call has it.
pub(crate) struct Held {
    connection: Connection,
    current: watch::Receiver<Connection>,
}

impl Line {
    /// The line over the connection that [`dial`] has made.
    pub(crate) fn new(description: Endpoint, (channel, traffic): (Channel, Traffic)) -> Self {
        let current = watch::Sender::new(Connection { number: 0, channel, traffic });
        Self { description, current }
    }

    pub(crate) fn hold(&self) -> Held {
        let current = self.current.subscribe();
        let connection = current.borrow().clone();
        Held { connection, current }
    }

    /// Puts another connection in the place of this one, unless somebody was faster. Needs a runtime.
    pub(crate) fn replace(&self, dead: &Held) {
        self.current.send_if_modified(|current| {
            if current.number != dead.connection.number {
                return false;
            }
            let dialer = Dialer::new(DIAL_LIMIT);
            let traffic = dialer.traffic();
            let channel = self.description.connect_with_connector_lazy(dialer);
            *current = Connection { number: current.number + 1, channel, traffic };
            true
        });
    }
}

impl Held {
    pub(crate) fn channel(&self) -> Channel {
        self.connection.channel.clone()
    }

    /// Ends when another connection is in the place of this one: what waits for an answer here waits in vain.
    pub(crate) async fn replaced(&self) -> Status {
        let number = self.connection.number;
        if self.current.clone().wait_for(|current| current.number != number).await.is_err() {
            // The session itself is gone, and with it whoever could say more.
            std::future::pending::<()>().await;
        }
        Status::unavailable("the connection is dead: nothing comes back")
    }

    /// Ends when nothing has moved for so long, in either direction: large messages on slow ways are no silence.
    pub(crate) async fn silence(&self, limit: Duration) {
        let traffic = &self.connection.traffic;
        let mut bytes = traffic.bytes();
        let mut since = Instant::now();
        while since.elapsed() < limit {
            sleep(LOOKED_AT).await;
            if traffic.bytes() != bytes {
                bytes = traffic.bytes();
                since = Instant::now();
            }
        }
    }
}

/// Makes the first connection of a line.
pub(crate) async fn dial(description: &Endpoint) -> Result<(Channel, Traffic), tonic::transport::Error> {
    let dialer = Dialer::new(DIAL_LIMIT);
    let traffic = dialer.traffic();
    Ok((description.connect_with_connector(dialer).await?, traffic))
}
