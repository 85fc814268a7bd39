//! A block of rows of a trace: what an engine fills and hands to the recorder.

/// Values that a block is meant to hold: 64 KiB.
const BLOCK_VALUES: usize = 8192;
/// Rows that a block is meant to hold at most.
const BLOCK_ROWS: usize = 2048;

/// Rows of one trace, in the order in which they were recorded. Made by
/// [`Recorder::trace_block`](super::Recorder::trace_block), used again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceBlock {
    pub(super) trace: usize,
    pub(super) columns: usize,
    /// The stage of each row.
    pub(super) stage: Vec<u32>,
    /// The step of each row, as its bits, or its time (ps).
    pub(super) when: Vec<i64>,
    /// Whether rows have times of their own.
    pub(super) timed: bool,
    /// Rows × columns, row by row.
    pub(super) values: Vec<f64>,
    /// A row of another width was pushed.
    pub(super) ragged: bool,
    /// A row with a step was pushed where times are expected, or the other way round.
    pub(super) mistimed: bool,
}

impl TraceBlock {
    pub(super) fn new(trace: usize, columns: usize, timed: bool) -> Self {
        let rows = rows_of(columns);
        Self {
            trace,
            columns,
            stage: Vec::with_capacity(rows),
            when: Vec::with_capacity(rows),
            timed,
            values: Vec::with_capacity(rows * columns),
            ragged: false,
            mistimed: false,
        }
    }

    /// Appends a row: one value a column of the trace. A row of another width is refused when the block is sent.
    /// So is a block of a timed trace, see [`Self::push_at`].
    pub fn push(&mut self, stage: u32, step: u64, values: &[f64]) {
        self.mistimed |= self.timed;
        self.append(stage, step.cast_signed(), values);
    }

    /// Appends a sample taken at a time (ps since the run began) of a trace that is
    /// [`timed`](super::TraceSpec::timed). A row of another width, and a trace that is not timed, are refused when the
    /// block is sent.
    pub fn push_at(&mut self, stage: u32, time_ps: i64, values: &[f64]) {
        self.mistimed |= !self.timed;
        self.append(stage, time_ps, values);
    }

    fn append(&mut self, stage: u32, when: i64, values: &[f64]) {
        self.ragged |= values.len() != self.columns;
        self.stage.push(stage);
        self.when.push(when);
        self.values.extend_from_slice(values);
    }

    /// True when the block should be sent. More rows are taken, but need more memory.
    pub fn is_full(&self) -> bool {
        self.rows() >= rows_of(self.columns)
    }

    /// True if the block has no rows.
    pub fn is_empty(&self) -> bool {
        self.when.is_empty()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.when.len()
    }

    /// The index of the trace that the block was made for.
    pub fn trace(&self) -> usize {
        self.trace
    }

    pub(super) fn clear(&mut self) {
        self.stage.clear();
        self.when.clear();
        self.values.clear();
        self.ragged = false;
        self.mistimed = false;
    }
}

/// Rows of a full block.
fn rows_of(columns: usize) -> usize {
    (BLOCK_VALUES / columns.max(1)).clamp(1, BLOCK_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_block_has_not_outgrown_its_memory() {
        for columns in [0, 1, 3, 1000, 100_000] {
            let mut block = TraceBlock::new(0, columns, false);
            let capacity = (block.when.capacity(), block.values.capacity());
            let row = vec![1.0; columns];
            while !block.is_full() {
                block.push(0, 1, &row);
            }
            assert!(block.rows() >= 1);
            assert_eq!((block.when.capacity(), block.values.capacity()), capacity);
        }
    }
}
