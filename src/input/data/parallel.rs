//! Work over many files with several threads, with results that do not depend on their number.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, scope};

/// What `make_worker`'s workers make of every item, in the order of the items, or the first item's error that has one.
///
/// Each of at most `threads` threads has a worker of its own, and takes the next item when it is done with one.
pub(super) fn try_map_in_order<T, R, E, W>(
    items: &[T],
    threads: usize,
    make_worker: impl Fn() -> W + Sync,
) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
    W: FnMut(&T) -> Result<R, E>,
{
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut worker, mut done) = (make_worker(), Vec::new());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            let result = worker(item);
            if result.is_err() {
                // every earlier item is already taken, so the first error is found all the same
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((index, result));
        }
    };
    let mut done = scope(|scope| {
        // where the system gives no more threads, those that are there do the work
        let spawn = |_| Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads.min(items.len())).filter_map(spawn).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|&(index, _)| index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let squares: Vec<usize> = items.iter().map(|item| item * item).collect();
        for threads in [0, 1, 2, 7] {
            let made: Result<_, ()> =
                try_map_in_order(&items, threads, || |&item: &usize| Ok(item * item));
            assert_eq!(made.as_ref(), Ok(&squares));
        }
    }

    #[test]
    fn error_of_the_first_item_is_the_one_reported() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [1, 2, 7] {
            let fails_from_300 = |&item: &usize| if item < 300 { Ok(item) } else { Err(item) };
            assert_eq!(
                try_map_in_order(&items, threads, || fails_from_300),
                Err(300)
            );
        }
    }

    #[test]
    fn no_items_give_no_results() {
        assert_eq!(
            try_map_in_order(&[], 4, || |&item: &usize| Ok::<_, ()>(item)),
            Ok(vec![])
        );
    }
}
