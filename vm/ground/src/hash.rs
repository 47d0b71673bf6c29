// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names made from content.

use sha2::{Digest, Sha256};

/// SHA-256 of the parts in order, each with its length, in hexadecimal.
pub fn hash(parts: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    hex(&sha.finalize())
}

/// The first 16 digits: for names of folders.
pub fn short_hash(parts: &[&[u8]]) -> String {
    let mut digits = hash(parts);
    digits.truncate(16);
    digits
}

/// SHA-256 of one thing, as `sha256sum` prints it.
pub fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert!(sha256(b"").starts_with("e3b0c44298fc1c14"));
    }
}
