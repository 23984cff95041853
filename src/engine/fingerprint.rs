//! Owns the hash in names of files and folders.

/// FNV-1a, since the standard library's hash may change from one compiler to the next.
pub(super) fn fingerprint<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    texts
        .flat_map(str::bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
