//! The control domain's command line: words of the form `key=value`, each at most once.
//!
//! | word | meaning |
//! | --- | --- |
//! | `log=dump` | print the log on Xen's console before powering off, for those without `xm log` |
//! | `images=SIZE` | keep at most so many bytes of kernels and ramdisks, as in `images=64M` (K, M and G are powers of 1024); half of the heap without it |
//! | `log=live` | print every line of the log on Xen's console when it is written |
//! | `fault=N:ERRNO` | let hypercall number `N` fail with `ERRNO` (a name such as `ENOMEM`), to test what happens then; only in builds made for tests |
//! | `trial=NAME` | do what must never happen, or what nothing does yet, to see that it ends well ([`Trial`]); only in builds made for tests |

use core::fmt;

use heapless::String;

use crate::abi::errno::Errno;
use crate::hyper::Fault;

/// The longest word repeated in an error, in characters.
const SHOWN: usize = 32;

/// What this build of the control domain allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Build {
    /// `fault=` and `trial=` are allowed.
    pub fault_injection: bool,
}

/// What a test has the control domain do once it is booted, under the name by which `trial=` asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// `panic`: a bug that an assertion notices.
    Panic,
    /// `null`: reading where nothing is mapped.
    ReadNull,
    /// `code`: writing to code.
    WriteCode,
    /// `data`: executing data.
    ExecuteData,
    /// `stack`: recursing without end.
    OverflowStack,
    /// `heap`: allocating more than there is, where failure cannot be returned.
    ExhaustHeap,
    /// `xen`: making, filling and destroying a domain, sharing memory with it.
    Hypervisor,
    /// `rounds`: making and ending the first domain of the bundle again and again, comparing what is in use.
    Rounds,
}

impl Trial {
    /// Every trial with its name.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("panic", Self::Panic),
        ("null", Self::ReadNull),
        ("code", Self::WriteCode),
        ("data", Self::ExecuteData),
        ("stack", Self::OverflowStack),
        ("heap", Self::ExhaustHeap),
        ("xen", Self::Hypervisor),
        ("rounds", Self::Rounds),
    ];
}

/// When the log is printed on Xen's console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrintLog {
    /// Before powering off.
    AtEnd,
    /// Each line when it is written.
    Live,
}

/// What the command line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// When to print the log on Xen's console.
    pub print_log: Option<PrintLog>,
    /// Bytes of kernels and ramdisks to keep.
    pub images: Option<usize>,
    /// The hypercall that is to fail.
    pub fault: Option<Fault>,
    /// What to try once booted.
    pub trial: Option<Trial>,
}

impl Options {
    /// Reads a command line; the name of the program is not part of it.
    pub fn parse(line: &[u8], build: Build) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            options.apply(word, build).map_err(|problem| OptionsError { problem, word: shown(word) })?;
        }
        Ok(options)
    }

    fn apply(&mut self, word: &[u8], build: Build) -> Result<(), Problem> {
        let text = str::from_utf8(word).map_err(|_| Problem::Unknown)?;
        let (key, value) = text.split_once('=').ok_or(Problem::Unknown)?;
        match key {
            "log" if self.print_log.is_some() => Err(Problem::Twice),
            "log" => {
                self.print_log = Some(print_log(value).ok_or(Problem::BadValue("log=dump or log=live"))?);
                Ok(())
            }
            "images" if self.images.is_some() => Err(Problem::Twice),
            "images" => {
                self.images = Some(size(value).ok_or(Problem::BadValue("images=SIZE, as in images=64M"))?);
                Ok(())
            }
            "fault" | "trial" if !build.fault_injection => Err(Problem::NotInThisBuild),
            "fault" if self.fault.is_some() => Err(Problem::Twice),
            "fault" => {
                self.fault =
                    Some(fault(value).ok_or(Problem::BadValue("fault=N:ERRNO, as in fault=3:ENOMEM"))?);
                Ok(())
            }
            "trial" if self.trial.is_some() => Err(Problem::Twice),
            "trial" => {
                let known = Trial::ALL.iter().find(|(name, _)| *name == value);
                self.trial = Some(known.ok_or(Problem::BadValue("trial=NAME, as in trial=panic"))?.1);
                Ok(())
            }
            _ => Err(Problem::Unknown),
        }
    }
}

/// Bytes, or with a K, M or G behind them 2^10, 2^20 or 2^30 bytes each.
fn size(value: &str) -> Option<usize> {
    let unit = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(unit)?;
    let shift = match unit {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(1 << shift)
}

fn print_log(value: &str) -> Option<PrintLog> {
    match value {
        "dump" => Some(PrintLog::AtEnd),
        "live" => Some(PrintLog::Live),
        _ => None,
    }
}

fn fault(value: &str) -> Option<Fault> {
    let (nth, name) = value.split_once(':')?;
    let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
    let (_, errno) = Errno::ALL.iter().find(|(known, _)| *known == name)?;
    Some(Fault { call: None, nth, errno: *errno })
}

/// A word the command line may not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionsError {
    problem: Problem,
    /// Printable ASCII only.
    word: String<{ SHOWN + 3 }>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Problem {
    Unknown,
    Twice,
    BadValue(&'static str),
    NotInThisBuild,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = &self.word;
        match self.problem {
            Problem::Unknown => write!(f, "unknown word '{word}' on the command line: remove it"),
            Problem::Twice => write!(f, "'{word}' repeats a word of the command line: give it once"),
            Problem::BadValue(right) => write!(f, "bad value in '{word}' on the command line: write {right}"),
            Problem::NotInThisBuild => {
                write!(f, "'{word}' on the command line needs a build with fault injection: remove it")
            }
        }
    }
}

/// A word as it may be shown on a terminal.
fn shown(word: &[u8]) -> String<{ SHOWN + 3 }> {
    let mut text = String::new();
    let printable =
        word.iter().take(SHOWN).map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' });
    let cut = if word.len() > SHOWN { "..." } else { "" };
    for char in printable.chain(cut.chars()) {
        // There is room for SHOWN characters and the dots.
        let _ = text.push(char);
    }
    text
}
