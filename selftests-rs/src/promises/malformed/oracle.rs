// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the documentation says of a call, by its fields alone: no code of the kernel's is asked. Where two readings are open,
//! for calls without the flag or on a kernel without the series, the answer is one of several; what becomes of the map never
//! is.

use cmpdel_uapi_raw::{Errno, Form, Order, Place};

use super::draft::COMPARE_FLAG;
use super::world::{Target, World};
use crate::errno::{E2BIG, EBADF, EFAULT, EINVAL, ENOTSUPP, EOPNOTSUPP, EPERM};

/// What the kernel may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Is(Result<(), Errno>),
    /// A refusal.
    OneOf(&'static [Errno]),
}

impl Answer {
    pub fn allows(self, said: Result<(), Errno>) -> bool {
        match self {
            Self::Is(answer) => said == answer,
            Self::OneOf(errnos) => said.is_err_and(|errno| errnos.contains(&errno)),
        }
    }
}

/// For a call that no kernel takes, whatever it looks at first.
const ANY: &[Errno] = &[EINVAL, EBADF, EPERM, EFAULT, ENOTSUPP, EOPNOTSUPP, E2BIG];
const NO_FD: &[Errno] = &[EBADF, EINVAL];

/// Where a call gets to, as far as its fields say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nothing is changed, neither map nor memory.
    Refused(Answer),
    /// The entries of this map are compared, one after the other.
    Compares(usize),
    /// They are dealt with as without the series.
    Plain(usize),
    /// It does something that no model here knows. It is not sent.
    Unforeseen,
}

const fn refused(errno: Errno) -> Route {
    Route::Refused(Answer::Is(Err(errno)))
}

/// The most elements of a batch that may insert entries.
const MOST_INSERTED: u32 = 24;
/// Bytes in the longest window.
const LONGEST: u32 = 64;

/// What becomes of a call whose attribute could be read; `told` is what of it the kernel was told of.
pub fn route(told: &Form, world: &World, series: bool) -> Route {
    let takes = matches!(told.order, Order::Take | Order::TakeBatch);
    let flagged = told.flags == COMPARE_FLAG && !takes;
    if series && flagged {
        return of_a_comparison(told, world);
    }
    if has_unknown_bytes(told) {
        return refused(EINVAL);
    }
    let target = world.target(told.fd);
    // A flag that no command knows, whatever else it is beside.
    if told.flags & COMPARE_FLAG != 0 {
        return if told.order == Order::Take { refused(EINVAL) } else { Route::Refused(Answer::OneOf(ANY)) };
    }
    let (home, read, write) = match target {
        Target::Home { home, read, write } => (home, read, write),
        Target::Closed => {
            return if told.flags == 0 { refused(EBADF) } else { Route::Refused(Answer::OneOf(ANY)) };
        }
        Target::NoMap => return refused(EINVAL),
        Target::Unknown => return Route::Refused(Answer::OneOf(NO_FD)),
        Target::Other(_) | Target::Locked => return Route::Unforeseen,
    };
    let known: u64 = if told.order == Order::Update { 2 } else { 0 };
    if told.flags > known {
        return Route::Refused(Answer::OneOf(ANY));
    }
    if !write || (takes && !read) {
        return refused(EPERM);
    }
    match told.order {
        Order::TakeBatch => Route::Unforeseen,
        Order::UpdateBatch if told.count > MOST_INSERTED => Route::Unforeseen,
        // What is left of an address may be anything's.
        _ if matches!(told.keys, Place::Cut(_)) || matches!(told.values, Place::Cut(_)) => Route::Unforeseen,
        _ => Route::Plain(home),
    }
}

/// Bytes that the command did not have before the series.
fn has_unknown_bytes(told: &Form) -> bool {
    let compares = told.compare != Place::Null
        || told.offset != 0
        || told.size != 0
        || told.behind().is_some()
        || (told.order.is_batch() && (told.statuses != Place::Null || told.stride != 0));
    compares || (told.order == Order::Delete && (told.values != Place::Null || told.flags != 0))
}

/// The table of ABI.md, in its order.
fn of_a_comparison(told: &Form, world: &World) -> Route {
    let batch = told.order.is_batch();
    let deletes = matches!(told.order, Order::Delete | Order::DeleteBatch);
    let for_others = told.batch_flags != 0 || told.in_batch != Place::Null || told.out_batch != Place::Null;
    if told.behind().is_some() || (deletes && told.values != Place::Null) || (batch && for_others) {
        return refused(EINVAL);
    }
    let (home, read, write) = match world.target(told.fd) {
        Target::Closed => return refused(EBADF),
        Target::NoMap => return refused(EINVAL),
        Target::Unknown => return Route::Refused(Answer::OneOf(NO_FD)),
        Target::Other(_) | Target::Locked => return refused(EOPNOTSUPP),
        Target::Home { home, read, write } => (home, read, write),
    };
    if !read || !write {
        return refused(EPERM);
    }
    if told.size > LONGEST {
        return refused(E2BIG);
    }
    let end = u64::from(told.offset) + u64::from(told.size);
    if told.size == 0 || end > u64::from(world.homes[home].value_size) || (batch && told.stride < told.size) {
        return refused(EINVAL);
    }
    Route::Compares(home)
}
