//! XenStore as programs of this domain reach it: over the socket of a daemon here, else through the kernel.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use embedded_io_adapters::std::FromStd;
use xendless_core::store::client::{ClientError, Session};
use xendless_core::store::wire::XsError;

use crate::report_average;

/// In this order, as Xen's own client library has it.
const SOCKET: &str = "/run/xenstored/socket";
const DEVICE: &str = "/dev/xen/xenbus";

/// What is read and written.
const NODE: &[u8] = b"/tool/stopwatch";
const VALUE: &[u8] = b"twenty bytes of value";

/// A stream of either kind.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

type Failed = ClientError<io::Error>;

/// A connection.
pub(crate) struct Store {
    session: Session<FromStd<Box<dyn Stream>>>,
}

/// Times `count` reads, `count` writes and `count` transactions of one of each.
pub(crate) fn measure(label: &str, count: u32) -> Result<()> {
    let Store { mut session } = Store::open()?;
    session.nodes().write(NODE, VALUE).map_err(failed)?;
    let read = time(count, || session.nodes().read(NODE).map(drop))?;
    let write = time(count, || session.nodes().write(NODE, VALUE))?;
    let transaction = time(count, || {
        session.transaction(|nodes| {
            let value = nodes.read(NODE)?;
            nodes.write(NODE, &value)
        })
    })?;
    session.nodes().remove(NODE).map_err(failed)?;
    for (kind, all) in [("read", read), ("write", write), ("transaction", transaction)] {
        report_average(&format!("{label}-{kind}"), all, count);
    }
    Ok(())
}

fn time(count: u32, mut work: impl FnMut() -> Result<(), Failed>) -> Result<Duration> {
    // Whatever is slow only once is no part of it.
    work().map_err(failed)?;
    let start = Instant::now();
    for _ in 0..count {
        work().map_err(failed)?;
    }
    Ok(start.elapsed())
}

impl Store {
    /// Connects.
    pub(crate) fn open() -> Result<Self> {
        let stream: Box<dyn Stream> = match UnixStream::connect(SOCKET) {
            Ok(socket) => Box::new(socket),
            Err(_) => Box::new(device().with_context(|| format!("opening {DEVICE}"))?),
        };
        Ok(Self { session: Session::new(FromStd::new(stream)) })
    }

    /// The names of a node's children.
    pub(crate) fn list(&mut self, path: &str) -> Result<BTreeSet<String>> {
        let names = self.session.nodes().list(path.as_bytes()).map_err(failed)?;
        Ok(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Waits until a node is there. Whether there was anything to wait for.
    pub(crate) fn await_node(&mut self, path: &str) -> Result<bool> {
        if self.exists(path)? {
            return Ok(false);
        }
        self.session.watch(path.as_bytes(), b"").map_err(failed)?;
        while !self.exists(path)? {
            self.session.next_event().map_err(failed)?;
        }
        self.session.unwatch(path.as_bytes(), b"").map_err(failed)?;
        // Those that came meanwhile are about this path alone.
        while self.session.pending_event().is_some() {}
        Ok(true)
    }

    fn exists(&mut self, path: &str) -> Result<bool> {
        match self.session.nodes().read(path.as_bytes()) {
            Ok(_) => Ok(true),
            Err(ClientError::Refused(XsError::ENOENT)) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

fn device() -> io::Result<File> {
    File::options().read(true).write(true).open(DEVICE)
}

fn failed(error: Failed) -> anyhow::Error {
    anyhow!("XenStore: {error}")
}
