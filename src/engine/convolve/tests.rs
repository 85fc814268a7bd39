//! Convolutions against synapses taken one by one.

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
    let places = |axis: usize, n: usize| (n + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
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

fn check<T: Lane>(tolerance: f64) {
    for c in cases() {
        for (replicas, with_maps) in [(1, true), (3, true), (40, false)] {
            let (pre_row, post_row) = (padded(c.input.size()), padded(c.output.size()));
            let (weights, pre) = (numbers(c.weights(), 1), numbers(replicas * pre_row, 2));
            let mut drive = numbers(replicas * post_row, 3);
            let before = drive.clone();
            let (mut room, mut panels) = (Room::<T>::default(), Panels::default());
            let arch = Arch::new();
            pack(&c, &weights, &mut panels);
            deliver(arch, &c, &panels, &pre, (&mut drive, true), &mut room);
            let mut post = numbers(replicas * post_row, 4);
            // The first replica has nothing to learn.
            post[..post_row].fill(0.0);
            let map_row = padded(c.output.channels);
            let maps = numbers(replicas * map_row, 5);
            let mut changed = weights.clone();
            let mut change = vec![];
            let some: Vec<usize> = (1..replicas).collect();
            change_of(&c, &mut change);
            let posts = Posts {
                neurons: &post,
                maps: if with_maps { &maps } else { &[] },
            };
            learn(arch, &c, &mut change, (posts, &pre), &some, &mut room);
            add_change(&c, &change, &mut changed);
            let mut expected = weights.clone();
            for r in 0..replicas {
                let mut exact = before[r * post_row..][..c.output.size()].to_vec();
                for [o, i, w] in synapses(&c) {
                    exact[o] += weights[w] * pre[r * pre_row + i];
                    let map = maps[r * map_row + o / c.output.places()];
                    let factor = if with_maps { map } else { 1.0 };
                    expected[w] += factor * post[r * post_row + o] * pre[r * pre_row + i];
                }
                for (found, exact) in drive[r * post_row..].iter().zip(&exact) {
                    assert!((found - exact).abs() < 50.0 * tolerance);
                }
            }
            for (found, exact) in changed.iter().zip(&expected) {
                // Two sums, in different orders, of up to 39 × 784 terms, that reach 30: √30,576 roundings of up to 30.
                assert!(
                    (found - exact).abs() < 8000.0 * tolerance,
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
