// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work for all CPUs: each takes the next item, and the caller hears of each as it is done.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

/// Does `work` for all items on that many threads, and calls `done` on this one, in whatever order the items are done.
pub(super) fn work<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(usize, R),
) {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (send, next, work) = (send.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((number, item)) = {
                    let number = next.fetch_add(1, Relaxed);
                    items.get(number).map(|item| (number, item))
                } {
                    if send.send((number, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (number, result) in receive {
            done(number, result);
        }
    });
}
