//! What the colours of a drawing mean.

use crate::drawing::Ink;

/// Whatever has to do with basal compartments.
pub(super) const BASAL: Ink = Ink::Series(0);
/// Whatever has to do with apical compartments.
pub(super) const APICAL: Ink = Ink::Series(1);
/// Other branches; the shades repeat.
const BRANCHES: [Ink; 3] = [Ink::Series(2), Ink::Series(4), Ink::Series(5)];

/// The n-th other branch.
pub(super) fn branch(n: usize) -> Ink {
    BRANCHES[n % BRANCHES.len()]
}
