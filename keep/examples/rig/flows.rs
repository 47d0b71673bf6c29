// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real sockets: a server that gives back what it gets, flows that talk to it all the time, and flows that fall silent.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::net::Link;

const PORT: u16 = 7000;
/// An answer that takes longer does not come: TCP would have repeated the question a few times.
const PATIENCE: Duration = Duration::from_secs(3);

/// A flow of either kind, from a port of its own.
pub enum Flow {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

/// What a flow has been through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Talked {
    pub messages: u64,
    pub answers: u64,
    /// The longest time in which it sent nothing.
    pub pause: Duration,
}

/// Serves until the process ends.
pub fn serve(link: &Link, addresses: &[IpAddr]) -> Result<()> {
    for &address in addresses {
        let (listener, socket) = link.server.within(|| {
            let socket = UdpSocket::bind((address, PORT))?;
            Ok((TcpListener::bind((address, PORT))?, socket))
        })?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        thread::spawn(move || {
            let mut message = [0; 64];
            while let Ok((length, sender)) = socket.recv_from(&mut message) {
                // What cannot be sent is missed by who waits for it.
                let _ = socket.send_to(&message[..length], sender);
            }
        });
    }
    Ok(())
}

impl Flow {
    /// A TCP flow to each address, and a UDP flow.
    pub fn open_pairs(link: &Link, addresses: &[IpAddr], pairs: usize) -> Result<Vec<Self>> {
        link.clients.within(|| {
            let mut flows = Vec::new();
            for &address in addresses.iter().cycle().take(pairs * addresses.len()) {
                let server = SocketAddr::new(address, PORT);
                let stream =
                    TcpStream::connect_timeout(&server, PATIENCE).context("no connection to the server")?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                flows.push(Self::Tcp(stream));
                let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any)?;
                socket.connect(server)?;
                socket.set_read_timeout(Some(PATIENCE))?;
                flows.push(Self::Udp(socket));
            }
            Ok(flows)
        })
    }

    /// Sends a message, and does not wait for an answer.
    pub fn send(&mut self, message: &[u8]) -> Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(message)?,
            Self::Udp(socket) => drop(socket.send(message)?),
        }
        Ok(())
    }

    /// Whether a message is answered.
    pub fn ask(&mut self, number: u64) -> Result<bool> {
        let message = number.to_ne_bytes();
        self.send(&message)?;
        let mut answer = [0; 8];
        let read = match self {
            Self::Tcp(stream) => stream.read_exact(&mut answer),
            Self::Udp(socket) => socket.recv(&mut answer).map(drop),
        };
        Ok(read.is_ok() && answer == message)
    }

    /// Has each say something, and does not wait; how many of them are connections.
    pub fn wake(flows: &mut [Self]) -> Result<u64> {
        let mut connections = 0;
        for flow in flows {
            flow.send(b"and now?")?;
            connections += u64::from(matches!(flow, Self::Tcp(_)));
        }
        Ok(connections)
    }

    /// Asks until `end`, with a pause of `interval`, or until there is no answer.
    pub fn talk(&mut self, interval: Duration, end: Instant) -> Result<Talked> {
        let mut talked = Talked::default();
        let mut last = Instant::now();
        while Instant::now() < end {
            talked.pause = talked.pause.max(last.elapsed());
            last = Instant::now();
            talked.messages += 1;
            if !self.ask(talked.messages)? {
                break;
            }
            talked.answers += 1;
            thread::sleep(interval);
        }
        Ok(talked)
    }
}
