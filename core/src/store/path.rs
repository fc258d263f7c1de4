//! Names of nodes. Source: `docs/misc/xenstore.txt`, introduction.
//!
//! A [`Path`] is absolute and valid by construction: no other code looks at slashes or lengths. What a client
//! wrote becomes one only through [`resolve`], which expands relative paths first and checks after, so no
//! prefix can push a path over the limit.
#![forbid(unsafe_code)]

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt::{self, Write};

use super::wire::{ABS_PATH_MAX, REL_PATH_MAX, XsError};
use crate::hyper::DomId;

/// Bytes of a short path. Few of those that are in use are much longer.
const WALK_BYTES: usize = 32;

/// Events that the server itself makes up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Special {
    /// A domain was introduced.
    Introduce,
    /// A domain shut down, was released or went away.
    Release,
}

impl Special {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Introduce, Self::Release];

    /// The name by which clients watch it.
    #[must_use]
    pub const fn name(self) -> &'static [u8] {
        match self {
            Self::Introduce => b"@introduceDomain",
            Self::Release => b"@releaseDomain",
        }
    }

    /// The event that has this name.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|special| special.name() == name)
    }
}

/// A valid absolute path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path<'a>(&'a [u8]);

impl<'a> Path<'a> {
    /// The root.
    pub const ROOT: Path<'static> = Path(b"/");

    /// Takes bytes that are an absolute path already.
    ///
    /// # Errors
    /// [`XsError::EINVAL`] when they are not.
    pub fn new(bytes: &'a [u8]) -> Result<Self, XsError> {
        let Some((b'/', names)) = bytes.split_first() else { return Err(XsError::EINVAL) };
        let mut last = b'/';
        let valid = names.iter().all(|byte| {
            let single = *byte != b'/' || last != b'/';
            last = *byte;
            single && is_valid(last)
        });
        let whole = names.is_empty() || last != b'/';
        (valid && whole && bytes.len() <= ABS_PATH_MAX).then_some(Self(bytes)).ok_or(XsError::EINVAL)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The names from the root down; none for the root itself.
    pub fn names(self) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.0.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
    }

    /// The node above, or `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        match self.split()?.0 {
            [] => Some(Path::ROOT),
            above => Some(Self(above)),
        }
    }

    /// The last name, or `None` for the root.
    #[must_use]
    pub fn name(self) -> Option<&'a [u8]> {
        self.split().map(|(_, name)| name)
    }

    /// The steps from `above` down to this path, or `None` when it does not lie there. A path lies below itself.
    #[must_use]
    pub fn levels_below(self, above: Path<'_>) -> Option<usize> {
        let rest = if above == Path::ROOT { self.0 } else { self.0.strip_prefix(above.0)? };
        match rest.first() {
            None => Some(0),
            Some(b'/') => Some(Self(rest).names().count()),
            Some(_) => None,
        }
    }

    /// The deepest path that both lie at or below.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        let mut above = self;
        while other.levels_below(above).is_none() {
            above = above.parent().unwrap_or(Path::ROOT);
        }
        above
    }

    /// Bytes that count towards the length a domain may use: all behind `/local/domain/<domid>/`.
    #[must_use]
    pub fn charged_len(self) -> usize {
        let below = self.0.strip_prefix(b"/local/domain/").unwrap_or_default();
        let digits = below.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match below.get(digits) {
            Some(b'/') if (1..=5).contains(&digits) => below.len() - digits - 1,
            _ => self.0.len(),
        }
    }

    /// What a walk along it costs, in walks along a short path.
    pub(crate) fn walk_cost(self) -> u32 {
        u32::try_from(self.0.len() / WALK_BYTES).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The path of a child. `name` is that of a node in a tree, where nothing is too long.
    pub(crate) fn join(self, name: &[u8]) -> PathBuf {
        let above = if self == Path::ROOT { b"" } else { self.0 };
        PathBuf([above, b"/", name].concat().into())
    }

    /// A copy to keep.
    #[must_use]
    pub fn to_buf(self) -> PathBuf {
        PathBuf(self.0.into())
    }

    fn split(self) -> Option<(&'a [u8], &'a [u8])> {
        let slash = self.0.iter().rposition(|byte| *byte == b'/')?;
        let (above, name) = self.0.split_at_checked(slash)?;
        name.get(1..).filter(|name| !name.is_empty()).map(|name| (above, name))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A path to keep. Copies share its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathBuf(Rc<[u8]>);

impl PathBuf {
    /// The path.
    #[must_use]
    pub fn as_path(&self) -> Path<'_> {
        Path(&self.0)
    }
}

impl Borrow<[u8]> for PathBuf {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_path(), f)
    }
}

/// Where a domain's relative paths start.
#[derive(Clone, Copy, Debug)]
pub struct Home(pub DomId);

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/local/domain/{}", self.0)
    }
}

/// Makes a path of what a client of `domid` wrote. `scratch` holds the expansion of a relative one.
///
/// # Errors
/// [`XsError::EINVAL`] when it is no valid path or too long, expanded or not.
pub fn resolve<'a>(text: &'a [u8], domid: DomId, scratch: &'a mut Vec<u8>) -> Result<Path<'a>, XsError> {
    if text.first() == Some(&b'/') {
        return Path::new(text);
    }
    if text.first() == Some(&b'@') || text.len() > REL_PATH_MAX {
        return Err(XsError::EINVAL);
    }
    scratch.clear();
    write!(Sink(scratch), "{}/", Home(domid)).map_err(|fmt::Error| XsError::EINVAL)?;
    scratch.extend_from_slice(text);
    Path::new(scratch)
}

/// Checks the name of a special event, known or not.
///
/// # Errors
/// [`XsError::EINVAL`] when it is malformed or too long.
pub fn check_special(text: &[u8]) -> Result<(), XsError> {
    let valid = text.first() == Some(&b'@') && text.len() <= REL_PATH_MAX;
    let valid = valid && text.iter().all(|byte| is_valid(*byte));
    valid.then_some(()).ok_or(XsError::EINVAL)
}

const fn is_valid(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_' | b'@')
}

struct Sink<'a>(&'a mut Vec<u8>);

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn path(text: &str) -> Path<'_> {
        Path::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_tidy_absolute_paths_are_paths() {
        for good in ["/", "/a", "/a/b-c_d@e/0"] {
            assert_eq!(path(good).as_bytes(), good.as_bytes());
        }
        for bad in ["", "a", "//", "/a/", "/a//b", "/a b", "/a.b", "/\u{e4}", "/a\0", "@releaseDomain"] {
            assert_eq!(Path::new(bad.as_bytes()), Err(XsError::EINVAL), "{bad}");
        }
    }

    #[test]
    fn a_path_knows_its_parent_and_names() {
        assert_eq!(path("/a/b").parent(), Some(path("/a")));
        assert_eq!(path("/a").parent(), Some(Path::ROOT));
        assert_eq!(Path::ROOT.parent(), None);
        assert_eq!(path("/a/bc").name(), Some(&b"bc"[..]));
        assert_eq!(path("/a/bc").names().collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
        assert_eq!(Path::ROOT.names().count(), 0);
    }

    #[test]
    fn below_means_whole_names() {
        assert_eq!(path("/a/b/c").levels_below(path("/a")), Some(2));
        assert_eq!(path("/a/b").levels_below(Path::ROOT), Some(2));
        assert_eq!(Path::ROOT.levels_below(Path::ROOT), Some(0));
        assert_eq!(path("/a/bc").levels_below(path("/a/b")), None);
        assert_eq!(path("/a").levels_below(path("/a/b")), None);
    }

    #[test]
    fn the_common_path_is_above_both() {
        assert_eq!(path("/a/b/c").common(path("/a/bc")), path("/a"));
        assert_eq!(path("/a/b").common(path("/a/b/c")), path("/a/b"));
        assert_eq!(path("/a").common(path("/b")), Path::ROOT);
    }

    #[test]
    fn the_home_prefix_is_not_charged() {
        assert_eq!(path("/local/domain/12/data").charged_len(), 4);
        assert_eq!(path("/local/domain/12").charged_len(), 16);
        assert_eq!(path("/local/domain/123456/x").charged_len(), 22);
        assert_eq!(path("/a").charged_len(), 2);
    }

    #[test]
    fn special_names_are_no_paths() {
        assert_eq!(check_special(b"@releaseDomain/5"), Ok(()));
        assert_eq!(check_special(b"@a b"), Err(XsError::EINVAL));
        assert_eq!(resolve(b"@releaseDomain", DomId(1), &mut Vec::new()), Err(XsError::EINVAL));
        assert_eq!(Special::from_name(b"@releaseDomain"), Some(Special::Release));
    }

    #[test]
    fn attack_a04_a_relative_path_is_measured_after_expansion() {
        let mut scratch = Vec::new();
        assert_eq!(resolve(b"x/y", DomId(3), &mut scratch), Ok(path("/local/domain/3/x/y")));
        assert_eq!(resolve(&vec![b'a'; REL_PATH_MAX + 1], DomId(3), &mut scratch), Err(XsError::EINVAL));
        assert!(resolve(&vec![b'a'; REL_PATH_MAX], DomId(3), &mut scratch).is_ok());
        let mut absolute = vec![b'a'; ABS_PATH_MAX + 1];
        absolute[0] = b'/';
        assert_eq!(resolve(&absolute, DomId(3), &mut scratch), Err(XsError::EINVAL));
        for text in [&b""[..], b"../x", b"x/", b"x//y"] {
            assert_eq!(resolve(text, DomId(3), &mut scratch), Err(XsError::EINVAL));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_valid_path_or_an_error(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(path) = resolve(&text, DomId(7), &mut Vec::new()) {
                prop_assert!(Path::new(path.as_bytes()).is_ok());
                prop_assert!(path.as_bytes().len() <= ABS_PATH_MAX);
            }
        }
    }
}
