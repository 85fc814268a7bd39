//! Where on an image each replica looks: one patch after another, and saccades to other images.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::netlist::model::{GazePath, Patches};
use crate::random::stream;

/// Where a gaze may drift: down, right.
const DIRECTIONS: [[isize; 2]; 8] = [
    [-1, -1],
    [-1, 0],
    [-1, 1],
    [0, -1],
    [0, 1],
    [1, -1],
    [1, 0],
    [1, 1],
];

/// Patches of an image that are looked at one after another.
#[derive(Debug, Clone)]
pub(super) struct Gaze {
    path: GazePath,
    /// Rows and columns of the grid of patches.
    grid: [usize; 2],
    /// Pixels from a patch to the next, down and to the right.
    stride: [usize; 2],
    /// Probability of a saccade at each move.
    saccade: f64,
    /// The number of the patch within the visit, the same for all replicas.
    index: usize,
    replicas: Vec<Eye>,
}

/// The gaze of one replica.
#[derive(Debug, Clone)]
struct Eye {
    /// Where it is, if it walks or drifts: row and column of the grid.
    place: [usize; 2],
    /// Where it drifts to: patches down and to the right at each move.
    drift: [isize; 2],
    /// The image that it looks at since a saccade, instead of the one it came to see.
    elsewhere: Option<usize>,
    walk: Xoshiro256PlusPlus,
    saccades: Xoshiro256PlusPlus,
}

impl Gaze {
    /// A gaze over images of so many rows and columns; the whole image without patches.
    pub(super) fn new(
        patches: Option<&Patches>,
        [rows, columns]: [usize; 2],
        replicas: usize,
        (seed, name): (u64, &str),
    ) -> Gaze {
        let eye = |replica: usize| Eye {
            place: [0; 2],
            drift: [0; 2],
            elsewhere: None,
            walk: stream(seed, &format!("gaze {name}"), replica as u64),
            saccades: stream(seed, &format!("saccade {name}"), replica as u64),
        };
        let mut gaze = Gaze {
            path: patches.map_or(GazePath::Columns, |p| p.path),
            grid: patches.map_or([1, 1], |p| p.grid([rows, columns])),
            stride: patches.map_or([0, 0], |p| p.stride.map(|n| n as usize)),
            saccade: patches.map_or(0.0, |p| p.saccade),
            index: 0,
            replicas: (0..replicas).map(eye).collect(),
        };
        gaze.begin();
        gaze
    }

    /// Patches of an image.
    pub(super) fn patches(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    /// Starts over with streams of another seed.
    pub(super) fn reseed(&mut self, seed: u64, name: &str) {
        for (replica, eye) in self.replicas.iter_mut().enumerate() {
            eye.walk = stream(seed, &format!("gaze {name}"), replica as u64);
            eye.saccades = stream(seed, &format!("saccade {name}"), replica as u64);
        }
    }

    /// Sets the probability of a saccade.
    pub(super) fn set_saccade(&mut self, probability: f64) {
        self.saccade = probability;
    }

    /// Begins a visit of the next images.
    pub(super) fn begin(&mut self) {
        self.index = 0;
        let [rows, columns] = self.grid;
        for eye in &mut self.replicas {
            eye.elsewhere = None;
            if matches!(self.path, GazePath::Walk | GazePath::Drift) {
                eye.place = [
                    eye.walk.random_range(0..rows),
                    eye.walk.random_range(0..columns),
                ];
            }
            if self.path == GazePath::Drift {
                eye.drift = DIRECTIONS[eye.walk.random_range(0..DIRECTIONS.len())];
            }
        }
    }

    /// Moves to the next patch, of images that are so many and of which each replica came to see its own; whether there
    /// is none left.
    pub(super) fn move_on(&mut self, images: usize, own: impl Fn(usize) -> usize) -> bool {
        self.index += 1;
        if self.index >= self.patches() {
            return true;
        }
        for (replica, eye) in self.replicas.iter_mut().enumerate() {
            match self.path {
                GazePath::Walk => eye.step(self.grid),
                GazePath::Drift => eye.go_straight(self.grid),
                GazePath::Columns | GazePath::Rows => {}
            }
            if self.saccade > 0.0 && images > 1 && eye.saccades.random::<f64>() < self.saccade {
                let now = eye.elsewhere.unwrap_or_else(|| own(replica));
                let other = eye.saccades.random_range(0..images - 1);
                eye.elsewhere = Some(other + usize::from(other >= now));
            }
        }
        false
    }

    /// The image that a replica looks at since a saccade, if there was one.
    pub(super) fn elsewhere(&self, replica: usize) -> Option<usize> {
        self.replicas.get(replica).and_then(|eye| eye.elsewhere)
    }

    /// Whether this is the last patch of the visit.
    pub(super) fn is_last(&self) -> bool {
        self.index + 1 == self.patches()
    }

    /// Whether the gaze came to this patch from its neighbour.
    pub(super) fn moved(&self) -> bool {
        let [rows, columns] = self.grid;
        match self.path {
            GazePath::Columns => !self.index.is_multiple_of(rows),
            GazePath::Rows => !self.index.is_multiple_of(columns),
            GazePath::Walk | GazePath::Drift => self.index > 0,
        }
    }

    /// The upper left pixel of the patch that a replica sees: row, column.
    pub(super) fn corner(&self, replica: usize) -> [usize; 2] {
        let [rows, columns] = self.grid;
        let place = match self.path {
            GazePath::Columns => [self.index % rows, self.index / rows],
            GazePath::Rows => [self.index / columns, self.index % columns],
            GazePath::Walk | GazePath::Drift => {
                self.replicas.get(replica).map_or([0; 2], |eye| eye.place)
            }
        };
        [place[0] * self.stride[0], place[1] * self.stride[1]]
    }
}

impl Eye {
    /// Goes on in its direction; what would leave the grid comes back.
    fn go_straight(&mut self, grid: [usize; 2]) {
        for ((place, drift), side) in self.place.iter_mut().zip(&mut self.drift).zip(grid) {
            let next = place.checked_add_signed(*drift);
            if next.is_none_or(|next| next >= side) {
                *drift = -*drift;
            }
            let next = place.checked_add_signed(*drift);
            *place = next.filter(|next| *next < side).unwrap_or(*place);
        }
    }

    /// Goes to one of the patches above, below, left and right, all equally likely.
    fn step(&mut self, [rows, columns]: [usize; 2]) {
        let [row, column] = self.place;
        let near = [
            (row > 0).then(|| [row - 1, column]),
            (row + 1 < rows).then(|| [row + 1, column]),
            (column > 0).then(|| [row, column - 1]),
            (column + 1 < columns).then(|| [row, column + 1]),
        ];
        let count = near.iter().flatten().count();
        if count > 0 {
            let chosen = self.walk.random_range(0..count);
            let place = near.into_iter().flatten().nth(chosen);
            self.place = place.unwrap_or(self.place);
        }
    }
}
