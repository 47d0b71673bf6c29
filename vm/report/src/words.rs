// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists, and how many there are of something, as people read them.

/// `a, b and c`.
pub fn listed(names: &[impl AsRef<str>]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 cell`, `2 cells`.
pub fn many(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!((listed(&["a"]), listed(&[""; 0])), ("a".into(), String::new()));
        assert_eq!((many(1, "cell"), many(2, "cell")), ("1 cell".into(), "2 cells".into()));
    }
}
