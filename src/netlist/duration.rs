//! Lengths of simulated time.

use super::model::{Duration, LEAST_INTERVAL};
use super::reader::{Context, Field};
use super::scalars::Range;
use super::tree::Value;
use crate::source::{Problem, Spanned};

impl Field<'_> {
    /// A number of steps of at least `least`, or a time: a text with a unit, or a number with a
    /// decimal point where the circuit's time has no unit.
    pub fn duration(&self, context: &mut Context, least: u64) -> Option<Spanned<Duration>> {
        if let Some(problem) = self.without_steps(context) {
            context.report(problem);
            return None;
        }
        const EXPECTED: &str = "a whole number of steps, or a time such as \"10 ms\"";
        if let Some(computed) = self.computed(context)
            && computed?.value.dimension.is_none()
        {
            let steps = self.whole(context, least)?;
            return Some(Spanned::new(Duration::Steps(steps.value), steps.span));
        }
        match &self.node.value {
            Value::Whole(_) => {
                let steps = self.whole(context, least)?;
                Some(Spanned::new(Duration::Steps(steps.value), steps.span))
            }
            Value::Number(number) if context.time.is_some_and(|time| !time.is_none()) => {
                self.refuse(context, &number.to_string(), EXPECTED)
            }
            Value::Number(_) | Value::Text { .. } => {
                let range = if least == 0 {
                    Range::NOT_NEGATIVE
                } else {
                    Range::POSITIVE
                };
                let time = self.time(context, range)?;
                if context.event == Some(true) && least > 0 && time.value.value < LEAST_INTERVAL {
                    let (found, expected) = (time.value.to_string(), "a time of 0.1 us or more");
                    return self.refuse(context, &found, expected);
                }
                Some(Spanned::new(Duration::Time(time.value), time.span))
            }
            _ => {
                self.wrong_kind(context, EXPECTED);
                None
            }
        }
    }

    /// What is wrong with a number of steps in a circuit that has none.
    fn without_steps(&self, context: &Context) -> Option<Problem> {
        let number = matches!(self.node.value, Value::Whole(_) | Value::Number(_));
        if !context.stepless || !number {
            return None;
        }
        let problem = self.problem("a number of steps", "a time such as \"10 ms\"");
        Some(problem.help(
            "the circuit has no steps: write a time with its unit, or give it `step = \"1 ms\"`",
        ))
    }

    /// One length for each of `count` values, from one length for all or a list of them.
    pub fn durations(&self, context: &mut Context, count: usize) -> Option<Vec<Duration>> {
        if self.node.list().is_none() {
            let one = self.duration(context, 1)?;
            return Some(vec![one.value; count]);
        }
        let expected = "one length, or a list of one length for each value";
        let lengths = self.each(context, expected, |field, context| {
            field.duration(context, 1)
        })?;
        if lengths.len() != count {
            let found = format!("a list of {}", lengths.len());
            let expected = format!("one length, or {count}: one for each value");
            return self.refuse(context, &found, &expected);
        }
        Some(lengths.into_iter().map(|length| length.value).collect())
    }
}
