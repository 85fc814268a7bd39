//! Images as inputs: what is seen at each step, in which order, by which replica.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "what is read is what was written"
)]

mod rate_support;

use std::path::Path;

use apical::record::{Trace, read_trace};
use rate_support::{Bench, experiment, run_with, value};
use tempfile::TempDir;

/// Writes IDX files `images` and `labels`: image k is a row of pixels, all of the value k, its label is k modulo 10.
fn numbered(images: usize, pixels: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<u8> = (0..images).flat_map(|k| vec![k as u8; pixels]).collect();
    let labels: Vec<u8> = (0..images).map(|k| (k % 10) as u8).collect();
    write_idx(&folder.path().join("images"), &[images, 1, pixels], &rows);
    write_idx(&folder.path().join("labels"), &[images], &labels);
    folder
}

fn write_idx(path: &Path, sizes: &[usize], data: &[u8]) {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|n| bytes.extend((*n as u32).to_be_bytes()));
    bytes.extend(data);
    std::fs::write(path, bytes).unwrap();
}

/// A circuit whose populations repeat what the input gives.
fn circuit(folder: &TempDir, replicas: usize, size: usize, keys: &str) -> String {
    let folder = folder.path().display();
    format!(
        r#"[circuit]
        name = "test"
        step = 1
        replicas = {replicas}
        [neuron.echo]
        soma = {{ value = "drive" }}
        [input.digits]
        process = "images"
        format = "idx"
        file = {{ images = "{folder}/images", labels = "{folder}/labels" }}
        {keys}
        [population.pixels]
        neuron = "echo"
        size = {size}
        soma.input = "digits"
        [population.label]
        neuron = "echo"
        size = 10
        soma.input = "digits.label"
        [population.changed]
        neuron = "echo"
        size = 1
        soma.input = "digits.changed"
        [population.last]
        neuron = "echo"
        size = 1
        soma.input = "digits.last"
        [[stage]]
        name = "train"
        epochs = 1
        "#
    )
}

/// Values of the populations over steps.
fn seen(text: &str, steps: u64, name: &str) -> Vec<Vec<f64>> {
    let mut bench = Bench::of(experiment(text), 1);
    bench.series(steps, |program, state| {
        value(program, state, &format!("{name}.soma"))
    })
}

/// The number of the image that each replica sees in each step.
fn numbers(text: &str, steps: u64, pixels: usize) -> Vec<Vec<u64>> {
    let number = |row: &[f64]| (row[0] * 255.0).round() as u64;
    let rows = seen(text, steps, "pixels");
    rows.iter()
        .map(|step| step.chunks(pixels).map(number).collect())
        .collect()
}

#[test]
fn each_image_stays_for_its_steps_with_its_label() {
    let folder = numbered(3, 2);
    let text = circuit(&folder, 1, 2, "hold = 2\nshuffle = false");
    let pixels = seen(&text, 8, "pixels");
    let shades: Vec<f64> = pixels.iter().map(|p| p[1] * 255.0).collect();
    assert_eq!(shades, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 0.0, 0.0]);
    let labels = seen(&text, 8, "label");
    for (label, shade) in labels.iter().zip(&shades) {
        let expected: Vec<f64> = (0..10).map(|k| f64::from(f64::from(k) == *shade)).collect();
        assert_eq!(*label, expected);
    }
    let flat = |name| seen(&text, 8, name).concat();
    assert_eq!(flat("changed"), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(flat("last"), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn an_image_that_comes_again_at_once_has_not_changed() {
    let folder = numbered(1, 2);
    let text = circuit(&folder, 1, 2, "");
    assert_eq!(seen(&text, 3, "changed").concat(), [1.0, 0.0, 0.0]);
}

#[test]
fn every_pass_is_another_order_of_all_images() {
    let folder = numbered(20, 2);
    let text = circuit(&folder, 1, 2, "");
    let order: Vec<u64> = numbers(&text, 60, 2).concat();
    let passes: Vec<&[u64]> = order.chunks(20).collect();
    for pass in &passes {
        let mut sorted = pass.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }
    assert!(passes[0] != passes[1] && passes[1] != passes[2] && passes[0] != passes[2]);
    assert_eq!(order, numbers(&text, 60, 2).concat(), "the same seed");
    let other = text.replace("step = 1\n", "step = 1\nseed = 2\n");
    assert_ne!(order, numbers(&other, 60, 2).concat(), "another seed");
}

#[test]
fn replicas_see_consecutive_images_of_the_pass_that_one_would_see() {
    let folder = numbered(6, 2);
    let one: Vec<u64> = numbers(&circuit(&folder, 1, 2, ""), 12, 2).concat();
    let three: Vec<u64> = numbers(&circuit(&folder, 3, 2, ""), 4, 2).concat();
    assert_eq!(one, three);
}

#[test]
fn where_replicas_do_not_divide_the_images_each_is_last_once_a_pass() {
    let folder = numbered(5, 2);
    let text = circuit(&folder, 3, 2, "hold = 2\nshuffle = false");
    let images = numbers(&text, 6, 2);
    assert_eq!(images[0], [0, 1, 2]);
    assert_eq!(images[2], [3, 4, 0]);
    assert_eq!(
        images[4],
        [0, 1, 2],
        "the next pass begins with the first image"
    );
    let last = seen(&text, 4, "last");
    assert_eq!(
        last,
        [
            vec![0.0; 3],
            vec![1.0; 3],
            vec![0.0; 3],
            vec![1.0, 1.0, 0.0]
        ]
    );
}

#[test]
fn normalised_pixels_have_mean_0_and_deviation_1() {
    let folder = numbered(4, 2);
    let text = circuit(&folder, 1, 2, "normalise = true");
    let pixels: Vec<f64> = seen(&text, 4, "pixels").concat();
    let mean = pixels.iter().sum::<f64>() / 8.0;
    let variance = pixels.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / 8.0;
    assert!(
        mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12,
        "{mean} {variance}"
    );
}

/// What is taken out depends on the whole image, whichever patch of it is seen.
#[test]
fn patches_have_the_local_contrast_of_the_whole_image() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..2 * 48).map(|k| ((k * k * 5) % 251) as u8).collect();
    write_idx(&folder.path().join("images"), &[2, 6, 8], &pixels);
    write_idx(&folder.path().join("labels"), &[2], &[0, 1]);
    let keys = "shuffle = false\nlocal-contrast = 1.5";
    let whole = seen(&circuit(&folder, 1, 48, keys), 2, "pixels").concat();
    let keys = format!("{keys}\npatch = [3, 4]\npath = \"rows\"");
    let parts = seen(&circuit(&folder, 1, 12, &keys), 8, "pixels");
    for (at, part) in parts.iter().enumerate() {
        let (image, corner) = (at / 4, (at % 4) / 2 * 24 + at % 2 * 4);
        for (k, x) in part.iter().enumerate() {
            let expected = whole[image * 48 + corner + k / 4 * 8 + k % 4];
            assert!((x - expected).abs() < 1e-15, "{x} {expected}");
        }
    }
    assert!(whole.iter().any(|x| *x > 1.0) && whole.iter().any(|x| *x < -1.0));
}

#[test]
fn a_crop_is_the_middle_and_shrinking_takes_means_of_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..24).collect();
    write_idx(&folder.path().join("images"), &[1, 4, 6], &pixels);
    write_idx(&folder.path().join("labels"), &[1], &[0]);
    let shades = |size, keys: &str| -> Vec<f64> {
        let seen = seen(&circuit(&folder, 1, size, keys), 1, "pixels").concat();
        seen.iter()
            .map(|p| (p * 255.0 * 1e6).round() / 1e6)
            .collect()
    };
    assert_eq!(shades(4, "crop = [2, 2]"), [8.0, 9.0, 14.0, 15.0]);
    assert_eq!(shades(6, "shrink = 2"), [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]);
    assert_eq!(shades(2, "crop = [2, 4]\nshrink = 2"), [10.5, 12.5]);
}

#[test]
fn grey_is_the_luma_of_the_colours() {
    let folder = tempfile::tempdir().unwrap();
    let record: Vec<u8> = [1]
        .into_iter()
        .chain([255; 1024])
        .chain([0; 1024])
        .chain([51; 1024])
        .collect();
    std::fs::write(folder.path().join("images"), record).unwrap();
    let text = circuit(&folder, 1, 1024, "grey = true").replace("\"idx\"", "\"cifar-10\"");
    let (before, after) = text.split_once("file = ").unwrap();
    let after = after.split_once('\n').unwrap().1;
    let file = folder.path().join("images");
    let text = format!("{before}file = \"{}\"\n{after}", file.display());
    let pixels = seen(&text, 1, "pixels").concat();
    let expected = 0.299 + 0.114 * 0.2;
    assert!(
        pixels.iter().all(|p| (p - expected).abs() < 1e-12),
        "{}",
        pixels[0]
    );
}

#[test]
fn blocks_and_threads_do_not_change_what_is_seen() {
    let folder = numbered(7, 2);
    let text = circuit(&folder, 2, 2, "hold = 3");
    let run = |threads| {
        let mut bench = Bench::of(experiment(&text), threads);
        bench.series(300, |program, state| value(program, state, "pixels.soma"))
    };
    assert_eq!(run(1), run(2));
}

/// Images of 6 × 4 pixels, of which each tells its image and its place.
fn placed(images: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pixel = |k: usize, row: usize, column: usize| (24 * k + 4 * row + column) as u8;
    let rows: Vec<u8> = (0..images)
        .flat_map(|k| (0..24).map(move |i| pixel(k, i / 4, i % 4)))
        .collect();
    let labels: Vec<u8> = (0..images).map(|k| k as u8).collect();
    write_idx(&folder.path().join("images"), &[images, 6, 4], &rows);
    write_idx(&folder.path().join("labels"), &[images], &labels);
    folder
}

/// A circuit that sees patches of 2 × 2 pixels, 3 rows and 3 columns of them, and repeats whether the gaze moved.
fn patches(folder: &TempDir, replicas: usize, keys: &str) -> String {
    let keys = format!("patch = [2, 2]\nstride = [2, 1]\n{keys}");
    circuit(folder, replicas, 4, &keys)
        + "[population.moved]\nneuron = \"echo\"\nsize = 1\nsoma.input = \"digits.moved\"\n"
}

/// The image, row and column that each replica sees in each step.
fn looks(text: &str, steps: u64) -> Vec<Vec<[u64; 3]>> {
    let look = |patch: &[f64]| {
        let bytes: Vec<u64> = patch.iter().map(|p| (p * 255.0).round() as u64).collect();
        assert_eq!(
            [bytes[1], bytes[2], bytes[3]],
            [bytes[0] + 1, bytes[0] + 4, bytes[0] + 5]
        );
        [bytes[0] / 24, bytes[0] % 24 / 4, bytes[0] % 4]
    };
    let rows = seen(text, steps, "pixels");
    rows.iter()
        .map(|step| step.chunks(4).map(look).collect())
        .collect()
}

#[test]
fn patches_are_seen_column_by_column_or_row_by_row() {
    let folder = placed(2);
    let columns = patches(&folder, 1, "shuffle = false");
    let by_columns = looks(&columns, 18).concat();
    let by_rows = looks(&patches(&folder, 1, "shuffle = false\npath = \"rows\""), 18).concat();
    for (step, (down, right)) in by_columns.iter().zip(&by_rows).enumerate() {
        let (image, step) = (step as u64 / 9, step as u64 % 9);
        assert_eq!(*down, [image, step % 3 * 2, step / 3]);
        assert_eq!(*right, [image, step / 3 * 2, step % 3]);
    }
    let flat = |name| seen(&columns, 18, name).concat();
    let ones = |ones: &[usize]| -> Vec<f64> {
        (0..18)
            .map(|step| f64::from(u8::from(ones.contains(&step))))
            .collect()
    };
    assert_eq!(flat("changed"), ones(&[0, 9]));
    assert_eq!(flat("last"), ones(&[8, 17]));
    let starts = [0, 3, 6, 9, 12, 15];
    let moves: Vec<usize> = (0..18).filter(|step| !starts.contains(step)).collect();
    assert_eq!(flat("moved"), ones(&moves));
}

#[test]
fn a_walk_goes_from_patch_to_neighbouring_patch_each_replica_its_own_way() {
    let folder = placed(3);
    let looks = looks(&patches(&folder, 2, "path = \"walk\""), 900);
    let mut seen = [[false; 3]; 3];
    let mut same = 0;
    for (step, look) in looks.iter().enumerate() {
        same += usize::from(look[0][1..] == look[1][1..]);
        seen[look[0][1] as usize / 2][look[0][2] as usize] = true;
        if step % 9 > 0 {
            for (now, before) in look.iter().zip(&looks[step - 1]) {
                assert_eq!(now[0], before[0], "the image stays");
                let apart = now[1].abs_diff(before[1]) / 2 + now[2].abs_diff(before[2]);
                assert_eq!(apart, 1, "step {step}");
            }
        }
    }
    assert_eq!(seen, [[true; 3]; 3]);
    assert!(
        same < 450,
        "both replicas look at the same place in {same} of 900 steps"
    );
}

#[test]
fn a_drift_goes_straight_on_and_comes_back_from_the_edges() {
    let folder = placed(3);
    let looks = looks(&patches(&folder, 2, "path = \"drift\""), 900);
    let mut directions = std::collections::BTreeSet::new();
    for replica in 0..2 {
        for visit in looks.chunks(9) {
            let place = |k: usize, axis: usize| {
                let at = visit[k][replica][1 + axis];
                (if axis == 0 { at / 2 } else { at }) as i64
            };
            let first: [i64; 2] = std::array::from_fn(|axis| place(1, axis) - place(0, axis));
            directions.insert(first);
            for (axis, first) in first.iter().enumerate() {
                for k in 1..9 {
                    let moved = place(k, axis) - place(k - 1, axis);
                    assert_eq!(moved.abs(), first.abs(), "as fast all along");
                    if k > 1 && moved != place(k - 1, axis) - place(k - 2, axis) {
                        assert!(place(k - 1, axis) != 1, "turns at an edge");
                    }
                }
                assert!(
                    visit
                        .iter()
                        .all(|look| look[replica][0] == visit[0][replica][0])
                );
            }
        }
    }
    assert_eq!(directions.len(), 8);
}

#[test]
fn a_saccade_goes_to_another_image_as_often_as_stated_and_no_place_is_left_out() {
    let folder = placed(5);
    let text = patches(&folder, 4, "saccade = 0.5");
    let looks = looks(&text, 900);
    let (changed, labels) = (seen(&text, 900, "changed"), seen(&text, 900, "label"));
    let mut saccades = 0;
    for (step, look) in looks.iter().enumerate() {
        for (replica, [image, row, column]) in look.iter().enumerate() {
            let within = step as u64 % 9;
            assert_eq!([*row, *column], [within % 3 * 2, within / 3]);
            let other = step == 0 || looks[step - 1][replica][0] != *image;
            assert_eq!(changed[step][replica], f64::from(u8::from(other)));
            assert_eq!(labels[step][10 * replica + *image as usize], 1.0);
            saccades += usize::from(other && within > 0);
        }
    }
    // 3200 moves within visits; five standard deviations are 141.
    assert!((1459..=1741).contains(&saccades), "{saccades} of 3200");
}

#[test]
fn a_stage_may_do_without_saccades_and_the_next_has_them_again() {
    let folder = placed(5);
    let stages = "[[stage]]\nname = \"whole\"\nepochs = 1\n\
                  input = { digits = { split = \"train\", saccade = 0 } }\n\
                  [[stage]]\nname = \"more\"\nsteps = 90\n\
                  [[record]]\nwhat = \"trace\"\nof = \"digits.changed\"\nname = \"changed\"\n";
    let text = patches(&folder, 1, "saccade = 0.5") + stages;
    let (folder, report) = run_with(&text, 1);
    assert_eq!(report.steps, 45 + 45 + 90);
    let changed = trace(&folder, "changed").values[0].clone();
    let count = |steps: std::ops::Range<usize>| changed[steps].iter().sum::<f64>();
    assert!(count(0..45) > 9.0 && count(90..180) > 30.0);
    assert_eq!(count(45..90), 5.0);
}

#[test]
fn patches_of_a_shrunk_part_are_patches_of_what_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..64).collect();
    write_idx(&folder.path().join("images"), &[1, 8, 8], &pixels);
    write_idx(&folder.path().join("labels"), &[1], &[0]);
    let keys = "crop = [4, 8]\nshrink = 2\npatch = [1, 2]\npath = \"rows\"";
    let seen = seen(&circuit(&folder, 1, 2, keys), 4, "pixels");
    // Means of blocks: 16 + (0 + 1 + 8 + 9)/4 = 20.5 at the upper left of the middle rows.
    let shades: Vec<f64> = seen
        .concat()
        .iter()
        .map(|p| (p * 255.0 * 1e6).round() / 1e6)
        .collect();
    assert_eq!(shades, [20.5, 22.5, 24.5, 26.5, 36.5, 38.5, 40.5, 42.5]);
}

fn trace(folder: &TempDir, name: &str) -> Trace {
    read_trace(folder.path().join(format!("run/traces/{name}.parquet"))).unwrap()
}
