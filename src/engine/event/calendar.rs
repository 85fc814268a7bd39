//! Spikes in flight: a calendar of buckets, each as long as the shortest delay.
//!
//! A spike of one bucket arrives in a later one, so that a bucket is complete when it is opened and has to be sorted
//! only once. Buckets that are further away than the ring reaches wait in an ordered map.

use std::collections::BTreeMap;

use super::time::NEVER;

/// A spike on its way: of a presynaptic neuron to all its synapses in a projection, or to one synapse.
///
/// Those of one time arrive in the order of projections, and then of neurons or synapses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct InFlight {
    /// When it arrives (ps).
    pub time: i64,
    /// The projection.
    pub projection: u32,
    /// The presynaptic neuron if the projection has one delay, the synapse if each has its own.
    pub index: u32,
    /// What goes with it: the bits of the factor that short-term plasticity gives it.
    pub load: u64,
}

/// Buckets that the ring holds.
const RING: usize = 1024;

/// The calendar.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Length of a bucket (ps).
    width: i64,
    /// Number of the bucket that is open; those behind it are empty.
    open: i64,
    /// What is left of the open bucket, sorted, the next one last.
    today: Vec<InFlight>,
    /// Later buckets, by number modulo the size of the ring. Empty ones have no memory …
    ring: Vec<Vec<InFlight>>,
    /// … which waits here: that of the bucket just emptied, near in the caches, is filled again first.
    spare: Vec<Vec<InFlight>>,
    /// Spikes in the ring.
    in_ring: usize,
    /// Buckets beyond the ring.
    far: BTreeMap<i64, Vec<InFlight>>,
}

impl Calendar {
    /// A calendar whose buckets last `width` (ps), at time 0.
    pub fn new(width: i64) -> Self {
        Calendar {
            width: width.max(1),
            open: -1,
            today: Vec::new(),
            ring: vec![Vec::new(); RING],
            spare: Vec::new(),
            in_ring: 0,
            far: BTreeMap::new(),
        }
    }

    /// Length of a bucket (ps).
    pub fn width(&self) -> i64 {
        self.width
    }

    /// The end (ps) of the bucket in which a time lies: windows must not cross it.
    pub fn bucket_end(&self, time: i64) -> i64 {
        (time.div_euclid(self.width) + 1).saturating_mul(self.width)
    }

    /// Puts in a spike. It must arrive after the open bucket.
    pub fn push(&mut self, spike: InFlight) {
        let bucket = spike.time.div_euclid(self.width);
        debug_assert!(
            bucket > self.open,
            "no spike arrives sooner than the shortest delay"
        );
        if bucket - self.open < RING as i64 {
            let slot = &mut self.ring[bucket.rem_euclid(RING as i64) as usize];
            if slot.capacity() == 0 {
                *slot = self.spare.pop().unwrap_or_default();
            }
            slot.push(spike);
            self.in_ring += 1;
        } else {
            self.far.entry(bucket).or_default().push(spike);
        }
    }

    /// When the next spike arrives at the soonest (ps): exact in the open bucket, the beginning of a bucket after it.
    pub fn next_time(&self) -> i64 {
        if let Some(spike) = self.today.last() {
            return spike.time;
        }
        let ring = (1..RING as i64)
            .map(|ahead| self.open + ahead)
            .take_while(|_| self.in_ring > 0)
            .find(|bucket| !self.ring[bucket.rem_euclid(RING as i64) as usize].is_empty());
        let bucket = ring.or_else(|| self.far.keys().next().copied());
        bucket.map_or(NEVER, |bucket| bucket.saturating_mul(self.width))
    }

    /// Opens the bucket of a time; all buckets before it must be empty.
    pub fn open(&mut self, time: i64) {
        let bucket = time.div_euclid(self.width);
        if bucket <= self.open {
            return;
        }
        debug_assert!(self.today.is_empty());
        // The ring moves on: what it now reaches comes in from far away.
        while let Some(entry) = self.far.first_entry() {
            if *entry.key() - bucket >= RING as i64 {
                break;
            }
            let (number, spikes) = entry.remove_entry();
            self.in_ring += spikes.len();
            self.ring[number.rem_euclid(RING as i64) as usize].extend(spikes);
        }
        self.open = bucket;
        let slot = std::mem::take(&mut self.ring[bucket.rem_euclid(RING as i64) as usize]);
        let emptied = std::mem::replace(&mut self.today, slot);
        if emptied.capacity() > 0 {
            self.spare.push(emptied);
        }
        self.in_ring -= self.today.len();
        self.today.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The spikes of the open bucket that have not been taken, the next one last.
    pub fn today(&self) -> &[InFlight] {
        &self.today
    }

    /// Forgets the spikes of the open bucket that arrive before `end`.
    pub fn drop_before(&mut self, end: i64) {
        while self.today.last().is_some_and(|spike| spike.time < end) {
            self.today.pop();
        }
    }

    /// All spikes in flight, in order.
    pub fn all(&self) -> Vec<InFlight> {
        let later = self.ring.iter().chain(self.far.values()).flatten();
        let mut all: Vec<InFlight> = self.today.iter().chain(later).copied().collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn every_spike_comes_out_once_and_in_order() {
        let mut stream = crate::random::stream(4, "calendar", 0);
        let mut calendar = Calendar::new(10);
        let mut waiting: Vec<InFlight> = Vec::new();
        let (mut now, mut made) = (0_i64, 0_u32);
        for _ in 0..3_000 {
            for _ in 0..stream.random_range(0..4) {
                // Some far beyond the ring.
                let far = if stream.random::<f64>() < 0.1 {
                    40_000
                } else {
                    60
                };
                let time = calendar.bucket_end(now) + stream.random_range(0..far);
                made += 1;
                let spike = InFlight {
                    time,
                    projection: made % 3,
                    index: made,
                    load: 0,
                };
                calendar.push(spike);
                waiting.push(spike);
            }
            waiting.sort_unstable();
            assert_eq!(calendar.all(), waiting);
            let Some(first) = waiting.first().copied() else {
                continue;
            };
            assert!(calendar.next_time() <= first.time);
            assert_eq!(
                calendar.bucket_end(calendar.next_time()),
                calendar.bucket_end(first.time)
            );
            now = first.time;
            calendar.open(now);
            let end = calendar
                .bucket_end(now)
                .min(now + stream.random_range(1..10));
            let here: Vec<InFlight> = calendar
                .today()
                .iter()
                .rev()
                .copied()
                .take_while(|s| s.time < end)
                .collect();
            let expected: Vec<InFlight> = waiting
                .iter()
                .copied()
                .take_while(|s| s.time < end)
                .collect();
            assert_eq!(here, expected);
            calendar.drop_before(end);
            waiting.retain(|s| s.time >= end);
        }
    }
}
