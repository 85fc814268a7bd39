//! A value that is its drive with noise, where the drive is an input or a bias as it is: one pass writes both.

use pulp::Simd;

use super::super::step::{NotFinite, Step};
use super::pattern::Pattern;
use super::{Op, Precision};
use crate::circuit::CompartmentId;
use crate::compile::kernel::VectorRef;

/// Such a value: scale·noise + drive.
#[derive(Debug, Clone)]
pub(super) struct DrivenOp {
    compartment: CompartmentId,
    /// The drive, and what it is.
    pub drive: usize,
    pub base: VectorRef,
    scale: f64,
    pub noise: VectorRef,
    pub value: usize,
    check: bool,
    /// Another compartment's value that is the same.
    pub copy: Option<usize>,
}

/// Makes one operation of each drive and value that can be.
pub(super) fn join(ops: Vec<Op>) -> Vec<Op> {
    let mut joined: Vec<Op> = Vec::with_capacity(ops.len());
    for op in ops {
        match joined.last().and_then(|last| driven(last, &op)) {
            Some(driven) => {
                joined.pop();
                joined.push(Op::Driven(driven));
            }
            None => joined.push(op),
        }
    }
    joined
}

fn driven(drive: &Op, value: &Op) -> Option<DrivenOp> {
    let Op::Drive {
        into: drive,
        base: Some(base),
        deliveries,
    } = drive
    else {
        return None;
    };
    let Op::Value {
        compartment,
        into: value,
        pattern:
            Pattern::Fma {
                scale,
                x: noise @ VectorRef::Source(_),
                y: VectorRef::Plain(y),
            },
        within: None,
        check,
        copy,
    } = value
    else {
        return None;
    };
    (deliveries.is_empty() && y.0 as usize == *drive).then_some(DrivenOp {
        compartment: *compartment,
        drive: *drive,
        base: *base,
        scale: *scale,
        noise: *noise,
        value: *value,
        check: *check,
        copy: *copy,
    })
}

/// The operation, with the bits of the two that it is.
#[inline(always)]
pub(super) fn run<S: Simd, T: Precision>(
    simd: S,
    step: &mut Step<'_>,
    op: &DrivenOp,
) -> Result<(), NotFinite> {
    let table = T::table(step);
    let mut drive = std::mem::take(&mut table[op.drive]);
    let mut value = std::mem::take(&mut table[op.value]);
    let mut copy = match op.copy {
        Some(copy) => std::mem::take(&mut table[copy]),
        None => Default::default(),
    };
    let n = value.len();
    let (memory, _) = T::parts(step);
    let base = T::vectors::<S>(&memory.vector(op.base)[..n]);
    let noise = T::vectors::<S>(&memory.vector(op.noise)[..n]);
    let drives = T::vectors_mut::<S>(&mut drive[..n]);
    let copies = T::vectors_mut::<S>(&mut copy);
    let (scale, zero) = (
        T::splat(simd, T::from_f64(op.scale)),
        T::splat(simd, T::default()),
    );
    // 0·x is 0 for finite x and NaN for all else, and a sum with a NaN in it stays one.
    let mut total = zero;
    for (i, value) in T::vectors_mut::<S>(&mut value).iter_mut().enumerate() {
        let result = T::mul_add(simd, scale, noise[i], base[i]);
        drives[i] = base[i];
        *value = result;
        if let Some(copy) = copies.get_mut(i) {
            *copy = result;
        }
        total = T::mul_add(simd, result, zero, total);
    }
    let mut checked = Ok(());
    if op.check && !T::none_is_nan(simd, total) {
        checked = step.check_finite(op.compartment, &value);
    }
    let table = T::table(step);
    table[op.drive] = drive;
    table[op.value] = value;
    if let Some(at) = op.copy {
        table[at] = copy;
    }
    checked
}
