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
    /// The step of each row.
    pub(super) step: Vec<u64>,
    /// Rows × columns, row by row.
    pub(super) values: Vec<f64>,
    /// A row of another width was pushed.
    pub(super) ragged: bool,
}

impl TraceBlock {
    pub(super) fn new(trace: usize, columns: usize) -> Self {
        let rows = rows_of(columns);
        Self {
            trace,
            columns,
            stage: Vec::with_capacity(rows),
            step: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows * columns),
            ragged: false,
        }
    }

    /// Appends a row: one value a column of the trace. A row of another width is refused when the block is sent.
    pub fn push(&mut self, stage: u32, step: u64, values: &[f64]) {
        self.ragged |= values.len() != self.columns;
        self.stage.push(stage);
        self.step.push(step);
        self.values.extend_from_slice(values);
    }

    /// True when the block should be sent. More rows are taken, but need more memory.
    pub fn is_full(&self) -> bool {
        self.rows() >= rows_of(self.columns)
    }

    /// True if the block has no rows.
    pub fn is_empty(&self) -> bool {
        self.step.is_empty()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.step.len()
    }

    /// The index of the trace that the block was made for.
    pub fn trace(&self) -> usize {
        self.trace
    }

    pub(super) fn clear(&mut self) {
        self.stage.clear();
        self.step.clear();
        self.values.clear();
        self.ragged = false;
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
            let mut block = TraceBlock::new(0, columns);
            let capacity = (block.step.capacity(), block.values.capacity());
            let row = vec![1.0; columns];
            while !block.is_full() {
                block.push(0, 1, &row);
            }
            assert!(block.rows() >= 1);
            assert_eq!((block.step.capacity(), block.values.capacity()), capacity);
        }
    }
}
