//! The virtual machine: runs bytecode over blocks, each instruction as one SIMD loop.
//!
//! Every vector that a program reads or writes has a length that is a multiple of [`LANES`], so
//! that no loop has a tail; the padding holds whatever the operations make of padding.

mod execute;
mod single;

use pulp::{Arch, Simd, WithSimd};

use super::code::{Code, MOST_VECTORS, Operation};
use crate::vector::Vector;
use execute::run_block;

/// Elements that every loop takes at a time.
pub const LANES: usize = 8;

/// Elements that an instruction runs over before the next one does: small enough that a program's
/// registers stay in the first-level cache.
pub const BLOCK: usize = 512;

/// `n` rounded up to a multiple of [`LANES`].
pub fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// The scratch memory of running programs: block registers and scalar slots.
#[derive(Debug)]
pub struct Machine {
    arch: Arch,
    registers: Vec<Vector>,
    /// Slots that programs share.
    shared: Vec<f64>,
    /// Slots of programs that have a place of their own.
    placed: Vec<f64>,
    /// What programs over vectors in single precision read, and last what they write.
    widened: Vec<Vector>,
}

impl Default for Machine {
    fn default() -> Self {
        Machine {
            arch: Arch::new(),
            registers: Vec::new(),
            shared: Vec::new(),
            placed: Vec::new(),
            widened: Vec::new(),
        }
    }
}

impl Machine {
    /// Makes room for a program and writes its constants; to be called once for each before it runs.
    pub fn reserve(&mut self, code: &Code) {
        let registers = usize::from(code.registers);
        if self.registers.len() < registers {
            self.registers
                .resize_with(registers, || Vector::zeros(BLOCK));
        }
        let slots = if code.base.is_some() {
            &mut self.placed
        } else {
            &mut self.shared
        };
        let end = code.base.unwrap_or(0) as usize + usize::from(code.scalars);
        if slots.len() < end {
            slots.resize(end, 0.0);
        }
        write_constants(code, self.slots(code));
    }

    /// A program's scalar slots.
    #[inline(always)]
    fn slots(&mut self, code: &Code) -> &mut [f64] {
        let n = usize::from(code.scalars);
        match code.base {
            Some(base) => &mut self.placed[base as usize..][..n],
            None => &mut self.shared[..n],
        }
    }

    /// Computes the scalar slots of a program; `input(i)` is its i-th scalar input.
    #[inline(always)]
    fn prelude(&mut self, code: &Code, input: impl Fn(usize) -> f64) -> &mut [f64] {
        let slots = self.slots(code);
        if code.base.is_none() {
            write_constants(code, slots);
        }
        for (index, (slot, _)) in code.scalar_inputs.iter().enumerate() {
            slots[usize::from(*slot)] = input(index);
        }
        for instruction in &code.prelude {
            let [a, b, c] = instruction.operands.map(|slot| slots[usize::from(slot)]);
            slots[usize::from(instruction.into)] = match instruction.operation {
                Operation::Copy => a,
                Operation::Unary(op) => op.apply(a),
                Operation::Binary(op) => op.apply(a, b),
                Operation::Ternary(op) => op.apply(a, b, c),
            };
        }
        slots
    }

    /// Runs a program whose value is a scalar.
    #[inline]
    pub fn run_scalar(&mut self, code: &Code, input: impl Fn(usize) -> f64) -> f64 {
        let slots = self.prelude(code, input);
        code.scalar_result
            .map_or(0.0, |slot| slots[usize::from(slot)])
    }

    /// Runs a program over `out.len()` elements (a multiple of [`LANES`]); `vectors` are its vector
    /// inputs, each at least as long as `out`.
    pub fn run(
        &mut self,
        code: &Code,
        input: impl Fn(usize) -> f64,
        vectors: &[&[f64]],
        out: &mut [f64],
    ) {
        let arch = self.arch;
        if let Some(body) = self.body(code, input, vectors, out) {
            arch.dispatch(body);
        }
    }

    /// As [`Machine::run`], called where SIMD is at work already.
    #[inline(always)]
    pub fn run_in<S: Simd>(
        &mut self,
        simd: S,
        code: &Code,
        input: impl Fn(usize) -> f64,
        vectors: &[&[f64]],
        out: &mut [f64],
    ) {
        if let Some(body) = self.body(code, input, vectors, out) {
            simd.vectorize(body);
        }
    }

    /// Computes the scalar slots, and gives what is left to be done over vectors; none if the value is a scalar, which is
    /// then in `out`.
    #[inline(always)]
    fn body<'a>(
        &'a mut self,
        code: &'a Code,
        input: impl Fn(usize) -> f64,
        vectors: &'a [&'a [f64]],
        out: &'a mut [f64],
    ) -> Option<Body<'a>> {
        let slots = self.prelude(code, input);
        if let Some(slot) = code.scalar_result {
            out.fill(slots[usize::from(slot)]);
            return None;
        }
        let n = usize::from(code.scalars);
        let scalars = match code.base {
            Some(base) => &self.placed[base as usize..][..n],
            None => &self.shared[..n],
        };
        Some(Body {
            code,
            registers: &mut self.registers,
            scalars,
            vectors,
            out,
        })
    }

    /// Sum of a vector: partial sum k takes the elements k, k + 8, k + 16 … in that order; the eight
    /// are then added as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)).
    pub fn sum(&self, values: &[f64]) -> f64 {
        self.arch.dispatch(Total { values })
    }

    /// As [`Machine::sum`], called where SIMD is at work already.
    #[inline(always)]
    pub fn sum_in<S: Simd>(simd: S, values: &[f64]) -> f64 {
        simd.vectorize(Total { values })
    }

    /// The instruction set that loops are compiled for on this machine.
    pub fn arch(&self) -> Arch {
        self.arch
    }
}

#[inline(always)]
fn write_constants(code: &Code, slots: &mut [f64]) {
    for (slot, value) in &code.constants {
        slots[usize::from(*slot)] = *value;
    }
}

struct Body<'a> {
    code: &'a Code,
    registers: &'a mut [Vector],
    scalars: &'a [f64],
    vectors: &'a [&'a [f64]],
    out: &'a mut [f64],
}

impl WithSimd for Body<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Body {
            code,
            registers,
            scalars,
            vectors,
            out,
        } = self;
        let total = out.len();
        if total <= BLOCK {
            return run_block(code, registers, scalars, vectors, out);
        }
        let mut blocks: [&[f64]; MOST_VECTORS] = [&[]; MOST_VECTORS];
        let mut start = 0;
        while start < total {
            let end = (start + BLOCK).min(total);
            for (block, vector) in blocks.iter_mut().zip(vectors) {
                *block = &vector[start..end];
            }
            run_block(code, registers, scalars, &blocks, &mut out[start..end]);
            start = end;
        }
    }
}

struct Total<'a> {
    values: &'a [f64],
}

impl WithSimd for Total<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let (whole, rest) = self.values.as_chunks::<LANES>();
        let mut partial = [0.0; LANES];
        for chunk in whole {
            for k in 0..LANES {
                partial[k] += chunk[k];
            }
        }
        for (p, x) in partial.iter_mut().zip(rest) {
            *p += x;
        }
        let [a, b, c, d, e, f, g, h] = partial;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }
}
