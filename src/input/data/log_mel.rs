//! Log-mel spectrograms: sound as the level of mel channels over time.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use super::mel::{MelFilter, filter_bank};
use super::{DataError, Frames, RATES_HZ};

/// Power below which a channel counts as silent, so that its logarithm exists (as in librosa).
const LEAST_POWER: f64 = 1e-10;
/// Longest window: keeps a mistyped setting from asking for the whole memory.
const LONGEST_WINDOW: usize = 1 << 20;

/// Settings of the log-mel transform; the default is that of librosa 0.11.
///
/// 1. Frames of `window` samples, centred on every `hop`-th sample of the sound, silence around it:
///    `1 + floor(n / hop)` frames.
/// 2. Power spectrum |Σ_n w_n x_n e^(−2πikn/N)|², w the periodic Hann window sin²(πn/N).
/// 3. Power of `channels` triangular filters of unit area from 0 Hz to half the rate, even on Slaney's mel scale.
/// 4. Level 10 log₁₀(P / max P) (dB), the maximum over the whole sound, and not below `floor_db`.
///
/// # Source
/// Slaney 1998, Auditory Toolbox, version 2 (mel scale and filters); McFee et al. 2015, librosa (framing, level).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogMel {
    /// Sample rate of the sound (Hz).
    pub rate_hz: u32,
    /// Samples of a window, even.
    pub window: usize,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// Mel channels, the size of a frame.
    pub channels: usize,
    /// Lowest level (dB), negative.
    pub floor_db: f64,
}

impl Default for LogMel {
    fn default() -> Self {
        Self {
            rate_hz: 22_050,
            window: 2048,
            hop: 512,
            channels: 128,
            floor_db: -80.0,
        }
    }
}

impl LogMel {
    /// Everything that can be computed before the first sound is seen.
    ///
    /// # Errors
    /// A setting out of bounds, or a channel too narrow for the window.
    pub fn plan(&self) -> Result<LogMelPlan, DataError> {
        self.check()?;
        let hann = |n: usize| (PI * n as f64 / self.window as f64).sin().powi(2);
        Ok(LogMelPlan {
            settings: *self,
            hann: (0..self.window).map(hann).collect(),
            transform: RealFftPlanner::new().plan_fft_forward(self.window),
            filters: filter_bank(self.rate_hz, self.window, self.channels)?,
        })
    }

    fn check(&self) -> Result<(), DataError> {
        let refuse = |name, value, expected| {
            Err(DataError::Setting {
                name,
                value,
                expected,
            })
        };
        if !RATES_HZ.contains(&self.rate_hz) {
            return Err(DataError::Rate {
                rate_hz: self.rate_hz,
            });
        }
        if self.window < 4 || self.window > LONGEST_WINDOW || self.window % 2 == 1 {
            return refuse(
                "window",
                self.window as f64,
                "an even number of samples from 4 to 1048576",
            );
        }
        if self.hop == 0 {
            return refuse("hop", 0.0, "a number of samples of at least 1");
        }
        if self.channels == 0 || self.channels > self.window / 2 {
            return refuse(
                "channels",
                self.channels as f64,
                "a number from 1 to half the window",
            );
        }
        if !(self.floor_db < 0.0 && self.floor_db.is_finite()) {
            return refuse(
                "floor_db",
                self.floor_db,
                "a negative number of dB, such as -80",
            );
        }
        Ok(())
    }
}

/// The log-mel transform, ready for use from any thread.
///
/// The Fourier transform uses what vector instructions the processor has, so that results may differ in the last bits
/// from one kind of machine to another, never from run to run.
#[derive(Clone)]
pub struct LogMelPlan {
    settings: LogMel,
    hann: Vec<f64>,
    transform: Arc<dyn RealToComplex<f64>>,
    filters: Vec<MelFilter>,
}

impl LogMelPlan {
    /// The level of every channel over time (dB), from `floor_db` to 0.
    ///
    /// `samples` are at the rate of the settings. `None` for a silent sound (no power above 1e-10 in any channel): it has
    /// no maximum to compare with.
    ///
    /// # Shape
    /// `1 + floor(n / hop)` frames × `channels`.
    ///
    /// # Errors
    /// None but a failure inside the Fourier transform.
    pub fn frames(&self, samples: &[f64]) -> Result<Option<Frames>, DataError> {
        let mut frames = self.power(samples)?;
        let loudest = frames.values.iter().copied().fold(LEAST_POWER, f64::max);
        if loudest <= LEAST_POWER {
            return Ok(None);
        }
        for value in &mut frames.values {
            let level = 10.0 * (value.max(LEAST_POWER) / loudest).log10();
            *value = level.max(self.settings.floor_db);
        }
        Ok(Some(frames))
    }

    /// The power in every channel over time.
    fn power(&self, samples: &[f64]) -> Result<Frames, DataError> {
        let LogMel { hop, channels, .. } = self.settings;
        let count = 1 + samples.len() / hop;
        let mut values = Vec::with_capacity(count * channels);
        let mut windowed = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = vec![0.0; spectrum.len()];
        for frame in 0..count {
            self.cut(samples, frame * hop, &mut windowed);
            self.transform
                .process_with_scratch(&mut windowed, &mut spectrum, &mut scratch)?;
            for (power, amplitude) in power.iter_mut().zip(&spectrum) {
                *power = amplitude.norm_sqr();
            }
            values.extend(self.filters.iter().map(|filter| filter.apply(&power)));
        }
        Ok(Frames {
            size: channels,
            values,
        })
    }

    /// The windowed samples around `centre`, zeros where there are none.
    fn cut(&self, samples: &[f64], centre: usize, windowed: &mut [f64]) {
        let half = self.settings.window / 2;
        let before = half.saturating_sub(centre);
        let first = (centre + before).saturating_sub(half);
        let held = samples
            .len()
            .saturating_sub(first)
            .min(self.hann.len() - before);
        windowed.fill(0.0);
        let inputs = samples[first..][..held].iter().zip(&self.hann[before..]);
        for (output, (sample, weight)) in windowed[before..].iter_mut().zip(inputs) {
            *output = sample * weight;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
