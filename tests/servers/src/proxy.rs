//! A wire between transom and a server that can be cut, that can go dead with both ends still connected, and that can forget them.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

use crate::free_port;

/// What the wire does with bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Wire {
    /// Nothing passes, and nobody is told.
    dead: bool,
    /// The same, for as many of the first connections.
    forgotten: usize,
    /// How many there were.
    connections: usize,
}

impl Wire {
    fn carries(self, connection: usize) -> bool {
        !self.dead && connection >= self.forgotten
    }
}

/// The wire.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    wire: watch::Sender<Wire>,
    cut: watch::Sender<u32>,
    _server: JoinSet<()>,
}

impl Proxy {
    /// A wire to this place.
    pub async fn to(target: SocketAddr) -> Self {
        let addr = free_port();
        let listener = TcpListener::bind(addr).await.expect("our own port");
        let (wire, cut) = (watch::Sender::new(Wire::default()), watch::Sender::new(0));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, target, wire.clone(), cut.clone()));
        Self {
            addr,
            wire,
            cut,
            _server: server,
        }
    }

    /// Where it begins.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Both ends see the connection end, without a word.
    pub fn cut(&self) {
        self.wire.send_modify(|wire| wire.dead = false);
        self.cut.send_modify(|count| *count += 1);
    }

    /// Nothing passes from now on, and both ends believe that they are connected: half-open.
    pub fn die(&self) {
        self.wire.send_modify(|wire| wire.dead = true);
    }

    /// The same for whoever is connected now, and for good; who connects from now on gets through. A router does that which has lost its
    /// table.
    pub fn forget(&self) {
        self.wire
            .send_modify(|wire| wire.forgotten = wire.connections);
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.wire.borrow().connections
    }
}

async fn serve(
    listener: TcpListener,
    target: SocketAddr,
    wire: watch::Sender<Wire>,
    cut: watch::Sender<u32>,
) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(target).await else {
            continue;
        };
        let number = wire.borrow().connections;
        wire.send_modify(|wire| wire.connections += 1);
        let (wire, mut cut) = (wire.clone(), cut.subscribe());
        connections.spawn(async move {
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::select! {
                () = carry((near_read, far_write), number, wire.subscribe()) => {}
                () = carry((far_read, near_write), number, wire.subscribe()) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

async fn carry(
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    number: usize,
    mut wire: watch::Receiver<Wire>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(count) = from.read(&mut buffer).await else {
            return;
        };
        if wire.wait_for(|wire| wire.carries(number)).await.is_err() {
            return;
        }
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
