//! Inputs of an event circuit: rows of numbers, each of which holds for a step.

use pulp::Arch;

use super::time::{NEVER, after, from_ms};
use crate::circuit::{Circuit, Input, InputId, Output};
use crate::compile::event::EventProgram;
use crate::input::process::Process;
use crate::input::{DataError, DataPaths, Pass};
use crate::lang::vm::padded;
use crate::vector::Vector;

/// All inputs of a circuit. Those that nothing reads stand still.
#[derive(Debug, Clone)]
pub struct Inputs {
    all: Vec<Flow>,
    arch: Arch,
}

/// An input while a circuit runs.
#[derive(Debug, Clone)]
struct Flow {
    process: Process,
    /// What is read of it, how many numbers that is, and its present row, padded.
    outputs: Vec<(Output, usize, Vector)>,
    /// Length of a step (ps).
    step: i64,
    /// When the next row comes (ps).
    next: i64,
}

impl Inputs {
    /// No inputs.
    pub fn none() -> Inputs {
        Inputs {
            all: vec![],
            arch: Arch::new(),
        }
    }

    /// The inputs of a circuit before time 0.
    ///
    /// # Errors
    /// If data are missing or broken.
    pub fn new(
        program: &EventProgram,
        paths: &DataPaths,
        threads: usize,
    ) -> Result<Inputs, DataError> {
        let circuit = &program.circuit;
        let flow = |(index, input): (usize, &Input)| -> Result<Flow, DataError> {
            let read = program
                .inputs
                .iter()
                .filter(|(id, _)| id.0 as usize == index);
            let row = |output: Output| {
                let size = input.output(output).unwrap_or(0);
                (output, size, Vector::zeros(padded(size)))
            };
            let outputs: Vec<_> = read.map(|(_, output)| row(*output)).collect();
            Ok(Flow {
                process: Process::new(input, circuit.seed, 1, paths, threads)?,
                next: if outputs.is_empty() { NEVER } else { 0 },
                outputs,
                step: step(circuit),
            })
        };
        Ok(Inputs {
            all: circuit
                .inputs
                .iter()
                .enumerate()
                .map(flow)
                .collect::<Result<_, _>>()?,
            arch: Arch::new(),
        })
    }

    /// When the next row of some input comes (ps).
    pub fn next_change(&self) -> i64 {
        self.all.iter().map(|flow| flow.next).min().unwrap_or(NEVER)
    }

    /// When the next row of an input comes (ps).
    pub fn next_row(&self, input: InputId) -> i64 {
        self.all
            .get(input.0 as usize)
            .map_or(NEVER, |flow| flow.next)
    }

    /// Inputs whose next row has come by `time` (ps) move on; gives them.
    pub fn advance(&mut self, time: i64) -> Vec<InputId> {
        let mut moved = Vec::new();
        for (index, flow) in self.all.iter_mut().enumerate() {
            if flow.next <= time {
                flow.advance(self.arch);
                moved.push(InputId(index as u32));
            }
        }
        moved
    }

    /// The present row of an output; empty if it is not read.
    pub fn row(&self, input: InputId, output: Output) -> &[f64] {
        let flow = self.all.get(input.0 as usize);
        let found = flow.and_then(|f| f.outputs.iter().find(|(o, ..)| *o == output));
        found.map_or(&[], |(_, size, row)| &row[..*size])
    }

    /// A stage begins that names no pass for an input: it goes on where it was, in its own way.
    pub fn go_on(&mut self, input: InputId) {
        if let Some(flow) = self.all.get_mut(input.0 as usize) {
            flow.process.go_on();
        }
    }

    /// A stage begins at a time (ps), and with it a pass of an input.
    pub fn rewind(&mut self, input: InputId, pass: &Pass, time: i64) {
        let Some(flow) = self.all.get_mut(input.0 as usize) else {
            return;
        };
        flow.process.rewind(pass);
        if !flow.outputs.is_empty() {
            flow.next = time;
        }
    }

    /// How long a pass over a split takes (ps), the first if none is named; 0 for a process without data.
    pub fn pass(&self, input: InputId, split: Option<&str>) -> i64 {
        let flow = self.all.get(input.0 as usize);
        let length = flow.and_then(|f| Some((f.process.epoch(split)?, f.step)));
        length.map_or(0, |(steps, step)| step.saturating_mul(steps as i64))
    }
}

impl Flow {
    fn advance(&mut self, arch: Arch) {
        let rows = self.outputs.iter_mut();
        let mut slices: Vec<(Output, &mut [f64])> = rows
            .map(|(output, _, row)| (*output, &mut row[..]))
            .collect();
        self.process.advance(arch, 1, &mut slices);
        self.next = after(self.next, self.step);
    }
}

/// The length of a step (ps).
fn step(circuit: &Circuit) -> i64 {
    from_ms(circuit.step_length().value).max(1)
}
