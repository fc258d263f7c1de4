//! One manual page as it is written down.

use roff::{Inline, Roff, bold, italic, roman};

use super::texts::Block;

/// A page.
pub(super) struct Page(Roff);

impl Page {
    /// `name` and what it does, in one line; `section` is 1, 5 or 8.
    pub(super) fn new(name: &str, section: &str, about: &str) -> Self {
        let mut roff = Roff::new();
        let version = concat!("xendless ", env!("CARGO_PKG_VERSION"));
        roff.control("TH", [name.to_uppercase().as_str(), section, "", version, "xendless"]);
        roff.control("SH", ["NAME"]);
        roff.text([roman(format!("{name} - {}", about.trim_end_matches('.')))]);
        Self(roff)
    }

    pub(super) fn heading(&mut self, title: &str) {
        self.0.control("SH", [title]);
    }

    pub(super) fn lesser_heading(&mut self, title: &str) {
        self.0.control("SS", [title]);
    }

    /// How it is called.
    pub(super) fn synopsis(&mut self, name: &str, operands: &str) {
        self.heading("SYNOPSIS");
        self.0.text([bold(name), roman(" "), roman(operands)]);
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.0.control("PP", []);
        self.0.text(marked(text));
    }

    /// A term, and what it means.
    pub(super) fn term(&mut self, term: &str, meaning: &str) {
        self.0.control("TP", []);
        self.0.text([bold(term)]);
        self.0.text(marked(meaning));
    }

    /// Paragraphs; examples get a section of their own behind them.
    pub(super) fn blocks(&mut self, blocks: impl Iterator<Item = Block>) -> Vec<&'static str> {
        let mut typed = Vec::new();
        for block in blocks {
            match block {
                Block::Text(text) => self.paragraph(&text),
                Block::Typed(lines) => typed.extend(lines),
            }
        }
        typed
    }

    /// Commands to type.
    pub(super) fn examples(&mut self, lines: &[&str]) {
        if lines.is_empty() {
            return;
        }
        self.heading("EXAMPLES");
        self.0.control("PP", []).control("nf", []);
        for line in lines {
            self.0.text([roman(*line)]);
        }
        self.0.control("fi", []);
    }

    pub(super) fn see_also(&mut self, pages: &[&str]) {
        self.heading("SEE ALSO");
        let named = pages.iter().filter_map(|page| page.split_once('('));
        let mut line: Vec<Inline> = Vec::new();
        for (name, section) in named {
            if !line.is_empty() {
                line.push(roman(", "));
            }
            line.extend([bold(name), roman(format!("({section}"))]);
        }
        self.0.text(line);
    }

    pub(super) fn render(&self) -> String {
        self.0.render()
    }
}

/// `word` between backquotes is what one types, `*word*` is never used.
fn marked(text: &str) -> Vec<Inline> {
    let mut inside = true;
    let parts = text.split('`').map(|part| {
        inside = !inside;
        match (inside, part.chars().all(char::is_uppercase)) {
            (true, true) => italic(part),
            (true, false) => bold(part),
            (false, _) => roman(part),
        }
    });
    parts.collect()
}
