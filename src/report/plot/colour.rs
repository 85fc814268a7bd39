//! Colour maps: from a share of the range to a colour.

/// How the values of a matrix become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// Dark blue over green to yellow, for quantities that have a low and a high end (viridis).
    #[default]
    Sequential,
    /// Blue over white to red, symmetric about 0, for signed quantities.
    Diverging,
}

/// Viridis at tenths of its range (S. van der Walt and N. Smith, matplotlib 2015, dedicated to the public domain).
const VIRIDIS: [[u8; 3]; 11] = [
    [0x44, 0x01, 0x54],
    [0x48, 0x24, 0x75],
    [0x41, 0x44, 0x87],
    [0x35, 0x5f, 0x8d],
    [0x2a, 0x78, 0x8e],
    [0x21, 0x91, 0x8c],
    [0x22, 0xa8, 0x84],
    [0x44, 0xbf, 0x70],
    [0x7a, 0xd1, 0x51],
    [0xbd, 0xdf, 0x26],
    [0xfd, 0xe7, 0x25],
];

impl Colours {
    /// The colour (sRGB) at `share` of the range, from 0 to 1.
    pub(super) fn at(self, share: f64) -> [u8; 3] {
        let share = share.clamp(0.0, 1.0);
        match self {
            Colours::Sequential => viridis(share),
            Colours::Diverging => blue_white_red(2.0 * share - 1.0),
        }
    }
}

fn viridis(share: f64) -> [u8; 3] {
    let place = share * (VIRIDIS.len() - 1) as f64;
    let below = (place as usize).min(VIRIDIS.len() - 2);
    let (from, to, t) = (VIRIDIS[below], VIRIDIS[below + 1], place - below as f64);
    std::array::from_fn(|c| (f64::from(from[c]) * (1.0 - t) + f64::from(to[c]) * t).round() as u8)
}

/// The colour of `value` from −1 (blue) to 1 (red). Lightness in OKLab falls in proportion to the magnitude, alike on both
/// sides, so that equal differences look equal; the chroma stays inside sRGB.
fn blue_white_red(value: f64) -> [u8; 3] {
    let reach = value.abs();
    let hue: f64 = if value < 0.0 { 256.0 } else { 27.0 };
    let lightness = 0.975 - 0.56 * reach;
    let chroma = 0.16 * (1.0 - (1.0 - reach).powf(1.6));
    let (sin, cos) = hue.to_radians().sin_cos();
    oklab(lightness, chroma * cos, chroma * sin)
}

/// OKLab to sRGB (B. Ottosson, "A perceptual color space for image processing", 2020).
fn oklab(lightness: f64, a: f64, b: f64) -> [u8; 3] {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        gamma(4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s),
        gamma(-1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s),
        gamma(-0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s),
    ]
}

/// Linear light to an sRGB byte (IEC 61966-2-1).
fn gamma(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let coded = if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    (255.0 * coded).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rec. 709 luma, a stand-in for lightness.
    fn luma([r, g, b]: [u8; 3]) -> f64 {
        0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
    }

    #[test]
    fn the_sequential_map_only_gets_lighter() {
        let steps: Vec<f64> = (0..=100)
            .map(|i| luma(Colours::Sequential.at(f64::from(i) / 100.0)))
            .collect();
        assert!(steps.windows(2).all(|w| w[1] > w[0]));
    }

    #[test]
    fn the_diverging_map_is_white_at_zero_and_equally_dark_at_both_ends() {
        let [r, g, b] = Colours::Diverging.at(0.5);
        assert!(r >= 245 && r == g && g == b, "{r} {g} {b}");
        let (low, high) = (Colours::Diverging.at(0.0), Colours::Diverging.at(1.0));
        assert!(low[2] > low[0] && high[0] > high[2], "{low:?} {high:?}");
        // Luma weighs hues a little differently from OKLab; a tenth of the scale is far less than the fall to either end.
        assert!((luma(low) - luma(high)).abs() < 25.0, "{low:?} {high:?}");
    }

    #[test]
    fn a_share_outside_the_range_takes_the_end() {
        assert_eq!(Colours::Sequential.at(-3.0), VIRIDIS[0]);
        assert_eq!(Colours::Sequential.at(1e9), VIRIDIS[10]);
    }
}
