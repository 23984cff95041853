//! A connection to the server that a test can cut or freeze, at any time and as often as it likes.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Scripted;

/// A wire that can be cut.
pub(crate) struct Wire {
    pub(crate) port: u16,
    cuts: watch::Sender<u32>,
    freezes: watch::Sender<u32>,
    _connections: JoinSet<()>,
}

impl Scripted {
    /// A connection to this server that can be cut.
    pub(crate) async fn wire(&self) -> Wire {
        self.wire_at(0).await
    }

    /// The same from a port that another wire has had.
    pub(crate) async fn wire_at(&self, port: u16) -> Wire {
        let target = (Ipv4Addr::LOCALHOST, self.port);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = watch::Sender::new(0);
        let cut = cuts.subscribe();
        let freezes = watch::Sender::new(0);
        let freeze = freezes.subscribe();
        let mut wire = JoinSet::new();
        wire.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(target).await.unwrap();
                let (mut cut, mut freeze) = (cut.clone(), freeze.clone());
                cut.mark_unchanged();
                freeze.mark_unchanged();
                connections.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => (),
                        _ = cut.changed() => (),
                        // Both ends stay open, and neither is told that there is nobody at the other.
                        _ = freeze.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Wire { port, cuts, freezes, _connections: wire }
    }
}

impl Wire {
    /// The connections that are open now carry nothing any more; new ones do.
    pub(crate) fn freeze(&self) {
        self.freezes.send_modify(|freezes| *freezes += 1);
    }

    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}
