//! What is compared, in which unit, and what was promised about it.

use super::figures::Figures;

/// What a figure is shown in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Virtual milliseconds, from nanoseconds.
    Ms,
    /// MiB, from KiB.
    Mib,
    /// MiB in a virtual second.
    MibPerSecond,
    /// So many times.
    Times,
}

impl Unit {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::Mib => "MiB",
            Self::MibPerSecond => "MiB/s",
            Self::Times => "times",
        }
    }

    const fn divisor(self) -> f64 {
        match self {
            Self::Ms => 1e6,
            Self::Mib => 1024.0,
            Self::MibPerSecond | Self::Times => 1.0,
        }
    }
}

/// A promise about our figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Budget {
    /// So much, in the row's unit.
    AtMost(f64),
    /// One so-manieth of what it is on the other side.
    OneOf(f64),
}

/// A line of the table.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What was measured.
    pub name: &'static str,
    /// The unit of all that follows.
    pub unit: Unit,
    /// Ours.
    pub ours: Option<f64>,
    /// Debian's.
    pub stock: Option<f64>,
    /// What we promise.
    pub budget: Option<Budget>,
}

impl Row {
    /// How many times ours the other side's is.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        Some(self.stock? / self.ours?)
    }

    /// Whether the promise is kept; `None` without one. What was not measured keeps none.
    #[must_use]
    pub fn kept(&self) -> Option<bool> {
        let limit = match self.budget? {
            Budget::AtMost(limit) => Some(limit),
            Budget::OneOf(part) => self.stock.map(|stock| stock / part),
        };
        Some(self.ours.zip(limit).is_some_and(|(ours, limit)| ours <= limit))
    }
}

/// Numbers of guests at which memory is looked at.
const GUESTS: [u32; 4] = [0, 10, 100, 500];

use Budget::{AtMost, OneOf};
use Unit::{Mib, MibPerSecond, Ms, Times};

/// What the rows are made of: name, label of the figure, unit and budget.
const PLAN: &[(&str, &str, Unit, Option<Budget>)] = &[
    ("control plane ready after Xen's hand-over", "ready", Ms, Some(AtMost(50.0))),
    ("first command can be given", "begin-age", Ms, None),
    ("to compare: a process that does nothing", "nothing", Ms, None),
    ("list, 2 domains", "list-2", Ms, Some(OneOf(4.0))),
    ("list, 110 domains", "list-110", Ms, Some(OneOf(10.0))),
    ("list, 500 guests", "list-500", Ms, None),
    ("create tiny, the very first", "create-first", Ms, None),
    ("create tiny, 10 guests", "create-10", Ms, Some(AtMost(8.0))),
    ("same, and its first node is seen", "create-10-marked", Ms, Some(AtMost(8.0))),
    ("create tiny, 100 guests", "create-100", Ms, Some(AtMost(8.0))),
    ("same, and its first node is seen", "create-100-marked", Ms, Some(AtMost(8.0))),
    ("create tiny, 500 guests", "create-500", Ms, Some(AtMost(8.0))),
    ("same, and its first node is seen", "create-500-marked", Ms, Some(AtMost(8.0))),
    ("create tiny, 500 guests over 10", "growth", Times, Some(AtMost(1.1))),
    ("destroy tiny, 10 guests", "destroy-10", Ms, Some(AtMost(3.0))),
    ("destroy tiny, 500 guests", "destroy-500", Ms, Some(AtMost(3.0))),
    ("create Debian (LZ4), first time", "debian-lz4-first", Ms, Some(OneOf(3.0))),
    ("create Debian (LZ4), again", "debian-lz4-second", Ms, Some(AtMost(100.0))),
    ("create Debian (XZ), first time", "debian-xz-first", Ms, Some(OneOf(3.0))),
    ("create Debian (XZ), again", "debian-xz-second", Ms, Some(AtMost(100.0))),
    ("create Debian on a disk, and it is read", "disk-read", Ms, None),
    ("create Debian on a bridge, and it sends", "first-packet", Ms, None),
    ("XenStore from a guest: read, 2 domains", "guest-store-2-read", Ms, Some(OneOf(5.0))),
    ("XenStore from a guest: write", "guest-store-2-write", Ms, Some(OneOf(5.0))),
    ("XenStore from a guest: transaction", "guest-store-2-transaction", Ms, Some(OneOf(5.0))),
    ("XenStore from a guest: read, 110 domains", "guest-store-110-read", Ms, Some(OneOf(5.0))),
    ("XenStore from a guest: write", "guest-store-110-write", Ms, Some(OneOf(5.0))),
    ("XenStore from a guest: transaction", "guest-store-110-transaction", Ms, Some(OneOf(5.0))),
    ("XenStore from here: read, 2 domains", "store-2-read", Ms, None),
    ("XenStore from here: write", "store-2-write", Ms, None),
    ("XenStore from here: transaction", "store-2-transaction", Ms, None),
    ("XenStore from here: read, 110 domains", "store-110-read", Ms, None),
    ("XenStore from here: write", "store-110-write", Ms, None),
    ("XenStore from here: transaction", "store-110-transaction", Ms, None),
    ("control ring: question and answer", "ring-question", Ms, None),
    ("control ring: a file on its way up", "ring-rate", MibPerSecond, None),
    ("memory of the control plane, no guests", "memory-0-plane", Mib, None),
    ("memory of the control plane, 10 guests", "memory-10-plane", Mib, None),
    ("memory of the control plane, 100 guests", "memory-100-plane", Mib, None),
    ("memory of the control plane, 500 guests", "memory-500-plane", Mib, Some(AtMost(16.0))),
    ("same with all of Linux, no guests", "memory-0-all", Mib, None),
    ("same with all of Linux, 10 guests", "memory-10-all", Mib, None),
    ("same with all of Linux, 100 guests", "memory-100-all", Mib, None),
    ("same with all of Linux, 500 guests", "memory-500-all", Mib, None),
];

/// The table's lines.
#[must_use]
pub fn rows(ours: &Figures, stock: &Figures) -> Vec<Row> {
    let [ours, stock] = [ours, stock].map(derived);
    let row = |&(name, label, unit, budget): &(&'static str, &str, Unit, Option<Budget>)| {
        let shown = |figures: &Figures| figures.median(label).map(|value| value / unit.divisor());
        Row { name, unit, ours: shown(&ours), stock: shown(&stock), budget }
    };
    PLAN.iter().map(row).collect()
}

/// With the figures that follow from others.
fn derived(figures: &Figures) -> Figures {
    let mut all = figures.clone();
    let of = |label: &str| figures.median(label);
    if let (Some(few), Some(many)) = (of("create-10"), of("create-500")) {
        all.set("growth", many / few);
    }
    if let Some(time) = of("ring-mib") {
        all.set("ring-rate", 1e9 / time);
    }
    for guests in GUESTS {
        let label = format!("memory-{guests}");
        // The other side has no control domain: its processes are all of the control plane.
        let heap = figures.all(&format!("{label}-heap")).first();
        let control = heap.zip(of("fixed")).map_or(0.0, |(heap, fixed)| heap + fixed);
        if let Some(processes) = of(&format!("{label}-processes")) {
            all.set(&format!("{label}-plane"), processes + control);
        }
        if let Some(linux) = of(&format!("{label}-linux")) {
            all.set(&format!("{label}-all"), linux + control);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(rows: &[Row], name: &str) -> Row {
        rows.iter().find(|row| row.name == name).unwrap().clone()
    }

    #[test]
    fn figures_come_in_the_units_of_their_rows() {
        let ours = "figure list-2 2000000\nfigure ring-mib 20000000\nfigure create-10 5\nfigure create-500 6\n\
                    figure fixed 1024\nfigure memory-10-heap 512 9999\nfigure memory-10-processes 1536\n\
                    figure memory-10-linux 2560\n";
        let stock = "figure list-2 11000000\nfigure memory-10-processes 4096\n";
        let rows = rows(&Figures::parse(ours).unwrap(), &Figures::parse(stock).unwrap());
        let list = find(&rows, "list, 2 domains");
        assert_eq!(
            (list.ours, list.stock, list.ratio(), list.kept()),
            (Some(2.0), Some(11.0), Some(5.5), Some(true))
        );
        assert_eq!(find(&rows, "control ring: a file on its way up").ours, Some(50.0));
        assert_eq!(find(&rows, "create tiny, 500 guests over 10").kept(), Some(false));
        let memory = find(&rows, "memory of the control plane, 10 guests");
        assert_eq!((memory.ours, memory.stock), (Some(3.0), Some(4.0)));
        assert_eq!(find(&rows, "same with all of Linux, 10 guests").ours, Some(4.0));
    }

    #[test]
    fn what_was_not_measured_keeps_no_promise() {
        let none = Figures::default();
        for row in rows(&none, &none) {
            assert_eq!(row.kept(), row.budget.map(|_| false), "{row:?}");
        }
        let row = |budget, stock| Row { name: "", unit: Ms, ours: Some(2.0), stock, budget: Some(budget) };
        assert_eq!(row(OneOf(4.0), Some(8.0)).kept(), Some(true));
        assert_eq!(row(OneOf(4.0), Some(7.9)).kept(), Some(false));
        assert_eq!(row(OneOf(4.0), None).kept(), Some(false));
        assert_eq!(row(AtMost(2.0), None).kept(), Some(true));
    }
}
