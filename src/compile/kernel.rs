//! Bytecode bound to the places of a simulation's memory.

use super::reading::{Expr, Reading};
use crate::lang::code::{Code, Instruction, Operation, Source, Target, compile};
use crate::lang::verify::verify;
use crate::lang::{NodeId, Shape, Symbol};
use crate::source::Problem;

/// Index of a number in the simulation's table of scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScalarId(pub u32);

/// Index of a vector in the simulation's table of vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VectorId(pub u32);

/// A vector that a kernel reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VectorRef {
    /// A vector of the table.
    Plain(VectorId),
    /// The slot of a ring of `depth` vectors that was written `depth` steps ago.
    Oldest {
        /// The ring.
        ring: VectorId,
        /// Its depth (steps).
        depth: u32,
    },
    /// Like `Oldest`, but written `delay` steps ago.
    Delayed {
        /// The ring.
        ring: VectorId,
        /// Its depth (steps).
        depth: u32,
        /// How long ago (steps), at most `depth`.
        delay: u32,
    },
    /// What the sources of noise and input deliver in this step.
    Source(u32),
    /// In a rule's general path: the row's weights.
    Weights,
    /// In a rule's general path: the row of a synapse's state.
    SynapseState(u32),
}

impl VectorRef {
    /// Whether it is that vector of the table, or a part of it.
    pub fn is_of(self, vector: VectorId) -> bool {
        match self {
            VectorRef::Plain(id) => id == vector,
            VectorRef::Oldest { ring, .. } | VectorRef::Delayed { ring, .. } => ring == vector,
            VectorRef::Source(_) | VectorRef::Weights | VectorRef::SynapseState(_) => false,
        }
    }
}

/// A compiled expression and where it reads.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// The bytecode.
    pub code: Code,
    /// Its scalar inputs.
    pub scalars: Vec<ScalarId>,
    /// Its vector inputs.
    pub vectors: Vec<VectorRef>,
    /// For each scalar input 1 if each replica has one of its own, beside the others', else 0; empty if none has.
    pub strides: Vec<u32>,
}

/// Answers where in memory a symbol is.
pub trait Binding {
    /// The place of a scalar.
    fn scalar(&self, symbol: Symbol, reading: Option<Reading>) -> Option<ScalarId>;
    /// Whether each replica has that scalar of its own, beside the others'.
    fn is_own(&self, symbol: Symbol, reading: Option<Reading>) -> bool;
    /// The place of a vector.
    fn vector(&self, symbol: Symbol, reading: Option<Reading>) -> Option<VectorRef>;
}

/// Which shapes are the same for all elements of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Over the neurons of a population, or the values of a vector.
    Neurons,
    /// Along one presynaptic neuron's synapses.
    Row,
}

impl View {
    fn uniform(self, shape: Shape) -> bool {
        shape == Shape::Scalar || (self == View::Row && shape == Shape::Pre)
    }
}

impl Kernel {
    /// The vector that it gives unchanged, if that is all it does (a gate often leaves no more of a soma).
    #[inline]
    pub fn copied(&self) -> Option<VectorRef> {
        match self.code.body[..] {
            [
                Instruction {
                    operation: Operation::Copy,
                    into: Target::Output,
                    operands: [Source::Input(index), ..],
                },
            ] => self.vectors.get(usize::from(index)).copied(),
            _ => None,
        }
    }

    /// Whether it computes the same from the same.
    pub fn computes_as(&self, other: &Kernel) -> bool {
        let operations = |kernel: &Kernel| {
            let Code {
                constants,
                prelude,
                body,
                ..
            } = kernel.code.clone();
            (constants, prelude, body)
        };
        let reads = (&self.scalars, &self.vectors, &self.strides);
        reads == (&other.scalars, &other.vectors, &other.strides)
            && operations(self) == operations(other)
    }

    /// Compiles and binds what is under `node`.
    ///
    /// # Errors
    /// If the expression is too large for the machine.
    pub fn new(
        expr: &mut Expr,
        node: NodeId,
        view: View,
        binding: &dyn Binding,
    ) -> Result<Kernel, Problem> {
        let graph = &mut expr.formula.graph;
        let node = graph.contract(node);
        let code = compile(graph, node, |shape| view.uniform(shape))
            .map_err(|e| Problem::new(e.to_string(), expr.span, "too large"))?;
        let broken = |what: String| {
            Problem::new(
                format!("this cannot be compiled ({what})"),
                expr.span,
                "please report this",
            )
        };
        verify(&code).map_err(|e| broken(e.to_string()))?;
        let missing = |symbol: &Symbol| {
            broken(format!(
                "no place for {symbol:?}, {:?}",
                expr.reading(*symbol)
            ))
        };
        let scalars = code.scalar_inputs.iter().map(|(_, s)| {
            binding
                .scalar(*s, expr.reading(*s))
                .ok_or_else(|| missing(s))
        });
        let scalars = scalars.collect::<Result<_, _>>()?;
        let own = code.scalar_inputs.iter();
        let own = own.map(|(_, s)| u32::from(binding.is_own(*s, expr.reading(*s))));
        let mut strides: Vec<u32> = own.collect();
        if strides.iter().all(|stride| *stride == 0) {
            strides.clear();
        }
        let vectors = code.vector_inputs.iter().map(|s| {
            binding
                .vector(*s, expr.reading(*s))
                .ok_or_else(|| missing(s))
        });
        let vectors = vectors.collect::<Result<_, _>>()?;
        Ok(Kernel {
            code,
            scalars,
            vectors,
            strides,
        })
    }

    /// Whether replicas have scalar inputs of their own.
    #[inline]
    pub fn differs(&self) -> bool {
        !self.strides.is_empty()
    }

    /// Where a replica's scalar input is.
    #[inline]
    pub fn scalar(&self, input: usize, replica: usize) -> usize {
        let own = self
            .strides
            .get(input)
            .map_or(0, |stride| *stride as usize * replica);
        self.scalars[input].0 as usize + own
    }
}
