//! A network that can be made as bad as a test wants it: a proxy on the loopback address, in the test's own process.
//!
//! It passes bytes on and knows nothing of what they mean. How it treats them may change at any time, also for connections that
//! are open. Chance comes from a seed, which is told where a test fails; `PIPECTL_TEST_SEED` sets it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What is read at once.
const CHUNK: usize = 16 * 1024;
/// How many chunks are on their way in one direction.
const IN_FLIGHT: usize = 64;
/// One connection in so many is cut after what the client sends.
const ODD: u64 = 4;
/// What is late by less is made up for: clocks wake nobody to the millisecond.
const SLACK: Duration = Duration::from_millis(20);

/// How bytes are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Network {
    pub(crate) cuts: Option<Cuts>,
    pub(crate) delay: Option<Delay>,
}

/// Every connection is cut after so many bytes from the server, on average, and some of them after so many from the client, until
/// there were so many cuts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cuts {
    pub(crate) from_server: u64,
    pub(crate) from_client: u64,
    pub(crate) at_most: usize,
}

/// What is sent arrives later, and not faster than this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Delay {
    pub(crate) latency: Duration,
    pub(crate) bytes_per_second: u32,
}

/// The proxy; it ends with this value, and all its connections with it.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
    _threads: Runtime,
}

struct State {
    network: watch::Sender<Network>,
    server: Mutex<SocketAddr>,
    /// How often all connections were reset.
    breaks: watch::Sender<usize>,
    /// How often all connections were made to swallow what they are given.
    darkness: watch::Sender<usize>,
    seed: u64,
    random: Mutex<u64>,
    connections: AtomicUsize,
    from_server: AtomicUsize,
    cuts: AtomicUsize,
}

/// A way of ending.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// One side has ended the connection.
    Closed,
    /// All that was sent arrives, and then the end.
    Cut,
    /// What is on its way is lost, and the connection is reset.
    Reset,
}

/// One of the two ways of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    FromServer,
    FromClient,
}

impl Proxy {
    /// Passes on to this port of the loopback address.
    pub(crate) fn to(port: u16) -> Self {
        let seed = std::env::var_os("PIPECTL_TEST_SEED")
            .map_or_else(clock, |seed| seed.into_string().unwrap().parse().unwrap());
        let state = Arc::new(State {
            network: watch::Sender::new(Network::default()),
            server: Mutex::new((Ipv4Addr::LOCALHOST, port).into()),
            breaks: watch::Sender::new(0),
            darkness: watch::Sender::new(0),
            seed,
            random: Mutex::new(seed),
            connections: AtomicUsize::new(0),
            from_server: AtomicUsize::new(0),
            cuts: AtomicUsize::new(0),
        });
        let threads = Runtime::new().unwrap();
        let listener = threads.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        threads.spawn(accept(listener, Arc::clone(&state)));
        Self { port, state, _threads: threads }
    }

    /// What a run is told to connect to.
    pub(crate) fn url(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }

    /// From now on, for the connections that there are as well.
    pub(crate) fn set(&self, network: Network) {
        self.state.network.send_replace(network);
    }

    /// New connections go to the server at this port.
    pub(crate) fn lead_to(&self, port: u16) {
        *self.state.server.lock().unwrap() = (Ipv4Addr::LOCALHOST, port).into();
    }

    /// The connections that there are end, and what is on its way is lost.
    pub(crate) fn break_all(&self) {
        self.state.breaks.send_modify(|times| *times += 1);
    }

    /// The connections that there are swallow whatever they are given, in both directions, and are never closed.
    pub(crate) fn go_dark(&self) {
        self.state.darkness.send_modify(|times| *times += 1);
    }

    /// How many bytes were received by those who connect.
    pub(crate) fn received(&self) -> usize {
        self.state.from_server.load(Ordering::Relaxed)
    }

    /// How many connections there were.
    fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// How many of them were cut in the middle.
    pub(crate) fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    #[expect(clippy::print_stderr, reason = "shown where a test fails")]
    fn drop(&mut self) {
        if thread::panicking() {
            let (seed, cuts) = (self.state.seed, self.cuts());
            eprintln!("the proxy: PIPECTL_TEST_SEED={seed}, {} connections, {cuts} cuts", self.connections());
        }
    }
}

impl State {
    /// After how many bytes a connection is cut in one direction.
    fn distance(&self, network: Network, way: Way) -> Option<usize> {
        let Cuts { from_server, from_client, at_most } = network.cuts?;
        let distance = match way {
            _ if self.cuts.load(Ordering::Relaxed) >= at_most => return None,
            Way::FromServer => self.below(2 * from_server),
            Way::FromClient if self.below(ODD) == 0 => self.below(2 * from_client),
            Way::FromClient => return None,
        };
        Some(usize::try_from(distance).unwrap())
    }

    /// How a connection is cut.
    fn end(&self) -> End {
        if self.below(2) == 0 { End::Cut } else { End::Reset }
    }

    /// A number below the limit.
    fn below(&self, limit: u64) -> u64 {
        let mut random = self.random.lock().unwrap();
        // SplitMix64, by Steele, Lea and Flood.
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*random ^ (*random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

fn clock() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::from(now.subsec_nanos()) << 32 | now.as_secs() & u64::from(u32::MAX)
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        connections.spawn(connect(client, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(mut client: TcpStream, state: Arc<State>) {
    state.connections.fetch_add(1, Ordering::Relaxed);
    let server = *state.server.lock().unwrap();
    let Ok(mut server) = TcpStream::connect(server).await else {
        // As if nobody listened, as far as that can be had from somebody who does.
        drop(client.set_zero_linger());
        return;
    };
    for stream in [&client, &server] {
        drop(stream.set_nodelay(true));
    }
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            end = pass_on(from_server, to_client, Way::FromServer, &state) => end,
            end = pass_on(from_client, to_server, Way::FromClient, &state) => end,
        }
    };
    if end != End::Closed {
        state.cuts.fetch_add(1, Ordering::Relaxed);
    }
    for stream in [&mut client, &mut server] {
        match end {
            End::Closed | End::Cut => drop(stream.shutdown().await),
            End::Reset => drop(stream.set_zero_linger()),
        }
    }
}

/// Passes bytes on in one direction, until the connection ends.
async fn pass_on(mut from: ReadHalf<'_>, to: WriteHalf<'_>, way: Way, state: &State) -> End {
    let (mut breaks, mut darkness) = (state.breaks.subscribe(), state.darkness.subscribe());
    let end = {
        let (sender, receiver) = mpsc::channel(IN_FLIGHT);
        let read = read(&mut from, sender);
        let write = write(receiver, to, way, state);
        tokio::pin!(read, write);
        let mut is_read = false;
        loop {
            tokio::select! {
                () = &mut read, if !is_read => is_read = true,
                end = &mut write => break Some(end),
                _ = breaks.changed() => break Some(End::Reset),
                _ = darkness.changed() => break None,
            }
        }
    };
    match end {
        Some(end) => end,
        None => swallow(from).await,
    }
}

/// Whoever waits for an answer waits for ever.
async fn swallow(mut from: ReadHalf<'_>) -> End {
    let mut chunk = vec![0; CHUNK];
    while from.read(&mut chunk).await.is_ok_and(|count| count > 0) {}
    std::future::pending().await
}

async fn read(from: &mut ReadHalf<'_>, chunks: mpsc::Sender<(Instant, Vec<u8>)>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        match from.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(count) => chunk.truncate(count),
        }
        if chunks.send((Instant::now(), chunk)).await.is_err() {
            break;
        }
    }
    // What was read is still written.
    drop(chunks);
}

async fn write(
    mut chunks: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut to: WriteHalf<'_>,
    way: Way,
    state: &State,
) -> End {
    let mut changes = state.network.subscribe();
    let mut network = *changes.borrow_and_update();
    let mut left = state.distance(network, way);
    let mut free = Instant::now();
    loop {
        let (came, chunk) = tokio::select! {
            _ = changes.changed() => {
                network = *changes.borrow_and_update();
                left = state.distance(network, way);
                continue;
            }
            next = chunks.recv() => match next {
                Some(next) => next,
                None => return End::Closed,
            },
        };
        let count = left.map_or(chunk.len(), |left| left.min(chunk.len()));
        if let Some(Delay { latency, bytes_per_second }) = network.delay {
            sleep_until(free.max(came + latency)).await;
            let seconds = f64::from(u32::try_from(count).unwrap()) / f64::from(bytes_per_second);
            free = free.max(Instant::now() - SLACK) + Duration::from_secs_f64(seconds);
        }
        let Some(some) = chunk.get(..count).filter(|some| !some.is_empty()) else {
            return state.end();
        };
        if to.write_all(some).await.is_err() {
            return End::Closed;
        }
        if way == Way::FromServer {
            state.from_server.fetch_add(count, Ordering::Relaxed);
        }
        if let Some(left) = &mut left {
            *left -= count;
            if *left == 0 {
                return state.end();
            }
        }
    }
}
