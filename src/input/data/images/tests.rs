use tempfile::TempDir;

use super::*;

/// A folder with one file in it.
fn with(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn files(images: &Path, labels: Option<&Path>) -> ImageFiles {
    ImageFiles {
        images: vec![images.to_owned()],
        labels: labels.map(Path::to_owned).into_iter().collect(),
    }
}

fn message(result: Result<ImageSet, DataError>) -> String {
    result.unwrap_err().to_string()
}

fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let sizes = dimensions.iter().flat_map(|n| n.to_be_bytes());
    let head = [0, 0, 8, dimensions.len() as u8].into_iter().chain(sizes);
    head.chain(data.iter().copied()).collect()
}

#[test]
fn idx_images_and_labels_are_read_as_they_stand() {
    let data: Vec<u8> = (0..12).collect();
    let (_a, images) = with(&idx(&[2, 2, 3], &data));
    let (_b, labels) = with(&idx(&[2], &[7, 0]));
    let set = read_images(ImageFormat::Idx, &files(&images, Some(&labels)), 10).unwrap();
    assert_eq!((set.len(), set.shape()), (2, [1, 2, 3]));
    assert_eq!(set.image(1), [6, 7, 8, 9, 10, 11]);
    assert_eq!((set.label(0), set.label(1)), (Some(7), Some(0)));
    assert_eq!(image_shape(ImageFormat::Idx, &images).unwrap(), [1, 2, 3]);
}

#[test]
fn several_files_follow_one_another() {
    let (_a, first) = with(&idx(&[1, 1, 2], &[1, 2]));
    let (_b, second) = with(&idx(&[2, 1, 2], &[3, 4, 5, 6]));
    let (_c, other) = with(&idx(&[1, 2, 1], &[3, 4]));
    let both = |second: &Path| ImageFiles {
        images: vec![first.clone(), second.to_owned()],
        labels: vec![],
    };
    let set = read_images(ImageFormat::Idx, &both(&second), 10).unwrap();
    assert_eq!((set.len(), set.image(2)), (3, &[5, 6][..]));
    let error = message(read_images(ImageFormat::Idx, &both(&other), 10));
    assert!(
        error.contains("images of 2 x 1, the input's first file has 1 x 2"),
        "{error}"
    );
}

#[test]
fn cifar_records_begin_with_their_class() {
    let record = |label: u8, shade: u8| {
        let mut bytes = vec![label];
        bytes.extend((0..3072).map(|i| (i / 1024) as u8 * 10 + shade));
        bytes
    };
    let (_a, path) = with(&[record(3, 1), record(9, 2)].concat());
    let set = read_images(ImageFormat::Cifar10, &files(&path, None), 10).unwrap();
    assert_eq!((set.len(), set.shape()), (2, [3, 32, 32]));
    assert_eq!((set.label(0), set.label(1)), (Some(3), Some(9)));
    assert_eq!(
        (set.image(1)[0], set.image(1)[1024], set.image(1)[3071]),
        (2, 12, 22)
    );
    let (_b, path) = with(&record(10, 0));
    let error = message(read_images(ImageFormat::Cifar10, &files(&path, None), 10));
    assert!(
        error.contains("label 1: the class is 10, expected 0 to 9"),
        "{error}"
    );
    let (_c, path) = with(&record(1, 0)[..3000]);
    let error = message(read_images(ImageFormat::Cifar10, &files(&path, None), 10));
    assert!(
        error.contains("3000 bytes, expected a multiple of 3073"),
        "{error}"
    );
}

#[test]
fn stl_images_are_turned_and_their_labels_counted_from_one() {
    let mut bytes = vec![0; 3 * 96 * 96];
    // Channel 1, column 5, row 2.
    bytes[96 * 96 + 5 * 96 + 2] = 200;
    let (_a, images) = with(&bytes);
    let (_b, labels) = with(&[10]);
    let set = read_images(ImageFormat::Stl10, &files(&images, Some(&labels)), 10).unwrap();
    assert_eq!(set.image(0)[96 * 96 + 2 * 96 + 5], 200);
    assert_eq!(set.image(0).iter().filter(|byte| **byte > 0).count(), 1);
    assert_eq!(set.label(0), Some(9));
    let (_c, labels) = with(&[0]);
    let error = message(read_images(
        ImageFormat::Stl10,
        &files(&images, Some(&labels)),
        10,
    ));
    assert!(
        error.contains("the class is 0, expected 1 to 10"),
        "{error}"
    );
    let unlabelled = read_images(ImageFormat::Stl10, &files(&images, None), 10).unwrap();
    assert!(!unlabelled.is_labelled());
}

#[test]
fn what_is_wrong_with_an_idx_file_is_told_with_what_was_expected() {
    let whole = idx(&[2, 2, 2], &[0; 8]);
    let cases: [(Vec<u8>, &str); 8] = [
        (
            whole[..20].to_vec(),
            "20 bytes, but its header announces 2 images of 2 x 2, 24 bytes",
        ),
        (whole[..20].to_vec(), "the file is truncated"),
        ([&whole[..], &[0]].concat(), "has something behind its data"),
        (whole[..9].to_vec(), "images, without their number"),
        (
            idx(&[2], &[1, 2]),
            "begins with the bytes 00 00 08 01, expected 00 00 08 03; those are labels",
        ),
        (vec![0x1f, 0x8b, 8, 0, 0], "unpack it with gunzip"),
        (vec![], "begins with the bytes , expected"),
        (idx(&[0, 2, 2], &[]), "0 images of 2 x 2"),
    ];
    for (bytes, expected) in cases {
        let (_folder, path) = with(&bytes);
        let error = message(read_images(ImageFormat::Idx, &files(&path, None), 10));
        assert!(error.contains(expected), "{error}");
        let error = image_shape(ImageFormat::Idx, &path)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn labels_have_to_go_with_the_images() {
    let (_a, images) = with(&idx(&[2, 1, 1], &[1, 2]));
    let read = |labels: &[u8], classes| {
        let (_b, labels) = with(&idx(&[labels.len() as u32], labels));
        read_images(ImageFormat::Idx, &files(&images, Some(&labels)), classes)
    };
    assert!(message(read(&[1, 2, 3], 10)).contains("2 images end with"));
    assert!(message(read(&[1, 26], 26)).contains("label 2: the class is 26, expected 0 to 25"));
    assert_eq!(read(&[1, 26], 27).unwrap().label(1), Some(26));
}
