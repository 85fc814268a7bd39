//! Receptive fields: what drives each neuron, or what each neuron drives, as images or as curves.

use super::page::Figure;
use super::pictures::{colours, extent, wide};
use super::plot::{Canvas, Lines, Panels, Series};

/// Only over as many neurons as this, or more, are fields drawn.
const LEAST_NEURONS: usize = 16;
/// The most fields drawn as images.
const MOST_IMAGES: usize = 100;
/// The most fields drawn as curves.
const MOST_CURVES: usize = 8;
/// How much more than others the neighbours in a column of an image must be alike.
const LEAST_LIKENESS: f64 = 0.05;

/// A weight matrix cut into fields, which lie over the larger population, or over that which forms an image.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    name: &'a str,
    /// Whether they lie over the postsynaptic neurons: each is then what one presynaptic neuron drives.
    over_post: bool,
    /// How many there are.
    all: usize,
    /// Those that may be shown, the first.
    values: Vec<Vec<f64>>,
    /// The side of the images that they are, if they are.
    side: Option<usize>,
}

impl<'a> Fields<'a> {
    /// Cuts a matrix of `shape` (presynaptic, postsynaptic) into fields; none if both populations are small, or one is
    /// a single neuron.
    pub(super) fn of(name: &'a str, shape: (usize, usize), matrix: &[f64]) -> Option<Self> {
        let (rows, columns) = shape;
        if rows.min(columns) < 2 || rows.max(columns) < LEAST_NEURONS {
            return None;
        }
        // The larger population first: it is the likelier one to be an image.
        let sides = match columns > rows {
            true => [true, false],
            false => [false, true],
        };
        let cut = sides.map(|over_post| Self::cut(name, shape, matrix, over_post));
        let is_image = cut.iter().position(|fields| fields.side.is_some());
        cut.into_iter().nth(is_image.unwrap_or(0))
    }

    fn cut(name: &'a str, shape: (usize, usize), matrix: &[f64], over_post: bool) -> Self {
        let (rows, columns) = shape;
        let field = |neuron: usize| match over_post {
            true => values(matrix, neuron * columns, 1, columns),
            false => values(matrix, neuron, columns, rows),
        };
        let (neurons, units) = if over_post { shape } else { (columns, rows) };
        let values: Vec<Vec<f64>> = (0..neurons.min(MOST_IMAGES)).map(field).collect();
        let root = units.isqrt();
        let square = units >= LEAST_NEURONS && root * root == units;
        Self {
            name,
            over_post,
            all: neurons,
            side: (square && are_images(&values, root)).then_some(root),
            values,
        }
    }

    /// Draws them; `title` begins the title, and `name` names the figure.
    pub(super) fn figure(&self, title: &str, name: &str) -> Figure {
        let kind = match self.over_post {
            true => "projective fields",
            false => "receptive fields",
        };
        let title = format!("{title}: {kind}");
        let (svg, shown) = match self.side {
            Some(side) => self.images(title, side),
            None => self.curves(title),
        };
        let each = match (self.side, self.over_post) {
            (Some(side), _) => format!("each image, {side} × {side}, is"),
            (None, _) => "each curve is".to_owned(),
        };
        let of = match self.over_post {
            true => "from one presynaptic neuron to all postsynaptic ones",
            false => "to one postsynaptic neuron from all presynaptic ones",
        };
        let which = match shown < self.all {
            true => format!(" The first {shown} of {} neurons are shown.", self.all),
            false => String::new(),
        };
        let caption = format!("`{}`: {each} the weights {of}.{which}", self.name);
        wide(name, caption, svg)
    }

    /// The drawing, and how many fields it shows.
    fn images(&self, title: String, side: usize) -> (String, usize) {
        let panels = Panels {
            title,
            rows: side,
            columns: side,
            images: self.values.clone(),
            colours: colours(extent(self.values.iter().flatten().copied())),
            value_label: "weight".to_owned(),
            ..Panels::default()
        };
        (panels.svg(Canvas::WIDE), self.values.len())
    }

    fn curves(&self, title: String) -> (String, usize) {
        let (x_label, of) = match self.over_post {
            true => ("postsynaptic neuron", "from"),
            false => ("presynaptic neuron", "to"),
        };
        let some = self.values.iter().take(MOST_CURVES).enumerate();
        let series = some.map(|(neuron, field)| Series {
            name: format!("{of} {neuron}"),
            x: (0..field.len()).map(|unit| unit as f64).collect(),
            y: field.clone(),
            ..Series::default()
        });
        let lines = Lines {
            title,
            x_label: x_label.to_owned(),
            y_label: "weight".to_owned(),
            series: series.collect(),
            ..Lines::default()
        };
        let shown = lines.series.len();
        (lines.svg(Canvas::WIDE), shown)
    }
}

fn values(matrix: &[f64], start: usize, stride: usize, count: usize) -> Vec<f64> {
    let values = matrix.iter().skip(start).step_by(stride.max(1));
    values.take(count).copied().collect()
}

/// Whether fields over a square number of neurons look like images in rows of `side`: neighbours in a column, `side` apart,
/// are then more alike than neurons half as far apart. Along a line or a ring they are less alike, and by chance alone
/// no more and no less.
fn are_images(fields: &[Vec<f64>], side: usize) -> bool {
    let count: usize = fields.iter().map(Vec::len).sum();
    // The likeness of independent values is about 1/√count.
    let chance = 4.0 / (count as f64).sqrt();
    likeness(fields, side) - likeness(fields, side / 2) > chance.max(LEAST_LIKENESS)
}

/// The autocorrelation of the fields at a distance, all together.
fn likeness(fields: &[Vec<f64>], distance: usize) -> f64 {
    let (mut products, mut squares) = (0.0, 0.0);
    for field in fields {
        let mean = field.iter().sum::<f64>() / field.len() as f64;
        let far = field.iter().skip(distance);
        let pairs = field.iter().zip(far);
        products += pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
        squares += field.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>();
    }
    products / squares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values between −1 and 1 that look like chance.
    fn noise(place: usize) -> f64 {
        let hash = (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 8_388_608.0 - 1.0
    }

    /// A matrix whose columns are fields over `rows` neurons.
    fn matrix(rows: usize, columns: usize, field: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let places = 0..rows * columns;
        places
            .map(|place| field(place / columns, place % columns) + 0.2 * noise(place))
            .collect()
    }

    fn blob(unit: usize, neuron: usize) -> f64 {
        let (y, x) = ((unit / 8) as f64 - 3.0, (unit % 8) as f64 - neuron as f64);
        (-(x * x + y * y) / 4.0).exp()
    }

    fn bump(unit: usize, neuron: usize) -> f64 {
        let distance = unit as f64 - 8.0 * neuron as f64;
        (-distance * distance / 30.0).exp()
    }

    fn transposed(rows: usize, columns: usize, matrix: &[f64]) -> Vec<f64> {
        let cells = (0..columns).flat_map(|c| (0..rows).map(move |r| matrix[r * columns + c]));
        cells.collect()
    }

    #[test]
    fn blobs_in_two_dimensions_are_images_and_bumps_on_a_line_are_curves() {
        let side = |matrix: &[f64]| Fields::of("W", (64, 8), matrix).and_then(|f| f.side);
        assert_eq!(side(&matrix(64, 8, blob)), Some(8));
        assert_eq!(side(&matrix(64, 8, bump)), None);
        assert_eq!(side(&matrix(64, 8, |_, _| 0.0)), None);
        assert_eq!(side(&[0.0; 512]), None);
        assert_eq!(side(&[f64::NAN; 512]), None);
    }

    #[test]
    fn fields_lie_over_the_image_or_else_over_the_larger_population() {
        let over_post = |shape, matrix: &[f64]| Fields::of("W", shape, matrix).map(|f| f.over_post);
        let (images, bumps) = (matrix(64, 8, blob), matrix(64, 8, bump));
        assert_eq!(over_post((64, 8), &images), Some(false));
        assert_eq!(over_post((8, 64), &transposed(64, 8, &images)), Some(true));
        assert_eq!(over_post((64, 8), &bumps), Some(false));
        assert_eq!(over_post((8, 64), &transposed(64, 8, &bumps)), Some(true));
        // 64 neurons form images, 80 do not.
        let more = matrix(64, 80, |unit, neuron| blob(unit, neuron % 8));
        assert_eq!(over_post((64, 80), &more), Some(false));
        assert_eq!(over_post((15, 15), &[0.0; 225]), None);
        assert_eq!(over_post((1, 64), &[0.0; 64]), None);
    }

    #[test]
    fn field_is_a_column_or_a_row() {
        let matrix: Vec<f64> = (0..32).map(f64::from).collect();
        let to = Fields::cut("W", (16, 2), &matrix, false);
        assert_eq!(
            to.values[1],
            (0..16).map(|r| f64::from(2 * r + 1)).collect::<Vec<_>>()
        );
        let from = Fields::cut("W", (16, 2), &matrix, true);
        assert_eq!(from.values[3], [6.0, 7.0]);
    }
}
