// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a kernel's release says of it.

use approaches::Since;

/// Major and minor of `uname -r`.
pub fn version(release: &str) -> Option<Since> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether the kernel of this `uname -r` preempts what runs a packet (`PREEMPT_RT`), by the name that such kernels go by.
pub fn preempts_packets(release: &str) -> bool {
    let mut words = release.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        word == "realtime"
            || word.strip_prefix("rt").is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_a_version() {
        assert_eq!(version("6.12.74+deb13-amd64"), Some((6, 12)));
        assert_eq!(version("7.3-rc1"), Some((7, 3)));
        assert_eq!(version("unknown"), None);
    }

    #[test]
    fn distributions_name_such_kernels_differently() {
        let debian = ["7.3.4-rt-v3+kfunc", "6.12.74-rt-amd64", "6.1.0-rt7-amd64"];
        for release in debian.into_iter().chain(["5.14.0-503.11.1.el9_5.x86_64+rt", "6.8.1-1015-realtime"]) {
            assert!(preempts_packets(release), "{release}");
        }
        for release in ["7.3.4-v3+kfunc", "6.1.0-arterial", "6.12.74-start", "6.12.74-rtc-amd64"] {
            assert!(!preempts_packets(release), "{release}");
        }
    }
}
