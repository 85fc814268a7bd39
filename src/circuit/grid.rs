//! Populations whose neurons lie on maps, and connections that repeat at every place of a map.

use super::Population;
use crate::netlist::model::{Connect, Convolution as Table, Windows};

/// Channels of maps; neuron (c, y, x) is number (c·height + y)·width + x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Maps.
    pub channels: usize,
    /// Rows of a map; 1 if there is one dimension only.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// Dimensions of a map: 1 or 2.
    pub dimensions: usize,
}

/// A convolution: every place of the output's maps reads a patch of all of the input's maps, with the same weights
/// everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// What it reads.
    pub input: Grid,
    /// What it drives.
    pub output: Grid,
    /// Rows and columns of a patch.
    pub kernel: [usize; 2],
    /// Rows and columns from patch to patch.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the input.
    pub padding: [usize; 2],
}

/// Windows that cover each map of a grid without overlap, and the coarser grid of one place per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiling {
    /// The maps that are covered.
    pub fine: Grid,
    /// Rows and columns of a window.
    pub window: [usize; 2],
    /// What goes where.
    pub use_of: TilingUse,
}

/// What a projection over windows does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilingUse {
    /// Each coarse neuron gets the sum over its window.
    Pool,
    /// Each fine neuron gets what its window's coarse neuron gives.
    Spread,
    /// Lateral inhibition: of each window's neurons the most active one (of equals the first) gets 1, the others 0.
    Winner,
}

impl Grid {
    /// The grid of a shape: channels, then one or two lengths.
    pub fn new(shape: &[usize]) -> Option<Grid> {
        let (channels, height, width) = match *shape {
            [channels, width] => (channels, 1, width),
            [channels, height, width] => (channels, height, width),
            _ => return None,
        };
        Some(Grid {
            channels,
            height,
            width,
            dimensions: shape.len() - 1,
        })
    }

    /// Places of a map.
    pub fn places(&self) -> usize {
        self.height * self.width
    }

    /// Neurons.
    pub fn size(&self) -> usize {
        self.channels * self.places()
    }
}

/// As a netlist writes it.
impl std::fmt::Display for Grid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Grid {
            channels,
            height,
            width,
            ..
        } = self;
        match self.dimensions {
            1 => write!(f, "[{channels}, {width}]"),
            _ => write!(f, "[{channels}, {height}, {width}]"),
        }
    }
}

impl Convolution {
    /// Synapses of a place of the output: rows of the matrix of weights, of which each map of the output has a column.
    pub fn patch(&self) -> usize {
        self.input.channels * self.kernel[0] * self.kernel[1]
    }

    /// Shared weights.
    pub fn weights(&self) -> usize {
        self.patch() * self.output.channels
    }
}

impl Tiling {
    /// The grid of one place per window.
    pub fn coarse(&self) -> Grid {
        Grid {
            height: self.fine.height / self.window[0],
            width: self.fine.width / self.window[1],
            ..self.fine
        }
    }
}

/// Connections of a pattern that goes by the shapes of its populations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shaped {
    /// A convolution.
    Convolution(Convolution),
    /// Windows.
    Tiling(Tiling),
}

/// What is wrong with such a pattern, and what to write instead.
pub type Misfit = (String, String);

/// The connections of a pattern that goes by shapes; `None` for other patterns.
///
/// # Errors
/// If a population has no shape, or the shapes do not fit.
pub fn shaped(
    connect: &Connect,
    from: &Population,
    to: &Population,
) -> Result<Option<Shaped>, Misfit> {
    let tiling = |fine: &Population, coarse: Option<&Population>, windows: &Windows, use_of| {
        tiling(fine, coarse, windows, use_of).map(|t| Some(Shaped::Tiling(t)))
    };
    match connect {
        Connect::Convolution(table) => {
            convolution(table, from, to).map(|c| Some(Shaped::Convolution(c)))
        }
        Connect::Pool(windows) => tiling(from, Some(to), windows, TilingUse::Pool),
        Connect::Spread(windows) => tiling(to, Some(from), windows, TilingUse::Spread),
        Connect::Winner(windows) if from.name == to.name => {
            tiling(from, None, windows, TilingUse::Winner)
        }
        Connect::Winner(_) => Err((
            format!(
                "neurons of one population inhibit each other, these are `{}` and `{}`",
                from.name, to.name
            ),
            format!("let it end on a compartment of `{}`", from.name),
        )),
        _ => Ok(None),
    }
}

/// The grid of a population that has to have one.
fn grid_of(population: &Population) -> Result<Grid, Misfit> {
    population.grid.ok_or_else(|| {
        let (name, size) = (&population.name, population.size);
        (
            format!("population `{name}` has no shape"),
            format!("give it one, such as shape = [1, {size}] instead of size = {size}"),
        )
    })
}

/// One number for each dimension: rows first; a single number goes for all.
fn both(
    numbers: &[u64],
    dimensions: usize,
    neutral: usize,
    what: &str,
) -> Result<[usize; 2], Misfit> {
    let number = |n: &u64| usize::try_from(*n).unwrap_or(usize::MAX);
    match (numbers, dimensions) {
        ([n], 1) => Ok([neutral, number(n)]),
        ([n], _) => Ok([number(n); 2]),
        ([y, x], 2) => Ok([number(y), number(x)]),
        _ => Err((
            format!(
                "a {what} of {} numbers, the maps have {dimensions} dimension{}",
                numbers.len(),
                if dimensions == 1 { "" } else { "s" }
            ),
            "give one number for each dimension of the maps, rows first".to_owned(),
        )),
    }
}

fn convolution(table: &Table, from: &Population, to: &Population) -> Result<Convolution, Misfit> {
    let (input, output) = (grid_of(from)?, grid_of(to)?);
    let dimensions = input.dimensions;
    let kernel = both(&table.kernel, dimensions, 1, "kernel")?;
    let stride = both(&table.stride, dimensions, 1, "stride")?;
    let padding = both(&table.padding, dimensions, 0, "padding")?;
    let room = [input.height, input.width];
    let mut places = [0; 2];
    for axis in 0..2 {
        let length = room[axis].saturating_add(padding[axis].saturating_mul(2));
        let Some(steps) = length.checked_sub(kernel[axis]) else {
            let message = format!(
                "a kernel of {} does not fit into {length} places",
                kernel[axis]
            );
            return Err((message, "make it smaller, or give it padding".to_owned()));
        };
        places[axis] = steps / stride[axis] + 1;
    }
    let expected = Grid {
        channels: output.channels,
        height: places[0],
        width: places[1],
        dimensions,
    };
    if expected != output {
        return Err((
            format!(
                "this convolution of {input} gives maps of {expected}, `{}` has {output}",
                to.name
            ),
            format!(
                "give `{}` shape = {expected}, or the convolution another stride or padding",
                to.name
            ),
        ));
    }
    Ok(Convolution {
        input,
        output,
        kernel,
        stride,
        padding,
    })
}

fn tiling(
    fine: &Population,
    coarse: Option<&Population>,
    windows: &Windows,
    use_of: TilingUse,
) -> Result<Tiling, Misfit> {
    let grid = grid_of(fine)?;
    let window = match windows {
        Windows::All => [grid.height, grid.width],
        Windows::Of(lengths) => both(lengths, grid.dimensions, 1, "window")?,
    };
    let room = [grid.height, grid.width];
    if (0..2).any(|axis| window[axis] > room[axis] || room[axis] % window[axis] != 0) {
        let message = format!("windows of {window:?} do not cover maps of {grid} evenly");
        return Err((message, "choose lengths that divide the shape's".to_owned()));
    }
    let tiling = Tiling {
        fine: grid,
        window,
        use_of,
    };
    let expected = tiling.coarse();
    match coarse {
        // A whole map to one neuron: the other side may do without a shape.
        Some(other)
            if other.size == expected.size()
                && other.grid.is_none_or(|g| same_maps(g, expected)) =>
        {
            Ok(tiling)
        }
        None => Ok(tiling),
        Some(other) => Err((
            format!(
                "windows of {window:?} over {grid} are {expected}, `{}` has {}",
                other.name,
                other
                    .grid
                    .map_or(format!("{} neurons", other.size), |g| g.to_string())
            ),
            format!("give `{}` shape = {expected}", other.name),
        )),
    }
}

fn same_maps(a: Grid, b: Grid) -> bool {
    (a.channels, a.height, a.width) == (b.channels, b.height, b.width)
}
