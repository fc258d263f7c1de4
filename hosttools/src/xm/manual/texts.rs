//! `texts.md`: for each page paragraphs, and behind them commands as examples.

const TEXTS: &str = include_str!("texts.md");

/// A paragraph, or lines to type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Block {
    Text(String),
    Typed(Vec<&'static str>),
}

/// What is said about a page.
pub(super) fn of(name: &str) -> impl Iterator<Item = Block> {
    let mut sections = TEXTS.split("## ").filter_map(|section| section.split_once('\n'));
    let body = sections.find(|(title, _)| *title == name).map_or("", |(_, body)| body);
    body.split("\n\n").filter(|block| !block.trim().is_empty()).map(block)
}

fn block(text: &'static str) -> Block {
    let text = text.trim_matches('\n');
    if text.starts_with("    ") {
        Block::Typed(text.lines().map(str::trim_start).collect())
    } else {
        Block::Text(text.replace('\n', " "))
    }
}

/// The names of all pages that something is said about.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TEXTS.split("## ").filter_map(|section| section.split_once('\n')).map(|(title, _)| title)
}
