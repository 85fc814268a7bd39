//! Where neurons lie, and connections that depend on how far they are from each other.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::connect::{Connectivity, listed};
use crate::netlist::model::{Distance, Profile};

/// Where the neurons of a population lie.
#[derive(Debug, Clone, PartialEq)]
pub enum Places {
    /// On a circle of circumference 1.
    Ring(Vec<f64>),
    /// In the plane.
    Plane(Vec<[f64; 2]>),
}

impl Places {
    /// So many neurons evenly on a circle.
    pub fn ring(size: usize) -> Self {
        let places = (0..size).map(|i| i as f64 / size as f64);
        Places::Ring(places.collect())
    }

    /// Rows × columns, each in the middle of its part of the unit square; the columns of a row come one after the other.
    pub fn grid(rows: usize, columns: usize) -> Self {
        let middle = |at: usize, of: usize| (at as f64 + 0.5) / of as f64;
        let place = |i: usize| [middle(i % columns, columns), middle(i / columns, rows)];
        Places::Plane((0..rows * columns).map(place).collect())
    }

    /// So many neurons anywhere in the unit square.
    pub fn random(size: usize, stream: &mut Xoshiro256PlusPlus) -> Self {
        let places = (0..size).map(|_| [stream.random(), stream.random()]);
        Places::Plane(places.collect())
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        match self {
            Places::Ring(places) => places.len(),
            Places::Plane(places) => places.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far neuron `i` is from neuron `j` of another population; on a periodic plane opposite edges of the unit square
    /// meet. `None` if one lies on a ring and the other does not.
    pub fn distance(&self, i: usize, other: &Places, j: usize, periodic: bool) -> Option<f64> {
        let around = |d: f64| (d - d.round()).abs();
        match (self, other) {
            (Places::Ring(a), Places::Ring(b)) => Some(around(a[i] - b[j])),
            (Places::Plane(a), Places::Plane(b)) => {
                let along = |axis: usize| {
                    let d = a[i][axis] - b[j][axis];
                    if periodic { around(d) } else { d }
                };
                Some(along(0).hypot(along(1)))
            }
            _ => None,
        }
    }
}

impl Distance {
    /// The probability of a connection over a distance.
    pub fn probability(&self, d: f64) -> f64 {
        let share = match self.profile {
            Profile::Gaussian => (-0.5 * (d / self.width).powi(2)).exp(),
            Profile::Exponential => (-d / self.width).exp(),
            Profile::Boxcar => f64::from(d <= self.width),
        };
        self.peak * share
    }

    /// About which share of all pairs it connects, if neurons are spread evenly.
    pub fn share(&self) -> f64 {
        use std::f64::consts::PI;
        let area = match self.profile {
            Profile::Gaussian => 2.0 * PI * self.width.powi(2),
            Profile::Exponential => 2.0 * PI * self.width.powi(2),
            Profile::Boxcar => PI * self.width.powi(2),
        };
        self.peak * area.max(2.0 * self.width).min(1.0)
    }
}

/// Draws each pair with the probability of its distance; `None` if the populations do not lie in one space.
pub fn by_distance(
    distance: &Distance,
    (from, to): (&Places, &Places),
    stream: &mut Xoshiro256PlusPlus,
) -> Option<Connectivity> {
    let mut edges = Vec::new();
    for j in 0..from.len() {
        for i in 0..to.len() {
            let p = distance.probability(from.distance(j, to, i, distance.periodic)?);
            // A number is drawn for every pair, so that those of the others do not depend on it.
            if stream.random::<f64>() < p {
                edges.push((j as u32, i as u32));
            }
        }
    }
    Some(listed(edges, from.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_and_periodic_planes_close() {
        let ring = Places::ring(10);
        let far = |i, j| ring.distance(i, &ring, j, false).unwrap();
        assert!((far(0, 9) - 0.1).abs() < 1e-12 && (far(0, 5) - 0.5).abs() < 1e-12);
        let grid = Places::grid(4, 5);
        assert_eq!(grid.len(), 20);
        // From the first column to the last one: four columns, or one around the edge.
        let across = |periodic| grid.distance(0, &grid, 4, periodic).unwrap();
        assert!((across(false) - 0.8).abs() < 1e-12 && (across(true) - 0.2).abs() < 1e-12);
        let corner = grid.distance(0, &grid, 19, true).unwrap();
        assert!((corner - 0.2_f64.hypot(0.25)).abs() < 1e-12);
        assert_eq!(ring.distance(0, &grid, 0, false), None);
    }

    #[test]
    fn pairs_are_drawn_with_the_probability_of_their_distance() {
        let ring = Places::ring(400);
        let distance = Distance {
            profile: Profile::Gaussian,
            width: 0.05,
            peak: 0.6,
            periodic: false,
        };
        let mut stream = crate::random::stream(1, "connect", 0);
        let Some(Connectivity::Sparse(sparse)) =
            by_distance(&distance, (&ring, &ring), &mut stream)
        else {
            panic!()
        };
        // Pairs by their distance, in bins of 10 neurons: five standard deviations of a binomial.
        let mut counts = [0.0; 20];
        for j in 0..400 {
            for at in sparse.offsets[j]..sparse.offsets[j + 1] {
                let d = ring
                    .distance(j, &ring, sparse.targets[at] as usize, false)
                    .unwrap();
                counts[((d * 400.0).round() as usize / 10).min(19)] += 1.0;
            }
        }
        for (bin, count) in counts.iter().enumerate().skip(1).take(10) {
            let steps = (10 * bin..10 * bin + 10).map(|k| k as f64 / 400.0);
            let expected: f64 = steps.map(|d| 800.0 * distance.probability(d)).sum();
            assert!(
                (count - expected).abs() < 5.0 * expected.sqrt() + 1.0,
                "{bin}: {count} {expected}"
            );
        }
    }

    #[test]
    fn a_boxcar_ends_at_its_width() {
        let boxcar = Distance {
            profile: Profile::Boxcar,
            width: 0.21,
            peak: 1.0,
            periodic: false,
        };
        let grid = Places::grid(10, 10);
        let mut stream = crate::random::stream(1, "connect", 0);
        let Some(Connectivity::Sparse(sparse)) = by_distance(&boxcar, (&grid, &grid), &mut stream)
        else {
            panic!()
        };
        // In the middle of a 10 × 10 grid: 13 places within two cells.
        assert_eq!(sparse.offsets[56] - sparse.offsets[55], 13);
    }
}
