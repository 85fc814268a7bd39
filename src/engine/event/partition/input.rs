//! Inputs reach the sources of a partition that turn them into spikes.

use super::Partition;
use super::group::GroupKind;

impl Partition {
    /// The input that a population reads has this row from `time` (ps) on, until another comes.
    pub fn change_input(&mut self, population: usize, (time, until): (i64, i64), row: &[f64]) {
        let group = &mut self.groups[population];
        let GroupKind::Driven(driven) = &mut group.kind else {
            return;
        };
        driven.change_input(time, row);
        // What would spike after the next row only is looked at then.
        for cell in 0..group.range.len() {
            let wake = driven.next_look(cell);
            if wake < until {
                self.queue.set(group.base + cell as u32, wake);
            }
        }
    }
}
