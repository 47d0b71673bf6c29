// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of two versions of a Debian package is the newer one, by the rules of Debian's policy.

use std::cmp::Ordering;

/// Orders two versions, the older first.
pub fn order(a: &str, b: &str) -> Ordering {
    let ((epoch_a, rest_a), (epoch_b, rest_b)) = (epoch(a), epoch(b));
    let ((upstream_a, revision_a), (upstream_b, revision_b)) = (revision(rest_a), revision(rest_b));
    part(epoch_a, epoch_b)
        .then_with(|| part(upstream_a, upstream_b))
        .then_with(|| part(revision_a, revision_b))
}

fn epoch(version: &str) -> (&str, &str) {
    version.split_once(':').unwrap_or(("0", version))
}

fn revision(version: &str) -> (&str, &str) {
    version.rsplit_once('-').unwrap_or((version, "0"))
}

/// What is no digit and what is one are compared in turn.
fn part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (text_a, rest_a) = split(a, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = split(b, |c| !c.is_ascii_digit());
        let (number_a, after_a) = split(rest_a, |c| c.is_ascii_digit());
        let (number_b, after_b) = split(rest_b, |c| c.is_ascii_digit());
        let ordering = text(text_a, text_b).then_with(|| number(number_a, number_b));
        if ordering.is_ne() {
            return ordering;
        }
        (a, b) = (after_a, after_b);
    }
    Ordering::Equal
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Digit by digit, since no integer is wide enough for all that a version may say.
fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A tilde comes before even the end, and letters before other signs.
fn text(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => (0, '~'),
        None => (1, ' '),
        Some(c) if c.is_ascii_alphabetic() => (2, c),
        Some(c) => (3, c),
    };
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (x, y) = (a.next(), b.next());
        let ordering = weight(x).cmp(&weight(y));
        if ordering.is_ne() || x.is_none() {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        for (older, newer) in [
            ("6.12.99-1", "6.12.117-1"),
            ("6.1.170-3", "6.1.176-1"),
            ("6.1.192-1", "6.1.192-2"),
            ("7.3.4-1~bpo13+1", "7.3.4-1"),
            ("7.3~rc5-1~exp1", "7.3-1"),
            ("7.3.4-1", "7.3.4-1+b1"),
            ("7.3.4-1a", "7.3.4-1+"),
            ("9", "1:1"),
            ("7.3-1", "7.3.4-1"),
        ] {
            assert_eq!(order(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(order(newer, older), Ordering::Greater, "{newer} {older}");
        }
        assert_eq!(order("0:1.0-0", "1.00"), Ordering::Equal);
    }
}
