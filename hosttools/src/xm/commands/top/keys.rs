//! What typed bytes mean.

/// A key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// A character.
    Char(char),
    Up,
    Down,
    Enter,
    /// The key that rubs out.
    Back,
    /// Esc by itself.
    Escape,
    /// Ctrl-C, which a raw terminal passes on.
    Interrupt,
}

/// The keys that were typed. What a terminal sends for a key comes at once, so an Esc with nothing behind it is the key
/// of that name; what is not known here is passed over.
pub(super) fn keys(bytes: &[u8]) -> Vec<Key> {
    let (mut keys, mut rest) = (Vec::new(), bytes);
    while let [first, behind @ ..] = rest {
        let (key, behind) = match (first, behind) {
            (0x1b, [b'[' | b'O', b'A', behind @ ..]) => (Some(Key::Up), behind),
            (0x1b, [b'[' | b'O', b'B', behind @ ..]) => (Some(Key::Down), behind),
            (0x1b, [b'[' | b'O', behind @ ..]) => (None, end_of_sequence(behind)),
            (0x1b, behind) => (Some(Key::Escape), behind),
            (b'\r' | b'\n', behind) => (Some(Key::Enter), behind),
            (0x7f | 0x08, behind) => (Some(Key::Back), behind),
            (0x03, behind) => (Some(Key::Interrupt), behind),
            (byte, behind) => (byte.is_ascii_graphic().then(|| Key::Char(char::from(*byte))), behind),
        };
        keys.extend(key);
        rest = behind;
    }
    keys
}

/// What follows the sequence of a key: parameters, then a letter or a tilde.
fn end_of_sequence(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| matches!(byte, b'@'..=b'~')).map_or(bytes.len(), |at| at + 1);
    bytes.get(end..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_of_a_terminal_are_keys() {
        assert_eq!(keys(b"\x1b[A\x1bOBq"), [Key::Up, Key::Down, Key::Char('q')]);
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        assert_eq!(keys(b"1\x7f\r\x03"), [Key::Char('1'), Key::Back, Key::Enter, Key::Interrupt]);
        assert_eq!(keys(b"\x1b[15~s\x1b[1;5Cs"), [Key::Char('s'); 2], "keys without a meaning");
        assert_eq!(keys(b"\x00\xff\x1b[9"), []);
    }
}
