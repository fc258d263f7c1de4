//! Deadlines that have not come yet.
//!
//! A sorted list of fixed capacity: the earliest deadline stands last, so taking it moves nothing. Adding and
//! cancelling shift what lies behind, which for the few thousand timers of a control domain is one short copy
//! and needs no second structure to find a timer again.
#![forbid(unsafe_code)]

use alloc::collections::TryReserveError;
use alloc::vec::Vec;

/// Names one timer of one queue, once: it is never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimerId {
    deadline: u64,
    serial: u64,
}

/// The queue holds as many timers as it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// Timers, each carrying a `T`. Deadlines are nanoseconds of the caller's clock.
#[derive(Debug)]
pub struct TimerQueue<T> {
    /// Sorted, latest first.
    timers: Vec<(TimerId, T)>,
    limit: usize,
    serial: u64,
}

impl<T> TimerQueue<T> {
    /// A queue for `limit` timers. All its memory is taken here.
    pub fn with_limit(limit: usize) -> Result<Self, TryReserveError> {
        let mut timers = Vec::new();
        timers.try_reserve_exact(limit)?;
        Ok(Self { timers, limit, serial: 0 })
    }

    /// Adds a timer; those of equal deadline come due in the order in which they were added.
    pub fn insert(&mut self, deadline: u64, value: T) -> Result<TimerId, Full> {
        if self.timers.len() >= self.limit {
            return Err(Full);
        }
        let id = TimerId { deadline, serial: self.serial };
        self.serial += 1;
        self.timers.insert(self.position(id), (id, value));
        Ok(id)
    }

    /// Takes a timer back; `None` when it came due or was cancelled before.
    pub fn cancel(&mut self, id: TimerId) -> Option<T> {
        let at = self.position(id);
        (self.timers.get(at)?.0 == id).then(|| self.timers.remove(at).1)
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.last().map(|(id, _)| id.deadline)
    }

    /// Takes the earliest timer if its deadline has come.
    pub fn pop_due(&mut self, now: u64) -> Option<T> {
        if self.next_deadline()? > now {
            return None;
        }
        self.timers.pop().map(|(_, value)| value)
    }

    /// Where `id` stands or would stand.
    fn position(&self, id: TimerId) -> usize {
        self.timers.partition_point(|(other, _)| *other > id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn equal_deadlines_come_due_in_order_of_insertion() {
        let mut queue = TimerQueue::with_limit(3).unwrap();
        for value in ["a", "b", "c"] {
            queue.insert(5, value).unwrap();
        }
        assert_eq!(queue.pop_due(4), None);
        assert_eq!([queue.pop_due(5), queue.pop_due(5), queue.pop_due(5)], [Some("a"), Some("b"), Some("c")]);
    }

    #[test]
    fn a_full_queue_refuses_and_keeps_what_it_has() {
        let mut queue = TimerQueue::with_limit(1).unwrap();
        let id = queue.insert(9, 'x').unwrap();
        assert_eq!(queue.insert(1, 'y'), Err(Full));
        assert_eq!(queue.next_deadline(), Some(9));
        assert_eq!(queue.cancel(id), Some('x'));
        assert_eq!(queue.cancel(id), None);
        assert_eq!(queue.next_deadline(), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Cancel(prop::sample::Index),
        Advance(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u64..100).prop_map(Step::Insert),
            any::<prop::sample::Index>().prop_map(Step::Cancel),
            (0u64..30).prop_map(Step::Advance),
        ]
    }

    proptest! {
        /// The model is an unsorted list that is searched through.
        #[test]
        fn behaves_as_an_unsorted_list(steps in prop::collection::vec(step(), 0..80)) {
            let mut queue = TimerQueue::with_limit(16).unwrap();
            let mut model: vec::Vec<TimerId> = vec![];
            let mut ids: vec::Vec<TimerId> = vec![];
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Insert(after) => match queue.insert(now + after, ids.len()) {
                        Ok(id) => { ids.push(id); model.push(id); }
                        Err(Full) => prop_assert_eq!(model.len(), 16),
                    },
                    Step::Cancel(at) if !ids.is_empty() => {
                        let at = at.index(ids.len());
                        let known = model.iter().position(|id| *id == ids[at]);
                        prop_assert_eq!(queue.cancel(ids[at]), known.map(|_| at));
                        if let Some(known) = known { model.remove(known); }
                    }
                    Step::Cancel(_) => {}
                    Step::Advance(by) => {
                        now += by;
                        while let Some(value) = queue.pop_due(now) {
                            let earliest = *model.iter().min().unwrap();
                            prop_assert_eq!(ids[value], earliest);
                            prop_assert!(earliest.deadline <= now);
                            model.retain(|id| *id != earliest);
                        }
                        prop_assert!(model.iter().all(|id| id.deadline > now));
                    }
                }
                prop_assert_eq!(queue.next_deadline(), model.iter().min().map(|id| id.deadline));
            }
        }
    }
}
