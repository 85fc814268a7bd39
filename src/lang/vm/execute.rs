//! The instructions of a program over one block: each one a loop of its own.

use super::LANES;
use crate::lang::code::{Code, Operation, Source, Target};
use crate::lang::ops::{Binary, Ternary, Unary};
use crate::vector::Vector;

/// Runs all instructions over one block.
#[inline(always)]
pub(super) fn run_block(
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
