//! The virtual machine: runs bytecode over blocks, each instruction as one SIMD loop.
//!
//! Every vector that a program reads or writes has a length that is a multiple of [`LANES`], so
//! that no loop has a tail; the padding holds whatever the operations make of padding.

mod single;

use pulp::{Arch, Simd, WithSimd};

use super::code::{Code, MOST_VECTORS, Operation, Source, Target};
use super::ops::{Binary, Ternary, Unary};
use crate::vector::Vector;

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

/// Runs all instructions over one block.
#[inline(always)]
fn run_block(
    code: &Code,
    registers: &mut [Vector],
    scalars: &[f64],
    inputs: &[&[f64]],
    out: &mut [f64],
) {
    let n = out.len();
    for instruction in &code.body {
        // A register is moved out while it is written, so that the others can be read.
        let mut taken = match instruction.into {
            Target::Register(register) => std::mem::take(&mut registers[usize::from(register)]),
            Target::Output => Vector::default(),
        };
        let into = match instruction.into {
            Target::Register(_) => &mut taken[..n],
            Target::Output => &mut *out,
        };
        let at = Operands {
            sources: &instruction.operands,
            registers,
            scalars,
            inputs,
            n,
        };
        execute(instruction.operation, into, &at);
        if let Target::Register(register) = instruction.into {
            registers[usize::from(register)] = taken;
        }
    }
}

/// Where an instruction's operands are; each is looked up when its operation wants it.
struct Operands<'a> {
    sources: &'a [Source; 3],
    registers: &'a [Vector],
    scalars: &'a [f64],
    inputs: &'a [&'a [f64]],
    n: usize,
}

impl<'a> Operands<'a> {
    #[inline(always)]
    fn at(&self, index: usize) -> Operand<'a> {
        let n = self.n;
        match self.sources[index] {
            // The register that is being written is not among them; an operation does not read it.
            Source::Register(register) => {
                let register = &self.registers[usize::from(register)];
                Operand::Block(register.get(..n).unwrap_or(&[]))
            }
            Source::Input(input) => {
                let input = self.inputs[usize::from(input)];
                Operand::Block(input.get(..n).unwrap_or(&[]))
            }
            Source::Scalar(slot) => Operand::Same(self.scalars[usize::from(slot)]),
        }
    }
}

/// An operand over a block.
#[derive(Clone, Copy)]
enum Operand<'a> {
    Block(&'a [f64]),
    Same(f64),
}

/// Writes an expression in `$x` (and `$y`, `$z`) for every element.
///
/// Macros and not closures: a closure is a function of its own, which the optimiser may compile without the
/// instruction set of its caller.
macro_rules! each {
    ($out:ident, $a:ident => $x:ident, $e:expr) => {
        match $a {
            Operand::Same($x) => $out.fill($e),
            Operand::Block(a) => {
                let ($out, a) = (whole_mut($out), whole(a));
                for (o, x) in $out.iter_mut().zip(a) {
                    let $x = *x;
                    *o = $e;
                }
            }
        }
    };
    ($out:ident, $a:ident => $x:ident, $b:ident => $y:ident, $e:expr) => {
        match ($a, $b) {
            (Operand::Same($x), b) => each!($out, b => $y, $e),
            (a, Operand::Same($y)) => each!($out, a => $x, $e),
            (Operand::Block(a), Operand::Block(b)) => {
                let ($out, a, b) = (whole_mut($out), whole(a), whole(b));
                for ((o, x), y) in $out.iter_mut().zip(a).zip(b) {
                    let ($x, $y) = (*x, *y);
                    *o = $e;
                }
            }
        }
    };
    ($out:ident, $a:ident => $x:ident, $b:ident => $y:ident, $c:ident => $z:ident, $e:expr) => {
        match ($a, $b, $c) {
            (Operand::Same($x), b, c) => each!($out, b => $y, c => $z, $e),
            (a, Operand::Same($y), c) => each!($out, a => $x, c => $z, $e),
            (a, b, Operand::Same($z)) => each!($out, a => $x, b => $y, $e),
            (Operand::Block(a), Operand::Block(b), Operand::Block(c)) => {
                let ($out, a, b, c) = (whole_mut($out), whole(a), whole(b), whole(c));
                for (((o, x), y), z) in $out.iter_mut().zip(a).zip(b).zip(c) {
                    let ($x, $y, $z) = (*x, *y, *z);
                    *o = $e;
                }
            }
        }
    };
}

/// One instruction: every operation gets its own loop, so that the optimiser can vectorise it.
#[inline(always)]
fn execute(operation: Operation, out: &mut [f64], operands: &Operands<'_>) {
    let a = operands.at(0);
    match operation {
        Operation::Copy => each!(out, a => x, x),
        Operation::Unary(op) => execute_unary(op, out, a),
        Operation::Binary(op) => execute_binary(op, out, a, operands.at(1)),
        Operation::Ternary(op) => execute_ternary(op, out, a, operands.at(1), operands.at(2)),
    }
}

/// See [`execute`].
#[inline(always)]
fn execute_ternary(op: Ternary, out: &mut [f64], a: Operand<'_>, b: Operand<'_>, c: Operand<'_>) {
    match op {
        Ternary::Fma => each!(out, a => x, b => y, c => z, Ternary::Fma.apply(x, y, z)),
        Ternary::NegFma => each!(out, a => x, b => y, c => z, Ternary::NegFma.apply(x, y, z)),
        Ternary::FmaSub => each!(out, a => x, b => y, c => z, Ternary::FmaSub.apply(x, y, z)),
        Ternary::Select => each!(out, a => x, b => y, c => z, Ternary::Select.apply(x, y, z)),
    }
}

/// See [`execute`].
#[inline(always)]
fn execute_unary(op: Unary, out: &mut [f64], a: Operand<'_>) {
    match op {
        Unary::Neg => each!(out, a => x, Unary::Neg.apply(x)),
        Unary::Not => each!(out, a => x, Unary::Not.apply(x)),
        Unary::Abs => each!(out, a => x, Unary::Abs.apply(x)),
        Unary::Sqrt => each!(out, a => x, Unary::Sqrt.apply(x)),
        Unary::Exp => each!(out, a => x, Unary::Exp.apply(x)),
        Unary::Log => each!(out, a => x, Unary::Log.apply(x)),
        Unary::Sin => each!(out, a => x, Unary::Sin.apply(x)),
        Unary::Cos => each!(out, a => x, Unary::Cos.apply(x)),
        Unary::Tanh => each!(out, a => x, Unary::Tanh.apply(x)),
        Unary::Sigmoid => each!(out, a => x, Unary::Sigmoid.apply(x)),
        Unary::Softplus => each!(out, a => x, Unary::Softplus.apply(x)),
        Unary::SoftplusInverse => each!(out, a => x, Unary::SoftplusInverse.apply(x)),
        Unary::Atanh => each!(out, a => x, Unary::Atanh.apply(x)),
        Unary::Step => each!(out, a => x, Unary::Step.apply(x)),
        Unary::Sign => each!(out, a => x, Unary::Sign.apply(x)),
    }
}

/// See [`execute`].
#[inline(always)]
fn execute_binary(op: Binary, out: &mut [f64], a: Operand<'_>, b: Operand<'_>) {
    match op {
        Binary::Add => each!(out, a => x, b => y, Binary::Add.apply(x, y)),
        Binary::Sub => each!(out, a => x, b => y, Binary::Sub.apply(x, y)),
        Binary::Mul => each!(out, a => x, b => y, Binary::Mul.apply(x, y)),
        Binary::Div => each!(out, a => x, b => y, Binary::Div.apply(x, y)),
        Binary::Pow => each!(out, a => x, b => y, Binary::Pow.apply(x, y)),
        Binary::Min => each!(out, a => x, b => y, Binary::Min.apply(x, y)),
        Binary::Max => each!(out, a => x, b => y, Binary::Max.apply(x, y)),
        Binary::Less => each!(out, a => x, b => y, Binary::Less.apply(x, y)),
        Binary::LessEqual => each!(out, a => x, b => y, Binary::LessEqual.apply(x, y)),
        Binary::Equal => each!(out, a => x, b => y, Binary::Equal.apply(x, y)),
        Binary::NotEqual => each!(out, a => x, b => y, Binary::NotEqual.apply(x, y)),
        Binary::And => each!(out, a => x, b => y, Binary::And.apply(x, y)),
        Binary::Or => each!(out, a => x, b => y, Binary::Or.apply(x, y)),
    }
}

/// A slice whose length the optimiser knows to be a multiple of [`LANES`], so that it makes no tail loop.
#[inline(always)]
fn whole(values: &[f64]) -> &[f64] {
    &values[..values.len() / LANES * LANES]
}

/// See [`whole`].
#[inline(always)]
fn whole_mut(values: &mut [f64]) -> &mut [f64] {
    let n = values.len() / LANES * LANES;
    &mut values[..n]
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
