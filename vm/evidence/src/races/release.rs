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
    release.contains("-rt")
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
}
