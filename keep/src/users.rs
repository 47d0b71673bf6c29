// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which programs use a map, and whether they take its stripes: a delete under stripes that a datapath does not take is a plain
//! delete.

use libbpf_rs::query::{ProgInfoIter, ProgInfoQueryOptions};

use crate::Error;

/// Looks at every program that is loaded.
///
/// # Errors
/// [`Error::Unstriped`] where one uses the map and not the stripes, and is not among the `readers`.
pub fn check(map: u32, stripes: u32, readers: &[u32]) -> Result<(), Error> {
    let programs = ProgInfoIter::with_query_opts(ProgInfoQueryOptions::default().include_map_ids(true));
    let mut users: Vec<_> = programs
        .map(|program| (program.id, program.name.to_string_lossy().into_owned(), program.map_ids))
        .collect();
    users.retain(|(id, _, maps)| maps.contains(&map) && !maps.contains(&stripes) && !readers.contains(id));
    match users.first() {
        Some((id, name, _)) => Err(Error::Unstriped { id: *id, name: name.clone() }),
        None => Ok(()),
    }
}
