//! No program passes the verifier that reads what nobody wrote: valid programs are corrupted in every
//! single field, and those that still pass are run in machines whose memory holds different leftovers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use apical::lang::code::{
    Code, Instruction, MOST_OPERATIONS, MOST_VECTORS, Operation, ScalarInstruction, Source, Target,
    TooLarge, compile,
};
use apical::lang::ops::{Binary, Ternary, Unary};
use apical::lang::verify::{VerifyError, verify};
use apical::lang::vm::Machine;
use apical::lang::{Shape, Symbol, build};
use language_support::{Repertoire, TestScope, formula, runner, same, trees};
use proptest::strategy::{Strategy, ValueTree};

/// Number of elements in these runs.
const N: usize = 16;

/// Random programs, and some whose parts are all in use.
fn programs() -> Vec<Code> {
    let repertoire = Repertoire {
        names: &["gate", "s", "pre", "q", "post", "dend", "w"],
        summed: None,
        memories: true,
        primes: Some(1),
    };
    let strategy = trees(repertoire);
    let mut runner = runner(1);
    let mut codes = Vec::new();
    for case in 0..40 {
        let tree = strategy.new_tree(&mut runner).unwrap().current();
        let formula = build(&tree, &mut TestScope::rule().with_f("tanh")).unwrap();
        let row = case % 2 == 0;
        let uniform = |shape| shape == Shape::Scalar || (row && shape == Shape::Pre);
        codes.push(compile(&formula.graph, formula.root, uniform).unwrap());
    }
    codes.push(whole());
    codes
}

fn compiled(text: &str) -> Code {
    let formula = formula(text, &mut TestScope::rule());
    compile(&formula.graph, formula.root, |s| s == Shape::Scalar).unwrap()
}

/// A program with constants, inputs of both kinds, a prelude and several registers.
fn whole() -> Code {
    compiled(
        "(pre + s * gate) * tanh(post / (1 + s)) - if(dend > w, exp(w * post), q + 3) * pre^2.5",
    )
}

/// A program that leaves `value` in the slots and registers that `code` may look at.
fn leftovers(code: &Code, value: f64) -> Code {
    let (scalars, registers) = (
        code.scalars.saturating_add(4),
        code.registers.saturating_add(4),
    );
    let copy = |into| Instruction {
        operation: Operation::Copy,
        into,
        operands: [Source::Scalar(0); 3],
    };
    let body = (0..registers).map(|r| copy(Target::Register(r)));
    Code {
        constants: (0..scalars).map(|slot| (slot, value)).collect(),
        scalar_inputs: vec![],
        vector_inputs: vec![],
        prelude: vec![],
        body: body.chain([copy(Target::Output)]).collect(),
        scalar_result: None,
        scalars,
        registers,
        base: None,
    }
}

/// What a program gives in a machine that ran something else before.
fn run(code: &Code, leftover: f64) -> Vec<f64> {
    let mut machine = Machine::default();
    let before = leftovers(code, leftover);
    machine.reserve(&before);
    let mut out = vec![0.0; N];
    machine.run(&before, |_| 0.0, &[], &mut out);
    let vector = |k: usize| {
        (0..N)
            .map(|i| 0.3 + (i + 7 * k) as f64 / 16.0)
            .collect::<Vec<f64>>()
    };
    let vectors: Vec<Vec<f64>> = (0..code.vector_inputs.len()).map(vector).collect();
    let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
    machine.reserve(code);
    // What nobody writes in the result stays as it was.
    let mut out = vec![leftover; N];
    machine.run(code, |i| 0.7 + i as f64, &vectors, &mut out);
    out
}

/// Whether a program runs to its end and does not depend on what the machine did before.
fn is_safe(code: &Code) -> bool {
    let both = catch_unwind(AssertUnwindSafe(|| (run(code, 1.5), run(code, -2.25))));
    both.is_ok_and(|(a, b)| a.iter().zip(&b).all(|(a, b)| same(*a, *b)))
}

/// All ways to corrupt one field of a program, each with the field's name.
fn mutants(code: &Code) -> Vec<(&'static str, Code)> {
    let mut all = Vec::new();
    let mut push = |field, change: &dyn Fn(&mut Code)| {
        let mut mutant = code.clone();
        change(&mut mutant);
        if mutant != *code {
            all.push((field, mutant));
        }
    };
    let slots: Vec<u16> = (0..code.scalars + 2).chain([u16::MAX]).collect();
    for i in 0..code.prelude.len() {
        for slot in &slots {
            push("prelude target", &|c| c.prelude[i].into = *slot);
            for k in 0..3 {
                push("prelude operand", &|c| c.prelude[i].operands[k] = *slot);
            }
        }
        push("prelude order", &|c| c.prelude[i..].reverse());
        push("prelude length", &|c| {
            c.prelude.remove(i);
        });
    }
    let registers = (0..code.registers + 2).chain([u16::MAX]);
    let inputs = (0..code.vector_inputs.len() as u16 + 2).chain([MOST_VECTORS as u16, u16::MAX]);
    let sources: Vec<Source> = registers
        .clone()
        .map(Source::Register)
        .chain(inputs.map(Source::Input))
        .chain(slots.iter().map(|s| Source::Scalar(*s)))
        .collect();
    for i in 0..code.body.len() {
        for target in registers
            .clone()
            .map(Target::Register)
            .chain([Target::Output])
        {
            push("body target", &|c| c.body[i].into = target);
        }
        for source in &sources {
            for k in 0..3 {
                push("body operand", &|c| c.body[i].operands[k] = *source);
            }
        }
        push("body order", &|c| c.body[i..].reverse());
        push("body length", &|c| {
            c.body.remove(i);
        });
        push("body length", &|c| c.body.insert(i, c.body[i]));
    }
    for i in 0..code.constants.len() {
        push("constants", &|c| {
            c.constants.remove(i);
        });
        for slot in &slots {
            push("constants", &|c| c.constants[i].0 = *slot);
        }
    }
    for i in 0..code.scalar_inputs.len() {
        push("scalar inputs", &|c| {
            c.scalar_inputs.remove(i);
        });
        for slot in &slots {
            push("scalar inputs", &|c| c.scalar_inputs[i].0 = *slot);
        }
    }
    for n in 0..=MOST_VECTORS + 1 {
        push("vector inputs", &|c| {
            c.vector_inputs.resize(n, Symbol::Outer(0))
        });
    }
    for slot in slots.iter().map(|s| Some(*s)).chain([None]) {
        push("scalar result", &|c| c.scalar_result = slot);
    }
    for n in 0..code.scalars {
        push("number of slots", &|c| c.scalars = n);
    }
    for n in 0..code.registers {
        push("number of registers", &|c| c.registers = n);
    }
    all
}

#[test]
fn a_corrupted_program_is_refused_or_harmless() {
    let mut refused: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for code in programs() {
        assert_eq!(verify(&code), Ok(()), "{code:?}");
        assert!(is_safe(&code));
        // Every 7th of those that pass is run: which ones differs from program to program.
        for (index, (field, mutant)) in mutants(&code).into_iter().enumerate() {
            let passes = verify(&mutant).is_ok();
            refused.entry(field).or_default()[usize::from(passes)] += 1;
            if passes && index % 7 == 0 {
                assert!(is_safe(&mutant), "{field} of {code:?} became {mutant:?}");
            }
        }
    }
    assert_eq!(refused.len(), 14, "every field was corrupted: {refused:?}");
    for (field, [refused, passed]) in &refused {
        assert!(*refused > 10, "{field}: {refused} refused, {passed} passed");
    }
}

#[test]
fn running_what_was_refused_does_harm() {
    // The reason to refuse, shown on the machine: this is what `is_safe` looks for.
    let code = whole();
    let (mut refused, mut harmful) = (0, 0);
    for (index, (_, mutant)) in mutants(&code).into_iter().enumerate() {
        // Few, since every panic prints its story for the test's captured output.
        if index % 7 == 0 && verify(&mutant).is_err() {
            refused += 1;
            harmful += usize::from(!is_safe(&mutant));
        }
    }
    // Not all: an operand that is not used does no harm as long as it exists.
    assert!(
        refused > 30 && harmful * 2 > refused,
        "{harmful} of {refused} do harm"
    );
}

/// A program changed in one place, and why it is refused.
fn refusal(change: impl Fn(&mut Code)) -> VerifyError {
    let mut code = compiled("tanh(pre * post) + s * w");
    change(&mut code);
    verify(&code).unwrap_err()
}

#[test]
fn a_refusal_names_the_instruction_and_what_it_reads() {
    let code = compiled("tanh(pre * post) + s * w");
    assert_eq!(
        (code.body.len(), code.vector_inputs.len(), code.scalars),
        (4, 3, 1)
    );
    assert_eq!(
        refusal(|c| c.body[2].operands[0] = Source::Register(0)),
        VerifyError::Target { at: 2, register: 0 },
        "an instruction may not write what it reads, even if it was written"
    );
    assert_eq!(
        refusal(|c| c.body[1].operands[0] = Source::Register(9)),
        VerifyError::Register { at: 1, register: 9 }
    );
    assert_eq!(
        refusal(|c| c.body[0].operands[1] = Source::Input(3)),
        VerifyError::Input {
            at: 0,
            input: 3,
            count: 3
        }
    );
    assert_eq!(
        refusal(|c| c.body[0].operands[2] = Source::Input(99)),
        VerifyError::Input {
            at: 0,
            input: 99,
            count: 3
        },
        "an operand that is not used is looked up all the same"
    );
    assert_eq!(
        refusal(|c| c.scalar_inputs.clear()),
        VerifyError::Scalar { at: 2, slot: 0 }
    );
    assert_eq!(
        refusal(|c| c.body[1].into = Target::Output),
        VerifyError::Output
    );
    assert_eq!(refusal(|c| c.body.truncate(2)), VerifyError::Output);
    assert_eq!(refusal(|c| c.body.clear()), VerifyError::Output);
    assert_eq!(refusal(|c| c.scalar_result = Some(0)), VerifyError::Output);
    assert_eq!(
        refusal(|c| c.vector_inputs.resize(33, Symbol::Argument)),
        VerifyError::Inputs(33)
    );
    let reading = ScalarInstruction {
        operation: Operation::Unary(Unary::Exp),
        into: 0,
        operands: [0, 0, 5],
    };
    assert_eq!(
        refusal(|c| c.prelude.push(reading)),
        VerifyError::Scalar { at: 0, slot: 5 },
        "also in the prelude"
    );
    let message = VerifyError::Register { at: 4, register: 7 }.to_string();
    assert_eq!(
        message,
        "instruction 4 reads register 7, which nothing has written"
    );
}

#[test]
fn a_program_with_other_operations_is_still_valid() {
    // What a program computes is not the verifier's business.
    let mut code = whole();
    for instruction in &mut code.body {
        instruction.operation = match instruction.operation {
            Operation::Unary(_) => Operation::Unary(Unary::Sign),
            Operation::Binary(_) => Operation::Binary(Binary::Or),
            Operation::Ternary(_) => Operation::Ternary(Ternary::NegFma),
            Operation::Copy => Operation::Copy,
        };
    }
    for constant in &mut code.constants {
        constant.1 = f64::NAN;
    }
    assert_eq!(verify(&code), Ok(()));
}

#[test]
fn an_expression_that_is_too_large_is_refused_when_it_is_compiled() {
    let names: Vec<String> = (0..40).map(|i| format!("v{i}")).collect();
    let names: &'static [String] = Box::leak(names.into_boxed_slice());
    let variables: Vec<(&str, Shape)> = names.iter().map(|n| (n.as_str(), Shape::Post)).collect();
    let compile_sum = |n: usize| {
        let sum = formula(&names[..n].join(" + "), &mut TestScope::plain(&variables));
        compile(&sum.graph, sum.root, |s| s == Shape::Scalar).map(|code| code.vector_inputs.len())
    };
    assert_eq!(compile_sum(MOST_VECTORS), Ok(MOST_VECTORS));
    assert_eq!(
        compile_sum(MOST_VECTORS + 1),
        Err(TooLarge::Vectors(MOST_VECTORS + 1))
    );
    // Slots are numbered with 16 bits; a large activation put in often enough would run over.
    let f = vec!["tanh(x) * x"; 100].join(" + sin(x + 1) - ");
    let calls: Vec<String> = (0..250).map(|i| format!("f(s+{i})")).collect();
    let large = formula(&calls.join("+"), &mut TestScope::rule().with_f(&f));
    let code = compile(&large.graph, large.root, |s| s == Shape::Scalar);
    assert!(
        matches!(code, Err(TooLarge::Operations(n)) if n > MOST_OPERATIONS),
        "{code:?}"
    );
}
