//! Expressions that are frequent enough to have a loop of their own, which does all their operations at once.

use crate::compile::kernel::{Kernel, VectorRef};
use crate::lang::code::{Code, Operation, Source, Target};
use crate::lang::ops::{Binary, Ternary, Unary};

/// A number that all neurons share.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Constant(f64),
    /// A constant times a scalar of the state, with its sign turned if `negative`.
    Product {
        factor: f64,
        scalar: usize,
        negative: bool,
    },
    /// A constant times what a scalar of the state lacks to 1.
    Rest {
        factor: f64,
        scalar: usize,
    },
    /// An expression of scalars.
    Kernel(Box<Kernel>),
}

impl Number {
    pub fn of(kernel: &Kernel) -> Number {
        let found = kernel.code.scalar_result.and_then(|s| number(kernel, s));
        found.unwrap_or_else(|| Number::Kernel(Box::new(kernel.clone())))
    }
}

/// What a scalar slot of a kernel holds, if it is a constant or a constant times a scalar.
fn number(kernel: &Kernel, slot: u16) -> Option<Number> {
    let code = &kernel.code;
    if let Some(value) = constant(code, slot) {
        return Some(Number::Constant(value));
    }
    let (factor, slot, scaled) = match made(code, slot) {
        Some((Operation::Binary(Binary::Mul), [factor, x, _])) => {
            (constant(code, factor)?, x, true)
        }
        _ => (1.0, slot, false),
    };
    let input = |slot: u16| {
        let input = code.scalar_inputs.iter().position(|(s, _)| *s == slot)?;
        Some(kernel.scalars.get(input)?.0 as usize)
    };
    // A product with 1 is exact, so that both forms are one.
    let factor = if scaled { factor } else { 1.0 };
    if let Some((Operation::Binary(Binary::Sub), [one, x, _])) = made(code, slot)
        && constant(code, one).map(f64::to_bits) == Some(1.0_f64.to_bits())
        && let Some(scalar) = input(x)
    {
        return Some(Number::Rest { factor, scalar });
    }
    let (slot, negative) = match made(code, slot) {
        Some((Operation::Unary(Unary::Neg), [x, ..])) => (x, true),
        Some(_) => return None,
        None => (slot, false),
    };
    Some(Number::Product {
        factor,
        scalar: input(slot)?,
        negative,
    })
}

/// What a slot holds, if it is a constant.
fn constant(code: &Code, wanted: u16) -> Option<f64> {
    let found = code.constants.iter().find(|(slot, _)| *slot == wanted);
    found.map(|(_, value)| *value)
}

/// The operation that makes a slot's value.
fn made(code: &Code, wanted: u16) -> Option<(Operation, [u16; 3])> {
    let found = code.prelude.iter().find(|i| i.into == wanted);
    found.map(|i| (i.operation, i.operands))
}

/// An expression over a vector. The recognised ones do the operations of their bytecode in the same order.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// A vector as it is.
    Copy(VectorRef),
    /// scale·x + y.
    Fma {
        scale: f64,
        x: VectorRef,
        y: VectorRef,
    },
    /// max(x, least).
    AtLeast { least: f64, x: VectorRef },
    /// x·y.
    Product { x: VectorRef, y: VectorRef },
    /// scale·(x − y): an error.
    Error {
        scale: f64,
        x: VectorRef,
        y: VectorRef,
    },
    /// (x − y)².
    SquaredError { x: VectorRef, y: VectorRef },
    /// One that takes longer than the call of a function.
    Long(Long),
}

/// A long expression.
#[derive(Debug, Clone)]
pub(super) enum Long {
    /// scale·x + tanh(y): a value with noise.
    TanhFma {
        scale: f64,
        x: VectorRef,
        y: VectorRef,
    },
    /// scale·((x − t)·(1 − t²)), t = tanh(y): the error of a prediction times the slope of its activation.
    TanhError {
        scale: f64,
        x: VectorRef,
        y: VectorRef,
    },
    /// scale·(signal·(x − y) − decay·w): a deviation times a broadcast signal, with decay.
    Deviation {
        scale: f64,
        signal: Number,
        decay: f64,
        x: VectorRef,
        y: VectorRef,
        w: VectorRef,
    },
    /// (signal·(x − y))·z: an error times a third vector.
    ErrorProduct {
        signal: Number,
        x: VectorRef,
        y: VectorRef,
        z: VectorRef,
    },
    /// y − scale·softplus⁻¹(gain·x): the leak of a neuron whose steady state is a softplus of its drive.
    SoftplusLeak {
        scale: f64,
        gain: f64,
        x: VectorRef,
        y: VectorRef,
    },
    /// Bytecode.
    Code(Box<Kernel>),
}

impl Pattern {
    pub fn of(kernel: &Kernel) -> Pattern {
        let found = Reader { kernel }.recognise();
        found.unwrap_or_else(|| {
            let mut kernel = kernel.clone();
            for place in &mut kernel.vectors {
                *place = in_place(*place);
            }
            Pattern::Long(Long::Code(Box::new(kernel)))
        })
    }

    /// Shows all places that it reads.
    pub fn places(&self, mut see: impl FnMut(VectorRef)) {
        self.reads(|place| {
            see(place);
            false
        });
    }

    /// Whether it reads a vector of which `wanted` is true.
    pub fn reads(&self, mut wanted: impl FnMut(VectorRef) -> bool) -> bool {
        match self {
            Pattern::Copy(x) | Pattern::AtLeast { x, .. } => wanted(*x),
            Pattern::Fma { x, y, .. }
            | Pattern::Product { x, y }
            | Pattern::Error { x, y, .. }
            | Pattern::SquaredError { x, y }
            | Pattern::Long(
                Long::TanhFma { x, y, .. }
                | Long::TanhError { x, y, .. }
                | Long::SoftplusLeak { x, y, .. },
            ) => wanted(*x) || wanted(*y),
            Pattern::Long(
                Long::Deviation { x, y, w, .. } | Long::ErrorProduct { x, y, z: w, .. },
            ) => wanted(*x) || wanted(*y) || wanted(*w),
            Pattern::Long(Long::Code(kernel)) => kernel.vectors.iter().any(|v| wanted(*v)),
        }
    }
}

/// A ring of one slot is a vector.
pub(super) fn in_place(place: VectorRef) -> VectorRef {
    match place {
        VectorRef::Oldest { ring, depth: 1 } | VectorRef::Delayed { ring, depth: 1, .. } => {
            VectorRef::Plain(ring)
        }
        other => other,
    }
}

/// Looks for known shapes of bytecode.
struct Reader<'a> {
    kernel: &'a Kernel,
}

const COPY: Operation = Operation::Copy;
const NEG: Operation = Operation::Unary(Unary::Neg);
const TANH: Operation = Operation::Unary(Unary::Tanh);
const SOFTPLUS_INVERSE: Operation = Operation::Unary(Unary::SoftplusInverse);
const ADD: Operation = Operation::Binary(Binary::Add);
const SUB: Operation = Operation::Binary(Binary::Sub);
const MUL: Operation = Operation::Binary(Binary::Mul);
const MAX: Operation = Operation::Binary(Binary::Max);
const FMA: Operation = Operation::Ternary(Ternary::Fma);
const NEG_FMA: Operation = Operation::Ternary(Ternary::NegFma);

impl Reader<'_> {
    fn input(&self, source: Source) -> Option<VectorRef> {
        match source {
            Source::Input(index) => {
                let place = self.kernel.vectors.get(usize::from(index));
                place.copied().map(in_place)
            }
            _ => None,
        }
    }

    fn constant(&self, source: Source) -> Option<f64> {
        match source {
            Source::Scalar(index) => constant(&self.kernel.code, index),
            _ => None,
        }
    }

    fn number(&self, source: Source) -> Option<Number> {
        match source {
            Source::Scalar(index) => number(self.kernel, index),
            _ => None,
        }
    }

    /// The body, in which every instruction but the last must be read by later ones alone: registers are traced to the
    /// instructions that wrote them, so that operands name instructions.
    fn traced(&self) -> Option<Vec<(Operation, [Traced; 3])>> {
        let mut written: Vec<Option<usize>> = vec![None; usize::from(self.kernel.code.registers)];
        let mut body = Vec::new();
        for (at, instruction) in self.kernel.code.body.iter().enumerate() {
            let mut operands = [Traced::Other(Source::Scalar(0)); 3];
            for (traced, source) in operands.iter_mut().zip(instruction.operands) {
                *traced = match source {
                    Source::Register(r) => Traced::Made((*written.get(usize::from(r))?)?),
                    other => Traced::Other(other),
                };
            }
            body.push((instruction.operation, operands));
            match instruction.into {
                Target::Register(r) => *written.get_mut(usize::from(r))? = Some(at),
                Target::Output if at + 1 == self.kernel.code.body.len() => {}
                Target::Output => return None,
            }
        }
        Some(body)
    }

    fn recognise(&self) -> Option<Pattern> {
        use Traced::{Made, Other};
        Some(match self.traced()?[..] {
            [(COPY, [Other(x), ..])] => Pattern::Copy(self.input(x)?),
            [(FMA, [Other(s), Other(x), Other(y)])] => Pattern::Fma {
                scale: self.constant(s)?,
                x: self.input(x)?,
                y: self.input(y)?,
            },
            [(MAX, [Other(x), Other(least), _])] => Pattern::AtLeast {
                least: self.constant(least).filter(|least| !least.is_nan())?,
                x: self.input(x)?,
            },
            [(MUL, [Other(x), Other(y), _])] => Pattern::Product {
                x: self.input(x)?,
                y: self.input(y)?,
            },
            [(TANH, [Other(y), ..]), (FMA, [Other(s), Other(x), Made(0)])] => {
                Pattern::Long(Long::TanhFma {
                    scale: self.constant(s)?,
                    x: self.input(x)?,
                    y: self.input(y)?,
                })
            }
            [
                (TANH, [Other(y), ..]),
                (SUB, [Other(x), Made(0), _]),
                (NEG_FMA, [Made(0), Made(0), Other(one)]),
                (MUL, [Made(1), Made(2), _]),
                (MUL, [Other(s), Made(3), _]),
            ] if self.constant(one)?.to_bits() == 1.0_f64.to_bits() => {
                Pattern::Long(Long::TanhError {
                    scale: self.constant(s)?,
                    x: self.input(x)?,
                    y: self.input(y)?,
                })
            }
            [
                (SUB, [Other(x), Other(y), _]),
                (MUL, [Other(s), Made(0), _]),
            ] => Pattern::Error {
                scale: self.constant(s)?,
                x: self.input(x)?,
                y: self.input(y)?,
            },
            [(SUB, [Other(x), Other(y), _]), (MUL, [Made(0), Made(0), _])] => {
                Pattern::SquaredError {
                    x: self.input(x)?,
                    y: self.input(y)?,
                }
            }
            [
                (SUB, [Other(x), Other(y), _]),
                (MUL, [Other(signal), Made(0), _]),
                (NEG_FMA, [Other(decay), Other(w), Made(1)]),
                (MUL, [Other(s), Made(2), _]),
            ] => Pattern::Long(Long::Deviation {
                scale: self.constant(s)?,
                signal: self.number(signal)?,
                decay: self.constant(decay)?,
                x: self.input(x)?,
                y: self.input(y)?,
                w: self.input(w)?,
            }),
            [
                (SUB, [Other(x), Other(y), _]),
                (MUL, [Other(signal), Made(0), _]),
                (MUL, [Made(1), Other(z), _]),
            ] => Pattern::Long(Long::ErrorProduct {
                signal: self.number(signal)?,
                x: self.input(x)?,
                y: self.input(y)?,
                z: self.input(z)?,
            }),
            [
                (MUL, [Other(x), Other(gain), _]),
                (SOFTPLUS_INVERSE, [Made(0), ..]),
                (MUL, [Made(1), Other(s), _]),
                (NEG, [Made(2), ..]),
                (ADD, [Made(3), Other(y), _]),
            ] => Pattern::Long(Long::SoftplusLeak {
                scale: self.constant(s)?,
                gain: self.constant(gain)?,
                x: self.input(x)?,
                y: self.input(y)?,
            }),
            _ => return None,
        })
    }
}

/// Where an operand comes from: the instruction that made it, or from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traced {
    Made(usize),
    Other(Source),
}
