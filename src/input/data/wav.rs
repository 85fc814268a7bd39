//! Sound from WAV files.

use std::path::Path;

use hound::{SampleFormat, WavReader};

use super::DataError;
use super::resample::RATES_HZ;

/// A sound with one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Samples a second (Hz).
    pub rate_hz: u32,
    /// Sound pressure; integer formats fill −1 to 1.
    pub samples: Vec<f64>,
}

/// Reads a WAV file: integers of 8, 16, 24 or 32 bits or floating point of 32, the mean of its channels.
///
/// # Errors
/// A file that is missing, no WAV file, cut short, without a sample, of another encoding or of a rate outside
/// [`RATES_HZ`]; samples that are not finite.
pub fn read_wav(path: &Path) -> Result<Sound, DataError> {
    let broken = |reason: String| DataError::Wav {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|source| DataError::read(path, source))?;
    let mut reader = WavReader::new(bytes.as_slice()).map_err(|error| broken(reason(&error)))?;
    let spec = reader.spec();
    if !RATES_HZ.contains(&spec.sample_rate) {
        let rate = DataError::Rate {
            rate_hz: spec.sample_rate,
        };
        return Err(broken(format!("its header gives {rate}")));
    }
    let expected = reader.len();
    let scale = 0.5_f64.powi(i32::from(spec.bits_per_sample) - 1);
    let read = match spec.sample_format {
        SampleFormat::Int => collected(reader.samples::<i32>(), |sample| f64::from(sample) * scale),
        SampleFormat::Float => collected(reader.samples::<f32>(), f64::from),
    };
    let samples = read.map_err(|(count, error)| match error {
        hound::Error::IoError(_) => broken(format!(
            "it ends after {count} of {expected} samples; fetch or save it again"
        )),
        other => broken(reason(&other)),
    })?;
    if samples.is_empty() {
        return Err(broken("it holds no samples; leave the file out".into()));
    }
    if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
        let (number, value) = (at + 1, samples[at]);
        return Err(broken(format!(
            "sample {number} of {expected} is {value}, but samples must be finite"
        )));
    }
    Ok(Sound {
        rate_hz: spec.sample_rate,
        samples: mixed_down(samples, spec.channels.into()),
    })
}

fn reason(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(_) => {
            "it ends before its first sample; fetch or save it again".into()
        }
        hound::Error::FormatError(what) => format!("{what}; save it as WAV with 16-bit samples"),
        _ => "its encoding is not read; save it as WAV with 16-bit samples".into(),
    }
}

/// All samples, or how many there were before the error.
fn collected<T>(
    samples: impl Iterator<Item = hound::Result<T>>,
    to_f64: impl Fn(T) -> f64,
) -> Result<Vec<f64>, (usize, hound::Error)> {
    let mut all = Vec::new();
    for sample in samples {
        match sample {
            Ok(sample) => all.push(to_f64(sample)),
            Err(error) => return Err((all.len(), error)),
        }
    }
    Ok(all)
}

fn mixed_down(samples: Vec<f64>, channels: usize) -> Vec<f64> {
    if channels == 1 {
        return samples;
    }
    samples
        .chunks_exact(channels)
        .map(|moment| moment.iter().sum::<f64>() / channels as f64)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hound::{WavSpec, WavWriter};
    use std::path::PathBuf;
    use tempfile::TempDir;

    const MONO: WavSpec = WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };

    fn written<S: hound::Sample + Copy>(folder: &TempDir, spec: WavSpec, samples: &[S]) -> PathBuf {
        let path = folder.path().join("sound.wav");
        let mut writer = WavWriter::create(&path, spec).unwrap();
        samples
            .iter()
            .for_each(|&sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        path
    }

    #[test]
    fn integers_fill_minus_one_to_one() {
        let folder = TempDir::new().unwrap();
        for bits in [8, 16, 24, 32] {
            let low = i32::MIN >> (32 - bits);
            let path = written(
                &folder,
                WavSpec {
                    bits_per_sample: bits,
                    ..MONO
                },
                &[low, 0, -(low / 2)],
            );
            assert_eq!(read_wav(&path).unwrap().samples, [-1.0, 0.0, 0.5]);
        }
    }

    #[test]
    fn two_channels_become_their_mean() {
        let folder = TempDir::new().unwrap();
        let spec = WavSpec {
            channels: 2,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
            ..MONO
        };
        let sound = read_wav(&written(&folder, spec, &[0.5_f32, 0.25, -1.0, 1.0])).unwrap();
        assert_eq!(
            sound,
            Sound {
                rate_hz: 8000,
                samples: vec![0.375, 0.0]
            }
        );
    }

    #[test]
    fn broken_files_are_named_with_the_reason() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder, MONO, &[1_i16, 2, 3, 4]);
        let whole = std::fs::read(&path).unwrap();
        for (bytes, says) in [
            (&b"RIFX and so on"[..], "no RIFF tag"),
            (&b""[..], "ends before its first sample"),
            (&whole[..whole.len() - 3], "ends after 2 of 4 samples"),
            (&whole[..30], "ends before its first sample"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let message = read_wav(&path).unwrap_err().to_string();
            assert!(
                message.contains("sound.wav") && message.contains(says),
                "{message}"
            );
        }
        let missing = read_wav(&folder.path().join("none.wav")).unwrap_err();
        assert!(matches!(missing, DataError::NoFile { .. }));
    }

    #[test]
    fn sounds_without_usable_samples_are_refused() {
        let folder = TempDir::new().unwrap();
        let float = WavSpec {
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
            ..MONO
        };
        let says = |path: &Path| read_wav(path).unwrap_err().to_string();
        assert!(says(&written::<i16>(&folder, MONO, &[])).contains("no samples"));
        assert!(says(&written(&folder, float, &[0.0, f32::NAN])).contains("sample 2 of 2 is NaN"));
        assert!(
            says(&written(
                &folder,
                WavSpec {
                    sample_rate: 10,
                    ..MONO
                },
                &[1_i16]
            ))
            .contains("10 Hz")
        );
    }
}
