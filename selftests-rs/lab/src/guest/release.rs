// SPDX-License-Identifier: MIT OR Apache-2.0
//! The version of a kernel by its release.

use approaches::Since;

/// Major and minor of `6.18.4-amd64`; what cannot be read is taken for the oldest.
pub fn version(release: &str) -> Since {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(version("6.18.44-fc-v669"), (6, 18));
        assert_eq!(version("7.3.4+deb13-rt-amd64"), (7, 3));
        assert_eq!(version("unknown"), (0, 0));
    }
}
