//! Spikes in SONATA files: HDF5 with `/spikes/<population>/timestamps` and `node_ids`.
//!
//! # Source
//! Dai et al. 2020, The SONATA data format; its developer guide, "Spike file".

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hdf5_pure::{AttrValue, File};

/// Numbers of neurons, and the times (ms) at which they spike, in the order of the file.
pub type SonataSpikes = (Vec<f64>, Vec<f64>);

/// Reads the spikes of the population `wanted`, or of the only one there.
///
/// # Errors
/// In words: a file that cannot be read, that has no spikes, or those of several populations, none of them `wanted`.
pub fn read_sonata_spikes(path: &Path, wanted: &str) -> Result<SonataSpikes, String> {
    // Whatever the decoder does with a damaged file, it is the file that is at fault.
    let read = catch_unwind(AssertUnwindSafe(|| read(path, wanted)));
    read.unwrap_or_else(|_| Err("is damaged beyond what can be decoded".to_owned()))
}

fn read(path: &Path, wanted: &str) -> Result<SonataSpikes, String> {
    let cannot = |e: &dyn std::fmt::Display| format!("cannot be read ({e})");
    let file = File::open(path).map_err(|e| cannot(&e))?;
    let names = match file.group("spikes").and_then(|group| group.groups()) {
        Ok(names) if !names.is_empty() => names,
        _ => {
            return Err("needs a group `/spikes/NAME` with `timestamps` and `node_ids`".to_owned());
        }
    };
    let name = match names.as_slice() {
        [only] => only,
        several => several.iter().find(|name| *name == wanted).ok_or_else(|| {
            let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "has spikes of {}, none of which is `{wanted}`",
                names.join(", ")
            )
        })?,
    };
    let dataset = |part: &str| {
        let place = format!("spikes/{name}/{part}");
        file.dataset(&place)
            .map_err(|e| format!("`/{place}` {}", cannot(&e)))
    };
    let (stamps, ids) = (dataset("timestamps")?, dataset("node_ids")?);
    let units = stamps
        .attrs()
        .ok()
        .and_then(|attrs| text(attrs.get("units")?));
    let scale = match units.as_deref() {
        None | Some("milliseconds" | "ms") => 1.0,
        Some("seconds" | "s") => 1000.0,
        Some(other) => return Err(format!("has times in `{other}`, milliseconds are expected")),
    };
    let times: Vec<f64> = stamps.read_f64().map_err(|e| cannot(&e))?;
    let neurons = ids.read_f64().map_err(|e| cannot(&e))?;
    if times.len() != neurons.len() {
        return Err(format!(
            "has {} times of {} neurons",
            times.len(),
            neurons.len()
        ));
    }
    Ok((neurons, times.into_iter().map(|t| scale * t).collect()))
}

/// An attribute that is a text.
fn text(value: &AttrValue) -> Option<String> {
    match value {
        AttrValue::String(text) | AttrValue::AsciiString(text) => {
            Some(text.trim_end_matches('\0').to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_written_by_libhdf5_are_read() {
        let (neurons, times) =
            read_sonata_spikes(Path::new("tests/data/sonata-spikes.h5"), "any").unwrap();
        assert_eq!(neurons, [2.0, 0.0, 1.0, 2.0, 0.0]);
        assert_eq!(times, [0.5, 1.25, 3.0, 7.125, 40.0]);
        let two = Path::new("tests/data/sonata-two.h5");
        assert_eq!(
            read_sonata_spikes(two, "lgn").unwrap(),
            (vec![1.0], vec![5.5])
        );
        let told = read_sonata_spikes(two, "mt").unwrap_err();
        assert!(
            told.contains("`lgn`") && told.contains("none of which is `mt`"),
            "{told}"
        );
    }

    #[test]
    fn damaged_files_are_told_and_nothing_panics() {
        let whole = std::fs::read("tests/data/sonata-spikes.h5").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spikes.h5");
        for cut in [0, 7, 100, 2000, whole.len() - 1500] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read_sonata_spikes(&path, "cortex").is_err(), "{cut} bytes");
        }
    }
}
