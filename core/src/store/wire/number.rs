//! Numbers in payloads: text, by the rules of C's `strtol`, which is what clients have always met.
//!
//! White space and a sign may lead and a value too large sticks at the end of its range. Without digits the
//! number is zero and nothing is taken. Callers decide what may follow and which values they take.

use crate::hyper::DomId;

/// Reads a decimal number from the front of `text`; returns it and what follows it.
pub(super) fn decimal(text: &[u8]) -> (i64, &[u8]) {
    signed(text, |digits| (10, digits))
}

/// The same, but `0x` leads to hexadecimal and a plain `0` to octal digits.
pub(super) fn any_base(text: &[u8]) -> (i64, &[u8]) {
    signed(text, |digits| match digits {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => (16, rest),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    })
}

/// A domain id: decimal digits to the end, in the range of the type.
pub(super) fn domid(text: &[u8]) -> Option<DomId> {
    let (value, rest) = decimal(text);
    let domid = u16::try_from(value).ok()?;
    rest.is_empty().then_some(DomId(domid))
}

fn signed<'a>(text: &'a [u8], base: impl Fn(&'a [u8]) -> (u32, &'a [u8])) -> (i64, &'a [u8]) {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let unsigned = text.get(spaces..).unwrap_or_default();
    let (sign, digits) = match unsigned {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let (base, mut rest) = base(digits);
    if !rest.first().is_some_and(|byte| char::from(*byte).is_digit(base)) {
        return (0, text);
    }
    let mut value = 0i64;
    while let [byte, after @ ..] = rest
        && let Some(digit) = char::from(*byte).to_digit(base)
    {
        value = value.saturating_mul(base.into()).saturating_add(sign * i64::from(digit));
        rest = after;
    }
    (value, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_follow_strtol() {
        assert_eq!(decimal(b"42"), (42, &b""[..]));
        assert_eq!(decimal(b" \t+007x"), (7, &b"x"[..]));
        assert_eq!(decimal(b"-12 "), (-12, &b" "[..]));
        assert_eq!(decimal(b""), (0, &b""[..]));
        assert_eq!(decimal(b"+-1"), (0, &b"+-1"[..]));
        assert_eq!(decimal(b"99999999999999999999").0, i64::MAX);
        assert_eq!(decimal(b"-99999999999999999999").0, i64::MIN);
    }

    #[test]
    fn a_prefix_chooses_the_base() {
        assert_eq!(any_base(b"0x1F"), (31, &b""[..]));
        assert_eq!(any_base(b"017"), (15, &b""[..]));
        assert_eq!(any_base(b"08"), (0, &b"8"[..]));
        assert_eq!(any_base(b"0x"), (0, &b"x"[..]));
        assert_eq!(any_base(b"-0x10"), (-16, &b""[..]));
        assert_eq!(any_base(b"19"), (19, &b""[..]));
    }

    #[test]
    fn domids_end_with_their_string() {
        assert_eq!(domid(b"65535"), Some(DomId(65535)));
        assert_eq!(domid(b""), Some(DomId(0)));
        for bad in [&b"65536"[..], b"-1", b"5x", b"x", b"5 ", b" ", b"+"] {
            assert_eq!(domid(bad), None);
        }
    }
}
