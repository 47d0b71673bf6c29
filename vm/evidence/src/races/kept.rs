// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events of earlier runs, as files keep them.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use approaches::Place;
use results::races::{Cell, RaceEvent};

use super::{
    host::Machine,
    release::{preempts_packets, version},
};

/// All that was said, file by file.
#[derive(Debug)]
pub struct Kept(pub Vec<Said>);

/// What one file has.
#[derive(Debug)]
pub struct Said {
    /// In the order in which it was said.
    pub events: Vec<RaceEvent>,
}

impl Said {
    /// `uname -r` and the CPUs, as it began.
    fn machine(&self) -> Option<(&str, usize)> {
        self.events.iter().find_map(|event| match event {
            RaceEvent::Plan { release, cpus, .. } => Some((release.as_str(), *cpus)),
            _ => None,
        })
    }

    /// All but what ran of a cell that the kernel lacks something for (connections once did, and say nothing of it), or that no
    /// kernel is asked about any more.
    pub fn that_counts(&self) -> Vec<RaceEvent> {
        let kernel = self.machine().and_then(|(release, _)| version(release));
        let lacks =
            |cell: &Cell| kernel.zip(Place::of(cell)).is_some_and(|(kernel, place)| place.since() > kernel);
        let asked = |cell: &Cell| Place::of(cell).is_none_or(|place| place.model_alone().is_none());
        let counts = |event: &&RaceEvent| match event {
            RaceEvent::Connected { cell, .. } if lacks(cell) => false,
            event => event.cell().is_none_or(asked),
        };
        self.events.iter().filter(counts).cloned().collect()
    }

    /// The series that a kernel of ours names in its release: `7.3.4-v3+kfunc`.
    pub fn series(&self) -> Option<String> {
        Some(self.machine()?.0.rsplit_once('-')?.1.to_owned())
    }
}

impl Kept {
    /// Reads them.
    ///
    /// # Errors
    /// When a file cannot be read, or holds something else than events.
    pub fn read(files: &[PathBuf]) -> Result<Self> {
        let read = |file: &PathBuf| {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let events = results::read_events::<RaceEvent>(&text)
                .map_err(|why| anyhow!("{} holds something else than events: {why}", file.display()))?;
            Ok(Said { events })
        };
        files.iter().map(read).collect::<Result<_>>().map(Self)
    }

    /// Holds them to kernels that preempt packets, or to those that do not.
    ///
    /// # Errors
    /// When one of them is of the other kind.
    pub fn only(&self, preempting: bool) -> Result<()> {
        let mut releases = self.0.iter().filter_map(Said::machine).map(|(release, _)| release);
        match releases.find(|release| preempts_packets(release) != preempting) {
            Some(release) if preempting => {
                bail!("the events are of {release}, which does not preempt packets")
            }
            Some(release) => bail!("the events are of {release}, which preempts packets: give --profile rt"),
            None => Ok(()),
        }
    }

    /// The machine that all of them ran on: this one, if its kernel is the same; else as much as events tell.
    ///
    /// # Errors
    /// When they name none, or two kernels.
    pub fn machine(&self) -> Result<Machine> {
        let mut plans = self.0.iter().filter_map(Said::machine);
        let Some((release, cpus)) = plans.next() else {
            bail!("the events do not say on which kernel they came about: give whole files");
        };
        if let Some((other, _)) = plans.find(|(other, _)| *other != release) {
            bail!("the events are of two kernels, {release} and {other}: judge them one by one");
        }
        let this = Machine::this();
        let known = this.release == release && this.cpus == cpus;
        let unknown = || "unknown".to_owned();
        Ok(Machine {
            release: release.to_owned(),
            cpus,
            hypervisor: if known { this.hypervisor } else { unknown() },
            model: if known { this.model } else { String::new() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::made_up::{cell, connected};

    fn plan(release: &str) -> Said {
        Said { events: vec![RaceEvent::Plan { release: release.into(), cpus: 64, steps: 1 }] }
    }

    #[test]
    fn events_of_one_kind_of_kernel_are_not_taken_for_those_of_the_other() {
        let of = |release| Kept(vec![plan("7.3.4-v3"), plan(release)]);
        assert!(of("7.3.4-v3").only(false).is_ok());
        let error = of("7.3.4-rt-v3").only(false).unwrap_err().to_string();
        assert!(error.contains("7.3.4-rt-v3, which preempts packets: give --profile rt"), "{error}");
        assert!(of("7.3.4-rt-v3").only(true).is_err());
    }

    #[test]
    fn connections_through_what_a_kernel_lacks_do_not_count() {
        let ran = |gc| connected(cell("lock-tagged", gc, "hash"), 10, 0, false);
        let counted = |release| {
            let mut said = plan(release);
            said.events.push(ran("prog-lock-array"));
            said.that_counts().len()
        };
        assert_eq!((counted("6.18.0"), counted("7.3.4")), (1, 2));
    }

    #[test]
    fn a_kernel_of_ours_names_its_series() {
        assert_eq!(plan("7.3.4-v3+kfunc").series().as_deref(), Some("v3+kfunc"));
        assert_eq!(Said { events: Vec::new() }.series(), None);
    }

    #[test]
    fn events_of_one_machine_name_it_and_those_of_two_do_not() {
        let one = Kept(vec![plan("6.1.0"), plan("6.1.0")]).machine().unwrap();
        assert_eq!((one.release.as_str(), one.cpus, one.hypervisor.as_str()), ("6.1.0", 64, "unknown"));
        let two = Kept(vec![plan("6.1.0"), plan("7.3.4")]).machine().unwrap_err().to_string();
        assert!(two.contains("6.1.0") && two.contains("7.3.4"), "{two}");
        assert!(Kept(Vec::new()).machine().unwrap_err().to_string().contains("give whole files"));
    }
}
