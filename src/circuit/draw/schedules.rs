//! Schedules of modulators in words.

use super::words::{count, thousands};
use crate::netlist::model::{Duration, ModulatorDrive, Schedule};

/// Lists are told up to this many values.
const MOST_VALUES: usize = 6;

/// What sets a modulator: `alternates 1, 0 every 2 steps`.
pub(super) fn drive(drive: &ModulatorDrive) -> String {
    match drive {
        ModulatorDrive::Schedule(schedule) => in_words(&schedule.value),
        ModulatorDrive::Value { of, .. } => format!("= {}", of.value.trim()),
        ModulatorDrive::Released { by, tau, .. } => {
            format!(
                "released by the spikes of {}, decays in {}",
                by.value, tau.value
            )
        }
    }
}

fn in_words(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant(value) => format!("constant {value}"),
        Schedule::Cycle {
            values, lengths, ..
        } => cycle(values, lengths),
        Schedule::List { values, every } => {
            format!(
                "takes {} in turn, {} each; the last one stays",
                list(values),
                length(*every)
            )
        }
        Schedule::Random {
            values,
            probabilities,
            every,
        } => {
            format!(
                "drawn {} from {}",
                period(*every),
                chances(values, probabilities)
            )
        }
    }
}

fn cycle(values: &[f64], lengths: &[Duration]) -> String {
    match lengths {
        [first, rest @ ..] if rest.iter().all(|l| l == first) => {
            format!("alternates {} {}", list(values), period(*first))
        }
        _ => {
            let turns = values.iter().zip(lengths);
            let turns = turns.map(|(value, l)| format!("{value} for {}", length(*l)));
            format!("alternates {}", shortened(turns))
        }
    }
}

fn chances(values: &[f64], probabilities: &[f64]) -> String {
    let equal = probabilities.windows(2).all(|p| (p[0] - p[1]).abs() < 1e-9);
    if equal {
        return list(values);
    }
    let chances = values.iter().zip(probabilities);
    shortened(chances.map(|(value, p)| format!("{value} (probability {p})")))
}

fn list(values: &[f64]) -> String {
    shortened(values.iter().map(f64::to_string))
}

/// The first of some items, and how many there are if not all are told.
fn shortened(items: impl ExactSizeIterator<Item = String>) -> String {
    let all = items.len();
    let told: Vec<String> = items.take(MOST_VALUES).collect();
    match all > MOST_VALUES {
        true => format!("{}, … ({} values)", told.join(", "), thousands(all)),
        false => told.join(", "),
    }
}

/// `every 2 steps`.
fn period(duration: Duration) -> String {
    match duration {
        Duration::Steps(1) => "every step".to_owned(),
        other => format!("every {}", length(other)),
    }
}

/// `2 steps`, `10 ms`.
fn length(duration: Duration) -> String {
    match duration {
        Duration::Steps(steps) => count(steps as usize, "step"),
        Duration::Time(time) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Dimension, Quantity};

    #[test]
    fn schedules_read_as_sentences() {
        let ms = |value| Duration::Time(Quantity::new(value, Dimension::TIME));
        let values = vec![1.0, 0.0];
        let even = Schedule::Cycle {
            random_start: false,
            values: values.clone(),
            lengths: vec![Duration::Steps(2); 2],
        };
        assert_eq!(in_words(&even), "alternates 1, 0 every 2 steps");
        let uneven = Schedule::Cycle {
            random_start: false,
            values: values.clone(),
            lengths: vec![ms(10.0), Duration::Steps(1)],
        };
        assert_eq!(in_words(&uneven), "alternates 1 for 10 ms, 0 for 1 step");
        let random = Schedule::Random {
            values,
            probabilities: vec![0.25, 0.75],
            every: Duration::Steps(1),
        };
        assert_eq!(
            in_words(&random),
            "drawn every step from 1 (probability 0.25), 0 (probability 0.75)"
        );
    }

    #[test]
    fn long_lists_are_shortened() {
        let long = Schedule::List {
            values: vec![0.5; 1000],
            every: Duration::Steps(3),
        };
        let words = in_words(&long);
        assert!(
            words.contains("0.5, … (1,000 values) in turn, 3 steps each"),
            "{words}"
        );
    }
}
