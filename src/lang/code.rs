//! Bytecode: what a graph becomes so that it can run over blocks of neurons or synapses.
//!
//! A program has two parts. The *prelude* computes, once a run, everything that is the same for all
//! elements, in numbered scalar slots. The *body* is a list of register instructions; each one
//! runs over a whole block of elements before the next.

use std::collections::HashMap;

use super::graph::{Graph, Node, NodeId, Shape, Symbol};
use super::ops::{Binary, Ternary, Unary};

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Its first operand.
    Copy,
    /// An operation on one operand.
    Unary(Unary),
    /// An operation on two.
    Binary(Binary),
    /// An operation on three.
    Ternary(Ternary),
}

/// Where an operand of the body comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A block register.
    Register(u16),
    /// The block of a vector that is read.
    Input(u16),
    /// A scalar slot, the same for all elements.
    Scalar(u16),
}

/// Where a body instruction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A block register.
    Register(u16),
    /// The result.
    Output,
}

/// An instruction of the body; operands that its operation does not use repeat the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub operation: Operation,
    /// Where it writes.
    pub into: Target,
    /// Its operands.
    pub operands: [Source; 3],
}

/// An instruction of the prelude, on scalar slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalarInstruction {
    /// What it does.
    pub operation: Operation,
    /// The slot it writes.
    pub into: u16,
    /// The slots it reads.
    pub operands: [u16; 3],
}

/// A compiled expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    /// Slots that hold constants.
    pub constants: Vec<(u16, f64)>,
    /// Slots that the caller fills, in order.
    pub scalar_inputs: Vec<(u16, Symbol)>,
    /// Vectors that the caller passes, in order.
    pub vector_inputs: Vec<Symbol>,
    /// Computed once a run.
    pub prelude: Vec<ScalarInstruction>,
    /// Computed block by block; empty if the value is a scalar.
    pub body: Vec<Instruction>,
    /// The slot of the value, if it is a scalar.
    pub scalar_result: Option<u16>,
    /// Number of scalar slots.
    pub scalars: u16,
    /// Number of block registers.
    pub registers: u16,
    /// The first of its scalar slots in a machine that keeps them for this program alone, so that its constants are
    /// written once; `None` if it shares them with others.
    pub base: Option<u32>,
}

/// Vectors that one program may read; the machine keeps their addresses on its stack.
pub const MOST_VECTORS: usize = 16;

/// Operations that one program may have; slots and registers are numbered with 16 bits.
pub const MOST_OPERATIONS: usize = 1 << 15;

/// An expression that is too large for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// It reads too many vectors.
    #[error(
        "an expression may read {MOST_VECTORS} different values per neuron, this one reads {0}"
    )]
    Vectors(usize),
    /// It has too many operations.
    #[error(
        "an expression may have {MOST_OPERATIONS} operations, this one has {0} with its activations put in"
    )]
    Operations(usize),
}

/// Compiles what is under `root`. `uniform` tells which shapes are the same for all elements of a run
/// (in a rule that runs along one presynaptic neuron's synapses, the presynaptic side is).
///
/// # Errors
/// If it reads more than [`MOST_VECTORS`] vectors or has more than [`MOST_OPERATIONS`] operations.
pub fn compile(
    graph: &Graph,
    root: NodeId,
    uniform: impl Fn(Shape) -> bool,
) -> Result<Code, TooLarge> {
    let order = graph.order(root);
    if order.len() > MOST_OPERATIONS {
        return Err(TooLarge::Operations(order.len()));
    }
    let mut lowering = Lowering::new(graph, root);
    for id in order {
        if uniform(graph.shape(id)) {
            lowering.scalar(id);
        } else {
            lowering.vector(id);
        }
    }
    if lowering.code.vector_inputs.len() > MOST_VECTORS {
        return Err(TooLarge::Vectors(lowering.code.vector_inputs.len()));
    }
    if uniform(graph.shape(root)) {
        lowering.code.scalar_result = lowering.slots.get(&root).copied();
    } else {
        lowering.finish(root);
    }
    Ok(lowering.code)
}

struct Lowering<'g> {
    graph: &'g Graph,
    code: Code,
    slots: HashMap<NodeId, u16>,
    places: HashMap<NodeId, Source>,
    /// How many instructions are still to read a node.
    readers: HashMap<NodeId, usize>,
    free: Vec<u16>,
}

impl<'g> Lowering<'g> {
    fn new(graph: &'g Graph, root: NodeId) -> Self {
        let mut readers: HashMap<NodeId, usize> = HashMap::new();
        for id in graph.order(root) {
            for operand in graph.operands(id) {
                *readers.entry(operand).or_default() += 1;
            }
        }
        let code = Code {
            constants: vec![],
            scalar_inputs: vec![],
            vector_inputs: vec![],
            prelude: vec![],
            body: vec![],
            scalar_result: None,
            scalars: 0,
            registers: 0,
            base: None,
        };
        Lowering {
            graph,
            code,
            slots: HashMap::new(),
            places: HashMap::new(),
            readers,
            free: vec![],
        }
    }

    fn slot(&mut self) -> u16 {
        self.code.scalars += 1;
        self.code.scalars - 1
    }

    fn scalar(&mut self, id: NodeId) {
        let slot = self.slot();
        let at = |operand: NodeId| self.slots.get(&operand).copied().unwrap_or(0);
        let instruction = match self.graph.node(id) {
            Node::Number(bits) => {
                self.code.constants.push((slot, f64::from_bits(bits)));
                None
            }
            Node::Variable(symbol) => {
                self.code.scalar_inputs.push((slot, symbol));
                None
            }
            Node::Unary(op, a) => Some((Operation::Unary(op), [at(a); 3])),
            Node::Binary(op, a, b) => Some((Operation::Binary(op), [at(a), at(b), at(a)])),
            Node::Ternary(op, a, b, c) => Some((Operation::Ternary(op), [at(a), at(b), at(c)])),
            // Sums are taken out before an expression is compiled.
            Node::Sum(a) => Some((Operation::Copy, [at(a); 3])),
        };
        if let Some((operation, operands)) = instruction {
            self.code.prelude.push(ScalarInstruction {
                operation,
                into: slot,
                operands,
            });
        }
        self.slots.insert(id, slot);
        self.places.insert(id, Source::Scalar(slot));
    }

    fn vector(&mut self, id: NodeId) {
        let at = |operand: NodeId| {
            self.places
                .get(&operand)
                .copied()
                .unwrap_or(Source::Scalar(0))
        };
        let (operation, operands) = match self.graph.node(id) {
            Node::Variable(symbol) => {
                let index = u16::try_from(self.code.vector_inputs.len()).unwrap_or(u16::MAX);
                self.code.vector_inputs.push(symbol);
                self.places.insert(id, Source::Input(index));
                return;
            }
            Node::Number(_) | Node::Sum(_) => return,
            Node::Unary(op, a) => (Operation::Unary(op), [at(a); 3]),
            Node::Binary(op, a, b) => (Operation::Binary(op), [at(a), at(b), at(a)]),
            Node::Ternary(op, a, b, c) => (Operation::Ternary(op), [at(a), at(b), at(c)]),
        };
        // Taken before the operands' registers are freed: an instruction never writes what it reads.
        let register = self.free.pop().unwrap_or_else(|| {
            self.code.registers += 1;
            self.code.registers - 1
        });
        let into = Target::Register(register);
        self.code.body.push(Instruction {
            operation,
            into,
            operands,
        });
        self.places.insert(id, Source::Register(register));
        self.release(id);
    }

    /// Gives back the registers of operands that nothing reads any more.
    fn release(&mut self, id: NodeId) {
        for operand in self.graph.operands(id) {
            let left = self.readers.entry(operand).or_default();
            *left = left.saturating_sub(1);
            if *left == 0
                && let Some(Source::Register(register)) = self.places.get(&operand)
            {
                self.free.push(*register);
            }
        }
    }

    /// Makes the last instruction write the result.
    fn finish(&mut self, root: NodeId) {
        match (self.places.get(&root).copied(), self.code.body.last_mut()) {
            (Some(Source::Register(_)), Some(last)) => last.into = Target::Output,
            (Some(source), _) => {
                let copy = Instruction {
                    operation: Operation::Copy,
                    into: Target::Output,
                    operands: [source; 3],
                };
                self.code.body.push(copy);
            }
            (None, _) => {}
        }
    }
}
