//! The order in which images or recordings are shown: passes over a split.

use rand::seq::SliceRandom;

use crate::random::stream;

/// Which images are next. Replicas see consecutive images of the same pass.
#[derive(Debug, Clone)]
pub struct Order {
    /// Seed and name of the streams that shuffle.
    seed: u64,
    name: String,
    shuffle: bool,
    /// For each split the passes that have begun.
    begun: Vec<u64>,
    /// The images of this pass; empty if they are in the file's order.
    shuffled: Vec<u32>,
    /// How many images of this pass all replicas have seen.
    position: usize,
}

impl Order {
    pub(super) fn new((seed, name): (u64, &str), splits: usize, shuffle: bool) -> Order {
        Order {
            seed,
            name: name.to_owned(),
            shuffle,
            begun: vec![0; splits],
            shuffled: Vec::new(),
            position: 0,
        }
    }

    /// Starts over with another seed.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.begun.fill(0);
    }

    /// Begins a pass over a split of so many images.
    pub(super) fn begin(&mut self, split: usize, name: &str, images: usize) {
        self.position = 0;
        if !self.shuffle {
            return;
        }
        let pass = self.begun.get_mut(split);
        let pass = pass.map_or(0, |begun| std::mem::replace(begun, *begun + 1));
        let mut random = stream(self.seed, &format!("shuffle {} {name}", self.name), pass);
        self.shuffled.clear();
        self.shuffled.extend(0..images as u32);
        self.shuffled.shuffle(&mut random);
    }

    /// The image that a replica sees, and whether the pass has shown it already: the last images of a pass are followed
    /// by its first, where their number is no multiple of the replicas.
    pub(super) fn image(&self, replica: usize, images: usize) -> (usize, bool) {
        let at = self.position + replica;
        let within = at % images.max(1);
        let image = self.shuffled.get(within);
        (image.map_or(within, |i| *i as usize), at >= images)
    }

    /// Goes to the next images, one for each replica; whether the pass is over.
    pub(super) fn move_on(&mut self, replicas: usize, images: usize) -> bool {
        self.position += replicas;
        self.position >= images
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    /// Twins draw the same numbers: what changes here has to change in benches/peers/streams.py.
    #[test]
    fn orders_and_places_are_those_of_the_streams_in_python() {
        let mut order = Order::new((2, "film"), 1, true);
        order.begin(0, "train", 8_000);
        order.begin(0, "train", 8_000);
        let found = [0, 1, 2, 3, 7_998, 7_999].map(|at| order.image(at, 8_000).0);
        assert_eq!(found, [1931, 2052, 4489, 2863, 919, 1918]);
        let mut gaze = stream(2, "gaze film", 3);
        let found: Vec<usize> = (0..12).map(|_| gaze.random_range(0..5)).collect();
        assert_eq!(found, [1, 2, 0, 1, 4, 0, 1, 4, 1, 0, 0, 1]);
    }
}
