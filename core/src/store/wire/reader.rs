//! Reading a payload without ever leaving it.

/// What is left of a payload. Every method takes from the front; none can leave the bytes it was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes a string up to its NUL, which is taken too but not returned. `None`, and nothing is taken, when no
    /// NUL is left.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let nul = self.0.iter().position(|byte| *byte == 0)?;
        let (string, rest) = self.0.split_at_checked(nul)?;
        self.0 = rest.get(1..)?;
        Some(string)
    }

    /// All that is left.
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Succeeds when nothing is left.
    #[must_use]
    pub const fn end(self) -> Option<()> {
        if self.0.is_empty() { Some(()) } else { None }
    }

    /// The strings that are left; bytes behind the last NUL are no string and are passed over.
    #[must_use]
    pub const fn strings(self) -> Strings<'a> {
        Strings(self)
    }
}

/// The NUL-terminated strings of a payload, in order. Equal when the strings are, whatever stands behind them.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a>(Reader<'a>);

impl<'a> Strings<'a> {
    /// Exactly `N` strings, or `None`.
    #[must_use]
    pub fn exactly<const N: usize>(mut self) -> Option<[&'a [u8]; N]> {
        let all = self.at_least()?;
        self.nth(N).is_none().then_some(all)
    }

    /// The first `N` strings, or `None` when there are fewer.
    #[must_use]
    pub fn at_least<const N: usize>(mut self) -> Option<[&'a [u8]; N]> {
        let mut all = [[].as_slice(); N];
        for slot in &mut all {
            *slot = self.next()?;
        }
        Some(all)
    }
}

impl PartialEq for Strings<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

impl Eq for Strings<'_> {}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn strings_end_at_the_last_nul() {
        let strings = Reader::new(b"a\0\0bc\0tail").strings();
        assert_eq!(strings.collect::<Vec<_>>(), [&b"a"[..], b"", b"bc"]);
        assert_eq!(strings.exactly(), Some([&b"a"[..], b"", b"bc"]));
        assert_eq!(strings.exactly::<2>(), None);
        assert_eq!(strings.at_least(), Some([&b"a"[..]]));
        assert_eq!(strings.at_least::<4>(), None);
    }

    #[test]
    fn a_missing_nul_takes_nothing() {
        let mut reader = Reader::new(b"abc");
        assert_eq!(reader.string(), None);
        assert_eq!(reader.rest(), b"abc");
        assert_eq!(reader.end(), None);
        assert_eq!(Reader::new(b"").end(), Some(()));
    }

    proptest! {
        #[test]
        fn strings_and_rest_are_the_payload(bytes in proptest::collection::vec(0u8..4, 0..64)) {
            let mut reader = Reader::new(&bytes);
            let mut seen = Vec::new();
            while let Some(string) = reader.string() {
                seen.extend_from_slice(string);
                seen.push(0);
            }
            seen.extend_from_slice(reader.rest());
            prop_assert_eq!(seen, bytes);
        }
    }
}
