// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two network namespaces and a veth pair between them. They have no names, so they end with this process.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::{self, Command};

use anyhow::{Context as _, Result, bail};
use libbpf_rs::Link as Attached;
use netns::Namespace;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};

use super::datapath::Datapath;

/// Where the server is.
pub const SERVER: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2))];

/// Clients here, the server there.
pub struct Link {
    pub clients: Namespace,
    pub server: Namespace,
}

impl Link {
    /// Makes it, up and with addresses of both families.
    pub fn new() -> Result<Self> {
        let link = Self { clients: Namespace::new()?, server: Namespace::new()? };
        let server = format!("/proc/{}/fd/{}", process::id(), link.server.as_fd().as_raw_fd());
        link.clients.within(|| {
            ip(&format!("link add clients type veth peer name server netns {server}"))?;
            dress("clients", 1)
        })?;
        link.server.within(|| dress("server", 2))?;
        Ok(link)
    }

    /// Puts the datapath before all that the server receives, until what this returns is dropped.
    pub fn attach(&self, datapath: &mut Datapath) -> Result<Attached> {
        // The kernel looks the interface up in the namespace of the thread that attaches.
        self.server.within(|| {
            let socket = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
            let index = i32::try_from(name_to_index(&socket, "server")?)?;
            datapath.program()?.attach_xdp(index).context("cannot attach the datapath to the veth")
        })
    }
}

fn dress(name: &str, host: u8) -> Result<()> {
    ip(&format!("address add 192.0.2.{host}/24 dev {name}"))?;
    // No duplicate address detection: the address would be of no use for its first second.
    ip(&format!("address add fd77::{host}/64 dev {name} nodad"))?;
    ip(&format!("link set {name} up"))
}

fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    let output = output.context("`ip` is not to be had: install iproute2")?;
    if !output.status.success() {
        bail!("`ip {arguments}` said: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
