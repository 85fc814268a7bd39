use super::super::mel::{hz_to_mel, mel_to_hz};
use super::*;

const RATE: f64 = 22_050.0;

fn levels(plan: &LogMelPlan, samples: &[f64]) -> Frames {
    plan.frames(samples).unwrap().unwrap()
}

fn sine(frequency_hz: f64, count: usize) -> Vec<f64> {
    (0..count)
        .map(|n| (2.0 * PI * frequency_hz * n as f64 / RATE).sin())
        .collect()
}

#[test]
fn sine_at_the_centre_of_a_channel_peaks_there() {
    let plan = LogMel::default().plan().unwrap();
    let top = hz_to_mel(RATE / 2.0);
    // below channel 40 a window's main lobe (4 lines, 43 Hz) is wider than a channel
    for channel in [40, 64, 100, 127] {
        let centre = mel_to_hz(top * (channel + 1) as f64 / 129.0);
        let frames = levels(&plan, &sine(centre, 22_050));
        let frame = frames.frame(20);
        let loudest = (0..128)
            .max_by(|&a, &b| frame[a].total_cmp(&frame[b]))
            .unwrap();
        assert_eq!(loudest, channel, "{centre} Hz");
    }
}

#[test]
fn impulse_in_the_middle_of_a_window_has_a_flat_spectrum() {
    // the window is 1 there, so every line has power 1 and a channel the sum of its weights: 1 / spacing for unit area
    let plan = LogMel::default().plan().unwrap();
    let mut samples = vec![0.0; 4096];
    samples[1024] = 1.0;
    let power = plan.power(&samples).unwrap();
    let lines = vec![1.0; 1025];
    for (channel, filter) in plan.filters.iter().enumerate() {
        let expected = filter.apply(&lines);
        // rounding of an 2048-point transform
        assert!((power.frame(2)[channel] / expected - 1.0).abs() < 1e-12);
    }
    // one hop away the window is sin²(π·1536/2048) = 1/2, the power a quarter
    assert!((power.frame(1)[64] / power.frame(2)[64] - 0.25).abs() < 1e-12);
    // two hops away the impulse stands at the window's first sample, which is 0
    assert!(power.frame(4)[64] < 1e-25);
}

#[test]
fn power_obeys_parseval() {
    // twice the half-spectrum less its two ends is N times the energy under the window, up to rounding
    let plan = LogMel::default().plan().unwrap();
    let samples: Vec<f64> = (0..2048_u64)
        .map(|n| (n * n * 7919 % 1000) as f64 / 500.0 - 1.0)
        .collect();
    let mut windowed = vec![0.0; 2048];
    plan.cut(&samples, 1024, &mut windowed);
    let energy: f64 = samples
        .iter()
        .zip(&plan.hann)
        .map(|(sample, weight)| (sample * weight).powi(2))
        .sum();
    let mut spectrum = plan.transform.make_output_vec();
    plan.transform
        .process(&mut windowed, &mut spectrum)
        .unwrap();
    let lines: Vec<f64> = spectrum
        .iter()
        .map(|amplitude| amplitude.norm_sqr())
        .collect();
    let total = 2.0 * lines.iter().sum::<f64>() - lines[0] - lines[1024];
    assert!((total / (2048.0 * energy) - 1.0).abs() < 1e-12);
}

#[test]
fn frames_are_one_more_than_whole_hops() {
    let plan = LogMel::default().plan().unwrap();
    for (samples, frames) in [(0, 1), (1, 1), (511, 1), (512, 2), (2048, 5), (22_050, 44)] {
        let power = plan.power(&vec![0.1; samples]).unwrap();
        assert_eq!(power.len(), frames, "{samples}");
    }
}

#[test]
fn levels_run_from_the_floor_to_zero_whatever_the_volume() {
    let settings = LogMel {
        floor_db: -50.0,
        ..LogMel::default()
    };
    let loud = sine(1000.0, 8000);
    let quiet: Vec<f64> = loud.iter().map(|sample| sample / 1024.0).collect();
    let plan = settings.plan().unwrap();
    let (loud, quiet) = (levels(&plan, &loud), levels(&plan, &quiet));
    let extreme = |fold: fn(f64, f64) -> f64| loud.values().iter().copied().fold(-25.0, fold);
    assert_eq!((extreme(f64::min), extreme(f64::max)), (-50.0, 0.0));
    // 1/1024 scales without rounding, so that only the logarithm's own rounding differs
    let difference = loud
        .values()
        .iter()
        .zip(quiet.values())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    assert!(difference < 1e-12, "{difference}");
}

#[test]
fn silence_has_no_levels() {
    let plan = LogMel::default().plan().unwrap();
    for silence in [vec![], vec![0.0; 5000], vec![1e-9; 5000]] {
        assert_eq!(plan.frames(&silence).unwrap(), None);
    }
}

#[test]
fn settings_out_of_bounds_are_refused() {
    let with = |change: fn(&mut LogMel)| {
        let mut settings = LogMel::default();
        change(&mut settings);
        settings.plan().map(|_| ()).unwrap_err().to_string()
    };
    assert!(with(|settings| settings.rate_hz = 0).contains("rate of 0 Hz"));
    for window in [0, 2, 2047, usize::MAX - 1] {
        let error = LogMel {
            window,
            ..LogMel::default()
        }
        .plan()
        .map(|_| ())
        .unwrap_err();
        assert!(error.to_string().contains("`window`"), "{error}");
    }
    assert!(with(|settings| settings.window = 256).contains("mel channel 1"));
    assert!(with(|settings| settings.hop = 0).contains("`hop` is 0"));
    assert!(with(|settings| settings.channels = 0).contains("`channels` is 0"));
    assert!(with(|settings| settings.channels = usize::MAX).contains("`channels`"));
    assert!(with(|settings| settings.floor_db = 0.0).contains("`floor_db` is 0"));
    assert!(with(|settings| settings.floor_db = f64::NAN).contains("`floor_db` is NaN"));
}

/// librosa 0.11.0 (numpy 2.4.6, Python 3.11), 2026-11-21, of the signal of [`chirp`] in double precision:
///
/// ```python
/// n = numpy.arange(22050); t = n / 22050
/// y = 0.5 * numpy.sin(2 * numpy.pi * (100 * t + 3950 * t * t)) + 0.01 * numpy.sin(2 * numpy.pi * 3000 * t)
/// S = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=22050), ref=numpy.max)
/// ```
///
/// Frame, channel, level (dB).
const LIBROSA: [(usize, usize, f64); 24] = [
    (0, 6, -0.24383),
    (0, 13, -14.31511),
    (0, 17, -34.23837),
    (0, 45, -55.24526),
    (0, 95, -70.25250),
    (0, 113, -77.92791),
    (3, 24, -0.00524),
    (3, 14, -14.40879),
    (3, 38, -35.23663),
    (3, 41, -56.74273),
    (3, 45, -78.97988),
    (10, 63, -0.24350),
    (10, 53, -54.86928),
    (10, 50, -77.26467),
    (20, 88, -0.54356),
    (20, 80, -39.94855),
    (20, 82, -69.90099),
    (30, 103, -1.24423),
    (30, 99, -57.58073),
    (30, 0, -80.00000),
    (42, 118, -36.05464),
    (42, 81, -69.50841),
    (43, 127, -41.11179),
    (43, 64, -52.56551),
];

fn chirp() -> Vec<f64> {
    let tone = |cycles: f64| (2.0 * PI * cycles).sin();
    (0..22_050)
        .map(|n| f64::from(n) / RATE)
        .map(|t| 0.5 * tone(100.0 * t + 3950.0 * t * t) + 0.01 * tone(3000.0 * t))
        .collect()
}

#[test]
fn oracle_librosa_agrees_on_a_chirp() {
    // librosa keeps the filters' weights in single precision (6e-8, or 3e-7 dB) and the numbers here are rounded to
    // 1e-5 dB; 1e-3 dB leaves room for the cancelling sums behind faint levels
    let frames = levels(&LogMel::default().plan().unwrap(), &chirp());
    for (frame, channel, expected) in LIBROSA {
        let level = frames.frame(frame)[channel];
        assert!(
            (level - expected).abs() < 1e-3,
            "frame {frame}, channel {channel}: {level} for {expected}"
        );
    }
}
