//! A wire between transom and a server that can be cut, and that can go dead with both ends still connected.

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
use transom_test_servers::free_port;

/// What the wire does with bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wire {
    Carries,
    /// Nothing passes, and nobody is told.
    Dead,
}

/// The wire.
pub(crate) struct Proxy {
    addr: SocketAddr,
    wire: watch::Sender<Wire>,
    cut: watch::Sender<u32>,
    _server: JoinSet<()>,
}

impl Proxy {
    /// A wire to this place.
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let addr = free_port();
        let listener = TcpListener::bind(addr).await.expect("our own port");
        let (wire, cut) = (watch::Sender::new(Wire::Carries), watch::Sender::new(0));
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
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Both ends see the connection end, without a word.
    pub(crate) fn cut(&self) {
        self.wire.send_replace(Wire::Carries);
        self.cut.send_modify(|count| *count += 1);
    }

    /// Nothing passes from now on, and both ends believe that they are connected: half-open.
    pub(crate) fn die(&self) {
        self.wire.send_replace(Wire::Dead);
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
        let (wire, mut cut) = (wire.clone(), cut.subscribe());
        connections.spawn(async move {
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::select! {
                () = carry(near_read, far_write, wire.subscribe()) => {}
                () = carry(far_read, near_write, wire.subscribe()) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(count) = from.read(&mut buffer).await else {
            return;
        };
        if wire.wait_for(|wire| *wire == Wire::Carries).await.is_err() {
            return;
        }
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
