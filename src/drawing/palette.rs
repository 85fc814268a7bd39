//! The colours and the type of plots, circuit drawings and the report page, light and dark.

/// The typeface: what each system has that is nearest to Helvetica.
pub(crate) const FONT: &str = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/// What a mark is drawn with. Each ink has a light and a dark shade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The background.
    Paper,
    /// Titles, labels and names.
    Text,
    /// Tick labels and notes.
    Muted,
    /// Axis lines, ticks and outlines.
    Axis,
    /// Grid lines, thin outlines and separating lines.
    Grid,
    /// Cells without a value.
    Missing,
    /// Modulators: the hue of the fourth series, but dark enough for words.
    Modulator,
    /// The n-th series of a plot; the colours repeat after [`SERIES`].
    Series(usize),
}

/// How many series have a colour of their own.
pub(crate) const SERIES: usize = 7;

/// Okabe and Ito's palette for all kinds of colour vision (Color Universal Design, 2008), in the order in which neighbours
/// differ most; its yellow, too faint on white, gives way to grey. The dark shades are the same hues, lighter.
const SERIES_SHADES: [(&str, &str); SERIES] = [
    ("#0072b2", "#58aeea"),
    ("#d55e00", "#f58b45"),
    ("#009e73", "#2fc79b"),
    ("#c4659a", "#e69ac6"),
    ("#dc9400", "#f2bd4b"),
    ("#45a5dd", "#a3d5f5"),
    ("#6b7280", "#b4bbc6"),
];

impl Ink {
    /// The shade on white paper.
    pub(crate) fn light(self) -> &'static str {
        self.shades().0
    }

    /// The shade on dark paper.
    pub(crate) fn dark(self) -> &'static str {
        self.shades().1
    }

    fn shades(self) -> (&'static str, &'static str) {
        match self {
            Ink::Paper => ("#ffffff", "#15181d"),
            Ink::Text => ("#1c2128", "#e6e9ee"),
            Ink::Muted => ("#57606a", "#a0a9b5"),
            Ink::Axis => ("#424a53", "#8b95a1"),
            Ink::Grid => ("#e3e6ea", "#2b3138"),
            Ink::Missing => ("#d5d9de", "#3a4049"),
            Ink::Modulator => ("#a8457c", "#e69ac6"),
            Ink::Series(n) => SERIES_SHADES[n % SERIES],
        }
    }

    /// The name by which the dark style sheet finds the ink: `ap-f-…` where it fills, `ap-s-…` where it strokes.
    pub(super) fn class(self, property: Property) -> String {
        let name = match self {
            Ink::Paper => "paper".to_owned(),
            Ink::Text => "text".to_owned(),
            Ink::Muted => "muted".to_owned(),
            Ink::Axis => "axis".to_owned(),
            Ink::Grid => "grid".to_owned(),
            Ink::Missing => "missing".to_owned(),
            Ink::Modulator => "modulator".to_owned(),
            Ink::Series(n) => format!("{}", n % SERIES),
        };
        format!("ap-{}-{name}", property.initial())
    }
}

/// What an ink colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    /// The inside of a shape, or text.
    Fill,
    /// A line.
    Stroke,
}

impl Property {
    fn css(self) -> &'static str {
        match self {
            Property::Fill => "fill",
            Property::Stroke => "stroke",
        }
    }

    fn initial(self) -> char {
        match self {
            Property::Fill => 'f',
            Property::Stroke => 's',
        }
    }
}

/// The style sheet that every drawing carries: the dark shades, for screens that ask for them. Print stays light.
pub(super) fn dark_style() -> String {
    let plain = [
        Ink::Paper,
        Ink::Text,
        Ink::Muted,
        Ink::Axis,
        Ink::Grid,
        Ink::Missing,
        Ink::Modulator,
    ];
    let inks = plain.into_iter().chain((0..SERIES).map(Ink::Series));
    let rules: String = inks
        .flat_map(|ink| [Property::Fill, Property::Stroke].map(|property| (ink, property)))
        .map(|(ink, property)| {
            let (class, css) = (ink.class(property), property.css());
            format!(".{class}{{{css}:{}}}", ink.dark())
        })
        .collect();
    format!("@media screen and (prefers-color-scheme:dark){{{rules}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of a `#rrggbb` colour (WCAG 2.1, definition of relative luminance).
    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let byte = u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or(0);
            let c = f64::from(byte) / 255.0;
            if c <= 0.03928 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        if a > b { a / b } else { b / a }
    }

    #[test]
    fn text_reads_on_its_paper_in_both_schemes() {
        // WCAG 2.1 success criterion 1.4.3 asks for 4.5 : 1.
        for ink in [Ink::Text, Ink::Muted, Ink::Modulator] {
            assert!(
                contrast(ink.light(), Ink::Paper.light()) >= 4.5,
                "{ink:?} light"
            );
            assert!(
                contrast(ink.dark(), Ink::Paper.dark()) >= 4.5,
                "{ink:?} dark"
            );
        }
    }

    #[test]
    fn every_series_stands_out_from_its_paper_in_both_schemes() {
        // 2.3 : 1 is what the palest colour of the published palette reaches on white.
        for n in 0..SERIES {
            let ink = Ink::Series(n);
            assert!(
                contrast(ink.light(), Ink::Paper.light()) >= 2.3,
                "{n} light"
            );
            assert!(contrast(ink.dark(), Ink::Paper.dark()) >= 4.5, "{n} dark");
        }
    }
}
