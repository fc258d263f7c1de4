//! Samples on a terminal, and keys.

use std::io::{self, Stdout};
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line as Row, Text};
use ratatui::widgets::Paragraph;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::termios::tcgetwinsize;

use super::LONGEST;
use super::keys::{Key, keys};
use super::lines::{Kind, Line, View};
use super::sample::{Sample, Source};
use crate::client::Client;
use crate::xm::error::Error;
use crate::xm::session::Session;
use crate::xm::signals::{Signals, status};
use crate::xm::table::Outcome;
use crate::xm::terminal::{Raw, Screen};
use crate::xm::timer::Timer;

/// The keys, as the last line shows them.
const HELP: &str = "Delay  Networks  vBds  VCPUs  Repeat header  Sort order  Quit";
/// A terminal that does not say how large it is, as those at serial lines.
const SERIAL: Rect = Rect::new(0, 0, 80, 24);
/// SIGINT's number.
const INTERRUPT: u8 = 2;

/// What happens after keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    /// It goes on.
    On,
    /// It goes on with a new look.
    Look,
    /// It ends.
    Quit,
    /// It ends as by a signal.
    Interrupt,
}

/// What a person sees and does.
#[derive(Debug)]
struct Top {
    view: View,
    /// A delay that is being typed.
    typing: Option<String>,
}

/// Shows samples until the person, a signal or the number of rounds ends it.
pub(super) fn run(session: &mut Session, view: View, rounds: Option<u64>) -> Outcome {
    let mut client = session.connect()?;
    let plain = |error: io::Error| Error::Plain(error.to_string());
    let mut signals = Signals::catch().map_err(plain)?;
    // The screen is left, and then the terminal is as it was, whatever happens from here on.
    let _raw = Raw::enter().map_err(plain)?;
    let _screen = Screen::enter().map_err(plain)?;
    let options = TerminalOptions { viewport: Viewport::Fixed(size()) };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(io::stdout()), options).map_err(plain)?;
    Top { view, typing: None }.work(&mut client, &mut signals, &mut terminal, rounds)
}

impl Top {
    fn work(
        &mut self,
        client: &mut Client,
        signals: &mut Signals,
        terminal: &mut Terminal<CrosstermBackend<Stdout>>,
        rounds: Option<u64>,
    ) -> Outcome {
        let (mut before, mut round) = (None, 0);
        while rounds.is_none_or(|rounds| round < rounds) {
            let sample =
                Sample::take(&mut Source::heeding(client, signals), before.as_ref(), self.view.vcpus)?;
            let next = Timer::start(Duration::from_secs(self.view.delay))?;
            match self.show(client, signals, terminal, &sample, &next)? {
                After::Quit => return Ok(0),
                After::Interrupt => return Err(Error::Silent(status(INTERRUPT))),
                After::On | After::Look => {}
            }
            before = Some(sample);
            round += 1;
        }
        Ok(0)
    }

    /// Shows a sample until it is time for the next one, or a key asks for something else.
    fn show(
        &mut self,
        client: &mut Client,
        signals: &mut Signals,
        terminal: &mut Terminal<CrosstermBackend<Stdout>>,
        sample: &Sample,
        next: &Timer,
    ) -> Result<After, Error> {
        let stdin = io::stdin();
        loop {
            self.draw(terminal, sample)?;
            let others = [Some(stdin.as_fd()), Some(signals.as_fd()), Some(next.as_fd())];
            let [typed, signalled, due] = client.wait(others, false)?.others;
            if signalled && let Some(signal) = signals.take() {
                return Err(Error::Silent(status(signal)));
            }
            if typed {
                let mut bytes = [0; 64];
                let count = match rustix::io::read(&stdin, &mut bytes) {
                    Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
                    // A terminal that is gone.
                    Ok(0) | Err(_) => return Ok(After::Quit),
                    Ok(count) => count,
                };
                for key in keys(bytes.get(..count).unwrap_or_default()) {
                    match self.press(key, sample.domains.len()) {
                        After::On => {}
                        other => return Ok(other),
                    }
                }
            }
            if due {
                return Ok(After::Look);
            }
        }
    }

    fn press(&mut self, key: Key, domains: usize) -> After {
        if key == Key::Interrupt {
            return After::Interrupt;
        }
        if let Some(typed) = self.typing.take() {
            return self.type_delay(typed, key);
        }
        let view = &mut self.view;
        match key {
            Key::Char('q' | 'Q') | Key::Escape => return After::Quit,
            Key::Char('d' | 'D') => self.typing = Some(String::new()),
            Key::Char('n' | 'N') => view.networks = !view.networks,
            Key::Char('b' | 'B') => view.vbds = !view.vbds,
            Key::Char('v' | 'V') => {
                view.vcpus = !view.vcpus;
                return After::Look;
            }
            Key::Char('r' | 'R') => view.repeat = !view.repeat,
            Key::Char('s' | 'S') => view.sort_next(),
            Key::Up => view.skipped = view.skipped.saturating_sub(1),
            Key::Down => view.skipped = (view.skipped + 1).min(domains.saturating_sub(1)),
            _ => {}
        }
        After::On
    }

    fn type_delay(&mut self, mut typed: String, key: Key) -> After {
        match key {
            Key::Char(digit) if digit.is_ascii_digit() && typed.len() < 4 => typed.push(digit),
            Key::Back => drop(typed.pop()),
            Key::Escape => return After::On,
            Key::Enter => {
                if let Some(delay) = typed.parse().ok().filter(|delay| (1..=LONGEST).contains(delay)) {
                    self.view.delay = delay;
                }
                return After::Look;
            }
            _ => {}
        }
        self.typing = Some(typed);
        After::On
    }

    fn draw<B: Backend>(&self, terminal: &mut Terminal<B>, sample: &Sample) -> Result<(), Error>
    where
        B::Error: Send + Sync + 'static,
    {
        let failed = |error: B::Error| Error::Output(io::Error::other(error));
        let area = size();
        if terminal.get_frame().area() != area {
            terminal.resize(area).map_err(failed)?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let rows = self.rows(sample, now, area.height);
        let frame = terminal.draw(|frame| frame.render_widget(Paragraph::new(Text::from(rows)), area));
        frame.map(drop).map_err(failed)
    }

    /// What stands on the screen, from top to bottom.
    fn rows(&self, sample: &Sample, now: u64, height: u16) -> Vec<Row<'static>> {
        let lines = self.view.summary(sample, now).into_iter().chain(self.view.table(sample));
        let height = usize::from(height).saturating_sub(1);
        let mut rows: Vec<Row<'static>> = lines.take(height).map(row).collect();
        rows.resize(height, Row::default());
        let last = match &self.typing {
            Some(typed) => format!("Seconds between two looks, from 1 to {LONGEST}: {typed}_"),
            None => format!("{HELP}   [{}]", self.view.sorted_by()),
        };
        rows.push(Row::styled(last, Style::new().add_modifier(Modifier::BOLD)));
        rows
    }
}

fn row(line: Line) -> Row<'static> {
    let modifier = match line.kind {
        Kind::Titles => Modifier::REVERSED,
        Kind::Summary => Modifier::BOLD,
        Kind::Domain | Kind::Detail => Modifier::empty(),
    };
    Row::styled(line.text, Style::new().add_modifier(modifier))
}

/// How large the terminal is.
fn size() -> Rect {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Rect::new(0, 0, size.ws_col, size.ws_row),
        _ => SERIAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top() -> Top {
        Top { view: View::default(), typing: None }
    }

    #[test]
    fn keys_change_what_is_shown() {
        let mut top = top();
        for key in ['n', 'B', 'R', 's', 's', 'x'] {
            assert_eq!(top.press(Key::Char(key), 3), After::On);
        }
        assert_eq!(top.press(Key::Char('v'), 3), After::Look, "they were not looked at before");
        let View { networks, vbds, vcpus, repeat, .. } = top.view;
        assert_eq!([networks, vbds, vcpus, repeat], [true; 4]);
        assert_eq!(top.view.sorted_by(), "CPU(sec)");
        for _ in 0..5 {
            top.press(Key::Down, 3);
        }
        assert_eq!(top.view.skipped, 2, "the last domain stays in sight");
        top.press(Key::Up, 3);
        assert_eq!(top.view.skipped, 1);
        assert_eq!(top.press(Key::Char('Q'), 3), After::Quit);
        assert_eq!(top.press(Key::Escape, 3), After::Quit);
        assert_eq!(top.press(Key::Interrupt, 3), After::Interrupt);
    }

    #[test]
    fn a_delay_is_typed_and_bounded() {
        let mut top = top();
        let mut enter = |text: &str| {
            top.press(Key::Char('d'), 1);
            let keys: Vec<Key> = text.chars().map(Key::Char).collect();
            assert!(
                keys.into_iter().all(|key| top.press(key, 1) == After::On),
                "q is no digit and does not quit"
            );
            assert_eq!(top.press(Key::Enter, 1), After::Look);
            top.view.delay
        };
        assert_eq!(
            [enter("10"), enter("q"), enter("0"), enter("9999"), enter("12345")],
            [10, 10, 10, 10, 10]
        );
        top.press(Key::Char('d'), 1);
        top.press(Key::Char('7'), 1);
        assert_eq!((top.press(Key::Escape, 1), top.view.delay), (After::On, 10), "Esc keeps what was");
    }
}
