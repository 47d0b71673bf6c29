// SPDX-License-Identifier: MIT OR Apache-2.0
//! A TCP server that gives back what it gets: one thread, any number of connections.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};

use super::client::{Close, TALK, TIMEOUT};

/// Longer than what all clients together can have open.
const BACKLOG: i32 = 4096;

/// How long it takes to see that it should stop.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Its client has given up long since. So many that are open at once would be too many files.
const AGE: Duration = TIMEOUT.saturating_mul(2);

/// Listening on one port for each way to end a connection.
pub struct Server {
    listeners: [(Close, TcpListener); 2],
    epoll: OwnedFd,
}

struct Peer {
    stream: TcpStream,
    close: Close,
    echoed: usize,
    since: Instant,
}

impl Server {
    /// Listens, in the calling thread's namespace.
    pub fn listen() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).context("cannot make an epoll")?;
        let listeners = [Close::Reset, Close::Orderly];
        let listeners = listeners.map(|close| Ok::<_, anyhow::Error>((close, listener(close.port())?)));
        let [reset, orderly] = listeners;
        let server = Self { listeners: [reset?, orderly?], epoll };
        for (close, listener) in &server.listeners {
            epoll::add(&server.epoll, listener, EventData::new_u64(close.port().into()), EventFlags::IN)?;
        }
        Ok(server)
    }

    /// Serves until `stop`. Whoever is connected then is not any more; it goes on listening.
    pub fn run(&self, stop: &AtomicBool) -> Result<()> {
        let mut peers = HashMap::new();
        // Above every port, which are the listeners' names.
        let mut next = u64::from(u16::MAX);
        let mut events = Vec::with_capacity(64);
        let mut swept = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&WAIT)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("the server cannot wait for events"),
            }
            if swept.elapsed() > AGE {
                swept = Instant::now();
                peers.retain(|_, peer: &mut Peer| peer.since.elapsed() < AGE);
            }
            for event in &events {
                let name = { event.data }.u64();
                match self.listeners.iter().find(|(close, _)| u64::from(close.port()) == name) {
                    Some((close, listener)) => self.accept(*close, listener, &mut next, &mut peers)?,
                    None if peers.get_mut(&name).is_some_and(Peer::echo) => {}
                    // Closed with it, and so no longer watched.
                    None => drop(peers.remove(&name)),
                }
            }
        }
        Ok(())
    }

    fn accept(
        &self,
        close: Close,
        listener: &TcpListener,
        next: &mut u64,
        peers: &mut HashMap<u64, Peer>,
    ) -> Result<()> {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // Reset before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error).context("the server cannot accept a connection"),
            };
            stream.set_nonblocking(true)?;
            *next += 1;
            epoll::add(&self.epoll, &stream, EventData::new_u64(*next), EventFlags::IN)?;
            peers.insert(*next, Peer { stream, close, echoed: 0, since: Instant::now() });
        }
    }
}

impl Peer {
    /// Gives back what is there; false if the connection has ended.
    fn echo(&mut self) -> bool {
        let mut bytes = [0; TALK];
        let length = match self.stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(length) => length,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        self.echoed += length;
        // All that a connection carries fits the smallest send buffer, so a write never stops half-way.
        let written = self.stream.write_all(&bytes[..length]);
        written.is_ok() && !(self.close == Close::Orderly && self.echoed >= TALK)
    }
}

/// On both families.
fn listener(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let listening = || -> rustix::io::Result<TcpListener> {
        let socket = socket(AddressFamily::INET6, SocketType::STREAM, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &address)?;
        listen(&socket, BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    let listener = listening().with_context(|| format!("the server cannot listen on port {port}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
