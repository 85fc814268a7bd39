//! Lanes beside a cell, in which wires run upright.

/// From a cell's side to its first lane, with room for an arrowhead and a bend.
pub(super) const FIRST_LANE: f64 = 20.0;
/// From lane to lane.
pub(super) const LANE: f64 = 9.0;
/// From one wire to the next in the same lane.
const GAP: f64 = 6.0;

/// From where to where something lies.
pub(super) type Span = (f64, f64);

/// Lanes side by side, and what lies in them.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    taken: Vec<Vec<Span>>,
}

impl Lanes {
    /// Takes the first lane in which a span is free.
    pub(super) fn take(&mut self, span: Span) -> usize {
        let is_free = |lane: &Vec<Span>| {
            lane.iter()
                .all(|s| s.1 + GAP <= span.0 || span.1 + GAP <= s.0)
        };
        let free = self
            .taken
            .iter()
            .position(is_free)
            .unwrap_or(self.taken.len());
        if free == self.taken.len() {
            self.taken.push(Vec::new());
        }
        self.taken[free].push(span);
        free
    }
}
