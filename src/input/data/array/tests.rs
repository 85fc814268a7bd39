use super::*;
use npyz::WriterBuilder;
use std::path::PathBuf;
use tempfile::TempDir;

fn file(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], order: Order, items: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .order(order)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(items.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A `.npy` file with the header given.
fn npy_with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn message(path: &Path) -> String {
    read_array(path).unwrap_err().to_string()
}

#[test]
fn every_plain_number_type_comes_back_as_written() {
    let folder = TempDir::new().unwrap();
    let expected = Frames::new(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 100.0]).unwrap();
    macro_rules! check {
        ($($kind:ty)*) => {$(
            let items = [1, 2, 3, 4, 5, 100].map(|x: i8| x as $kind);
            let path = file(&folder, "x.npy", npy(&[3, 2], Order::C, &items));
            assert_eq!(read_array(&path).unwrap(), expected, stringify!($kind));
        )*};
    }
    check!(f32 f64 i8 i16 i32 i64 u8 u16 u32 u64);
}

#[test]
fn fortran_order_is_turned_into_frames() {
    let folder = TempDir::new().unwrap();
    let path = file(
        &folder,
        "x.npy",
        npy(&[3, 2], Order::Fortran, &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]),
    );
    assert_eq!(
        read_array(&path).unwrap(),
        Frames::new(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap()
    );
}

#[test]
fn big_endian_numbers_are_read() {
    let folder = TempDir::new().unwrap();
    let header = "{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }";
    let path = file(
        &folder,
        "x.NPY",
        npy_with_header(header, &(-2.5_f64).to_be_bytes()),
    );
    assert_eq!(
        read_array(&path).unwrap(),
        Frames::new(1, vec![-2.5]).unwrap()
    );
}

#[test]
fn one_dimension_is_one_channel() {
    let folder = TempDir::new().unwrap();
    let frames = read_array(&file(
        &folder,
        "x.npy",
        npy(&[3], Order::C, &[1.0, 2.0, 3.0]),
    ))
    .unwrap();
    assert_eq!((frames.len(), frames.size()), (3, 1));
}

#[test]
fn entries_that_are_not_finite_are_named() {
    let folder = TempDir::new().unwrap();
    let array = npy(&[2, 2], Order::C, &[0.0, 1.0, f32::NAN, 2.0]);
    assert!(message(&file(&folder, "x.npy", array)).contains("row 2, column 1: the value is NaN"));
    let array = npy(&[2, 2], Order::Fortran, &[0.0, 1.0, f64::INFINITY, 2.0]);
    assert!(message(&file(&folder, "x.npy", array)).contains("row 1, column 2: the value is inf"));
    assert!(
        message(&file(&folder, "x.csv", "a,b\n1,2\n3,-inf\n"))
            .contains("row 3, column 2: the value is -inf")
    );
}

#[test]
fn truncated_arrays_are_refused_at_every_length() {
    let folder = TempDir::new().unwrap();
    let whole = npy(&[2, 2], Order::C, &[0.0_f32, 1.0, 2.0, 3.0]);
    for length in 0..whole.len() {
        let message = message(&file(&folder, "x.npy", &whole[..length]));
        assert!(message.contains("x.npy"), "{length}: {message}");
    }
}

#[test]
fn bytes_beyond_the_array_are_ignored() {
    let folder = TempDir::new().unwrap();
    let longer = [npy(&[2], Order::C, &[1.0, 2.0]), vec![0; 11]].concat();
    let frames = read_array(&file(&folder, "x.npy", longer)).unwrap();
    assert_eq!(frames.values(), [1.0, 2.0]);
}

#[test]
fn headers_made_to_harm_are_refused() {
    let folder = TempDir::new().unwrap();
    let header =
        |dtype, shape| format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}");
    for (header, says) in [
        ("(".repeat(60_000), "plain array"),
        (header("<f8", "(9223372036854775808, 4)"), "plain array"),
        (header("<f8", "(99999999999999999,)"), "only 0 bytes follow"),
        (header("<f8", "(0xF, 1)"), "plain array"),
        (header("<f8", "(-1, 1)"), "plain array"),
        (header("<f8", "(1, 1, 1)"), "reshape it"),
        (header("<f8", "()"), "reshape it"),
        (header("<f2", "(0,)"), "holds no values"),
        (header("<f2", "(1,)"), "follow"),
        (header("<c8", "(1,)"), "follow"),
        (header("<U4", "(1,)"), "plain array"),
        (header("|O", "(1,)"), "plain array"),
        ("{}".into(), "missing key"),
        ("'f'".into(), "dict"),
    ] {
        let message = message(&file(&folder, "x.npy", npy_with_header(&header, &[])));
        assert!(message.contains(says), "{header:.80}: {message}");
    }
    let half = npy_with_header(&header("<f2", "(1,)"), &[0, 0]);
    assert!(message(&file(&folder, "x.npy", half)).contains("save it as float32"));
}

#[test]
fn csv_is_read_with_and_without_a_header() {
    let folder = TempDir::new().unwrap();
    let expected = Frames::new(2, vec![1.0, -2.5, 3e-3, 4.0]).unwrap();
    for text in [
        "x,y\n1,-2.5\n3e-3,4\n",
        "1,-2.5\n3e-3,4",
        "# comment\n\n 1 , -2.5\r\n3e-3,4\r\n",
        "\u{feff}\"x\",\"y\"\n1,-2.5\n3e-3,4",
    ] {
        assert_eq!(
            read_array(&file(&folder, "x.csv", text)).unwrap(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn broken_csv_is_named_with_line_and_column() {
    let folder = TempDir::new().unwrap();
    for (text, says) in [
        ("1,2\n3\n", "line 2: 1 fields where the rows before have 2"),
        ("1,2\n3,x4\n", "line 2, column 2: `x4` is not a number"),
        ("a,2\n3,4\n", "line 1, column 1: `a` is not a number"),
        ("1,2\n3,\n", "line 2, column 2: `` is not a number"),
        ("1;2\n3;4\n", "line 2, column 1: `3;4` is not a number"),
        ("", "holds no values"),
        ("x,y\n", "holds no values"),
    ] {
        let message = message(&file(&folder, "x.csv", text));
        assert!(
            message.contains("x.csv") && message.contains(says),
            "{text:?}: {message}"
        );
    }
    assert!(
        message(&file(&folder, "x.csv", b"1,2\n\xff\xfe,3\n")).contains("not a readable CSV file")
    );
}

#[test]
fn files_that_are_missing_or_of_another_kind_are_refused() {
    let folder = TempDir::new().unwrap();
    assert!(message(&folder.path().join("none.npy")).contains("no file"));
    assert!(message(&folder.path().join("none.csv")).contains("no file"));
    assert!(message(&file(&folder, "x.mat", "")).contains("save the array as `.npy` or `.csv`"));
    assert!(message(&file(&folder, "x.npy", "1,2\n3,4\n and more text")).contains("numpy.save"));
}
