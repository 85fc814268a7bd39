//! Times of spikes that a netlist gives: from a file (CSV, Parquet, SONATA), or listed.

use std::path::Path;

use super::super::SpikeTimes;
use super::Resolver;
use crate::input::data::{read_columns, read_sonata_spikes, row_name};
use crate::netlist::model::{self, LEAST_INTERVAL, Times};
use crate::source::{Problem, Spanned};

impl Resolver<'_> {
    /// The times that a population gives its neurons.
    pub(super) fn spike_times(
        &mut self,
        table: &model::Population,
        times: &Spanned<Times>,
        size: usize,
    ) -> Option<SpikeTimes> {
        let wrong = |message: String| Problem::new(message, times.span, "these times");
        let read = match &times.value {
            Times::File(file) => file_times(&self.paths.find(file), size, &table.name.value)
                .map_err(|reason| wrong(format!("the file of spike times `{file}`: {reason}"))),
            Times::Listed(lists) if lists.len() == size => Ok(lists.clone()),
            Times::Listed(lists) => {
                let message = format!(
                    "{size} lists of times are needed here, one for each neuron; there are {}",
                    lists.len()
                );
                Err(wrong(message).help("write [] for a neuron that never spikes"))
            }
        };
        let mut of = read.map_err(|problem| self.problems.push(problem)).ok()?;
        of.iter_mut()
            .for_each(|times| times.sort_by(f64::total_cmp));
        let repeat_ms = table.repeat.as_ref().map(|repeat| repeat.value.value);
        if let Some(repeat) = &table.repeat
            && repeat.value.value < LEAST_INTERVAL
        {
            let message = format!("the times start anew after {} ms", repeat.value.value);
            let problem = Problem::new(message, repeat.span, "too early");
            self.problems
                .push(problem.help("repeat after 0.1 us or more"));
            return None;
        }
        let last = of.iter().flatten().copied().fold(0.0, f64::max);
        if let (Some(repeat), Some(given)) = (repeat_ms, &table.repeat)
            && last >= repeat
        {
            let message =
                format!("the times start anew after {repeat} ms, but one of them is {last} ms");
            let problem =
                Problem::new(message, given.span, "too early").also(times.span, "these times");
            self.problems
                .push(problem.help(format!("repeat after more than {last} ms")));
            return None;
        }
        Some(SpikeTimes { of, repeat_ms })
    }
}

/// Reads the times of a file: SONATA in HDF5, those of its only population or of one of that name; or rows of `neuron` and
/// `time` (ms).
fn file_times(path: &Path, size: usize, population: &str) -> Result<Vec<Vec<f64>>, String> {
    let is_sonata = path.extension().is_some_and(|e| {
        ["h5", "hdf5", "sonata"]
            .iter()
            .any(|known| e.eq_ignore_ascii_case(known))
    });
    let (neurons, spikes) = match is_sonata {
        true => read_sonata_spikes(path, population)?,
        false => {
            let mut columns = read_columns(path, &[("neuron", true), ("time", true)])
                .map_err(|e| e.replace("and `time`", "and `time` (ms)"))?
                .into_iter();
            match (columns.next().flatten(), columns.next().flatten()) {
                (Some(neurons), Some(spikes)) => (neurons, spikes),
                _ => return Err("has no times".to_owned()),
            }
        }
    };
    let mut times = vec![Vec::new(); size];
    for (row, (number, time)) in neurons.into_iter().zip(spikes).enumerate() {
        let whole = number.fract().abs() <= 0.0 && number >= 0.0;
        let Some(own) = times.get_mut(number as usize).filter(|_| whole) else {
            let last = size.saturating_sub(1);
            let row = row_name(path, row);
            return Err(format!(
                "{row}: `{number}` is not a neuron, they are 0 to {last}"
            ));
        };
        if !(time.is_finite() && time >= 0.0) {
            let row = row_name(path, row);
            return Err(format!(
                "{row}: `{time}` is not a time; a number of ms, at least 0, is needed"
            ));
        }
        own.push(time);
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<f64>>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spikes.csv");
        std::fs::write(&path, text).unwrap();
        file_times(&path, 2, "cells")
    }

    #[test]
    fn files_of_times_go_by_the_names_of_their_columns() {
        let times = read("time,neuron,note\n 2.5 ,1,a\n1,1,b\n0,0,c\n").unwrap();
        assert_eq!(times, [vec![0.0], vec![2.5, 1.0]]);
        assert_eq!(read("neuron,time\n").unwrap(), vec![Vec::<f64>::new(); 2]);
    }

    #[test]
    fn what_cannot_be_a_time_is_told_with_its_line() {
        let message = |text: &str| read(text).unwrap_err();
        assert!(message("neuron,t\n0,1\n").contains("columns `neuron` and `time`"));
        assert!(
            message("neuron,time\n0,1\n2,1\n")
                .contains("line 3: `2` is not a neuron, they are 0 to 1")
        );
        for (wrong, says) in [
            ("-1", "`-1` is not a time"),
            ("nan", "`NaN` is not a time"),
            ("inf", "`inf` is not a time"),
            ("1 ms", "`1 ms` in column `time` is not a number"),
            ("", "`` in column `time` is not a number"),
        ] {
            let told = message(&format!("neuron,time\n0,{wrong}\n"));
            assert!(told.contains(&format!("line 2: {says}")), "{told}");
        }
        assert!(
            file_times(Path::new("nowhere.csv"), 1, "cells")
                .unwrap_err()
                .contains("cannot be read")
        );
    }
}
