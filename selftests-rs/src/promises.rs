// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every promise, a file for each topic.

mod atomicity;
mod attr_size;
mod batch;
mod command;
mod errno;
mod fault;
mod gc;
mod library;
mod lru;
mod malformed;
mod managed;
mod map_atomicity;
mod map_types;
mod mix;
mod people;
mod permissions;
mod programs;
mod readme;
mod set;
mod single_access;
mod update;
mod walk;
mod windows;

use crate::verdict::Test;

/// All tests, cheap ones first.
pub fn all() -> Vec<Test> {
    [
        errno::tests,
        attr_size::tests,
        windows::tests,
        permissions::tests,
        map_types::tests,
        managed::tests,
        batch::tests,
        lru::tests,
        programs::tests,
        update::tests,
        library::tests,
        mix::tests,
        set::tests,
        command::tests,
        people::tests,
        gc::tests,
        readme::tests,
        walk::tests,
        fault::tests,
        malformed::tests,
        single_access::tests,
        map_atomicity::tests,
        atomicity::tests,
    ]
    .into_iter()
    .flat_map(|topic| topic())
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_say_topic_and_promise() {
        let names: Vec<_> = super::all().into_iter().map(|test| test.name).collect();
        let unique: HashSet<_> = names.iter().collect();
        assert_eq!(names.len(), unique.len());
        for name in &names {
            let well_formed = name.split("::").count() == 2
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c));
            assert!(well_formed, "{name}");
        }
    }
}
