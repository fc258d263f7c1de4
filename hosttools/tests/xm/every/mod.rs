//! Every sub-command with everything that can be wrong with a request: its words, the domain, its state, the caller's
//! rights, a value, a guest that does not do as it is asked.
//!
//! The table is complete by construction: the tests go through the sub-commands that there are, each has one row, and
//! a row has a cell for each of these. A cell says what is answered, or why the question makes no sense.

mod devices;
mod domains;
mod machine;
mod pools;
mod security;
mod words;

use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Failure, Request};
use xendless_core::rights::Rights;
use xendless_hosttools::xm::inventory::{self, Standing, SubCommand};

use crate::server::Server;
use crate::world::{World, row as domain};

/// What is answered.
#[derive(Clone, Copy)]
enum Cell {
    /// The question makes no sense: why.
    No(&'static str),
    /// The words are counted before anything else.
    Counted,
    /// There is no such domain: status 3 and the usual words.
    NoDomain,
    /// The caller may not: the usual words.
    Forbidden,
    /// This line is answered with this status and this text.
    Says(&'static str, i32, &'static str),
    /// This line is carried out.
    Fine(&'static str),
    /// This line, when the control domain refuses a request like that.
    Refused(&'static str, fn(&Request<'_>) -> Option<Failure>, &'static str),
}

use Cell::{Counted, Fine, Forbidden, No, NoDomain, Refused, Says};

/// One sub-command.
struct Row {
    /// A line as people type it.
    line: &'static str,
    /// What comes of that line.
    works: Cell,
    missing: Cell,
    extra: Cell,
    unknown: Cell,
    state: Cell,
    rights: Cell,
    value: Cell,
    guest: Cell,
    /// What is otherwise than usual while it is tried.
    world: fn(&mut World),
}

impl Row {
    fn name(&self) -> &'static str {
        self.line.split(' ').next().unwrap()
    }

    /// The cells that hold a line of their own, or get one from the row's.
    fn cells(&self) -> [(&'static str, Cell); 8] {
        [
            ("works", self.works),
            ("missing operand", self.missing),
            ("extra operand", self.extra),
            ("unknown domain", self.unknown),
            ("wrong state", self.state),
            ("no rights", self.rights),
            ("value out of range", self.value),
            ("guest does not cooperate", self.guest),
        ]
    }
}

/// All rows.
fn rows() -> impl Iterator<Item = &'static Row> {
    [devices::ROWS, domains::ROWS, machine::ROWS, pools::ROWS, security::ROWS, words::ROWS]
        .into_iter()
        .flatten()
}

/// Two domains that run, one with a definition; one that is only defined; files to make more of.
fn server(change: fn(&mut World), refuse: fn(&Request<'_>) -> Option<Failure>) -> Server {
    let mut world = World::default()
        .with_definition("name = 'dormant'\nkernel = '/k'\nmemory = 256\nmaxmem = 512\nvcpus = 2")
        .with_definition(
            "name = 'guest'\nkernel = '/k'\nmemory = 512\nmaxmem = 1024\nvcpus = 2\non_xend_stop = 'shutdown'\n\
             uuid = '07070707-0707-0707-0707-070707070707'",
        );
    world.rows.push(domain(9, "bare", DomainFlags::RUNNING));
    world.dump = crate::dump::stream(false);
    world.saved = crate::saved::pieces();
    world.refuse = refuse;
    change(&mut world);
    let server = Server::start(world);
    server.file("web", "name = 'web'\nkernel = 'vmlinuz'\nmemory = 64\n");
    server.file("vmlinuz", vec![1; 1000]);
    server.file("part", "cpus = 1\n");
    server
}

/// Carries out a line in place of a person. Gives status, output and errors.
fn told(row: &Row, line: &str, refuse: fn(&Request<'_>) -> Option<Failure>) -> (i32, String, String) {
    crate::parts(&server(row.world, refuse).xm(line))
}

/// What is wrong with an answer; nothing when it is the expected one.
type Checked = Result<(), String>;

/// One line on standard error says it; what stands before that line is not an error. Usage may follow on standard
/// output.
fn fails(line: &str, found: &(i32, String, String), status: i32, text: &str) -> Checked {
    let (found, out, err) = found;
    let said = err.match_indices("Error: ").map(|(at, _)| err[at..].trim_end()).collect::<Vec<_>>();
    let said = said == [format!("Error: {text}")];
    // What is being done may have been said before.
    let before = out.split("Usage: xm ").next().unwrap();
    let announced = ["Dumping core of domain: ", "Using config file \"part\".\n"];
    let quiet = before.is_empty() || announced.iter().any(|line| before.starts_with(line));
    if *found == status && said && quiet {
        return Ok(());
    }
    Err(format!("xm {line}: wanted {status}, {text:?}; found {found}, {err:?}, {out:?}"))
}

/// How many words `command` takes, and what it says when there are more or fewer.
fn counted(command: &SubCommand) -> Option<(usize, usize, String)> {
    let (min, max) = command.words?;
    let name = command.name;
    let text = if min == max {
        format!("'xm {name}' requires {min} arguments.")
    } else {
        format!("'xm {name}' requires between {min} and {max} arguments.")
    };
    Some((min, max, text))
}

fn check(row: &Row, command: &SubCommand, what: &str, cell: Cell) -> Checked {
    let name = command.name;
    let wrong = |why: &str| Err(format!("{name}, {what}: {why}"));
    if let Says(line, ..) | Fine(line) | Refused(line, ..) = cell
        && line.split(' ').next() != Some(name)
    {
        return wrong("the line is about another sub-command");
    }
    match cell {
        No(why) if why.len() > 10 => Ok(()),
        No(_) => wrong("say why"),
        Counted => {
            let Some((min, max, text)) = counted(command) else { return wrong("nothing is counted") };
            let words = if what == "missing operand" { min.checked_sub(1) } else { max.checked_add(1) };
            let Some(words) = words else { return wrong("there is no such number of words") };
            let line = format!("{name} {}", "1 ".repeat(words));
            fails(&line, &told(row, &line, |_| None), 1, &text)
        }
        NoDomain => {
            let line = row.line.replace("guest", "4711").replace("dormant", "4711");
            if line == row.line {
                return wrong("no domain is named");
            }
            fails(&line, &told(row, &line, |_| None), 3, "Domain '4711' does not exist.")
        }
        Forbidden => {
            let text = "this takes the right to everything, which the caller does not have";
            let found = told(row, row.line, |_| Some(Failure::Forbidden { needs: Rights::Everything }));
            if found.1.contains("Usage") {
                wrong("usage does not help")
            } else {
                fails(row.line, &found, 1, text)
            }
        }
        Says(line, status, text) => fails(line, &told(row, line, |_| None), status, text),
        Fine(line) => match told(row, line, |_| None) {
            (0, ..) => Ok(()),
            (status, out, err) => Err(format!("xm {line}: {status}, {err:?}, {out:?}")),
        },
        Refused(line, refuse, text) => fails(line, &told(row, line, refuse), 1, text),
    }
}

#[test]
fn every_sub_command_has_one_row_with_every_cell() {
    let mut problems = Vec::new();
    for command in inventory::all() {
        let found: Vec<&Row> = rows().filter(|row| row.name() == command.name).collect();
        match (command.standing, found.as_slice()) {
            (Standing::Works, [row]) => {
                let cells = row.cells().into_iter();
                problems.extend(cells.filter_map(|(what, cell)| check(row, &command, what, cell).err()));
            }
            (Standing::Works, rows) => problems.push(format!("{} has {} rows", command.name, rows.len())),
            (_, rows) => assert!(rows.is_empty(), "{} answers one thing only", command.name),
        }
    }
    let names: Vec<&str> = inventory::all().iter().map(|command| command.name).collect();
    assert!(rows().all(|row| names.contains(&row.name())), "a row is about nothing");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_xen_has_lost_is_told_whatever_is_typed() {
    let server = server(|_| {}, |_| None);
    for command in inventory::all() {
        let Standing::Gone(text) = command.standing else { continue };
        for words in ["", " guest", " 4711 -a x=y 1 2 3 4 5 6 7 8 9"] {
            let found = crate::parts(&server.xm(&format!("{}{words}", command.name)));
            assert_eq!(found, (1, String::new(), format!("Error: {text}\n")), "{}{words}", command.name);
        }
    }
    assert_eq!(server.seen.all(), [""; 0], "nobody is asked");
}

#[test]
fn what_is_still_to_come_looks_at_its_words() {
    let server = server(|_| {}, |_| None);
    for command in inventory::all().into_iter().filter(|command| command.standing == Standing::Later) {
        let name = command.name;
        let Some((min, max, text)) = counted(&command) else { continue };
        for (words, text) in [
            (min.checked_sub(1), text.clone()),
            (Some(min), format!("'xm {name}' is not part of this version yet.")),
            (Some(max + 1), text),
        ] {
            let Some(words) = words else { continue };
            let line = format!("{name} {}", "1 ".repeat(words));
            assert_eq!(fails(&line, &crate::parts(&server.xm(&line)), 1, &text), Ok(()));
        }
    }
}
