//! What the lines on the serial port say: those of the control domain, and Xen's about how it ended.

use xendless_core::lines::{FATAL_PREFIX, Ready, Status};

/// How all lines of Xen begin.
pub const XEN_PREFIX: &str = "(XEN) ";

/// How all lines of the control domain begin.
pub const CONTROL_PREFIX: &str = "xendless: ";

/// A line that matters to whoever watches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sight<'a> {
    /// The control domain is up.
    Ready(Ready<'a>),
    /// Its answer to debug key `q`.
    Status(Status),
    /// It cannot go on, for this reason.
    Fatal(&'a str),
    /// It shut down, and Xen halts the machine; QEMU goes on.
    Halted,
    /// It, or Xen, died; or it asked for a reboot. The machine restarts, which ends QEMU.
    Crashed,
    /// Xen takes what is typed for itself.
    InputToXen,
}

/// What `line` means; `None` for the many lines that nothing depends on.
#[must_use]
pub fn classify(line: &str) -> Option<Sight<'_>> {
    if let Some(ready) = Ready::parse(line) {
        return Some(Sight::Ready(ready));
    }
    if let Some(status) = Status::parse(line) {
        return Some(Sight::Status(status));
    }
    if let Some(reason) = line.strip_prefix(FATAL_PREFIX) {
        return Some(Sight::Fatal(reason));
    }
    let xen = line.strip_prefix(XEN_PREFIX)?;
    if xen.starts_with("Hardware Dom0 halted") {
        return Some(Sight::Halted);
    }
    if xen.starts_with("*** Serial input to Xen") {
        return Some(Sight::InputToXen);
    }
    let ends = ["Hardware Dom0 ", "Hardware domain ", "Panic on CPU"];
    ends.iter().any(|end| xen.starts_with(end)).then_some(Sight::Crashed)
}

/// The same for a line that may begin with what a domain printed so far, because it printed no line end yet.
#[must_use]
pub fn classify_end(line: &str) -> Option<Sight<'_>> {
    let starts = [XEN_PREFIX, CONTROL_PREFIX].iter().filter_map(|prefix| line.rfind(prefix));
    starts.max().and_then(|start| classify(&line[start..]))
}

/// Cuts a stream of bytes into lines, without their ends. Bytes that are no text are replaced.
#[derive(Default, Debug)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes, gives the lines they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else { return Vec::new() };
        let complete: Vec<u8> = self.rest.drain(..=end).collect();
        let text = String::from_utf8_lossy(&complete);
        text.lines().map(|line| line.trim_matches('\r').to_owned()).collect()
    }

    /// What came after the last line end, if anything did.
    #[must_use]
    pub fn finish(self) -> Option<String> {
        (!self.rest.is_empty()).then(|| String::from_utf8_lossy(&self.rest).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_domains_own_lines_are_known() {
        let ready = "xendless: ready, version 0.1.0, 3.214 ms after hand-over, heap 412 of 24576 KiB";
        assert!(matches!(classify(ready), Some(Sight::Ready(ready)) if ready.after_us == 3214));
        let status = "xendless: status: up 12.345 s, 3 wake-ups, heap 412 of 24576 KiB";
        assert!(matches!(classify(status), Some(Sight::Status(status)) if status.wake_ups == 3));
        assert_eq!(classify("xendless: fatal: no boot bundle"), Some(Sight::Fatal("no boot bundle")));
    }

    #[test]
    fn xens_ways_to_end_are_told_apart() {
        assert_eq!(classify("(XEN) Hardware Dom0 halted: halting machine"), Some(Sight::Halted));
        let crashes = [
            "(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.",
            "(XEN) Hardware Dom0 shutdown: rebooting machine",
            "(XEN) Panic on CPU 0:",
        ];
        for crash in crashes {
            assert_eq!(classify(crash), Some(Sight::Crashed), "{crash}");
        }
    }

    #[test]
    fn a_guest_cannot_speak_for_xen_or_the_control_domain() {
        assert_eq!(classify("(d1) xendless: fatal: no"), None);
        assert_eq!(classify("(d1) (XEN) Hardware Dom0 halted: halting machine"), None);
        assert_eq!(classify(""), None);
    }

    #[test]
    fn a_line_that_begins_with_half_of_anothers_is_known_by_its_end() {
        let line = "half a li(XEN) *** Serial input to Xen (type 'CTRL-a' three times to switch input)";
        assert_eq!((classify(line), classify_end(line)), (None, Some(Sight::InputToXen)));
        assert_eq!(classify_end("xendless: fatal: no"), Some(Sight::Fatal("no")));
        assert_eq!(classify_end("half a line"), None);
    }

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let mut lines = Lines::default();
        assert!(lines.feed(b"(XEN) on").is_empty());
        assert_eq!(lines.feed(b"e\r\ntwo\n\nthr"), ["(XEN) one", "two", ""]);
        assert_eq!(lines.feed(b"e\xffe\n"), ["thre\u{fffd}e"]);
        assert_eq!(lines.feed(b"rest"), [""; 0]);
        assert_eq!(lines.finish().as_deref(), Some("rest"));
        assert_eq!(Lines::default().finish(), None);
    }
}
