//! How high up each rank is.

use super::grid::{Content, Grid, Link, Slot};
use super::net::Net;
use super::ports::{Extent, Ports};
use crate::drawing::Point;

/// Free space above and below the nodes of a layer, where wires reach them upright.
const APPROACH: f64 = 16.0;
/// Free space above and below labels.
pub(super) const BAND_MARGIN: f64 = 6.0;
/// The space that wires which only go straight need between ranks.
const STRAIGHT: f64 = 6.0;
/// The upper and the lower edge of every rank.
pub(super) struct Heights {
    pub(super) ranks: Vec<(f64, f64)>,
}

impl Heights {
    pub(super) fn new(net: &Net, grid: &Grid, ports: &Ports) -> Heights {
        let mut ranks = vec![(0.0, 0.0); grid.ranks.len()];
        let shifts = shifts(grid);
        let mut y = 0.0;
        for rank in (0..grid.ranks.len()).rev() {
            let height = if rank % 2 == 0 {
                let nodes = grid.ranks[rank]
                    .iter()
                    .filter_map(|slot| ports.extents.get(*slot));
                nodes.map(|e| e.bottom - e.top).fold(0.0, f64::max) + 2.0 * APPROACH
            } else {
                let labels = grid.ranks[rank]
                    .iter()
                    .map(|slot| match grid.slots[*slot].content {
                        Content::Label { wire, .. } | Content::Arch(wire) => {
                            net.wires[wire].label.height() + 2.0 * BAND_MARGIN
                        }
                        Content::Line(_) | Content::Node => 0.0,
                    });
                labels.fold(0.0, f64::max)
            };
            ranks[rank] = (y, y + height);
            y += height
                + rank
                    .checked_sub(1)
                    .map_or(0.0, |below| channel(shifts[below]));
        }
        Heights { ranks }
    }

    pub(super) fn total(&self) -> f64 {
        self.ranks.first().map_or(0.0, |lowest| lowest.1)
    }

    /// The middle of each node's upper edge: nodes stand in the middle of their layers.
    pub(super) fn places(&self, grid: &Grid, ports: &Ports) -> Vec<Point> {
        let place = |(slot, extent): (&Slot, &Extent)| {
            let (top, bottom) = self.ranks[slot.rank];
            (slot.x, (top + bottom - extent.bottom - extent.top) / 2.0)
        };
        grid.slots.iter().zip(&ports.extents).map(place).collect()
    }
}

/// The widest shift to the side between each rank and the next; none if no wire passes.
fn shifts(grid: &Grid) -> Vec<Option<f64>> {
    let mut shifts: Vec<Option<f64>> = vec![None; grid.ranks.len()];
    for link in &grid.links {
        let Link { lower, upper, .. } = *link;
        let shift = (grid.x(lower) - grid.x(upper)).abs();
        let widest = &mut shifts[grid.slots[lower.slot].rank];
        *widest = Some(widest.map_or(shift, |w| w.max(shift)));
    }
    shifts
}

/// The space between ranks: wider shifts get more, lest their curves lie flat.
fn channel(shift: Option<f64>) -> f64 {
    match shift {
        None => 0.0,
        Some(shift) if shift < 1.0 => STRAIGHT,
        Some(shift) => (16.0 + 0.14 * shift).min(110.0),
    }
}
