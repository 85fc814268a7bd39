//! Band-limited resampling of a whole recording.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

use super::DataError;

/// The sample rates that are read and produced (Hz); the bounds keep a broken header from asking for the whole memory.
pub const RATES_HZ: RangeInclusive<u32> = 1_000..=384_000;

/// Part of the lower of the two Nyquist bands that passes unchanged.
const PASS_BAND: f64 = 0.913;
/// How far everything above the lower Nyquist frequency is suppressed (dB).
const STOP_BAND_DB: f64 = 100.0;
/// Taps are summed in this many interleaved parts, so that the sum needs no order that the processor cannot keep up with.
const LANES: usize = 8;

/// A resampler from one rate to another by a windowed sinc.
///
/// The output at time t is Σ_k x_k h(t − k), with h a sinc times a Kaiser window whose length and shape follow from the
/// width of the transition band and the suppression wanted. Rates are whole numbers, so t takes only `to / gcd(from, to)`
/// different positions between two samples: their taps are computed once. The recording is taken as silent before its
/// beginning and after its end, and the result has no delay.
///
/// # Source
/// Smith 2002, Digital Audio Resampling Home Page; Kaiser 1974 (window length and shape), as in Oppenheim and Schafer,
/// Discrete-Time Signal Processing, section 7.5.3.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// `from / gcd`: how far `up` output samples reach, in input samples.
    down: u64,
    /// `to / gcd`: positions between two input samples.
    up: u64,
    /// Input samples to either side that an output sample reaches; 0 when the rates are equal.
    reach: usize,
    /// `up × width` taps, position after position.
    taps: Vec<f64>,
    /// Taps of a position, a multiple of [`LANES`].
    width: usize,
}

impl Resampler {
    /// A resampler from a rate to another (Hz).
    ///
    /// # Errors
    /// A rate outside [`RATES_HZ`].
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, DataError> {
        if let Some(&rate_hz) = [from_hz, to_hz]
            .iter()
            .find(|&rate| !RATES_HZ.contains(rate))
        {
            return Err(DataError::Rate { rate_hz });
        }
        let shared = gcd(from_hz, to_hz);
        let (down, up) = (u64::from(from_hz / shared), u64::from(to_hz / shared));
        if down == up {
            return Ok(Self {
                down,
                up,
                reach: 0,
                taps: Vec::new(),
                width: 0,
            });
        }
        // frequencies in cycles per input sample
        let nyquist = 0.5 * (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
        let transition = nyquist * (1.0 - PASS_BAND);
        let reach = ((STOP_BAND_DB - 7.95) / (2.285 * 2.0 * PI * transition) / 2.0).ceil() as usize;
        let kernel = Kernel {
            cutoff: nyquist - transition / 2.0,
            reach: reach as f64,
        };
        let width = (2 * reach).next_multiple_of(LANES);
        let mut taps = Vec::with_capacity(up as usize * width);
        for position in 0..up {
            kernel.push_taps(&mut taps, position as f64 / up as f64, width);
        }
        Ok(Self {
            down,
            up,
            reach,
            taps,
            width,
        })
    }

    /// The samples at the new rate: `ceil(n · to / from)` of them.
    #[must_use]
    pub fn resample(&self, samples: &[f64]) -> Vec<f64> {
        if self.reach == 0 {
            return samples.to_vec();
        }
        let mut padded = vec![0.0; samples.len() + self.reach + self.width];
        padded[self.reach..][..samples.len()].copy_from_slice(samples);
        let length = (samples.len() as u64 * self.up).div_ceil(self.down);
        let output = |index: u64| {
            let (whole, position) = (index * self.down / self.up, index * self.down % self.up);
            let taps = &self.taps[position as usize * self.width..][..self.width];
            // the first tap belongs to the input sample `reach − 1` before `whole`
            dot(taps, &padded[whole as usize + 1..][..self.width])
        };
        (0..length).map(output).collect()
    }
}

/// The continuous kernel that the taps are samples of.
struct Kernel {
    /// Half-amplitude frequency (cycles per input sample).
    cutoff: f64,
    /// Where the window ends (input samples).
    reach: f64,
}

impl Kernel {
    /// Appends the taps for an output sample `offset` (0 to 1) after an input sample, zeros up to `width`.
    fn push_taps(&self, taps: &mut Vec<f64>, offset: f64, width: usize) {
        let start = taps.len();
        taps.extend((0..width).map(|tap| self.at(offset + self.reach - 1.0 - tap as f64)));
        // exact gain for a constant, whatever the position
        let sum: f64 = taps[start..].iter().sum();
        taps[start..].iter_mut().for_each(|tap| *tap /= sum);
    }

    fn at(&self, lag: f64) -> f64 {
        let inside = 1.0 - (lag / self.reach).powi(2);
        if inside < 0.0 {
            return 0.0;
        }
        let shape = 0.1102 * (STOP_BAND_DB - 8.7);
        let phase = 2.0 * PI * self.cutoff * lag;
        let sinc = if phase.abs() < 1e-8 {
            1.0
        } else {
            phase.sin() / phase
        };
        2.0 * self.cutoff * sinc * bessel_i0(shape * inside.sqrt()) / bessel_i0(shape)
    }
}

/// Modified Bessel function of the first kind and order zero, by its power series Σ ((x/2)^k / k!)².
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

fn dot(taps: &[f64], samples: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for (taps, samples) in taps.chunks_exact(LANES).zip(samples.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += taps[lane] * samples[lane];
        }
    }
    sums.iter().sum()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sine(frequency_hz: f64, rate_hz: u32, count: usize) -> Vec<f64> {
        (0..count)
            .map(|n| (2.0 * PI * frequency_hz * n as f64 / f64::from(rate_hz)).sin())
            .collect()
    }

    /// Largest difference away from the ends, where the silence around the recording is felt.
    fn largest_difference(a: &[f64], b: &[f64], margin: usize) -> f64 {
        assert_eq!(a.len(), b.len());
        let inner = margin..a.len() - margin;
        a[inner.clone()]
            .iter()
            .zip(&b[inner])
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn sine_in_the_pass_band_keeps_amplitude_frequency_and_phase() {
        // the stop band is 100 dB down, and a Kaiser filter's pass band ripples as much: 1e-5 of the amplitude
        for (from, to) in [
            (8_000, 22_050),
            (44_100, 22_050),
            (48_000, 22_050),
            (22_050, 44_100),
        ] {
            let highest = 0.5 * f64::from(from.min(to)) * PASS_BAND;
            for frequency in [50.0, 0.5 * highest, highest] {
                let input = sine(frequency, from, from as usize / 4);
                let output = Resampler::new(from, to).unwrap().resample(&input);
                let error = largest_difference(&output, &sine(frequency, to, output.len()), 2_000);
                assert!(error < 2e-5, "{from} to {to} Hz at {frequency} Hz: {error}");
            }
        }
    }

    #[test]
    fn sine_above_the_new_nyquist_frequency_vanishes() {
        let input = sine(11_100.0, 44_100, 11_000);
        let output = Resampler::new(44_100, 22_050).unwrap().resample(&input);
        let rest = largest_difference(&output, &vec![0.0; output.len()], 2_000);
        assert!(rest < 2e-5, "{rest}");
    }

    #[test]
    fn constant_stays_the_same_constant() {
        // taps of every position sum to one, up to the rounding of some 150 additions
        let output = Resampler::new(8_000, 22_050)
            .unwrap()
            .resample(&[0.7; 4_000]);
        let error = largest_difference(&output, &vec![0.7; output.len()], 500);
        assert!(error < 1e-14, "{error}");
    }

    #[test]
    fn length_is_rounded_up() {
        for (from, to, count) in [
            (8_000, 22_050, 3_001),
            (22_050, 8_000, 1),
            (22_050, 22_050, 7),
            (44_100, 22_050, 5),
        ] {
            let expected = (count as f64 * f64::from(to) / f64::from(from)).ceil() as usize;
            assert_eq!(
                Resampler::new(from, to)
                    .unwrap()
                    .resample(&vec![1.0; count])
                    .len(),
                expected
            );
        }
        assert!(
            Resampler::new(8_000, 22_050)
                .unwrap()
                .resample(&[])
                .is_empty()
        );
    }

    #[test]
    fn rates_out_of_bounds_are_refused() {
        assert!(matches!(
            Resampler::new(0, 22_050),
            Err(DataError::Rate { rate_hz: 0 })
        ));
        assert!(matches!(
            Resampler::new(8_000, 400_000),
            Err(DataError::Rate { rate_hz: 400_000 })
        ));
    }

    #[test]
    fn bessel_function_matches_tabulated_values() {
        // Abramowitz and Stegun 1964, table 9.8 (all digits given there)
        assert!((bessel_i0(1.0) - 1.266_065_877_8).abs() < 1e-10);
        assert!((bessel_i0(10.0) / 2_815.716_628_5 - 1.0).abs() < 1e-10);
    }
}
