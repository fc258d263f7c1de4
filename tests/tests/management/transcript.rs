//! What a part of the session wrote, command by command.

/// A command with what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) output: String,
    pub(crate) status: i32,
}

/// One part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    text: String,
    steps: Vec<Step>,
}

impl Part {
    /// Takes the part `name` out of the output of all.
    pub(crate) fn find(output: &str, name: &str) -> Self {
        let begin = format!("==== {name}\n");
        let text = output.split_once(&begin).unwrap_or_else(|| panic!("no part {name}:\n{output}")).1;
        let text = text.split("==== ").next().unwrap_or_default().to_owned();
        let (mut steps, mut lines) = (Vec::new(), text.lines());
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let mut output = String::new();
            let status = loop {
                let line = lines.next().unwrap_or_else(|| panic!("{command} has no end:\n{text}"));
                match status(line) {
                    Some(status) => break status,
                    None => output = output + line + "\n",
                }
            };
            steps.push(Step { command: command.into(), output, status });
        }
        Self { text, steps }
    }

    /// Everything.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The steps whose command is `command`, in order; there have to be so many.
    #[track_caller]
    pub(crate) fn steps<const N: usize>(&self, command: &str) -> [&Step; N] {
        let found = self.of(command);
        let count = found.len();
        found.try_into().unwrap_or_else(|_| panic!("{command}: {count} times, not {N}:\n{}", self.text))
    }

    /// The steps whose command is `command`, in order.
    pub(crate) fn of(&self, command: &str) -> Vec<&Step> {
        self.steps.iter().filter(|step| step.command == command).collect()
    }

    /// Whether this is a line, outside of what commands wrote or in it.
    pub(crate) fn says(&self, line: &str) -> bool {
        self.text.lines().any(|other| other == line)
    }

    /// What a guest said, in the order in which it was asked.
    pub(crate) fn said(&self, guest: &str) -> Vec<&str> {
        let start = format!("{guest} says: ");
        self.text.lines().filter_map(|line| line.strip_prefix(start.as_str())).collect()
    }

    /// All steps, in order.
    pub(crate) fn all(&self) -> &[Step] {
        &self.steps
    }

    /// The one step whose command is `command`.
    #[track_caller]
    pub(crate) fn step(&self, command: &str) -> &Step {
        let [step] = self.steps(command);
        step
    }

    /// The number behind `label` in a line of its own.
    #[track_caller]
    pub(crate) fn number(&self, label: &str) -> i64 {
        let found = self.text.lines().find_map(|line| line.strip_prefix(label)?.trim().parse().ok());
        found.unwrap_or_else(|| panic!("no '{label}' in:\n{}", self.text))
    }
}

impl Step {
    /// It ended well and wrote this.
    #[track_caller]
    pub(crate) fn wrote(&self, output: &str) {
        assert_eq!((self.status, &*self.output), (0, output), "{}", self.command);
    }

    /// It failed with this status and wrote something with `text` in it.
    #[track_caller]
    pub(crate) fn failed(&self, status: i32, text: &str) {
        assert_eq!(self.status, status, "{}: {}", self.command, self.output);
        assert!(self.output.contains(text), "{}: no '{text}' in: {}", self.command, self.output);
    }

    /// The words of each line that it wrote.
    pub(crate) fn lines(&self) -> Vec<Vec<&str>> {
        self.output.lines().map(|line| line.split_whitespace().collect()).collect()
    }

    /// The same of a list that has to be there, without its head.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Vec<&str>> {
        assert_eq!(self.status, 0, "{self:?}");
        self.lines().split_off(self.output.lines().count().min(1))
    }

    /// What a scheduler gave a domain: the columns behind its name and id.
    #[track_caller]
    pub(crate) fn given(&self, domain: &str) -> Vec<&str> {
        let row = self.lines().into_iter().find(|row| row[0] == domain);
        row.unwrap_or_else(|| panic!("no {domain}: {self:?}")).split_off(2)
    }

    /// The states of the domains that it listed, by name.
    pub(crate) fn states(&self) -> Vec<(&str, &str)> {
        let rows = self.lines().into_iter().skip(1);
        rows.filter(|row| row.len() == 6).map(|row| (row[0], row[4])).collect()
    }
}

/// The checksum that `md5sum` wrote.
#[track_caller]
pub(crate) fn sum(text: &str) -> &str {
    let sum = text.split(' ').next().unwrap();
    assert!(sum.len() == 32 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
    sum
}

/// The line behind the output of a command.
fn status(line: &str) -> Option<i32> {
    line.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}
