//! Which compartment is drawn where on a cell.

use super::colours;
use crate::drawing::Ink;

/// What a part of a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An apical dendrite.
    Apical,
    /// A branch with another name.
    Branch(usize),
    /// The soma, or what stands in its place.
    Body,
    /// A basal dendrite.
    Basal,
    /// The box of an input.
    Input,
}

impl Role {
    /// The colour of the part and of what drives it.
    pub(super) fn ink(self) -> Ink {
        match self {
            Role::Apical => colours::APICAL,
            Role::Basal => colours::BASAL,
            Role::Branch(n) => colours::branch(n),
            Role::Body | Role::Input => Ink::Axis,
        }
    }
}

/// A part of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) role: Role,
    /// The compartment; none for the body of a neuron that has only dendrites.
    pub(super) compartment: Option<usize>,
}

/// The parts of a neuron's cell from top to bottom: apical dendrites, other branches, the body, basal dendrites. A neuron
/// without a basal dendrite has its first other branch below the body.
pub(super) fn parts(compartments: &[&str]) -> Vec<Part> {
    let roles = roles(compartments);
    let mut order: Vec<usize> = (0..roles.len()).collect();
    let has_basal = roles.contains(&Role::Basal);
    let height = |index: usize| match roles[index] {
        // The tuft is named after the trunk.
        Role::Apical => (0, roles.len() - index),
        Role::Branch(0) if !has_basal => (3, index),
        Role::Branch(_) => (1, index),
        Role::Body | Role::Input => (2, index),
        Role::Basal => (4, index),
    };
    order.sort_by_key(|index| height(*index));
    let part = |index: usize| Part {
        role: roles[index],
        compartment: Some(index),
    };
    let mut parts: Vec<Part> = order.into_iter().map(part).collect();
    if !roles.contains(&Role::Body) {
        let below = parts.iter().position(|p| p.role == Role::Basal);
        let body = Part {
            role: Role::Body,
            compartment: None,
        };
        parts.insert(below.unwrap_or(parts.len()), body);
    }
    parts
}

/// What each compartment is, by its name. The body is the soma or else the first compartment that is no dendrite.
fn roles(compartments: &[&str]) -> Vec<Role> {
    let dendrites: Vec<Option<Role>> = compartments.iter().map(|name| dendrite(name)).collect();
    let soma = compartments
        .iter()
        .position(|name| name.eq_ignore_ascii_case("soma"));
    let body = soma.or_else(|| dendrites.iter().position(Option::is_none));
    let mut branches = 0..;
    let role = |(index, dendrite): (usize, &Option<Role>)| match dendrite {
        _ if Some(index) == body => Role::Body,
        Some(role) => *role,
        None => Role::Branch(branches.next().unwrap_or(0)),
    };
    dendrites.iter().enumerate().map(role).collect()
}

/// The side of the cell that a name tells.
fn dendrite(name: &str) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if says(&["apical", "tuft", "distal"]) {
        Some(Role::Apical)
    } else if says(&["basal", "proximal"]) {
        Some(Role::Basal)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacked(compartments: &[&'static str]) -> Vec<Option<&'static str>> {
        let name = |p: &Part| p.compartment.map(|c| compartments[c]);
        parts(compartments).iter().map(name).collect()
    }

    #[test]
    fn the_soma_is_between_apical_and_basal_dendrites() {
        let stack = stacked(&["basal", "apical", "soma", "oblique", "apical_tuft"]);
        let expected = ["apical_tuft", "apical", "oblique", "soma", "basal"];
        assert_eq!(stack, expected.map(Some));
    }

    #[test]
    fn a_lone_dendrite_hangs_below() {
        assert_eq!(stacked(&["soma", "dend"]), [Some("soma"), Some("dend")]);
        assert_eq!(stacked(&["v", "dend"]), [Some("v"), Some("dend")]);
    }

    #[test]
    fn a_neuron_of_dendrites_alone_still_has_a_body() {
        assert_eq!(
            stacked(&["basal", "apical"]),
            [Some("apical"), None, Some("basal")]
        );
        assert_eq!(stacked(&[]), [None]);
    }
}
