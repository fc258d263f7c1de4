//! A machine that is watched: what happens on it, in the order in which the serial port tells.

use std::sync::LazyLock;

use defmt_decoder::Table;
use xendless_core::lines::LogFrame;
use xendless_tests::qemu::artifacts::{self, Build, Nameless};
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::{Running, WATCHDOG};

/// Lines that are shown when what was waited for does not come.
const STORY: usize = 60;

/// The texts of the control domain's log. Beside the image lies the same program with its symbols and these.
static TEXTS: LazyLock<Table> = LazyLock::new(|| {
    let program = artifacts::control_domain(Build::Release).unwrap().with_extension("");
    Table::parse(&std::fs::read(program).unwrap()).unwrap().expect("texts of a log")
});

/// A line of the control domain's log.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct News {
    /// Milliseconds since Xen booted.
    pub(crate) at_ms: f64,
    pub(crate) text: String,
}

impl News {
    /// Finds it in a line of the serial port. It may come in the middle of one of the admin domain's.
    pub(crate) fn find(line: &str) -> Option<Self> {
        let frame = LogFrame::parse(&line[line.find("xendless: log: ")?..])?;
        let (frame, _) = TEXTS.decode(&frame).ok()?;
        let seconds: f64 = frame.display_timestamp()?.to_string().parse().ok()?;
        Some(Self { at_ms: seconds * 1000.0, text: frame.display_message().to_string() })
    }
}

/// A machine that runs, with the file of its bundle.
pub(crate) struct Watched {
    pub(crate) running: Running<'static>,
    _file: Nameless,
}

impl Watched {
    pub(crate) fn start((machine, file): (Machine, Nameless)) -> Self {
        Self { running: Running::start(&machine, WATCHDOG, |_| {}).unwrap(), _file: file }
    }

    /// Waits until each of these was printed by the test guest that is the admin domain, or stood in the log, in
    /// any order. Ones that are there twice have to come twice.
    #[track_caller]
    pub(crate) fn await_all(&mut self, wanted: &[&str]) {
        let mut left = wanted.to_vec();
        let end = self.running.run_until(|line, _| {
            let said = line.find("guest: ").map(|at| line[at..].to_owned());
            for text in said.into_iter().chain(News::find(line).map(|news| news.text)) {
                if let Some(at) = left.iter().position(|wanted| text.contains(wanted)) {
                    left.remove(at);
                }
            }
            left.is_empty().then_some(())
        });
        if let Err(end) = end {
            panic!("{left:?} did not come: {end}; last lines:\n{}", self.story());
        }
    }

    /// All that the control domain's log said so far.
    pub(crate) fn news(&self) -> Vec<String> {
        self.running.transcript().iter().filter_map(|line| News::find(line)).map(|news| news.text).collect()
    }

    /// What the test guest that is the admin domain printed so far.
    pub(crate) fn said(&self) -> Vec<&str> {
        let lines = self.running.transcript().iter();
        lines.filter_map(|line| Some(&line[line.find("guest: ")? + "guest: ".len()..])).collect()
    }

    /// The domains that Xen says there are: beside the control domain, and those it cannot let go of included.
    pub(crate) fn domains_of_xen(&mut self) -> Vec<u16> {
        let before = self.running.transcript().len();
        self.running.ask_status().unwrap();
        let lines = self.running.transcript()[before..].iter();
        let domids = lines.filter_map(|line| {
            line.split_once("General information for domain ")?.1.trim_end_matches(':').parse().ok()
        });
        domids.filter(|domid| *domid > 0 && *domid < 0x7ff0).collect()
    }

    /// The last lines, with the log readable.
    pub(crate) fn story(&self) -> String {
        let lines = self.running.transcript();
        let last = lines[lines.len().saturating_sub(STORY)..].iter();
        let readable = last.map(|line| News::find(line).map_or_else(|| line.clone(), |news| news.text));
        readable.collect::<Vec<_>>().join("\n")
    }
}
