//! Convolutions as products of matrices: patches of the input are laid out as columns, so that one product gives all
//! places of all maps (Chellapilla, Puri and Simard 2006).
//!
//! Replicas go in blocks whose columns fit into the cache. Blocks are shared out among threads: of the drive each
//! block writes its own part; a change of weights is summed over `GROUPS` groups of blocks, then over the groups
//! in order. The numbers are the same for any number of threads.

use super::matrix::{Real, columns, multiply, rows};
use crate::circuit::grid::Convolution;
use crate::lang::vm::padded;

/// Columns in a block: enough for the product to be fast, few enough for the patches to stay in the cache.
const COLUMNS: usize = 512;

/// Groups of blocks whose changes of weights are summed apart.
const GROUPS: usize = 4;

/// With fewer multiply–adds than this another thread takes longer to start than it saves.
const WORTH_A_THREAD: usize = 4_000_000;

/// Scratch memory of convolutions.
#[derive(Debug, Default)]
pub struct Lanes<T> {
    /// One for each group.
    lanes: Vec<Lane<T>>,
    /// The weights in the precision of the product.
    weights: Vec<T>,
    /// Replicas that have something to learn.
    active: Vec<usize>,
}

#[derive(Debug, Default)]
struct Lane<T> {
    /// The maps of a replica with zeros around each.
    plane: Vec<T>,
    patches: Vec<T>,
    maps: Vec<T>,
    change: Vec<T>,
}

/// Adds what a convolution of all replicas' `pre` gives to their drives, which count as 0 unless they have `begun`.
///
/// # Shape
/// `weights`: [`Convolution::patch`] rows of output channels. `pre`, `drive`: a padded row for each replica.
pub fn deliver<T: Real>(
    convolution: &Convolution,
    weights: &[f64],
    pre: &[f64],
    (drive, begun): (&mut [f64], bool),
    (lanes, threads): (&mut Lanes<T>, usize),
) {
    let shape = Shape::new(convolution);
    let replicas = drive.len() / shape.post_row;
    lanes.prepare(weights);
    let Lanes { lanes, weights, .. } = lanes;
    let block = shape.block(replicas);
    let mut jobs: Vec<Vec<_>> = lanes.iter().map(|_| Vec::new()).collect();
    let parts = drive
        .chunks_mut(block * shape.post_row)
        .zip(pre.chunks(block * shape.pre_row));
    for (index, part) in parts.enumerate() {
        jobs[index % GROUPS].push(part);
    }
    let work = |lane: &mut Lane<T>, jobs: Vec<(&mut [f64], &[f64])>| {
        for (drive, pre) in jobs {
            shape.deliver(lane, weights, pre, (drive, begun));
        }
    };
    share_out(
        lanes,
        jobs,
        work,
        threads_for(threads, shape.work() * replicas),
    );
}

/// Adds, summed over replicas and places, postsynaptic factor times presynaptic patch to the weights.
///
/// # Shape
/// As [`deliver`]; `post` is a factor for each neuron of the output.
pub fn learn<T: Real>(
    convolution: &Convolution,
    weights: &mut [f64],
    (post, pre): (&[f64], &[f64]),
    (lanes, threads): (&mut Lanes<T>, usize),
) {
    let shape = Shape::new(convolution);
    lanes.prepare(&[]);
    let Lanes { lanes, active, .. } = lanes;
    let has_change = |r: &usize| {
        let row = &post[r * shape.post_row..(r + 1) * shape.post_row];
        row.iter().any(|x| x.abs() > 0.0)
    };
    active.clear();
    active.extend((0..post.len() / shape.post_row).filter(has_change));
    let block = shape.block(active.len());
    let mut jobs: Vec<Vec<&[usize]>> = lanes.iter().map(|_| Vec::new()).collect();
    for (index, replicas) in active.chunks(block.max(1)).enumerate() {
        jobs[index % GROUPS].push(replicas);
    }
    let work = |lane: &mut Lane<T>, jobs: Vec<&[usize]>| {
        lane.change.clear();
        lane.change.resize(weights.len(), T::default());
        for replicas in jobs {
            shape.learn(lane, replicas, post, pre);
        }
    };
    let used = lanes.len().min(active.len().div_ceil(block.max(1)));
    jobs.truncate(used);
    let threads = threads_for(threads, shape.work() * active.len());
    share_out(&mut lanes[..used], jobs, work, threads);
    for lane in &lanes[..used] {
        for (w, change) in weights.iter_mut().zip(&lane.change) {
            *w += change.to_f64();
        }
    }
}

fn threads_for(threads: usize, work: usize) -> usize {
    if work < WORTH_A_THREAD {
        1
    } else {
        threads.clamp(1, GROUPS)
    }
}

/// Gives each lane its jobs, on so many threads.
fn share_out<T: Real, J: Send>(
    lanes: &mut [Lane<T>],
    jobs: Vec<J>,
    work: impl Fn(&mut Lane<T>, J) + Sync,
    threads: usize,
) {
    let pairs = lanes.iter_mut().zip(jobs);
    if threads <= 1 {
        return pairs.for_each(|(lane, jobs)| work(lane, jobs));
    }
    let share = pairs.len().div_ceil(threads);
    let (mut pairs, work) = (pairs, &work);
    std::thread::scope(|scope| {
        let mine: Vec<_> = pairs.by_ref().take(share).collect();
        while pairs.len() > 0 {
            let theirs: Vec<_> = pairs.by_ref().take(share).collect();
            scope.spawn(move || theirs.into_iter().for_each(|(lane, jobs)| work(lane, jobs)));
        }
        mine.into_iter().for_each(|(lane, jobs)| work(lane, jobs));
    });
}

impl<T: Real> Lanes<T> {
    fn prepare(&mut self, weights: &[f64]) {
        self.lanes.resize_with(GROUPS, Lane::default);
        self.weights.clear();
        self.weights.extend(weights.iter().map(|w| T::from_f64(*w)));
    }
}

/// A convolution and what follows from it.
struct Shape<'c> {
    convolution: &'c Convolution,
    /// Rows of patches.
    patch: usize,
    /// Maps of the output.
    maps: usize,
    /// Places of a map of the output.
    places: usize,
    pre_row: usize,
    post_row: usize,
}

impl<'c> Shape<'c> {
    fn new(convolution: &'c Convolution) -> Self {
        Shape {
            convolution,
            patch: convolution.patch(),
            maps: convolution.output.channels,
            places: convolution.output.places(),
            pre_row: padded(convolution.input.size()),
            post_row: padded(convolution.output.size()),
        }
    }

    /// Replicas in a block, of so many.
    fn block(&self, replicas: usize) -> usize {
        (COLUMNS / self.places).clamp(1, replicas.max(1))
    }

    /// Multiply–adds for a replica.
    fn work(&self) -> usize {
        self.patch * self.maps * self.places
    }

    /// A block's drives.
    fn deliver<T: Real>(
        &self,
        lane: &mut Lane<T>,
        weights: &[T],
        pre: &[f64],
        (drive, begun): (&mut [f64], bool),
    ) {
        let replicas = drive.len() / self.post_row;
        let width = replicas * self.places;
        self.make_room(lane, width);
        for (r, pre) in pre.chunks(self.pre_row).enumerate() {
            let into = (&mut lane.plane[..], &mut lane.patches[..]);
            self.lay_out(pre, into, (r * self.places, width));
        }
        multiply(
            [self.maps, self.patch, width],
            (weights, columns(self.maps)),
            (&lane.patches, rows(width)),
            (&mut lane.maps, rows(width)),
            false,
        );
        for (r, drive) in drive.chunks_mut(self.post_row).enumerate() {
            let maps = drive.chunks_exact_mut(self.places).take(self.maps);
            for (map, row) in maps.zip(lane.maps.chunks_exact(width)) {
                let row = &row[r * self.places..(r + 1) * self.places];
                for (drive, x) in map.iter_mut().zip(row) {
                    *drive = if begun {
                        *drive + x.to_f64()
                    } else {
                        x.to_f64()
                    };
                }
            }
            if !begun {
                drive[self.maps * self.places..].fill(0.0);
            }
        }
    }

    /// What some replicas add to a lane's change.
    fn learn<T: Real>(&self, lane: &mut Lane<T>, replicas: &[usize], post: &[f64], pre: &[f64]) {
        let width = replicas.len() * self.places;
        self.make_room(lane, width);
        for (at, r) in replicas.iter().enumerate() {
            let pre = &pre[r * self.pre_row..(r + 1) * self.pre_row];
            let into = (&mut lane.plane[..], &mut lane.patches[..]);
            self.lay_out(pre, into, (at * self.places, width));
            let maps = post[r * self.post_row..].chunks_exact(self.places);
            for (map, row) in maps.zip(lane.maps.chunks_exact_mut(width)) {
                let row = &mut row[at * self.places..(at + 1) * self.places];
                for (out, x) in row.iter_mut().zip(map) {
                    *out = T::from_f64(*x);
                }
            }
        }
        multiply(
            [self.patch, width, self.maps],
            (&lane.patches, rows(width)),
            (&lane.maps, columns(width)),
            (&mut lane.change, rows(self.maps)),
            true,
        );
    }

    /// Lays a replica's patches out as columns, from column `at` on in rows of `width`.
    fn lay_out<T: Real>(
        &self,
        pre: &[f64],
        (plane, patches): (&mut [T], &mut [T]),
        (at, width): (usize, usize),
    ) {
        let Convolution { output, kernel, .. } = self.convolution;
        let [height, pitch] = self.framed();
        self.frame(pre, plane);
        let mut out = patches.chunks_exact_mut(width);
        for map in plane.chunks_exact(height * pitch) {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let Some(row) = out.next() else { return };
                    let (row, from) = (&mut row[at..at + self.places], &map[ky * pitch + kx..]);
                    let [down, across] = self.convolution.stride;
                    match (across, output.width) {
                        (1, 4) => copy_rows::<T, 4>(row, from, down * pitch),
                        (1, 8) => copy_rows::<T, 8>(row, from, down * pitch),
                        (1, 16) => copy_rows::<T, 16>(row, from, down * pitch),
                        (1, 32) => copy_rows::<T, 32>(row, from, down * pitch),
                        _ => {
                            let rows = row.chunks_exact_mut(output.width);
                            for (row, from) in rows.zip(from.chunks(down * pitch)) {
                                let seen = from.iter().step_by(across);
                                row.iter_mut().zip(seen).for_each(|(out, x)| *out = *x);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Rows and columns of an input map with the zeros around it.
    fn framed(&self) -> [usize; 2] {
        let Convolution { input, padding, .. } = self.convolution;
        [input.height + 2 * padding[0], input.width + 2 * padding[1]]
    }

    /// Writes a replica's maps into frames of zeros, in the precision of the product.
    fn frame<T: Real>(&self, pre: &[f64], plane: &mut [T]) {
        let Convolution { input, padding, .. } = self.convolution;
        let [height, pitch] = self.framed();
        let planes = plane.chunks_exact_mut(height * pitch);
        for (map, plane) in pre.chunks_exact(input.places()).zip(planes) {
            let rows = plane.chunks_exact_mut(pitch).skip(padding[0]);
            for (row, out) in map.chunks_exact(input.width).zip(rows) {
                for (out, x) in out[padding[1]..].iter_mut().zip(row) {
                    *out = T::from_f64(*x);
                }
            }
        }
    }

    /// Makes room for so many columns.
    fn make_room<T: Real>(&self, lane: &mut Lane<T>, width: usize) {
        let [height, pitch] = self.framed();
        lane.plane.clear();
        lane.plane.resize(
            self.convolution.input.channels * height * pitch,
            T::default(),
        );
        lane.patches.resize(self.patch * width, T::default());
        lane.maps.resize(self.maps * width, T::default());
    }
}

/// Copies the first `N` numbers of each `pitch`, row by row: short copies of a length that the compiler knows.
#[inline]
fn copy_rows<T: Copy, const N: usize>(out: &mut [T], from: &[T], pitch: usize) {
    for (out, from) in out
        .as_chunks_mut::<N>()
        .0
        .iter_mut()
        .zip(from.chunks(pitch))
    {
        if let Some(from) = from.first_chunk::<N>() {
            *out = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::grid::Grid;
    use rand::RngExt;

    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        let mut stream = crate::random::stream(seed, "convolve", 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    fn case(
        [channels, height, width]: [usize; 3],
        maps: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Convolution {
        let places =
            |axis: usize, n: usize| (n + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
        let grid = |channels, height, width| Grid {
            channels,
            height,
            width,
            dimensions: 2,
        };
        Convolution {
            input: grid(channels, height, width),
            output: grid(maps, places(0, height), places(1, width)),
            kernel,
            stride,
            padding,
        }
    }

    fn cases() -> Vec<Convolution> {
        vec![
            case([1, 1, 9], 2, [1, 3], [1, 1], [0, 1]),
            case([3, 8, 8], 5, [3, 3], [1, 1], [1, 1]),
            case([2, 7, 9], 4, [3, 2], [2, 3], [1, 0]),
            case([2, 5, 5], 3, [5, 5], [1, 1], [4, 4]),
            case([4, 4, 4], 8, [1, 1], [1, 1], [0, 0]),
            case([1, 30, 30], 2, [3, 3], [1, 1], [0, 0]),
        ]
    }

    /// All pairs of a place of the output and what it reads: output, input, weight (all by number).
    fn synapses(c: &Convolution) -> Vec<[usize; 3]> {
        let mut all = Vec::new();
        for o in 0..c.output.size() {
            let (map, place) = (o / c.output.places(), o % c.output.places());
            let (y, x) = (place / c.output.width, place % c.output.width);
            for w in 0..c.patch() {
                let (channel, k) = (
                    w / (c.kernel[0] * c.kernel[1]),
                    w % (c.kernel[0] * c.kernel[1]),
                );
                let iy = (y * c.stride[0] + k / c.kernel[1]) as isize - c.padding[0] as isize;
                let ix = (x * c.stride[1] + k % c.kernel[1]) as isize - c.padding[1] as isize;
                if (0..c.input.height as isize).contains(&iy)
                    && (0..c.input.width as isize).contains(&ix)
                {
                    let i = (channel * c.input.height + iy as usize) * c.input.width + ix as usize;
                    all.push([o, i, w * c.output.channels + map]);
                }
            }
        }
        all
    }

    fn check<T: Real>(tolerance: f64) {
        for c in cases() {
            for replicas in [1, 3, 40] {
                let (pre_row, post_row) = (padded(c.input.size()), padded(c.output.size()));
                let (weights, pre) = (numbers(c.weights(), 1), numbers(replicas * pre_row, 2));
                let mut drive = numbers(replicas * post_row, 3);
                let before = drive.clone();
                let mut lanes = Lanes::<T>::default();
                deliver(&c, &weights, &pre, (&mut drive, true), (&mut lanes, 1));
                let mut post = numbers(replicas * post_row, 4);
                // A replica that has nothing to learn.
                post[..post_row].fill(0.0);
                let mut changed = weights.clone();
                learn(&c, &mut changed, (&post, &pre), (&mut lanes, 1));
                let mut expected = weights.clone();
                for r in 0..replicas {
                    let mut exact = before[r * post_row..][..c.output.size()].to_vec();
                    for [o, i, w] in synapses(&c) {
                        exact[o] += weights[w] * pre[r * pre_row + i];
                        expected[w] += post[r * post_row + o] * pre[r * pre_row + i];
                    }
                    for (found, exact) in drive[r * post_row..].iter().zip(&exact) {
                        assert!((found - exact).abs() < 50.0 * tolerance);
                    }
                }
                for (found, exact) in changed.iter().zip(&expected) {
                    // Sums of up to 40 × 900 terms.
                    assert!(
                        (found - exact).abs() < 4000.0 * tolerance,
                        "{found} {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_place_reads_its_patch_and_all_places_teach() {
        check::<f64>(f64::EPSILON);
        check::<f32>(f64::from(f32::EPSILON));
    }

    #[test]
    fn threads_do_not_change_the_bits() {
        let c = case([8, 16, 16], 16, [3, 3], [1, 1], [1, 1]);
        let replicas = 24;
        let (pre_row, post_row) = (padded(c.input.size()), padded(c.output.size()));
        let (weights, pre) = (numbers(c.weights(), 1), numbers(replicas * pre_row, 2));
        let post = numbers(replicas * post_row, 3);
        let mut results = Vec::new();
        for threads in [1, 2, 3, 4, 8] {
            let mut lanes = Lanes::<f32>::default();
            let (mut drive, mut changed) = (vec![0.0; replicas * post_row], weights.clone());
            deliver(
                &c,
                &weights,
                &pre,
                (&mut drive, false),
                (&mut lanes, threads),
            );
            learn(&c, &mut changed, (&post, &pre), (&mut lanes, threads));
            results.push((drive, changed));
        }
        assert!(results.iter().all(|result| *result == results[0]));
    }
}
