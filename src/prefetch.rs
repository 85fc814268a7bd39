//! Asking for far memory before it is needed.
//!
//! A million neurons do not fit in a cache: the row of a spike and the record of a neuron are each a miss of some 100 ns. Which
//! ones come next is known, so they are asked for some turns ahead, and what would wait one after the other waits at once.
//! On large pages a miss is not preceded by another one, that of the place where the page is.
#![allow(
    unsafe_code,
    reason = "an instruction and a call of the system that only give advice, about memory that is ours"
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

/// Smaller tables are left where they are: twice the size of a large page on most machines.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// Asks the system to put a table on large pages, if it is large: best before it is filled. It changes nothing but the time that
/// later reads and writes take.
#[cfg(target_os = "linux")]
pub(crate) fn large_pages<T>(table: Vec<T>) -> Vec<T> {
    let bytes = table.capacity() * size_of::<T>();
    if bytes >= LARGE {
        let page = LARGE / 2;
        let start = table.as_ptr().cast::<u8>();
        let skipped = start.align_offset(page);
        let whole = bytes.saturating_sub(skipped) / page * page;
        let first = start.wrapping_add(skipped).cast_mut();
        // SAFETY: whole pages within memory that the table owns; the advice leaves their contents as they are, and if the
        // system does not take it nothing happens.
        unsafe {
            libc::madvise(first.cast(), whole, libc::MADV_HUGEPAGE);
        }
    }
    table
}

/// Elsewhere nobody is asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn large_pages<T>(table: Vec<T>) -> Vec<T> {
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_on_large_pages_is_what_it_was() {
        for length in [0, 10, 3_000_000] {
            let table: Vec<u32> = (0..length).collect();
            let sum: u64 = table.iter().map(|x| u64::from(*x)).sum();
            let table = large_pages(table);
            assert_eq!(table.len(), length as usize);
            assert_eq!(table.iter().map(|x| u64::from(*x)).sum::<u64>(), sum);
        }
    }
}
