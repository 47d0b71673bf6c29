// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cells in which the model stands alone, and why.

use approaches::{Place, Since};

use super::findings::{Findings, Terms};
use crate::races::row::{Failure, Row, Standing};

/// How a cell stands of which no kernel says anything; nothing for one that a kernel has to say something of. With a reason
/// that is the catalogue's.
pub fn alone(row: &Row, terms: Terms<'_>, found: &mut Findings) -> (Option<Standing>, Option<String>) {
    // That the model broke is its own fault, whatever becomes of kernels.
    let (of_model, of_kernel): (Vec<_>, Vec<_>) =
        row.failed.iter().partition(|failure| failure.evidence == "model");
    failed(&of_model, found);
    if terms.model_only {
        return (Some(Standing::ModelOnly), None);
    }
    let place = Place::of(&row.cell);
    if !row.ran_in_the_kernel()
        && let Some(reason) = place.as_ref().and_then(|place| reason(place, terms.kernel))
    {
        found.notes.push(reason.clone());
        return (Some(Standing::Absent), Some(reason));
    }
    failed(&of_kernel, found);
    if let Some(lack) = place.and_then(|place| lack(&place, terms.kernel?)) {
        found.notes.push(format!("the catalogue is wrong, since it ran: {lack}"));
    }
    let standing = match (&row.refused, &row.absent) {
        (Some(refusal), _) if row.ran_in_the_kernel() => {
            found.wrong.push(format!(
                "the kernel refused it ({}), and yet it ran: look at how the lab builds it",
                refusal.errno
            ));
            None
        }
        (Some(refusal), _) => {
            found.notes.push(format!("refused: {}: {}", refusal.errno, refusal.text));
            Some(Standing::Refused)
        }
        (None, Some(reason)) if !row.ran_in_the_kernel() => {
            found.notes.push(format!("the model alone: {reason}"));
            Some(Standing::Absent)
        }
        (None, Some(reason)) => {
            found.notes.push(format!("not all of it: {reason}"));
            None
        }
        (None, None) => None,
    };
    (standing, None)
}

fn failed(failures: &[&Failure], found: &mut Findings) {
    for Failure { evidence, error } in failures {
        found.missing.push(format!("the {evidence} could not run: {error}"));
    }
}

/// Why no kernel is asked, or this one has no answer.
fn reason(place: &Place, kernel: Option<Since>) -> Option<String> {
    place.model_alone().map(str::to_owned).or_else(|| lack(place, kernel?))
}

/// What a kernel of this version has not got yet, and the cell takes.
fn lack(place: &Place, kernel: Since) -> Option<String> {
    let needs = [
        (place.map.since(), place.map.name().to_owned()),
        (place.refresh.since, format!("what {} takes", place.refresh)),
        (place.gc.since, format!("what {} takes", place.gc)),
    ];
    let ((major, minor), what) = needs.into_iter().rev().max_by_key(|(since, _)| *since)?;
    (kernel < (major, minor)).then(|| format!("this kernel lacks {what}: it came with {major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::made_up::cell;

    #[test]
    fn what_an_older_kernel_lacks_is_named() {
        let place = Place::of(&cell("store", "blind", "rhash")).unwrap();
        let (major, minor) = place.map.since();
        assert_eq!(lack(&place, (major, minor)), None);
        assert_eq!(
            lack(&place, (6, 1)).unwrap(),
            format!("this kernel lacks rhash: it came with {major}.{minor}")
        );
        let plain = Place::of(&cell("store", "blind", "hash")).unwrap();
        assert_eq!(lack(&plain, (6, 1)), None);
    }
}
