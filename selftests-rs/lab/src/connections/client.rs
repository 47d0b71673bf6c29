// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients: each a thread that opens one short connection after the other, from the same source port, just when the
//! datapath's entry for the last one expires. That is when a collector has a snapshot of the entry and is about to delete
//! it.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};

/// A message: two segments and an answer of two. A connection carries this many.
const MESSAGE: usize = 2000;
const MESSAGES: usize = 2;

/// All that a connection carries in one direction.
pub const TALK: usize = MESSAGE * MESSAGES;

/// Between two messages, so that a connection is still there when a collector's round has ended.
const PAUSE: Range<Duration> = Duration::from_millis(3)..Duration::from_millis(9);

/// A connection that waits so long is broken. TCP repeats what was lost after 0.2, 0.6 and 1.4 s, and a handshake after
/// 1 s: an entry that was missing for a moment has time to come back.
pub const TIMEOUT: Duration = Duration::from_millis(2500);

/// Before a port is tried again that the last connection still has.
const AGAIN: Duration = Duration::from_millis(2);

const NOT_SENT: &str = "read: not what was sent";
const MORE: &str = "end: more than was sent";
/// Errors of which no lost packet is the cause.
pub const WRONG_DATA: [&str; 2] = [NOT_SENT, MORE];

/// How a connection ends. The server listens on one port for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The client resets it, and may use the port again at once.
    Reset,
    /// The server ends it, then the client does, which also leaves the port free at once: it is the server that has to
    /// remember the connection for a minute.
    Orderly,
}

impl Close {
    /// The server's port.
    pub fn port(self) -> u16 {
        match self {
            Self::Reset => 7000,
            Self::Orderly => 7001,
        }
    }
}

/// What became of the connections.
#[derive(Default)]
pub struct Tally {
    /// All of them.
    pub opened: u64,
    /// Those that ended with an error, by its name.
    pub errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        self.opened += other.opened;
        for (name, count) in other.errors {
            *self.errors.entry(name).or_default() += count;
        }
    }
}

/// A client.
pub struct Client {
    server: SocketAddr,
    close: Close,
    port: u16,
    /// When the next connection is due.
    due: Instant,
    /// In place of a port whose last connection broke: the server still has that and would answer for it.
    spare: Range<u16>,
    rest: Range<Duration>,
    random: Rng,
}

impl Client {
    /// One of whose source ports are `ports`, and that rests for a time in `rest` between connections.
    pub fn new(server: IpAddr, close: Close, ports: Range<u16>, rest: Range<Duration>) -> Self {
        Self {
            server: SocketAddr::new(server, close.port()),
            close,
            port: ports.start,
            due: Instant::now(),
            spare: ports.start + 1..ports.end,
            rest,
            random: Rng::with_seed(ports.start.into()),
        }
    }

    /// Opens connections until `end`; the last one is given its time.
    ///
    /// # Errors
    /// Of this machine alone: no socket, a port that belongs to somebody else, no ports left.
    pub fn run(&mut self, end: Instant) -> Result<Tally> {
        let mut tally = Tally::default();
        while self.due < end && Instant::now() < end {
            thread::sleep(self.due.saturating_duration_since(Instant::now()));
            tally.opened += 1;
            if let Err(error) = self.converse()? {
                *tally.errors.entry(error).or_default() += 1;
                self.port = self.spare.next().context("a client has no source ports left")?;
            }
            let rest = self.rest.clone();
            self.due = Instant::now() + self.between(&rest);
        }
        Ok(tally)
    }

    /// One connection. The inner error is what a user would see.
    fn converse(&mut self) -> Result<Result<(), String>> {
        let (family, own) = match self.server {
            SocketAddr::V4(_) => (AddressFamily::INET, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            SocketAddr::V6(_) => (AddressFamily::INET6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
        let socket = socket(family, SocketType::STREAM, None).context("no socket for a client")?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if self.close == Close::Reset {
            sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        }
        bind(&socket, &SocketAddr::new(own, self.port))
            .with_context(|| format!("port {} is taken", self.port))?;
        let mut stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        // The limit on writing is that on connecting, too.
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let since = Instant::now();
        loop {
            match connect(&stream, &self.server) {
                Ok(()) => return Ok(self.exchange(&mut stream)),
                // The last connection's end is not acknowledged yet; or never will be, if it lost its entry.
                Err(Errno::ADDRNOTAVAIL) if since.elapsed() < TIMEOUT => thread::sleep(AGAIN),
                Err(error) => return Ok(Err(named("connect", &error.into()))),
            }
        }
    }

    fn exchange(&mut self, stream: &mut TcpStream) -> Result<(), String> {
        let mut answer = [0; MESSAGE];
        for i in 0..MESSAGES {
            if i > 0 {
                thread::sleep(self.between(&PAUSE));
            }
            let message = [i.to_ne_bytes()[0]; MESSAGE];
            stream.write_all(&message).map_err(|error| named("write", &error))?;
            stream.read_exact(&mut answer).map_err(|error| named("read", &error))?;
            if answer != message {
                return Err(NOT_SENT.into());
            }
        }
        if self.close == Close::Orderly {
            match stream.read(&mut answer) {
                Ok(0) => {}
                Ok(_) => return Err(MORE.into()),
                Err(error) => return Err(named("end", &error)),
            }
        }
        Ok(())
    }

    fn between(&mut self, range: &Range<Duration>) -> Duration {
        range.start + (range.end - range.start).mul_f64(self.random.f64())
    }
}

/// What a user would call it. A socket's own time limit shows as one of two errnos.
fn named(what: &str, error: &Error) -> String {
    let kind = match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EINPROGRESS) => ErrorKind::TimedOut,
        _ => error.kind(),
    };
    format!("{what}: {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_has_one_name() {
        let seen = |what, errno| named(what, &Error::from_raw_os_error(errno));
        assert_eq!(seen("read", libc::EAGAIN), "read: timed out");
        assert_eq!(seen("connect", libc::EINPROGRESS), "connect: timed out");
        assert_eq!(seen("connect", libc::ETIMEDOUT), "connect: timed out");
        assert_eq!(seen("connect", libc::EADDRNOTAVAIL), "connect: address not available");
        assert_eq!(seen("read", libc::ECONNRESET), "read: connection reset");
    }
}
