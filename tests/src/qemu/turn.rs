//! A machine's turn to run. Emulation keeps a CPU of this host busy, so of the tests that run beside each other (some
//! wait for what another has booted) only as many boot at once as there are CPUs, in the order in which they came.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Who came, and who went in and out.
#[derive(Debug)]
struct Queue {
    came: u64,
    began: u64,
    running: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { came: 0, began: 0, running: 0 });
static CHANGED: Condvar = Condvar::new();

/// A turn; its end lets the next machine start.
#[derive(Debug)]
pub struct Turn(());

impl Turn {
    /// Waits for one. Who already has one and waits for another may wait for ever.
    pub fn wait() -> Self {
        let most = thread::available_parallelism().map_or(1, usize::from);
        let mut queue = lock();
        let place = queue.came;
        queue.came += 1;
        let others = |queue: &mut Queue| queue.began != place || queue.running >= most;
        let mut queue = CHANGED.wait_while(queue, others).unwrap_or_else(PoisonError::into_inner);
        queue.began += 1;
        queue.running += 1;
        // The next one may have been waiting for this one to go in.
        CHANGED.notify_all();
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock().running -= 1;
        CHANGED.notify_all();
    }
}

/// The queue, which nobody leaves half changed.
fn lock() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_run_at_once_than_there_are_cpus() {
        let most = thread::available_parallelism().map_or(1, usize::from);
        let (now, peak, turns) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 * most {
                scope.spawn(|| {
                    let _turn = Turn::wait();
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    for _ in 0..100 {
                        thread::yield_now();
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                    turns.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert!(peak.into_inner() <= most);
        assert_eq!(turns.into_inner(), 4 * most);
    }
}
