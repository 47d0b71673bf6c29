// SPDX-License-Identifier: MIT OR Apache-2.0
//! What memory is read from, in bytes.

use std::fs;

/// Of the kernel's memory, what tells whether some of it is never given back.
pub const KERNEL: [&str; 4] = ["SUnreclaim", "Percpu", "KernelStack", "VmallocUsed"];

/// A line of `/proc/meminfo`.
pub fn kernel(name: &str) -> Option<u64> {
    field(&fs::read_to_string("/proc/meminfo").ok()?, name)
}

/// What a process holds in memory that is its own.
pub fn of_process(pid: u32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon")
}

/// A line of the form `NAME:  12 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_by_their_whole_name() {
        let text = "Slab:  7 kB\nSReclaimable: 1 kB\nSUnreclaim:     12 kB\n";
        assert_eq!((field(text, "SUnreclaim"), field(text, "SU")), (Some(12 * 1024), None));
        assert!(KERNEL.iter().all(|name| kernel(name).is_some()));
        assert!(of_process(std::process::id()).is_some_and(|bytes| bytes > 4096));
    }
}
