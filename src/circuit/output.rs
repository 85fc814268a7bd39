//! What an input gives at every step besides its values.

use super::Input;

/// One of the vectors that an input gives at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Output {
    /// Its values, `NAME`.
    Values,
    /// Latent variables of a process, `NAME.latent`.
    Latent,
    /// The class of an image or recording as a one-hot vector, `NAME.label`.
    Label,
    /// 1 if this step shows another image or recording than the step before, else 0: `NAME.changed`.
    Changed,
    /// 1 if the gaze came to this step's patch from its neighbour, else 0: `NAME.moved`.
    Moved,
    /// 1 in the last step of an image or recording, once a pass, else 0: `NAME.last`.
    Last,
}

impl Output {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// All that have a name.
    const NAMED: [(&'static str, Output); 5] = [
        ("latent", Output::Latent),
        ("label", Output::Label),
        ("changed", Output::Changed),
        ("moved", Output::Moved),
        ("last", Output::Last),
    ];

    /// The output of that name.
    pub fn named(name: &str) -> Option<Output> {
        let mut all = Output::NAMED.iter();
        all.find(|(n, _)| *n == name).map(|(_, output)| *output)
    }

    /// How expressions write it for an input of that name.
    pub fn of(self, input: &str) -> String {
        let mut all = Output::NAMED.iter();
        match all.find(|(_, output)| *output == self) {
            Some((name, _)) => format!("{input}.{name}"),
            None => input.to_owned(),
        }
    }
}

impl Input {
    /// How many numbers a step an output has, if the input has it.
    pub fn output(&self, output: Output) -> Option<usize> {
        if output == Output::Values {
            return Some(self.size);
        }
        let mut all = self.outputs.iter();
        all.find(|(o, _)| *o == output).map(|(_, size)| *size)
    }

    /// What expressions may read of it.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        let others = self.outputs.iter().map(|(output, _)| *output);
        std::iter::once(Output::Values)
            .chain(others)
            .map(|output| output.of(&self.name))
    }
}
