//! The listener and its connections, with a deadline and a limit on everything.
//!
//! Not `axum::serve`: it sets no deadline for a request's head and no bound on connections, so that anybody could hold them all.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    time::sleep,
};
use tower::ServiceExt;
use transom_adapter::Lifecycle;

use super::{
    HttpOptions, HttpState,
    peer::{ConnectedFrom, Proxies},
    public_url::PublicUrl,
    routes::router,
    site::{Limits, Site, StoreProbe},
};

/// The kernel keeps this many more waiting when all our connections are taken.
const BACKLOG: u32 = 1024;
/// A request's head; longer ones are answered 431 by hyper.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// When accepting fails (no file descriptors left), trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The HTTP server, its port open.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: HttpOptions,
    pub(super) limits: Limits,
}

impl Server {
    /// Opens the port. From here on callers wait instead of being refused; they are answered once the server runs.
    ///
    /// # Errors
    ///
    /// When the address is taken or is not ours.
    pub fn bind(options: HttpOptions) -> io::Result<Self> {
        let socket = match options.listen {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart must not wait for the old process's connections to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(options.listen)?;
        Ok(Self {
            listener: socket.listen(BACKLOG)?,
            options,
            limits: Limits::default(),
        })
    }

    /// On a port that is open already: the service manager's.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub fn on(listener: std::net::TcpListener, options: HttpOptions) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            options,
            limits: Limits::default(),
        })
    }

    /// Where it listens, with the port that the kernel chose if none was given.
    ///
    /// # Errors
    ///
    /// When the kernel will not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the lifecycle drains and what was under way is answered or given up.
    pub async fn run(self, state: HttpState, lifecycle: Lifecycle) {
        let Self {
            listener,
            options,
            limits,
        } = self;
        let public_url = options.public_url.as_ref().map(PublicUrl::new);
        let connections = Arc::new(Semaphore::new(limits.connections as usize));
        let site = Arc::new(Site {
            state,
            lifecycle: lifecycle.clone(),
            public_url,
            proxies: Proxies::new(options.trusted_proxies),
            limits,
            requests: Semaphore::new(limits.requests),
            large_bodies: Semaphore::new(limits.large_bodies),
            store_probe: StoreProbe::default(),
        });
        let accepting = accept(listener, &connections, &site);
        tokio::select! {
            biased;
            () = lifecycle.draining() => {}
            () = accepting => {}
        }
        // Every connection gives its permit back when it ends, and bounds its own end: this cannot wait for ever.
        drop(connections.acquire_many(limits.connections).await);
    }
}

/// Accepts connections and serves each on a task of its own.
async fn accept(listener: TcpListener, connections: &Arc<Semaphore>, site: &Arc<Site>) {
    let router = router(Arc::clone(site));
    while let Ok(permit) = Arc::clone(connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, from)) => {
                let connection = serve(
                    stream,
                    ConnectedFrom(from.ip()),
                    router.clone(),
                    Arc::clone(site),
                );
                site.lifecycle.spawn("http connection", async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "A connection cannot be accepted.");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection to its end.
async fn serve(stream: TcpStream, from: ConnectedFrom, router: Router, site: Arc<Site>) {
    // Answers are small: waiting to fill a packet would only delay them.
    stream.set_nodelay(true).ok();
    let Limits {
        head,
        connection,
        farewell,
        stop,
        ..
    } = site.limits;
    let service = service_fn(|request: Request<Incoming>| {
        router.clone().oneshot(prepared(request, from, &site))
    });
    let mut http = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // Why it ended, a caller that hung up or wrote no HTTP, is nobody's concern.
        _ended = http.as_mut() => return,
        () = sleep(connection) => {}
        () = site.lifecycle.draining() => {}
    }
    // Closes an idle connection at once, and any other after the answer that is under way.
    http.as_mut().graceful_shutdown();
    let given_up = async {
        tokio::select! {
            () = sleep(farewell) => {}
            () = async { site.lifecycle.draining().await; sleep(stop).await } => {}
        }
    };
    tokio::select! {
        _ended = http => {}
        () = given_up => {}
    }
}

/// The request as the routes want it: with where it comes from, and without the public URL's path.
fn prepared(mut request: Request<Incoming>, from: ConnectedFrom, site: &Site) -> Request<Body> {
    request.extensions_mut().insert(from);
    let public = site.public_url.as_ref();
    if let Some(uri) = public.and_then(|public| public.without_prefix(request.uri())) {
        *request.uri_mut() = uri;
    }
    request.map(Body::new)
}
