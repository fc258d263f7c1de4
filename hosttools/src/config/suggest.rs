//! "Did you mean …?"

/// The known word that `word` most probably stands for, if one is near enough.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        _ => 2,
    };
    let near =
        known.filter(|candidate| *candidate != word && candidate.len().abs_diff(word.len()) <= allowed);
    let rated = near.map(|candidate| (strsim::osa_distance(word, candidate), candidate));
    rated.filter(|(distance, _)| *distance <= allowed).min().map(|(_, candidate)| candidate)
}
