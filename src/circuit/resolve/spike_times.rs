//! Times of spikes that a netlist gives: from a CSV file, or listed.

use std::path::Path;

use super::super::SpikeTimes;
use super::Resolver;
use crate::netlist::model::{self, Times};
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
            Times::File(file) => file_times(&self.paths.find(file), size)
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

/// Reads `neuron,time` rows under a header that names them; other columns are left alone.
fn file_times(path: &Path, size: usize) -> Result<Vec<Vec<f64>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|e| format!("cannot be read ({e})"))?;
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let column = |name: &str| header.iter().position(|h| h == name);
    let (Some(neuron), Some(time)) = (column("neuron"), column("time")) else {
        return Err("needs a header with columns `neuron` and `time` (ms)".to_owned());
    };
    let mut times = vec![Vec::new(); size];
    for (row, record) in reader.records().enumerate() {
        let line = row + 2;
        let record = record.map_err(|e| format!("line {line}: {e}"))?;
        let text = record.get(neuron).unwrap_or("");
        let index = text.parse::<usize>().ok();
        let Some(own) = index.and_then(|index| times.get_mut(index)) else {
            let last = size.saturating_sub(1);
            return Err(format!(
                "line {line}: `{text}` is not a neuron, they are 0 to {last}"
            ));
        };
        let text = record.get(time).unwrap_or("");
        match text.parse::<f64>() {
            Ok(time) if time.is_finite() && time >= 0.0 => own.push(time),
            _ => {
                return Err(format!(
                    "line {line}: `{text}` is not a time; a number of ms, at least 0, is needed"
                ));
            }
        }
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
        file_times(&path, 2)
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
        for wrong in ["-1", "nan", "inf", "1 ms", ""] {
            let told = message(&format!("neuron,time\n0,{wrong}\n"));
            assert!(
                told.contains(&format!("line 2: `{wrong}` is not a time")),
                "{told}"
            );
        }
        assert!(
            file_times(Path::new("nowhere.csv"), 1)
                .unwrap_err()
                .contains("cannot be read")
        );
    }
}
