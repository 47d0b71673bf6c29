// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which programs use a map, and whether they take its stripes: a delete under stripes that a datapath does not take is a plain
//! delete.

use cmpdel_uapi::programs;

use crate::Error;

/// A map, its stripes, and who may use the one without the other.
#[derive(Clone, Debug)]
pub struct Users {
    pub map: u32,
    pub stripes: u32,
    pub readers: Vec<u32>,
}

impl Users {
    /// Looks at every program that is loaded. What it cannot see: a program that comes to the map through a map of maps, an
    /// iterator over it, and whoever updates by system call.
    ///
    /// # Errors
    /// [`Error::Unstriped`] where one uses the map and not the stripes, and is not among the readers; what the kernel says where
    /// not all can be looked at.
    pub fn check(&self) -> Result<(), Error> {
        let other = programs()?.into_iter().find(|program| {
            program.maps.contains(&self.map)
                && !program.maps.contains(&self.stripes)
                && !self.readers.contains(&program.id)
        });
        other.map_or(Ok(()), |program| Err(Error::Unstriped { id: program.id, name: program.name }))
    }
}
