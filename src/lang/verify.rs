//! The verifier in front of the virtual machine: no program runs that reads what nobody wrote.

use super::code::{Code, MOST_VECTORS, Source, Target};

/// A program that must not run. It is a mistake of the compiler, never of the user's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A scalar slot is read before it is written, or does not exist.
    #[error("instruction {at} reads scalar slot {slot}, which nothing has written")]
    Scalar {
        /// The instruction, counted from the prelude's first.
        at: usize,
        /// The slot.
        slot: u16,
    },
    /// A register is read before it is written, or does not exist.
    #[error("instruction {at} reads register {register}, which nothing has written")]
    Register {
        /// The instruction of the body.
        at: usize,
        /// The register.
        register: u16,
    },
    /// An input does not exist.
    #[error("instruction {at} reads input {input} of {count}")]
    Input {
        /// The instruction of the body.
        at: usize,
        /// The input.
        input: u16,
        /// How many there are.
        count: usize,
    },
    /// An instruction writes a register that it reads, or one that does not exist.
    #[error("instruction {at} may not write register {register}")]
    Target {
        /// The instruction of the body.
        at: usize,
        /// The register.
        register: u16,
    },
    /// The result is not written by the last instruction, and only by it.
    #[error("the result must be written once, by the last instruction")]
    Output,
    /// More vectors than the machine can hold.
    #[error("{0} vectors are read, at most {MOST_VECTORS} can be")]
    Inputs(usize),
}

/// Checks that a program reads only what was written and writes its result once, at the end. Operands
/// that an operation does not use count too, since the machine looks them up.
///
/// # Errors
/// The first instruction that does not.
pub fn verify(code: &Code) -> Result<(), VerifyError> {
    if code.vector_inputs.len() > MOST_VECTORS {
        return Err(VerifyError::Inputs(code.vector_inputs.len()));
    }
    let scalars = check_prelude(code)?;
    check_body(code, &scalars)
}

fn check_prelude(code: &Code) -> Result<Vec<bool>, VerifyError> {
    let mut written = vec![false; usize::from(code.scalars)];
    let given = code
        .constants
        .iter()
        .map(|(s, _)| *s)
        .chain(code.scalar_inputs.iter().map(|(s, _)| *s));
    for slot in given {
        *written
            .get_mut(usize::from(slot))
            .ok_or(VerifyError::Scalar { at: 0, slot })? = true;
    }
    for (at, instruction) in code.prelude.iter().enumerate() {
        for slot in &instruction.operands {
            if !written.get(usize::from(*slot)).copied().unwrap_or(false) {
                return Err(VerifyError::Scalar { at, slot: *slot });
            }
        }
        let slot = instruction.into;
        *written
            .get_mut(usize::from(slot))
            .ok_or(VerifyError::Scalar { at, slot })? = true;
    }
    match code.scalar_result {
        Some(slot) if !written.get(usize::from(slot)).copied().unwrap_or(false) => {
            Err(VerifyError::Scalar {
                at: code.prelude.len(),
                slot,
            })
        }
        _ => Ok(written),
    }
}

fn check_body(code: &Code, scalars: &[bool]) -> Result<(), VerifyError> {
    let mut written = vec![false; usize::from(code.registers)];
    for (at, instruction) in code.body.iter().enumerate() {
        for source in &instruction.operands {
            check_source(code, scalars, &written, at, *source)?;
        }
        match instruction.into {
            Target::Register(register) => {
                let itself = instruction.operands.contains(&Source::Register(register));
                match written.get_mut(usize::from(register)) {
                    Some(slot) if !itself => *slot = true,
                    _ => return Err(VerifyError::Target { at, register }),
                }
            }
            Target::Output if at + 1 == code.body.len() => {}
            Target::Output => return Err(VerifyError::Output),
        }
    }
    let ends = code.body.last().map(|i| i.into);
    match (ends, code.scalar_result) {
        (Some(Target::Output), None) | (None, Some(_)) => Ok(()),
        _ => Err(VerifyError::Output),
    }
}

fn check_source(
    code: &Code,
    scalars: &[bool],
    written: &[bool],
    at: usize,
    source: Source,
) -> Result<(), VerifyError> {
    match source {
        Source::Register(register)
            if !written.get(usize::from(register)).copied().unwrap_or(false) =>
        {
            Err(VerifyError::Register { at, register })
        }
        Source::Input(input) if usize::from(input) >= code.vector_inputs.len() => {
            Err(VerifyError::Input {
                at,
                input,
                count: code.vector_inputs.len(),
            })
        }
        Source::Scalar(slot) if !scalars.get(usize::from(slot)).copied().unwrap_or(false) => {
            Err(VerifyError::Scalar {
                at: code.prelude.len() + at,
                slot,
            })
        }
        _ => Ok(()),
    }
}
