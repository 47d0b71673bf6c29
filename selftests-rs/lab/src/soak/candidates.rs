// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who might work in a soak, how each is made ready, and why some do not work on this kernel.

use approaches::{Gc, Place, Since, cells};

use super::cells::{Connected, Free, Killed, Table, all, connected, killed};
use super::churn::Churn;
use super::command::Calls;
use super::worker::Worker;
use super::{Compares, Options};
use crate::datapath::MapKind;
use crate::load::Denied;

type Open = Box<dyn Fn() -> Result<Box<dyn Worker>, Denied>>;

/// Who might work, and how.
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Why it does not, as far as that is known without asking the kernel.
    pub why_not: Option<String>,
    /// Makes it ready.
    pub open: Open,
}

/// All of them.
pub fn candidates(options: &Options, kernel: Since, cpus: usize) -> Vec<Candidate> {
    let mut all: Vec<_> = all().map(|place| cell(options, kernel, &place, cpus)).collect();
    if let Some(place) = killed() {
        let name = format!("{}, beside collectors that are killed", place.cell());
        let open: Open = Box::new(move || Ok(Box::new(Killed::open(place, cpus)?)));
        all.push(Candidate { name, why_not: None, open });
    }
    if let Some(place) = connected() {
        let name = format!("{}, real connections", place.cell());
        let open: Open = Box::new(move || Ok(Box::new(Connected::open(place)?)));
        all.push(Candidate { name, why_not: None, open });
    }
    for map in [MapKind::Hash, MapKind::HashNoPrealloc, MapKind::LruHash] {
        let name = format!("batches and single calls on {}", map.name());
        let compares = options.compares(map);
        let open: Open = Box::new(move || Ok(Box::new(Churn::open(map, compares)?)));
        all.push(Candidate { name, why_not: None, open });
    }
    let (cmpdel, compares) = (options.cmpdel.clone(), options.compares(MapKind::Hash));
    let why_not = cmpdel.is_none().then(|| "no --cmpdel was given".to_owned());
    let open: Open = Box::new(move || Ok(Box::new(Calls::open(cmpdel.clone(), compares)?)));
    all.push(Candidate { name: "calls of `cmpdel gc`".into(), why_not, open });
    all
}

fn cell(options: &Options, kernel: Since, &place: &Place, cpus: usize) -> Candidate {
    let since = place.since();
    let needed = match place.gc.gc {
        Gc::Compare => Compares::Single,
        Gc::CompareBatch => Compares::Batches,
        _ => Compares::No,
    };
    let why_not = if since > kernel {
        Some(format!("it takes {}.{}", since.0, since.1))
    } else if options.compares(place.map) < needed {
        Some("it takes a kernel that compares in this type of map".into())
    } else {
        place
            .series()
            .filter(|series| !cells::carries(&options.kernel_series, series))
            .map(|series| format!("it takes a kernel with {series}"))
    };
    let open: Open = Box::new(move || {
        if place.map == MapKind::Arena {
            return Ok(Box::new(Table::open(place, cpus)));
        }
        Ok(Box::new(Free::open(place, cpus)?))
    });
    Candidate { name: place.cell().to_string(), why_not, open }
}
