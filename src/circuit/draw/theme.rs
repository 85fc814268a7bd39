//! The colours and the type of a circuit drawing: those of the report's plots, light and dark.

/// The typeface: what each system has that is nearest to Helvetica.
pub(super) const FONT: &str = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/// What a mark is drawn with. Each ink has a light and a dark shade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// The background.
    Paper,
    /// Names.
    Text,
    /// Notes.
    Muted,
    /// Outlines.
    Axis,
    /// Separating lines.
    Grid,
    /// Whatever has to do with basal compartments.
    Basal,
    /// Whatever has to do with apical compartments.
    Apical,
    /// Modulators.
    Modulator,
    /// Other branches; the shades repeat.
    Branch(usize),
}

/// Shades for other branches: from the palette for all kinds of colour vision of Okabe and Ito (Color Universal Design, 2008),
/// as are those of the inks with a meaning.
const BRANCHES: [(&str, &str); 3] = [
    ("#009e73", "#2fc79b"),
    ("#dc9400", "#f2bd4b"),
    ("#45a5dd", "#a3d5f5"),
];

impl Ink {
    /// The shade on white paper.
    pub(super) fn light(self) -> &'static str {
        self.shades().0
    }

    fn shades(self) -> (&'static str, &'static str) {
        match self {
            Ink::Paper => ("#ffffff", "#15181d"),
            Ink::Text => ("#1c2128", "#e6e9ee"),
            Ink::Muted => ("#57606a", "#a0a9b5"),
            Ink::Axis => ("#424a53", "#8b95a1"),
            Ink::Grid => ("#e3e6ea", "#2b3138"),
            Ink::Basal => ("#0072b2", "#58aeea"),
            Ink::Apical => ("#d55e00", "#f58b45"),
            Ink::Modulator => ("#a8457c", "#e69ac6"),
            Ink::Branch(n) => BRANCHES[n % BRANCHES.len()],
        }
    }

    /// The name by which the dark style sheet finds the ink: `apc-f-…` where it fills, `apc-s-…` where it strokes.
    pub(super) fn class(self, property: Property) -> String {
        let name = match self {
            Ink::Paper => "paper".to_owned(),
            Ink::Text => "text".to_owned(),
            Ink::Muted => "muted".to_owned(),
            Ink::Axis => "axis".to_owned(),
            Ink::Grid => "grid".to_owned(),
            Ink::Basal => "basal".to_owned(),
            Ink::Apical => "apical".to_owned(),
            Ink::Modulator => "modulator".to_owned(),
            Ink::Branch(n) => format!("branch{}", n % BRANCHES.len()),
        };
        let initial = match property {
            Property::Fill => 'f',
            Property::Stroke => 's',
        };
        format!("apc-{initial}-{name}")
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

/// The style sheet of a drawing: the dark shades, for screens that ask for them. Print stays light.
pub(super) fn dark_style() -> String {
    let plain = [
        Ink::Paper,
        Ink::Text,
        Ink::Muted,
        Ink::Axis,
        Ink::Grid,
        Ink::Basal,
        Ink::Apical,
        Ink::Modulator,
    ];
    let inks = plain
        .into_iter()
        .chain((0..BRANCHES.len()).map(Ink::Branch));
    let properties = [(Property::Fill, "fill"), (Property::Stroke, "stroke")];
    let rules: String = inks
        .flat_map(|ink| properties.map(|(property, css)| (ink, property, css)))
        .map(|(ink, property, css)| format!(".{}{{{css}:{}}}", ink.class(property), ink.shades().1))
        .collect();
    format!("@media screen and (prefers-color-scheme:dark){{{rules}}}")
}
