// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two network namespaces and a veth pair between them. They belong to this process alone and end with it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use netns::Namespace;

use super::netlink::Route;

/// Where the server is. The clients are at the address before it.
pub const SERVER: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 168, 77, 2)), IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2))];
const CLIENT: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 168, 77, 1)), IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1))];
const PREFIX: [u8; 2] = [24, 64];

/// Clients here, the server there, a veth pair in between.
pub struct Link {
    /// Where the clients are.
    pub clients: Namespace,
    /// Where the server is.
    pub server: Namespace,
    /// The server's end, as its namespace numbers it: where the datapath goes.
    pub ifindex: i32,
}

impl Link {
    /// Makes it, up and with addresses.
    pub fn new() -> Result<Self> {
        let (clients, server) = (Namespace::new()?, Namespace::new()?);
        clients.within(|| {
            let route = Route::open()?;
            route.add_veth("clients", "server", server.as_fd())?;
            dress(&route, "clients", CLIENT)
        })?;
        let ifindex = server.within(|| {
            let route = Route::open()?;
            dress(&route, "server", SERVER)?;
            patience()?;
            Ok(i32::try_from(route.index("server")?)?)
        })?;
        Ok(Self { clients, server, ifindex })
    }
}

fn dress(route: &Route, name: &str, addresses: [IpAddr; 2]) -> Result<()> {
    for (address, prefix) in addresses.into_iter().zip(PREFIX) {
        route.add_address(name, address, prefix)?;
    }
    route.up(name)
}

/// Connections whose handshake lost its entry stay half open. They must not take the place of others: a small guest has
/// room for a hundred.
fn patience() -> Result<()> {
    let path = "/proc/sys/net/ipv4/tcp_max_syn_backlog";
    fs::write(path, "65536").with_context(|| format!("cannot write {path}"))
}
