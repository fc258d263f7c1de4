//! Parts of the machine, as a person names them: `irq:5`, `ioport:2f8-2ff`, `iomem:fed00-fed0f`, `pci:0000:03:00.1`.

use xendless_core::hyper::Labelled;

/// A range of parts of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Resource {
    pub(super) what: Labelled,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Resource {
    /// From what was typed.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let (kind, rest) = word.split_once(':')?;
        let (what, radix) = match kind {
            "irq" => (Labelled::Irq, 10),
            "ioport" => (Labelled::IoPort, 16),
            "iomem" => (Labelled::IoMem, 16),
            "pci" => {
                let device = pci(rest)?;
                return Some(Self { what: Labelled::Pci, first: device, last: device });
            }
            _ => return None,
        };
        let number = |text: &str| u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), radix).ok();
        let (first, last) = match rest.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(rest)?, number(rest)?),
        };
        (first <= last).then_some(Self { what, first, last })
    }
}

/// The number of a PCI device from `SSSS:BB:DD.F`, or without the segment.
fn pci(text: &str) -> Option<u64> {
    let (front, function) = text.rsplit_once('.')?;
    let mut parts = front.rsplit(':');
    let mut part = |most: u64| u64::from_str_radix(parts.next()?, 16).ok().filter(|value| *value <= most);
    let (device, bus) = (part(0x1f)?, part(0xff)?);
    let segment = if front.matches(':').count() == 2 { part(0xffff)? } else { 0 };
    let function = function.parse::<u64>().ok().filter(|function| *function < 8)?;
    let whole = front.matches(':').count() <= 2;
    whole.then_some(segment << 16 | bus << 8 | device << 3 | function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_machine_are_read_and_nothing_else_is() {
        let found = |word: &str| Resource::parse(word).map(|r| (r.what, r.first, r.last));
        assert_eq!(found("irq:5"), Some((Labelled::Irq, 5, 5)));
        assert_eq!(found("ioport:2f8-2ff"), Some((Labelled::IoPort, 0x2f8, 0x2ff)));
        assert_eq!(found("iomem:0xfed00-0xfed0f"), Some((Labelled::IoMem, 0xfed00, 0xfed0f)));
        assert_eq!(found("pci:03:00.1"), Some((Labelled::Pci, 0x301, 0x301)));
        assert_eq!(found("pci:0001:03:1f.7"), Some((Labelled::Pci, 0x103ff, 0x103ff)));
        for word in [
            "",
            "irq",
            "irq:",
            "irq:x",
            "irq:0x5g",
            "ioport:2ff-2f8",
            "disk:1",
            "pci:03:20.0",
            "pci:03:00.8",
            "pci:1:2:03:00.1",
            "pci:03",
            "iomem:-1",
        ] {
            assert_eq!(found(word), None, "{word}");
        }
    }
}
