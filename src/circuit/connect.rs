//! Connection patterns: which neurons of two populations a projection connects.

use std::path::Path;

use rand::RngExt;
use rand::seq::index;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::grid::{Convolution, Shaped, Tiling};
use crate::input::data::{read_columns, row_name};
use crate::netlist::model::Connect;

/// The connections of a projection.
#[derive(Debug, Clone, PartialEq)]
pub enum Connectivity {
    /// Every neuron to every neuron.
    Dense {
        /// Presynaptic neurons.
        pre: usize,
        /// Postsynaptic neurons.
        post: usize,
    },
    /// Neuron i to neuron i.
    OneToOne {
        /// Neurons on each side.
        size: usize,
    },
    /// Listed connections, sorted by presynaptic and then postsynaptic neuron.
    Sparse(Sparse),
    /// The same weights at every place of a map.
    Convolution(Convolution),
    /// Windows of a map; one weight for all.
    Tiling(Tiling),
}

/// Listed connections: those of presynaptic neuron j are at `offsets[j]..offsets[j + 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    /// Start of each presynaptic neuron's connections; one more than there are neurons.
    pub offsets: Vec<usize>,
    /// Postsynaptic neurons.
    pub targets: Vec<u32>,
    /// Weights that the edge file gives.
    pub weights: Option<Vec<f64>>,
}

/// Why a pattern does not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// One-to-one between populations of different size.
    #[error(
        "one-to-one needs two populations of the same size, these have {pre} and {post} neurons"
    )]
    Sizes {
        /// Presynaptic neurons.
        pre: usize,
        /// Postsynaptic neurons.
        post: usize,
    },
    /// A degree larger than the population on the other side.
    #[error(
        "an {which} of {degree} needs at least as many neurons on the other side, there are {available}"
    )]
    Degree {
        /// `in-degree` or `out-degree`.
        which: &'static str,
        /// What was asked for.
        degree: u64,
        /// What there is.
        available: usize,
    },
    /// More synapses than pairs.
    #[error(
        "{count} synapses need as many pairs of neurons, there are {pairs}; write `repeats = true` to give pairs several"
    )]
    Total {
        /// What was asked for.
        count: u64,
        /// What there is.
        pairs: usize,
    },
    /// An edge file that cannot be used.
    #[error("the edge file `{file}`: {reason}")]
    Edges {
        /// The file.
        file: String,
        /// What is wrong, with the line.
        reason: String,
    },
}

/// Draws the connections of a pattern between populations of `pre` and `post` neurons. Edge files are
/// looked for beside the netlist, in `folder`.
///
/// # Errors
/// If the pattern does not fit the populations, or its edge file cannot be used.
pub fn connect(
    pattern: &Connect,
    (pre, post): (usize, usize),
    stream: &mut Xoshiro256PlusPlus,
    folder: &Path,
) -> Result<Connectivity, ConnectError> {
    let edges: Vec<(u32, u32)> = match pattern {
        Connect::AllToAll => return Ok(Connectivity::Dense { pre, post }),
        Connect::OneToOne if pre == post => return Ok(Connectivity::OneToOne { size: pre }),
        Connect::OneToOne => return Err(ConnectError::Sizes { pre, post }),
        Connect::Probability(p) => bernoulli(*p, pre, post, stream),
        Connect::InDegree(degree) => {
            let n = fits("in-degree", *degree, pre)?;
            let choose = |i: u32, s: &mut Xoshiro256PlusPlus| {
                index::sample(s, pre, n)
                    .into_iter()
                    .map(move |j| (j as u32, i))
                    .collect::<Vec<_>>()
            };
            let mut edges = Vec::with_capacity(n * post);
            edges.extend((0..post as u32).flat_map(|i| choose(i, stream)));
            edges
        }
        Connect::OutDegree(degree) => {
            let n = fits("out-degree", *degree, post)?;
            let choose = |j: u32, s: &mut Xoshiro256PlusPlus| {
                index::sample(s, post, n)
                    .into_iter()
                    .map(move |i| (j, i as u32))
                    .collect::<Vec<_>>()
            };
            let mut edges = Vec::with_capacity(n * pre);
            edges.extend((0..pre as u32).flat_map(|j| choose(j, stream)));
            edges
        }
        Connect::Total { count, repeats } => total(*count, *repeats, (pre, post), stream)?,
        Connect::Edges(file) => return edge_file(&folder.join(file), file, pre, post),
        // What goes by distance is made of the places of neurons.
        Connect::Distance(_) => vec![],
        // These go by the shapes of the populations, and are made of `Shaped`.
        Connect::Convolution(_) | Connect::Pool(_) | Connect::Spread(_) | Connect::Winner(_) => {
            vec![]
        }
    };
    Ok(Connectivity::Sparse(sorted(edges, None, pre)))
}

/// So many pairs, drawn with equal probabilities.
fn total(
    count: u64,
    repeats: bool,
    (pre, post): (usize, usize),
    stream: &mut Xoshiro256PlusPlus,
) -> Result<Vec<(u32, u32)>, ConnectError> {
    let pairs = pre * post;
    let pair = |at: usize| ((at / post) as u32, (at % post) as u32);
    match usize::try_from(count) {
        Ok(n) if repeats && pairs > 0 => Ok((0..n)
            .map(|_| pair(stream.random_range(0..pairs)))
            .collect()),
        Ok(n) if n <= pairs => Ok(index::sample(stream, pairs, n)
            .into_iter()
            .map(pair)
            .collect()),
        _ => Err(ConnectError::Total { count, pairs }),
    }
}

/// Listed connections of so many presynaptic neurons.
pub(super) fn listed(edges: Vec<(u32, u32)>, pre: usize) -> Connectivity {
    Connectivity::Sparse(sorted(edges, None, pre))
}

fn fits(which: &'static str, degree: u64, available: usize) -> Result<usize, ConnectError> {
    match usize::try_from(degree) {
        Ok(n) if n <= available => Ok(n),
        _ => Err(ConnectError::Degree {
            which,
            degree,
            available,
        }),
    }
}

/// Each pair with probability p, by skipping geometric gaps: work for the edges, not for the pairs.
fn bernoulli(p: f64, pre: usize, post: usize, stream: &mut Xoshiro256PlusPlus) -> Vec<(u32, u32)> {
    let pairs = pre as u64 * post as u64;
    if p <= 0.0 {
        return Vec::new();
    }
    // Room for five standard deviations more than are expected.
    let expected = p.min(1.0) * pairs as f64;
    let mut edges = Vec::with_capacity((expected + 5.0 * expected.sqrt()) as usize + 1);
    let log_miss = (-p).ln_1p();
    let mut at = 0u64;
    loop {
        let u: f64 = 1.0 - stream.random::<f64>();
        // p = 1 gives ln 0 = −∞ and gaps of 0.
        let gap = (u.ln() / log_miss).floor();
        if gap >= (pairs - at.min(pairs)) as f64 || gap.is_nan() {
            return edges;
        }
        at += gap as u64;
        edges.push(((at / post as u64) as u32, (at % post as u64) as u32));
        at += 1;
    }
}

/// Sorts edges by source and target and makes their offsets.
fn sorted(mut edges: Vec<(u32, u32)>, weights: Option<Vec<f64>>, pre: usize) -> Sparse {
    let weights = match weights {
        // In place: there may be more connections than fit into memory twice.
        None => {
            edges.sort_unstable();
            None
        }
        Some(weights) => {
            let mut order: Vec<usize> = (0..edges.len()).collect();
            order.sort_by_key(|e| edges[*e]);
            edges = order.iter().map(|e| edges[*e]).collect();
            Some(order.iter().map(|e| weights[*e]).collect())
        }
    };
    let mut offsets = vec![0; pre + 1];
    for (j, _) in &edges {
        offsets[*j as usize + 1] += 1;
    }
    for j in 0..pre {
        offsets[j + 1] += offsets[j];
    }
    Sparse {
        offsets,
        targets: edges.iter().map(|(_, i)| *i).collect(),
        weights,
    }
}

/// Reads rows of `pre`, `post` and perhaps `weight`.
fn edge_file(
    path: &Path,
    file: &str,
    pre: usize,
    post: usize,
) -> Result<Connectivity, ConnectError> {
    let wrong = |reason: String| ConnectError::Edges {
        file: file.to_owned(),
        reason,
    };
    let wanted = [("pre", true), ("post", true), ("weight", false)];
    let columns = read_columns(path, &wanted).map_err(wrong)?;
    let [Some(sources), Some(targets), weights] = columns.as_slice() else {
        return Err(wrong("has no edges".to_owned()));
    };
    let neuron = |row: usize, number: f64, size: usize, side: &str| {
        let fits = number.fract().abs() <= 0.0 && (0.0..size as f64).contains(&number);
        match fits {
            true => Ok(number as u32),
            false => Err(wrong(format!(
                "{}: `{number}` is not a {side} neuron, they are 0 to {}",
                row_name(path, row),
                size.saturating_sub(1)
            ))),
        }
    };
    let mut edges = Vec::with_capacity(sources.len());
    for (row, (from, to)) in sources.iter().zip(targets).enumerate() {
        edges.push((
            neuron(row, *from, pre, "presynaptic")?,
            neuron(row, *to, post, "postsynaptic")?,
        ));
    }
    if edges.is_empty() {
        return Err(wrong("has no edges".to_owned()));
    }
    let infinite = |w: &f64| !w.is_finite();
    if let Some(row) = weights.as_ref().and_then(|w| w.iter().position(infinite)) {
        let row = row_name(path, row);
        return Err(wrong(format!("{row}: the weight is not a finite number")));
    }
    Ok(Connectivity::Sparse(sorted(edges, weights.clone(), pre)))
}

impl Connectivity {
    /// Number of synapses.
    pub fn count(&self) -> usize {
        match self {
            Connectivity::Dense { pre, post } => pre * post,
            Connectivity::OneToOne { size } => *size,
            Connectivity::Sparse(sparse) => sparse.targets.len(),
            Connectivity::Convolution(c) => c.patch() * c.output.size(),
            Connectivity::Tiling(tiling) => tiling.fine.size(),
        }
    }

    /// Number of weights: fewer than synapses if they are shared.
    pub fn weights(&self) -> usize {
        match self {
            Connectivity::Convolution(c) => c.weights(),
            Connectivity::Tiling(_) => 1,
            other => other.count(),
        }
    }
}

impl From<Shaped> for Connectivity {
    fn from(shaped: Shaped) -> Self {
        match shaped {
            Shaped::Convolution(convolution) => Connectivity::Convolution(convolution),
            Shaped::Tiling(tiling) => Connectivity::Tiling(tiling),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(pattern: Connect, pre: usize, post: usize) -> Sparse {
        let mut stream = crate::random::stream(1, "connect", 0);
        match connect(&pattern, (pre, post), &mut stream, Path::new(".")) {
            Ok(Connectivity::Sparse(sparse)) => sparse,
            other => panic!("{other:?}"),
        }
    }

    fn in_degrees(sparse: &Sparse, post: usize) -> Vec<usize> {
        let mut degrees = vec![0; post];
        sparse
            .targets
            .iter()
            .for_each(|i| degrees[*i as usize] += 1);
        degrees
    }

    #[test]
    fn degrees_are_exact_and_partners_differ() {
        let sparse = drawn(Connect::InDegree(7), 30, 50);
        assert!(in_degrees(&sparse, 50).iter().all(|d| *d == 7));
        let sparse = drawn(Connect::OutDegree(5), 30, 50);
        for j in 0..30 {
            let row = &sparse.targets[sparse.offsets[j]..sparse.offsets[j + 1]];
            assert_eq!(row.len(), 5);
            assert!(
                row.windows(2).all(|pair| pair[0] < pair[1]),
                "sorted, so no partner twice"
            );
        }
    }

    #[test]
    fn a_probability_gives_that_share_of_the_pairs() {
        let sparse = drawn(Connect::Probability(0.1), 400, 500);
        // 200,000 pairs: five standard deviations of a binomial are 671.
        assert!((sparse.targets.len() as f64 - 20_000.0).abs() < 671.0);
        assert_eq!(drawn(Connect::Probability(1.0), 30, 40).targets.len(), 1200);
        assert_eq!(drawn(Connect::Probability(0.0), 30, 40).targets.len(), 0);
    }

    #[test]
    fn edge_files_are_sorted_and_their_mistakes_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut stream = crate::random::stream(1, "connect", 0);
        let mut read = |text: &str| {
            std::fs::write(folder.path().join("e.csv"), text).unwrap();
            connect(
                &Connect::Edges("e.csv".to_owned()),
                (3, 2),
                &mut stream,
                folder.path(),
            )
        };
        let Ok(Connectivity::Sparse(sparse)) = read("pre,post,weight\n2,1,0.5\n0,1,1\n2,0,2\n")
        else {
            panic!()
        };
        assert_eq!(sparse.offsets, [0, 1, 1, 3]);
        assert_eq!(sparse.targets, [1, 0, 1]);
        assert_eq!(sparse.weights, Some(vec![1.0, 2.0, 0.5]));
        let message = |result: Result<Connectivity, ConnectError>| result.unwrap_err().to_string();
        assert!(
            message(read("pre,post\n3,0\n"))
                .contains("line 2: `3` is not a presynaptic neuron, they are 0 to 2")
        );
        assert!(message(read("a,b\n1,1\n")).contains("columns `pre` and `post`"));
        assert!(message(read("pre,post,weight\n1,1,nan\n")).contains("is not a finite number"));
        assert!(message(read("pre,post\n")).contains("no edges"));
    }
}
