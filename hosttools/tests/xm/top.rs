//! `top`: batch mode to the letter, and a person at a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::server::{Server, run};
use crate::terminal::{is_cooked, on_terminal, read_until, terminal};
use crate::world::World;

/// What gives the screen back.
const LEAVE: &str = "\x1b[?1049l";

/// What a terminal of 80 columns and 24 lines shows.
struct Screen {
    cells: [[char; 80]; 24],
    at: (usize, usize),
    /// Bytes that came and are not shown yet.
    rest: String,
}

impl Default for Screen {
    fn default() -> Self {
        Self { cells: [[' '; 80]; 24], at: (0, 0), rest: String::new() }
    }
}

impl Screen {
    /// Reads until the text is shown; gives all lines.
    fn wait(&mut self, far: &mut File, text: &str) -> Vec<String> {
        loop {
            let lines: Vec<String> =
                self.cells.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
            if lines.iter().any(|line| line.contains(text)) {
                return lines;
            }
            let mut bytes = [0; 4096];
            let count = far.read(&mut bytes).unwrap();
            self.rest.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            self.show();
        }
    }

    fn show(&mut self) {
        while let Some(first) = self.rest.chars().next() {
            let used = if first == '\u{1b}' {
                let Some(end) = self.rest[1..].find(|c: char| c.is_ascii_alphabetic()) else { return };
                let sequence = self.rest[2..end + 2].to_owned();
                self.obey(&sequence);
                sequence.len() + 2
            } else {
                self.cells[self.at.0][self.at.1] = first;
                self.at.1 = (self.at.1 + 1).min(79);
                first.len_utf8()
            };
            self.rest.drain(..used);
        }
    }

    /// Of all sequences, those that move the cursor and the one that clears.
    fn obey(&mut self, sequence: &str) {
        if let Some((line, column)) = sequence.strip_suffix('H').and_then(|place| place.split_once(';')) {
            self.at = (line.parse::<usize>().unwrap() - 1, column.parse::<usize>().unwrap() - 1);
        } else if sequence == "2J" {
            self.cells = [[' '; 80]; 24];
        }
    }
}

#[test]
fn batch_mode_to_the_letter() {
    let wanted = "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) \
NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID
  Domain-0 r-----       5068    0.0    1048576   50.0     524288      25.0     2    0        0        0    0        \
0        0        0          0          0    0
     guest -b----        123    0.0     524288   25.0     524288      25.0     1    0        0        0    0        \
0        0        0          0          0    0
";
    let (status, out, err) = run(World::default(), "top -b -i 1");
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(out, wanted);
    let (_, out, _) = run(World::default(), "top -b -i 2 -d 1");
    assert_eq!(out, wanted.repeat(2), "nothing ran meanwhile");
}

#[test]
fn json_says_the_same() {
    let (status, out, _) = run(World::default(), "top --json -i 1");
    let all: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &all["total_memory_kib"], &all["nr_cpus"]), (0, &(2 << 20).into(), &4.into()));
    let guest = &all["domains"][1];
    assert_eq!((&guest["name"], &guest["state"]), (&"guest".into(), &"-b----".into()));
    assert_eq!((&guest["memory_percent"], &guest["vcpu_seconds"][1]), (&25.0.into(), &61.25.into()));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (line, text) in [
        ("top guest", "Error: 'xm top' requires 0 arguments.\n\n"),
        ("top -b -i x", "Error: Invalid argument.\n"),
        ("top -b -d 0", "Error: Invalid argument.\n"),
        ("top -b -d 1001", "Error: Invalid argument.\n"),
        ("top -z", "Error: option -z not recognized\n"),
        ("top", "Error: This is no terminal; -b prints the same without one.\n"),
    ] {
        let (status, _, err) = run(World::default(), line);
        assert_eq!((status, err.as_str()), (1, text), "{line}");
    }
}

#[test]
fn attack_e06_names_are_shown_escaped() {
    let mut world = World::default();
    world.rows[1].name = "\u{1b}[2J".into();
    let (_, out, _) = run(world, "top -b -i 1");
    assert!(!out.contains('\u{1b}') && out.contains("\\u{1b}[2J"), "{out}");
}

#[test]
fn a_person_sees_what_the_keys_say() {
    let server = Server::start(World::default());
    let (mut far, near) = terminal();
    let mut child = on_terminal(&mut server.command(&["top", "-d", "1000"]), &near);
    let mut screen = Screen::default();
    let first = screen.wait(&mut far, "Quit   [NAME]");
    // A terminal that does not say how large it is has 80 columns and 24 lines.
    assert!(
        first[0].starts_with("xm top - ") && first[23].starts_with("Delay  Networks  vBds"),
        "{first:#?}"
    );
    assert_eq!(first[1], "2 domains: 1 running, 1 blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown");
    assert!(
        first[4].starts_with("  Domain-0 r-----") && first[5].starts_with("     guest -b----"),
        "{first:#?}"
    );
    assert!(!is_cooked(&near));
    far.write_all(b"v").unwrap();
    let vcpus = "VCPUs(sec):    0:         61s    1:         61s    2:         61s";
    assert_eq!(screen.wait(&mut far, "VCPUs(sec):")[5], vcpus);
    far.write_all(b"ss").unwrap();
    screen.wait(&mut far, "[CPU(sec)]");
    far.write_all(b"d2").unwrap();
    screen.wait(&mut far, "from 1 to 1000: 2_");
    far.write_all(b"\x1b").unwrap();
    screen.wait(&mut far, "[CPU(sec)]");
    far.write_all(b"q").unwrap();
    read_until(&mut far, LEAVE);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(is_cooked(&near));
}

#[test]
fn the_terminal_is_as_before_whatever_ends_it() {
    type Ending = fn(&mut File, &Child);
    let endings: [(&str, Ending, i32); 5] = [
        ("q", |far, _| far.write_all(b"q").unwrap(), 0),
        ("Esc", |far, _| far.write_all(b"\x1b").unwrap(), 0),
        ("Ctrl-C", |far, _| far.write_all(b"\x03").unwrap(), 130),
        ("SIGTERM", |_, child| kill_process(Pid::from_child(child), Signal::TERM).unwrap(), 143),
        ("SIGHUP", |_, child| kill_process(Pid::from_child(child), Signal::HUP).unwrap(), 129),
    ];
    for (what, end, status) in endings {
        let server = Server::start(World::default());
        let (mut far, near) = terminal();
        let mut child = on_terminal(server.command(&["top"]).stderr(Stdio::null()), &near);
        read_until(&mut far, "Quit");
        end(&mut far, &child);
        read_until(&mut far, LEAVE);
        assert_eq!(child.wait().unwrap().code(), Some(status), "{what}");
        assert!(is_cooked(&near), "{what}");
    }
}

#[test]
fn it_ends_by_itself_and_with_its_relay() {
    let server = Server::start(World::default());
    let (mut far, near) = terminal();
    let mut child = on_terminal(&mut server.command(&["top", "-i", "1", "-d", "1"]), &near);
    read_until(&mut far, LEAVE);
    assert_eq!((child.wait().unwrap().code(), is_cooked(&near)), (Some(0), true));
    let fault = crate::world::Fault::NoAnswer;
    let server = Server::start(World { fault, ..World::default() });
    let mut child = on_terminal(server.command(&["top"]).stderr(Stdio::null()), &near);
    read_until(&mut far, LEAVE);
    assert_eq!((child.wait().unwrap().code(), is_cooked(&near)), (Some(1), true));
}
