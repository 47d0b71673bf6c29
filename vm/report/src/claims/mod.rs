// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people say of the approaches, each sentence with a predicate over the evidence. A sentence that the evidence does not
//! bear out fails the report; one whose evidence was not run is shown as such, and never as true. To add one: an entry in
//! [`list`]. To take one away: without its entry it is gone.

mod ask;
mod list;

use approaches::Objection;

pub use self::list::CLAIMS;
use super::{
    kinds::Evidence,
    page::{ClaimShown, Door, Standing},
};

/// Why a claim is not borne out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// What would decide it was not run: what.
    NotRun(String),
    /// The evidence is against it: which.
    Fails(String),
}

/// What a predicate finds: the figures that bear a claim out, or a doubt.
pub type Held = Result<String, Doubt>;

/// What a claim speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An objection of the reply, or the proposal.
    Objection(Objection),
    /// A door of the report.
    Door(Door),
}

impl About {
    /// Its anchor.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Objection(objection) => objection.id(),
            Self::Door(door) => door.id(),
        }
    }
}

/// A sentence, and when it is true.
pub struct Claim {
    /// Its name.
    pub id: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// What it speaks to.
    pub about: &'static [About],
    /// Whether it is so.
    pub holds: fn(&Evidence) -> Held,
}

/// Each claim with what the evidence says of it.
pub fn checked(claims: &[Claim], evidence: &Evidence) -> Vec<ClaimShown> {
    claims
        .iter()
        .map(|claim| {
            let (standing, basis) = match (claim.holds)(evidence) {
                Ok(basis) => (Standing::Holds, basis),
                Err(Doubt::Fails(why)) => (Standing::Fails, why),
                Err(Doubt::NotRun(what)) => (Standing::NotRun, what),
            };
            ClaimShown {
                id: format!("claim-{}", claim.id),
                says: claim.says.into(),
                standing,
                basis,
                about: claim.about.iter().map(|about| about.id().into()).collect(),
            }
        })
        .collect()
}

/// The claims that no longer hold, each in a sentence.
pub fn troubles(claims: &[ClaimShown]) -> Vec<String> {
    claims
        .iter()
        .filter(|claim| claim.standing == Standing::Fails)
        .map(|claim| {
            format!("the claim `{}` does not hold: {}", claim.id.trim_start_matches("claim-"), claim.basis)
        })
        .collect()
}

/// Both, all of them: what fails weighs more than what was not run.
pub fn all(held: impl IntoIterator<Item = Held>) -> Held {
    let (mut proofs, mut fails, mut not_run) = (Vec::new(), Vec::new(), Vec::new());
    for one in held {
        let (to, said) = match one {
            Ok(proof) => (&mut proofs, proof),
            Err(Doubt::Fails(why)) => (&mut fails, why),
            Err(Doubt::NotRun(what)) => (&mut not_run, what),
        };
        if !said.is_empty() && !to.contains(&said) {
            to.push(said);
        }
    }
    match (fails.is_empty(), not_run.is_empty()) {
        (true, true) => Ok(proofs.join("; ")),
        (false, _) => Err(Doubt::Fails(fails.join("; "))),
        (true, false) => Err(Doubt::NotRun(not_run.join("; "))),
    }
}

#[cfg(test)]
mod tests;
