//! Ports that nobody else takes between their choice and their use.
//!
//! A port that the kernel picked for a listener and that was let go again can become the source port of any outgoing
//! connection a moment later. So the ports come from below Linux's range for outgoing connections (32768 and above),
//! and a lock file keeps each from other test processes until this one ends.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Mutex;

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

struct Held {
    next: u16,
    locks: Vec<File>,
}

static HELD: Mutex<Held> = Mutex::new(Held {
    next: 0,
    locks: Vec::new(),
});

/// A loopback port of this process alone, with nobody listening.
pub fn free_port() -> SocketAddr {
    let folder = std::env::temp_dir().join(format!(
        "transom-test-ports-{}",
        rustix::process::geteuid().as_raw()
    ));
    std::fs::create_dir_all(&folder).expect("the folder for port locks");
    let mut held = HELD
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if held.locks.is_empty() {
        // Processes start far apart, so that they seldom meet.
        held.next = u16::try_from(std::process::id() * 97 % u32::from(COUNT)).unwrap_or(0);
    }
    for _ in 0..COUNT {
        held.next = (held.next + 1) % COUNT;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + held.next));
        let lock = File::create(folder.join(addr.port().to_string())).expect("a port's lock file");
        if lock.try_lock().is_ok() && TcpListener::bind(addr).is_ok() {
            held.locks.push(lock);
            return addr;
        }
    }
    panic!("no free port in {FIRST}..{}", FIRST + COUNT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let mut ports: Vec<_> = (0..50).map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
    }
}
