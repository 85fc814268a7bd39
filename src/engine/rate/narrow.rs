//! The vectors of a circuit in single precision while it runs.
//!
//! Between runs, and for all who look at it, the state holds 64-bit numbers. Operations in single precision work on copies
//! of its vectors, which are taken when a run begins and given back when somebody looks. All numbers that they write are exact in
//! 64 bits, so that nothing depends on when that is.

use pulp::{Arch, Simd, WithSimd};

use super::flat::{Flat, Written, waited_for};
use super::state::State;
use crate::compile::Weights;
use crate::engine::elementwise;
use crate::engine::lanes::padded;
use crate::engine::outer::add_outer;
use crate::engine::packed::Packed;
use crate::vector::{Singles, Vector};

/// Copies in single precision.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    /// Those of the state's vectors, then for each projection its weights if there is one for each neuron.
    pub vectors: Vec<Singles>,
    /// Scratch memory.
    pub first: Singles,
    pub next: Singles,
    /// Outer products that wait until their matrix is read, by projection.
    pub waiting: Vec<Waiting>,
    /// Projections whose matrices change by such products alone.
    waited_for: Vec<usize>,
    /// Vectors that are rings of several slots: where, and how many.
    rings: Vec<(usize, usize)>,
    /// What operations write.
    written: Vec<Written>,
}

/// An outer product that waits until its matrix is read: then both take one pass over the weights.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waits: bool,
    pre: Singles,
    post: Singles,
    /// The matrix, while it is packed; what the state holds is old then.
    packed: Packed,
    /// Scratch memory.
    drive: Singles,
}

impl Waiting {
    /// Takes the factors, if it waits.
    #[inline(always)]
    pub fn take(&mut self) -> Option<(&[f32], &[f32])> {
        std::mem::take(&mut self.waits).then_some((&*self.pre, &*self.post))
    }

    /// Takes copies of an outer product's factors.
    #[inline(always)]
    pub fn put<S: Simd>(&mut self, simd: S, pre: &[f32], post: &[f32]) {
        self.pre.resize(pre.len(), 0.0);
        self.post.resize(post.len(), 0.0);
        elementwise::copy_whole_in(simd, &mut self.pre, pre);
        elementwise::copy_in(simd, &mut self.post, post);
        self.waits = true;
    }

    /// Adds the outer product, if it waits, and what the matrix then gives to a drive; false if it is not packed.
    #[inline(always)]
    pub fn deliver_packed<S: Simd>(
        &mut self,
        simd: S,
        pre: &[f32],
        (drive, begun): (&mut [f32], bool),
    ) -> bool {
        let holds = self.packed.holds();
        if holds {
            let change = std::mem::take(&mut self.waits).then_some((&*self.pre, &*self.post));
            self.packed
                .change_and_deliver(simd, change, pre, (drive, begun));
        }
        holds
    }

    /// Adds the outer product, if it waits.
    pub fn settle(&mut self, weights: &mut Weights) {
        if self.packed.holds() && std::mem::take(&mut self.waits) {
            self.drive.resize(self.post.len(), 0.0);
            Arch::new().dispatch(Settle { waiting: self });
        }
        if let (Some((pre, post)), Weights::Single { values, .. }) = (self.take(), weights) {
            add_outer(Arch::new(), values, 0.0, pre, post);
        }
    }
}

/// As [`Waiting::settle`], of a packed matrix; nobody wants the drive.
struct Settle<'a> {
    waiting: &'a mut Waiting,
}

impl WithSimd for Settle<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Waiting {
            pre,
            post,
            packed,
            drive,
            ..
        } = self.waiting;
        packed.change_and_deliver(simd, Some((pre, post)), pre, (drive, false));
    }
}

impl Narrow {
    /// Prepares for the operations of a stage, which has some vectors beside the projections' weights.
    pub fn enter<'f>(&mut self, flats: impl Iterator<Item = &'f Flat> + Clone) {
        self.rings = flats.clone().flat_map(Flat::rings).collect();
        self.written = flats.clone().flat_map(Flat::written).collect();
        self.waited_for = waited_for(flats);
        self.written.sort_unstable();
        self.written.dedup();
        self.rings.sort_unstable();
        self.rings.dedup();
    }

    fn slots(&self, at: usize) -> usize {
        let found = self.rings.iter().find(|(ring, _)| *ring == at);
        found.map_or(1, |(_, slots)| *slots)
    }

    /// Takes copies of all vectors.
    pub fn load(&mut self, state: &State) {
        let vectors = state.vectors.len();
        self.vectors
            .resize_with(vectors + state.weights.len(), Singles::default);
        for (at, values) in state.vectors.iter().enumerate() {
            let slots = self.slots(at);
            narrow(&mut self.vectors[at], values, slots);
        }
        self.waiting
            .resize_with(state.weights.len(), Waiting::default);
        for (single, weights) in self.vectors[vectors..].iter_mut().zip(&state.weights) {
            if let Weights::OneToOne { values } = weights {
                narrow(single, values, 1);
            }
        }
    }

    /// Packs matrices, for steps in which nobody but operations sees them.
    pub fn pack(&mut self, arch: Arch, state: &mut State) {
        for at in &self.waited_for {
            if let Weights::Single { post, row, values } = &mut state.weights[*at] {
                self.waiting[*at].packed.pack(arch, (values, *row), *post);
            }
        }
    }

    /// Gives back what operations have written, and does what waits.
    pub fn store(&mut self, state: &mut State) {
        for (waiting, weights) in self.waiting.iter_mut().zip(&mut state.weights) {
            waiting.settle(weights);
            if let Weights::Single { row, values, .. } = weights {
                waiting.packed.unpack((values, *row));
            }
        }
        for written in &self.written {
            match *written {
                Written::Vector(at) => {
                    widen(&mut state.vectors[at], &self.vectors[at], self.slots(at));
                }
                Written::Weights(id) => {
                    let at = state.vectors.len() + id;
                    if let Weights::OneToOne { values } = &mut state.weights[id] {
                        widen(values, &self.vectors[at], 1);
                    }
                }
            }
        }
    }
}

/// Rounds each slot; in single precision slots are padded to more.
fn narrow(single: &mut Singles, values: &Vector, slots: usize) {
    let length = values.len() / slots;
    let row = padded::<f32>(length);
    single.resize(slots * row, 0.0);
    if length == 0 {
        return;
    }
    for (single, values) in single
        .chunks_exact_mut(row)
        .zip(values.chunks_exact(length))
    {
        for (single, value) in single.iter_mut().zip(values) {
            *single = *value as f32;
        }
        single[length..].fill(0.0);
    }
}

fn widen(values: &mut Vector, single: &Singles, slots: usize) {
    let length = values.len() / slots;
    if length == 0 {
        return;
    }
    let slots = values.chunks_exact_mut(length);
    for (values, single) in slots.zip(single.chunks_exact(padded::<f32>(length))) {
        for (value, single) in values.iter_mut().zip(single) {
            *value = f64::from(*single);
        }
    }
}
