//! The mel scale and its filter bank.

use super::DataError;

/// Linear part of the scale: 3 mel to 200 Hz.
const HZ_PER_MEL: f64 = 200.0 / 3.0;
/// Where the logarithmic part begins (Hz).
const KNEE_HZ: f64 = 1000.0;
/// The same in mel.
const KNEE_MEL: f64 = KNEE_HZ / HZ_PER_MEL;
/// Logarithmic part of the scale: 27 mel to a factor of 6.4 in frequency.
const LOG_RANGE: (f64, f64) = (6.4, 27.0);

/// Slaney's mel scale: linear below 1 kHz, logarithmic above.
///
/// # Source
/// Slaney 1998, Auditory Toolbox, version 2; as in librosa (McFee et al. 2015).
#[must_use]
pub fn hz_to_mel(hz: f64) -> f64 {
    if hz < KNEE_HZ {
        hz / HZ_PER_MEL
    } else {
        KNEE_MEL + (hz / KNEE_HZ).ln() * LOG_RANGE.1 / LOG_RANGE.0.ln()
    }
}

/// The frequency (Hz) of a place on the mel scale; the inverse of [`hz_to_mel`].
#[must_use]
pub fn mel_to_hz(mel: f64) -> f64 {
    if mel < KNEE_MEL {
        mel * HZ_PER_MEL
    } else {
        KNEE_HZ * ((mel - KNEE_MEL) * LOG_RANGE.0.ln() / LOG_RANGE.1).exp()
    }
}

/// One triangular filter: its weights from the first frequency it passes.
#[derive(Clone, Debug)]
pub(super) struct MelFilter {
    first: usize,
    weights: Vec<f64>,
}

impl MelFilter {
    /// The weighted sum of a power spectrum.
    pub(super) fn apply(&self, power: &[f64]) -> f64 {
        self.weights
            .iter()
            .zip(&power[self.first..])
            .map(|(weight, power)| weight * power)
            .sum()
    }
}

/// The filters of `channels` mel channels between 0 Hz and half the rate, for the spectrum of `window` samples.
///
/// Channel i rises linearly in frequency from edge i to edge i + 1 and falls to edge i + 2; the edges lie evenly on the
/// mel scale. Each filter has unit area over frequency in Hz.
pub(super) fn filter_bank(
    rate_hz: u32,
    window: usize,
    channels: usize,
) -> Result<Vec<MelFilter>, DataError> {
    let edges = edges_hz(rate_hz, channels);
    let spacing = f64::from(rate_hz) / window as f64;
    let filter = |(channel, edge): (usize, &[f64])| {
        let (low, centre, high) = (edge[0], edge[1], edge[2]);
        let weight = |bin: usize| {
            let hz = bin as f64 * spacing;
            ((hz - low) / (centre - low)).min((high - hz) / (high - centre)) * 2.0 / (high - low)
        };
        let passed: Vec<usize> = ((low / spacing) as usize..=window / 2)
            .filter(|&bin| weight(bin) > 0.0)
            .collect();
        match passed.first() {
            Some(&first) => Ok(MelFilter {
                first,
                weights: passed.iter().map(|&bin| weight(bin)).collect(),
            }),
            None => Err(DataError::EmptyChannel {
                channel: channel + 1,
                low_hz: low,
                high_hz: high,
            }),
        }
    };
    edges.windows(3).enumerate().map(filter).collect()
}

/// `channels + 2` edges (Hz), evenly spaced on the mel scale.
fn edges_hz(rate_hz: u32, channels: usize) -> Vec<f64> {
    let top = hz_to_mel(f64::from(rate_hz) / 2.0);
    (0..channels + 2)
        .map(|edge| mel_to_hz(top * edge as f64 / (channels + 1) as f64))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scale_has_its_published_points() {
        // 15 mel at 1 kHz, 27 more at 6.4 kHz: exact but for rounding
        assert!((hz_to_mel(200.0) - 3.0).abs() < 1e-12);
        assert!((hz_to_mel(1000.0) - 15.0).abs() < 1e-12);
        assert!((hz_to_mel(6400.0) - 42.0).abs() < 1e-12);
    }

    #[test]
    fn scale_and_inverse_cancel() {
        for hz in [0.0, 440.0, 999.9, 1000.0, 5000.0, 11_025.0] {
            assert!((mel_to_hz(hz_to_mel(hz)) - hz).abs() < 1e-9, "{hz}");
        }
    }

    #[test]
    fn filters_have_unit_area() {
        // sampling a triangle of half-width w at spacing d is off by at most (d/w)²/4 (its bend at the peak and the feet)
        let (rate, window, channels) = (22_050, 2048, 128);
        let spacing = f64::from(rate) / window as f64;
        let edges = edges_hz(rate, channels);
        for (filter, edge) in filter_bank(rate, window, channels)
            .unwrap()
            .iter()
            .zip(edges.windows(3))
        {
            let area = filter.weights.iter().sum::<f64>() * spacing;
            let half_width = (edge[1] - edge[0]).min(edge[2] - edge[1]);
            assert!(
                (area - 1.0).abs() <= (spacing / half_width).powi(2) / 4.0 + 1e-9,
                "{edge:?}: {area}"
            );
        }
    }

    #[test]
    fn neighbouring_filters_overlap_to_a_constant_between_their_centres() {
        // rising and falling flanks of one pair of edges add to one once the area is taken out
        let (rate, window, channels) = (22_050, 4096, 40);
        let edges = edges_hz(rate, channels);
        let bank = filter_bank(rate, window, channels).unwrap();
        let spacing = f64::from(rate) / window as f64;
        for bin in 1..window / 2 {
            let hz = bin as f64 * spacing;
            if hz < edges[1] || hz > edges[channels] {
                continue;
            }
            let mut spectrum = vec![0.0; window / 2 + 1];
            spectrum[bin] = 1.0;
            let height = |(i, filter): (usize, &MelFilter)| {
                filter.apply(&spectrum) * (edges[i + 2] - edges[i]) / 2.0
            };
            let sum: f64 = bank.iter().enumerate().map(height).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{hz} Hz: {sum}");
        }
    }

    #[test]
    fn channel_between_two_frequencies_is_refused() {
        let error = filter_bank(22_050, 256, 128).unwrap_err();
        assert!(
            matches!(error, DataError::EmptyChannel { channel: 1, .. }),
            "{error}"
        );
    }
}
