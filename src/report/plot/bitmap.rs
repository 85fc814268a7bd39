//! Matrices as pictures: averaging, colouring by index, PNG, data URI.

use super::colour::Colours;
use super::scale::Range;

/// The palette index of a cell without a value; it is transparent.
const MISSING: u8 = 0;
/// The palette indices of values run from 1 to 255.
const LEVELS: f64 = 254.0;

/// A row-major matrix over borrowed values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'v> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    values: &'v [f64],
}

impl<'v> Matrix<'v> {
    /// A view of `values`. What the sizes claim beyond the values is missing; whole missing rows are left away.
    pub(super) fn new(rows: usize, columns: usize, values: &'v [f64]) -> Self {
        let columns = columns.min(values.len());
        let rows = if columns == 0 {
            0
        } else {
            rows.min(values.len().div_ceil(columns))
        };
        Matrix {
            rows,
            columns,
            values,
        }
    }

    /// Neither rows nor columns.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values
            .get(row * self.columns + column)
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// The matrix averaged over equal blocks (missing cells left out) to `rows` × `columns`, row-major.
    fn averaged(&self, rows: usize, columns: usize) -> Vec<f64> {
        let block =
            |i: usize, parts: usize, whole: usize| i * whole / parts..(i + 1) * whole / parts;
        let mean = |r: usize, c: usize| {
            let cells = block(r, rows, self.rows)
                .flat_map(|row| block(c, columns, self.columns).map(move |col| (row, col)));
            let values = cells
                .map(|(row, col)| self.at(row, col))
                .filter(|v| v.is_finite());
            let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
            sum / count
        };
        (0..rows)
            .flat_map(|r| (0..columns).map(move |c| (r, c)))
            .map(|(r, c)| mean(r, c))
            .collect()
    }
}

/// Where and how large a matrix is painted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    /// Pixels from the left.
    pub(super) x: usize,
    /// Pixels from the top.
    pub(super) y: usize,
    /// The most cells in a row; a larger matrix is averaged.
    pub(super) columns: usize,
    /// The most cells in a column.
    pub(super) rows: usize,
    /// Pixels to a cell, across and down.
    pub(super) cell: (usize, usize),
    /// Whether row 0 is at the bottom.
    pub(super) upwards: bool,
}

/// A picture of palette indices.
#[derive(Debug)]
pub(super) struct Bitmap {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Bitmap {
    /// A transparent picture of at least one pixel.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Bitmap {
            width,
            height,
            pixels: vec![MISSING; width * height],
        }
    }

    /// Paints `matrix`, coloured by where its values lie in `range`; what falls outside the picture is cut off.
    pub(super) fn paint(&mut self, matrix: Matrix<'_>, range: Range, at: Placement) {
        let (rows, columns) = (matrix.rows.min(at.rows), matrix.columns.min(at.columns));
        let values = matrix.averaged(rows, columns);
        let down = |y: usize| if at.upwards { rows - 1 - y } else { y };
        for y in 0..rows * at.cell.1 {
            let row = down(y / at.cell.1) * columns;
            let line = (at.y + y) * self.width;
            for x in 0..columns * at.cell.0 {
                let value = values.get(row + x / at.cell.0).copied().unwrap_or(f64::NAN);
                let inside = at.x + x < self.width;
                if let Some(pixel) = self.pixels.get_mut(line + at.x + x).filter(|_| inside) {
                    *pixel = level(range.share(value));
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn index(&self, x: usize, y: usize) -> u8 {
        self.pixels[y * self.width + x]
    }

    /// The picture as `data:image/png;base64,…`; empty if it is too large for a PNG.
    pub(super) fn data_uri(&self, colours: Colours) -> String {
        self.png(colours)
            .map(|png| format!("data:image/png;base64,{}", base64(&png)))
            .unwrap_or_default()
    }

    fn png(&self, colours: Colours) -> Option<Vec<u8>> {
        let palette: Vec<u8> = [[0; 3]]
            .into_iter()
            .chain((0..255).map(|i| colours.at(f64::from(i) / LEVELS)))
            .flatten()
            .collect();
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(
            &mut out,
            u32::try_from(self.width).ok()?,
            u32::try_from(self.height).ok()?,
        );
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette);
        encoder.set_trns(vec![0]);
        encoder.set_compression(png::Compression::High);
        // Enlarged cells repeat their neighbours, so that differences are mostly 0.
        encoder.set_filter(png::Filter::Adaptive);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.pixels).ok()?;
        writer.finish().ok()?;
        Some(out)
    }
}

fn level(share: f64) -> u8 {
    if share.is_nan() {
        MISSING
    } else {
        1 + (share.clamp(0.0, 1.0) * LEVELS).round() as u8
    }
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let six = (group >> (18 - 6 * i)) & 63;
            out.push(if i <= chunk.len() {
                char::from(ALPHABET[six as usize])
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Range = Range { lo: 0.0, hi: 1.0 };

    fn placement(rows: usize, columns: usize, cell: usize) -> Placement {
        Placement {
            x: 0,
            y: 0,
            columns,
            rows,
            cell: (cell, cell),
            upwards: false,
        }
    }

    #[allow(
        clippy::expect_used,
        reason = "a picture that does not read back fails the test"
    )]
    fn decoded(bitmap: &Bitmap, colours: Colours) -> (png::OutputInfo, Vec<u8>) {
        let png = bitmap.png(colours).expect("a small picture encodes");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("the header reads back");
        let mut pixels = vec![0; reader.output_buffer_size().expect("the size is known")];
        let info = reader
            .next_frame(&mut pixels)
            .expect("the picture reads back");
        (info, pixels)
    }

    #[test]
    fn the_png_decodes_to_the_colours_of_the_values() {
        let values = [0.0, 0.5, f64::NAN, 1.0, 0.25, 0.75];
        let mut bitmap = Bitmap::new(6, 4);
        bitmap.paint(Matrix::new(2, 3, &values), UNIT, placement(2, 3, 2));
        let (info, pixels) = decoded(&bitmap, Colours::Sequential);
        assert_eq!((info.width, info.height), (6, 4));
        for (i, pixel) in pixels.chunks(4).enumerate() {
            let value = values[(i / 6 / 2) * 3 + (i % 6) / 2];
            if value.is_nan() {
                assert_eq!(pixel[3], 0, "pixel {i} is transparent");
            } else {
                let expected = Colours::Sequential.at((value * LEVELS).round() / LEVELS);
                assert_eq!((&pixel[..3], pixel[3]), (&expected[..], 255), "pixel {i}");
            }
        }
    }

    #[test]
    fn upwards_puts_the_first_row_at_the_bottom() {
        let mut bitmap = Bitmap::new(1, 2);
        let at = Placement {
            upwards: true,
            ..placement(2, 1, 1)
        };
        bitmap.paint(Matrix::new(2, 1, &[0.0, 1.0]), UNIT, at);
        assert_eq!(bitmap.pixels, [255, 1]);
    }

    #[test]
    fn averaging_keeps_the_mean_and_skips_what_is_missing() {
        let values: Vec<f64> = (0..24).map(f64::from).collect();
        let small = Matrix::new(4, 6, &values).averaged(2, 3);
        // Blocks of 2 × 2: the mean of the first is (0 + 1 + 6 + 7) / 4.
        assert_eq!(small, [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]);
        let holes = [1.0, f64::NAN, f64::NAN, f64::NAN];
        let small = Matrix::new(1, 4, &holes).averaged(1, 2);
        assert!((small[0] - 1.0).abs() < 1e-15 && small[1].is_nan());
    }

    #[test]
    fn sizes_that_lie_are_cut_to_the_values() {
        let lie = Matrix::new(usize::MAX, usize::MAX, &[1.0, 2.0]);
        assert_eq!((lie.rows, lie.columns), (1, 2));
        assert!(Matrix::new(usize::MAX, 3, &[]).is_empty());
        assert!(Matrix::new(3, 0, &[1.0]).is_empty());
    }

    #[test]
    fn base64_agrees_with_the_test_vectors_of_its_standard() {
        // RFC 4648, section 10.
        let vectors = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let expected = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        assert_eq!(vectors.map(|v| base64(v.as_bytes())), expected);
    }
}
