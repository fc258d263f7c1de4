//! What whole-system tests type at `xm`: the commands in the scripts that one boot carries out, and in what is typed at
//! a terminal.

use xendless_hosttools::xm::inventory::SubCommand;

use crate::{options, read};

const FOLDER: &str = "tests/tests/management";

/// Where commands stand besides the parts: what it is called here, and the file.
const OTHERS: [(&str, &str); 3] = [
    ("demo", "tests/tests/management/demo.rs"),
    ("crash", "tests/tests/management/crash.rs"),
    ("budgets", "tests/src/bench/promises.sh"),
];

/// A command that is carried out on real Xen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Typed {
    /// The test of `tests/tests/management` that does it.
    pub(crate) test: String,
    /// The words behind `xm`.
    pub(crate) words: Vec<String>,
}

/// All commands that are carried out.
pub(crate) fn typed() -> Vec<Typed> {
    let mut all = Vec::new();
    for part in parts() {
        commands(&read(&format!("{FOLDER}/parts/{part}.sh")), &part, &mut all);
    }
    for (test, file) in OTHERS {
        commands(&read(file), test, &mut all);
    }
    all
}

/// The parts that are carried out, in one boot or another, as the test says itself.
fn parts() -> Vec<String> {
    let boots = read(&format!("{FOLDER}/boots.rs"));
    let lists = boots
        .split("Boot::new(")
        .skip(1)
        .map(|boot| boot.split_once("&[").unwrap().1.split_once(']').unwrap().0);
    let names = lists.flat_map(|list| list.split(','));
    names.map(|name| name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()).collect()
}

fn commands(text: &str, test: &str, all: &mut Vec<Typed>) {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with(['#', '/']));
    for line in lines {
        let mut rest = line;
        while let Some(at) = rest.find("xm ") {
            let (before, from) = rest.split_at(at);
            rest = &from[3..];
            if before.chars().next_back().is_none_or(|before| " ('\"`|;&!".contains(before)) {
                all.push(Typed { test: test.to_owned(), words: words(rest) });
            }
        }
    }
}

/// The words of one command, which ends where a shell or a string ends it.
fn words(rest: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in rest.split_whitespace() {
        if word.starts_with(['|', '&', ';', ')', '#']) || word.contains(['>', '<']) {
            break;
        }
        let word = word.split("\\n").next().unwrap();
        let inside = word.trim_end_matches([')', ';', '"', '\'', '`']);
        words.push(inside.trim_start_matches(['"', '\'']).to_owned());
        if inside.len() < word.len() && !word.starts_with(['"', '\'']) {
            break;
        }
    }
    words
}

/// Whether `typed` is about `command`, and if so, the words of which of its options it has.
pub(crate) fn uses(typed: &Typed, command: &SubCommand) -> Option<Vec<&'static str>> {
    let (name, rest) = typed.words.split_first()?;
    if name != command.name {
        return None;
    }
    let before_end = rest.iter().take_while(|word| *word != "--");
    Some(before_end.flat_map(|word| options(command, word)).map(|option| option.long).collect())
}

#[test]
fn commands_are_found_where_shells_have_them() {
    let mut all = Vec::new();
    let text = "# xm no\ntry xm list -l \"$(xm domid tiny)\"\nawait sh -c 'xm top -b | grep -- -x'\nxmd\n\
                xm events -n 6 >/tmp/events &\n[ \"$(xm domid old)\" != x ] && xm info --json";
    commands(text, "t", &mut all);
    let words: Vec<String> = all.iter().map(|typed| typed.words.join(" ")).collect();
    let wanted =
        ["list -l $(xm domid tiny", "domid tiny", "top -b", "events -n 6", "domid old", "info --json"];
    assert_eq!(words, wanted);
}
