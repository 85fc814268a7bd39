//! How a thread waits for another one that will be ready soon.

use std::sync::LazyLock;

use crossbeam_channel::{Receiver, TryRecvError};

/// Looks before a thread goes to sleep: some 100 µs. A window of a sparse circuit is as short as that, and to wake a thread
/// takes about as long again.
const LOOKS: u32 = 10_000;

/// Processors that the program may use.
static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

/// Waits for the next message to one of so many threads; `None` if there will be none. It stays awake for a while if each
/// thread has a processor of its own.
pub(in crate::engine) fn receive<T>(messages: &Receiver<T>, threads: usize) -> Option<T> {
    if threads <= *PROCESSORS {
        for _ in 0..LOOKS {
            match messages.try_recv() {
                Ok(message) => return Some(message),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
            }
        }
    }
    messages.recv().ok()
}

/// As [`receive`], but as long as there is no message it first does something else: `other` does a little of it, and says
/// whether there was anything to do.
pub(in crate::engine) fn receive_meanwhile<T>(
    messages: &Receiver<T>,
    threads: usize,
    mut other: impl FnMut() -> bool,
) -> Option<T> {
    loop {
        match messages.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if other() => {}
            Err(TryRecvError::Empty) => return receive(messages, threads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use std::time::Duration;

    #[test]
    fn messages_come_through_however_late_and_the_end_is_told() {
        for (threads, wait) in [(1, 0), (1, 20), (usize::MAX, 1)] {
            let (sender, messages) = bounded(1);
            let other = std::thread::spawn(move || {
                for number in 0..3 {
                    std::thread::sleep(Duration::from_millis(wait));
                    sender.send(number).unwrap();
                }
            });
            let mut left = 1_000;
            let mut idle = || {
                left -= 1;
                left > 0
            };
            let first = receive_meanwhile(&messages, threads, &mut idle);
            let rest = std::iter::from_fn(|| receive(&messages, threads));
            let all: Vec<i32> = first.into_iter().chain(rest).collect();
            assert_eq!(all, [0, 1, 2]);
            other.join().unwrap();
        }
    }
}
