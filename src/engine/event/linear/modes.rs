//! The coordinates in which a neuron's flow is made of independent blocks.

use super::block::Block;
use super::exp::exp;

/// Coordinates y of a [`System`](super::System): x = offset + M·y, and each block of y flows alone.
///
/// # Shape
/// y is [`len`](Modes::len) long: first the single exponentials y_k′ = −λ_k·y_k, the slowest first,
/// then the pairs and clusters of eigenvalues that are close, complex or growing. A drift (a mode
/// with a time constant above 10 s and a constant drive, as in a perfect integrator) has one
/// coordinate more, the constant 1; [`from_x`](Modes::from_x) sets it, and a jump leaves it alone.
/// Where there is no drift, y = 0 is the steady state.
///
/// # Cost
/// Single exponentials take some 2 ns each, a pair 20 ns. A cluster of three and more close
/// eigenvalues is right but slow: it takes the exponential of a matrix at each advance, about 1 µs.
#[derive(Debug, Clone, PartialEq)]
pub struct Modes {
    /// Variables x.
    pub(super) n: usize,
    /// Coordinates y.
    pub(super) len: usize,
    /// λ of the single exponentials, ≥ 0 and ascending (1/ms).
    pub(super) rates: Vec<f64>,
    /// How many of them are 0.
    pub(super) still: usize,
    /// The other blocks.
    pub(super) blocks: Vec<Placed>,
    /// Whether the blocks have bounds for all time.
    pub(super) bounded: bool,
    /// M by rows, n × len.
    pub(super) rows: Vec<f64>,
    /// n long.
    pub(super) offset: Vec<f64>,
    /// The inverse by columns, n × len.
    pub(super) columns: Vec<f64>,
    /// y of x = 0, len long.
    pub(super) origin: Vec<f64>,
}

/// A block and the coordinates it has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) block: Block,
}

impl Modes {
    /// Number of variables x.
    pub fn variables(&self) -> usize {
        self.n
    }

    /// Number of coordinates y, n or a few more.
    #[expect(clippy::len_without_is_empty, reason = "there is always a coordinate")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Rates λ of the single exponentials, which are the first coordinates of y (1/ms).
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// Whether y is made of single exponentials alone.
    pub fn is_scalar(&self) -> bool {
        self.blocks.is_empty()
    }

    /// y after `dt_ms`, in place; `dt_ms` is finite and not negative.
    #[inline]
    pub fn advance(&self, y: &mut [f64], dt_ms: f64) {
        let scalars = self.rates.len().min(y.len());
        decay(&mut y[..scalars], &self.rates, dt_ms);
        if !self.blocks.is_empty() {
            self.advance_blocks(y, dt_ms);
        }
    }

    #[cold]
    fn advance_blocks(&self, y: &mut [f64], dt_ms: f64) {
        for Placed { start, end, block } in &self.blocks {
            if let Some(y) = y.get_mut(*start..*end) {
                block.advance(y, dt_ms);
            }
        }
    }

    /// x of y, n long.
    pub fn to_x(&self, y: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.n];
        self.read_x(y, &mut x);
        x
    }

    /// Puts x of y into `x`, n long.
    pub fn read_x(&self, y: &[f64], x: &mut [f64]) {
        for (i, x) in x.iter_mut().enumerate().take(self.n) {
            *x = self.offset[i] + dot(self.row(i), y);
        }
    }

    /// y of x, len long.
    pub fn from_x(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.len];
        self.write_y(x, &mut y);
        y
    }

    /// Puts y of x into `y`, len long.
    pub fn write_y(&self, x: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&self.origin);
        for (x, column) in x.iter().zip(self.columns.chunks_exact(self.len)) {
            y.iter_mut().zip(column).for_each(|(y, c)| *y += c * x);
        }
    }

    /// What a unit jump of x_i adds to y.
    #[inline]
    pub fn column(&self, i: usize) -> &[f64] {
        &self.columns[i * self.len..(i + 1) * self.len]
    }

    /// The row that reads x_i: x_i = row·y + [`offset(i)`](Modes::offset).
    #[inline]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.len..(i + 1) * self.len]
    }

    /// What is added to row·y to give x_i: its steady state, if there is no drift.
    #[inline]
    pub fn offset(&self, i: usize) -> f64 {
        self.offset[i]
    }

    /// The row and the constant that read Σ w_i·x_i.
    pub fn readout(&self, weights: &[f64]) -> (Vec<f64>, f64) {
        let mut row = vec![0.0; self.len];
        for (w, from) in weights.iter().zip(self.rows.chunks_exact(self.len)) {
            row.iter_mut().zip(from).for_each(|(r, m)| *r += w * m);
        }
        (row, dot(weights, &self.offset))
    }

    /// Whether every number in it is one.
    pub(super) fn is_finite(&self) -> bool {
        let all = [
            &self.rates,
            &self.rows,
            &self.offset,
            &self.columns,
            &self.origin,
        ];
        all.iter().all(|v| v.iter().all(|x| x.is_finite()))
    }
}

/// Σ a·b.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// y_k ← y_k·e^(−λ_k·dt), four and two at a time.
#[inline(always)]
fn decay(y: &mut [f64], rates: &[f64], dt: f64) {
    let (fours, rest) = y.as_chunks_mut::<4>();
    let (four_rates, rest_rates) = rates.as_chunks::<4>();
    for (y, rates) in fours.iter_mut().zip(four_rates) {
        decay_array(y, rates, dt);
    }
    let (twos, one) = rest.as_chunks_mut::<2>();
    let (two_rates, one_rate) = rest_rates.as_chunks::<2>();
    for (y, rates) in twos.iter_mut().zip(two_rates) {
        decay_array(y, rates, dt);
    }
    for (y, rate) in one.iter_mut().zip(one_rate) {
        *y *= exp(-rate * dt);
    }
}

/// All exponentials first, so that the processor works at them side by side.
#[inline(always)]
fn decay_array<const N: usize>(y: &mut [f64; N], rates: &[f64; N], dt: f64) {
    // A loop, since `map` of an array may become a call.
    let mut factors = [0.0; N];
    for (factor, rate) in factors.iter_mut().zip(rates) {
        *factor = exp(-rate * dt);
    }
    for (y, factor) in y.iter_mut().zip(factors) {
        *y *= factor;
    }
}
