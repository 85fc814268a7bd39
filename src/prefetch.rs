//! Asking for far memory before it is needed.
//!
//! A million neurons do not fit in a cache: the row of a spike and the record of a neuron are each a miss of some 100 ns. Which
//! ones come next is known, so they are asked for some turns ahead, and what would wait one after the other waits at once.
#![allow(
    unsafe_code,
    reason = "an instruction that only gives advice, with the address of a reference that is valid"
)]

/// Asks for the cache line in which an element begins, if there is such an element. It changes nothing but the time that
/// a later read takes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], index: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    if let Some(element) = slice.get(index) {
        // SAFETY: prefetching reads nothing, writes nothing and cannot fault; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast()) }
    }
}

/// Elsewhere nothing is asked for.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn prefetch<T>(_: &[T], _: usize) {}
