// SPDX-License-Identifier: MIT OR Apache-2.0
//! The three requests to rtnetlink that two connected namespaces take. By hand, because they are three: the crates that
//! know all of them take longer to compile than the rest of this one.

use std::net::IpAddr;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result, bail};
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, send, socket};

/// `NLM_F_REQUEST | NLM_F_ACK`, and what makes a request create.
const REQUEST: u16 = 0x5;
const CREATE: u16 = 0x600;

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_HEADER: usize = 16;

const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// No duplicate address detection: an IPv6 address would be of no use for its first second.
const IFA_F_NODAD: u8 = 2;
const IFF_UP: u32 = 1;

/// rtnetlink of the namespace in which it was opened.
pub struct Route {
    socket: OwnedFd,
}

impl Route {
    /// That of the calling thread's namespace.
    pub fn open() -> Result<Self> {
        let socket = socket(AddressFamily::NETLINK, SocketType::RAW, None)
            .context("cannot open a socket to rtnetlink")?;
        Ok(Self { socket })
    }

    /// Makes a veth pair: `name` here, and `peer` in the other namespace.
    pub fn add_veth(&self, name: &str, peer: &str, peer_namespace: BorrowedFd<'_>) -> Result<()> {
        let mut request = Request::new(RTM_NEWLINK, REQUEST | CREATE, &link_header(0, 0));
        request.text(IFLA_IFNAME, name);
        request.nest(IFLA_LINKINFO, |info| {
            info.text(IFLA_INFO_KIND, "veth");
            info.nest(IFLA_INFO_DATA, |data| {
                data.nest(VETH_INFO_PEER, |other| {
                    other.bytes.extend(link_header(0, 0));
                    other.text(IFLA_IFNAME, peer);
                    other.attribute(IFLA_NET_NS_FD, &peer_namespace.as_raw_fd().to_ne_bytes());
                });
            });
        });
        self.ask(request).with_context(|| format!("cannot make the veth pair {name} and {peer}"))
    }

    /// Brings an interface up.
    pub fn up(&self, name: &str) -> Result<()> {
        let mut request = Request::new(RTM_NEWLINK, REQUEST, &link_header(IFF_UP, IFF_UP));
        request.text(IFLA_IFNAME, name);
        self.ask(request).with_context(|| format!("cannot bring {name} up"))
    }

    /// Gives an interface an address, and with it the route to its network.
    pub fn add_address(&self, name: &str, address: IpAddr, prefix: u8) -> Result<()> {
        let (family, bytes) = match address {
            IpAddr::V4(v4) => (AddressFamily::INET, v4.octets().to_vec()),
            IpAddr::V6(v6) => (AddressFamily::INET6, v6.octets().to_vec()),
        };
        let family = u8::try_from(family.as_raw())?;
        let index = self.index(name)?;
        let mut header = vec![family, prefix, IFA_F_NODAD, 0];
        header.extend(index.to_ne_bytes());
        let mut request = Request::new(RTM_NEWADDR, REQUEST | CREATE, &header);
        request.attribute(IFA_LOCAL, &bytes);
        request.attribute(IFA_ADDRESS, &bytes);
        self.ask(request).with_context(|| format!("cannot give {name} the address {address}"))
    }

    /// The number that the kernel gave an interface.
    pub fn index(&self, name: &str) -> Result<u32> {
        name_to_index(self.socket.as_fd(), name).with_context(|| format!("there is no interface {name}"))
    }

    /// Sends a request and waits for the answer.
    fn ask(&self, request: Request) -> Result<()> {
        send(&self.socket, &request.finish()?, SendFlags::empty())?;
        let mut answer = [0_u8; 4096];
        let (length, _) = recv(&self.socket, &mut answer, RecvFlags::empty())?;
        let kind = answer[4..6].try_into().map(u16::from_ne_bytes)?;
        if kind != NLMSG_ERROR || length < NLMSG_HEADER + 4 {
            bail!("rtnetlink answered with a message of type {kind} and {length} bytes instead of a status");
        }
        match answer[NLMSG_HEADER..NLMSG_HEADER + 4].try_into().map(i32::from_ne_bytes)? {
            0 => Ok(()),
            errno => Err(std::io::Error::from_raw_os_error(-errno).into()),
        }
    }
}

/// `struct ifinfomsg` that names no interface: an attribute does.
fn link_header(flags: u32, change: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..].copy_from_slice(&change.to_ne_bytes());
    header
}

/// A message in the making.
struct Request {
    bytes: Vec<u8>,
}

impl Request {
    fn new(kind: u16, flags: u16, header: &[u8]) -> Self {
        let mut bytes = vec![0; NLMSG_HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend(header);
        Self { bytes }
    }

    fn attribute(&mut self, kind: u16, payload: &[u8]) {
        self.nest(kind, |inner| inner.bytes.extend(payload));
    }

    fn text(&mut self, kind: u16, text: &str) {
        self.nest(kind, |inner| {
            inner.bytes.extend(text.bytes());
            inner.bytes.push(0);
        });
    }

    /// An attribute whose payload `fill` writes. The length counts the payload, not what aligns the next one.
    fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        fill(self);
        // Nothing here comes near 64 KiB; a message cut short would be refused.
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        let length = u32::try_from(self.bytes.len())?;
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_counts_its_payload_and_is_aligned() {
        let mut request = Request::new(RTM_NEWLINK, REQUEST, &[]);
        request.nest(18, |outer| outer.text(3, "veth0"));
        let bytes = request.finish().unwrap();
        let inner = [&10_u16.to_ne_bytes()[..], &3_u16.to_ne_bytes(), b"veth0\0", &[0; 2]].concat();
        let outer = [&16_u16.to_ne_bytes()[..], &18_u16.to_ne_bytes(), &inner].concat();
        assert_eq!(bytes[..4], 32_u32.to_ne_bytes());
        assert_eq!(bytes[NLMSG_HEADER..], outer);
    }
}
