// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine that races run on without a guest: what it is, and whether it lets them.

use std::{env, fs};

use rustix::{
    process::geteuid,
    thread::{CapabilitySet, capabilities},
};
use serde::Serialize;

/// Says that the checks below are to be left out, for tests.
const ASSUMED: &str = "XTASK_ASSUME_ROOT";

/// This machine, as far as it says something about evidence from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// `uname -r`.
    pub release: String,
    /// CPUs online.
    pub cpus: usize,
    /// `none`, or what the firmware or the kernel calls it.
    pub hypervisor: String,
    /// The CPUs' model, by its name for people; may be empty.
    pub model: String,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let line = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpuinfo = line("/proc/cpuinfo");
        let firmware =
            [line("/sys/class/dmi/id/sys_vendor"), line("/sys/class/dmi/id/product_name")].join(" ");
        Self {
            release: line("/proc/sys/kernel/osrelease"),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            hypervisor: hypervisor(&cpuinfo, &line("/sys/hypervisor/type"), firmware.trim()),
            model: field(&cpuinfo, "model name").unwrap_or(env::consts::ARCH).to_owned(),
        }
    }

    /// In half a sentence.
    pub fn words(&self) -> String {
        let hypervisor = match self.hypervisor.as_str() {
            "none" => "no hypervisor".to_owned(),
            name => format!("under a hypervisor ({name})"),
        };
        let model = if self.model.is_empty() { String::new() } else { format!(" ({})", self.model) };
        format!("kernel {}, {} CPUs{model}, {hypervisor}", self.release, self.cpus)
    }
}

/// The first value of that name in `/proc/cpuinfo`.
fn field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let values = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    values.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

/// On x86 every hypervisor shows itself in a CPU flag, so that firmware which names a cloud's bare machine says nothing; where
/// there are no flags, firmware that is known to be a virtual machine's has to do.
fn hypervisor(cpuinfo: &str, kernel: &str, firmware: &str) -> String {
    const VIRTUAL: [&str; 7] = ["QEMU", "KVM", "VMware", "VirtualBox", "Virtual Machine", "Xen", "Bochs"];
    let virtual_machine = match field(cpuinfo, "flags") {
        Some(flags) => flags.split_whitespace().any(|flag| flag == "hypervisor"),
        None => VIRTUAL.iter().any(|name| firmware.contains(name)),
    };
    match (kernel, virtual_machine, firmware) {
        ("", false, _) => "none".into(),
        ("", true, "") => "without a name".into(),
        ("", true, name) | (name, ..) => name.to_owned(),
    }
}

/// Why programs cannot be loaded here, if that is known before it is tried.
pub fn why_not() -> Option<&'static str> {
    if env::var_os(ASSUMED).is_some() {
        return None;
    }
    // An error is no answer: the lab will see.
    let allowed = capabilities(None).map_or(CapabilitySet::all(), |sets| sets.effective);
    refusal(geteuid().is_root(), allowed)
}

fn refusal(root: bool, allowed: CapabilitySet) -> Option<&'static str> {
    let bpf = allowed.intersects(CapabilitySet::BPF | CapabilitySet::SYS_ADMIN);
    let network = allowed.contains(CapabilitySet::NET_ADMIN);
    match (root, bpf, network) {
        (false, ..) => Some(
            "the races on this machine's own kernel load BPF programs, which takes root: run it again as root (sudo)",
        ),
        (true, false, _) => Some(
            "bpf(2) is not permitted here, not even to root: CAP_BPF is missing, as in a container; run it on the machine itself",
        ),
        (true, true, false) => Some(
            "XDP programs are not permitted here, not even to root: CAP_NET_ADMIN is missing, as in a container; run it on \
             the machine itself",
        ),
        (true, true, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hypervisor_is_told_by_what_each_kind_of_machine_shows() {
        let pc = "model name\t: Made Up CPU\nflags\t\t: fpu sse2\n";
        let guest = "model name\t: Made Up CPU\nflags\t\t: fpu hypervisor sse2\n";
        let arm = "processor\t: 0\nFeatures\t: fp asimd\n";
        let cases = [
            (pc, "", "Some Vendor Some Board", "none"),
            (pc, "", "A Cloud its.metal", "none"),
            (guest, "", "QEMU Standard PC", "QEMU Standard PC"),
            (guest, "", "", "without a name"),
            (guest, "xen", "Xen HVM domU", "xen"),
            (arm, "", "QEMU QEMU Virtual Machine", "QEMU QEMU Virtual Machine"),
            (arm, "", "Some Vendor Some Board", "none"),
            (arm, "", "", "none"),
        ];
        for (cpuinfo, kernel, firmware, name) in cases {
            assert_eq!(hypervisor(cpuinfo, kernel, firmware), name, "{cpuinfo} {kernel} {firmware}");
        }
        assert_eq!(field(pc, "model name"), Some("Made Up CPU"));
        assert_eq!(field(arm, "model name"), None);
    }

    #[test]
    fn what_is_not_permitted_is_a_sentence() {
        let all = CapabilitySet::all();
        assert_eq!(refusal(true, all), None);
        assert!(refusal(false, all).unwrap().contains("takes root"));
        let without = all - CapabilitySet::BPF - CapabilitySet::SYS_ADMIN;
        assert!(refusal(true, without).unwrap().contains("bpf(2) is not permitted"));
        assert!(refusal(true, all - CapabilitySet::NET_ADMIN).unwrap().contains("XDP"));
    }
}
