//! The control ring, as `xm` uses it: through `xmd`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use xendless_core::config::{DomainConfig, Uuid};
use xendless_core::protocol::{Answer, CHUNK, Failure, Host, Image, Request};
use xendless_hosttools::client::{Client, Event, SOCKET};
use xendless_hosttools::config::host;
use xendless_hosttools::config::{Limits, Request as Evaluation, evaluate};

use crate::{report, report_average};

/// A domain that is never started: its kernel does not come to its end.
const NEVER: &str = "name = 'never'\nkernel = 'k'\nmemory = 128\n";

/// Times `count` questions, and the way of `mib` MiB of a kernel to the control domain.
pub(crate) fn measure(label: &str, count: u32, mib: u32) -> Result<()> {
    let mut client = Client::connect(Path::new(SOCKET))?;
    let ask = |client: &mut Client| client.ask(Request::Find { domain: "0" }).map(drop);
    ask(&mut client)?;
    let start = Instant::now();
    for _ in 0..count {
        ask(&mut client)?;
    }
    report_average(&format!("{label}-question"), start.elapsed(), count);
    report_average(&format!("{label}-mib"), upload(&mut client, u64::from(mib) << 20)?, mib);
    Ok(())
}

/// Prints the control domain's age in nanoseconds, and its heap in KiB: in use, and at most.
pub(crate) fn control(label: &str) -> Result<()> {
    let mut client = Client::connect(Path::new(SOCKET))?;
    let Answer::Host(host) = client.ask(Request::Host)? else { bail!("no answer to the question") };
    let Host { up_ns, heap_used_kib, heap_limit_kib, .. } = *host;
    report(&format!("{label}-age"), &[up_ns.into()]);
    report(&format!("{label}-heap"), &[heap_used_kib.into(), heap_limit_kib.into()]);
    Ok(())
}

/// Sends `size` bytes of a file that is one chunk longer, takes the request back, and gives the time until the last of
/// them was taken.
fn upload(client: &mut Client, size: u64) -> Result<Duration> {
    let config = never()?.encode().context("the configuration is too long")?;
    let whole = Image { digest: [7; 32], size: size + CHUNK as u64 };
    let request =
        Request::Create { config: &config, kernel: whole, ramdisk: None, paused: true, saved: false };
    let id = client.start(request)?;
    let start = Instant::now();
    let bytes = vec![0x5a; CHUNK];
    let (mut sent, mut credit) = (0, 0);
    // Credit for more than was sent shows that the rest was taken.
    while sent < size || credit < CHUNK {
        if sent < size && credit >= CHUNK {
            client.data(id, &bytes)?;
            sent += CHUNK as u64;
            credit -= CHUNK;
            continue;
        }
        match client.next(id)? {
            Event::Want(_) => {}
            Event::Credit(more) => credit += usize::try_from(more)?,
            other => bail!("{other:?} instead of room for more"),
        }
    }
    let time = start.elapsed();
    client.cancel(id)?;
    loop {
        match client.next(id)? {
            Event::Answer(Err(Failure::Cancelled)) => return Ok(time),
            Event::Answer(other) => bail!("{other:?} after the request was taken back"),
            _ => {}
        }
    }
}

fn never() -> Result<DomainConfig> {
    let host = host::Host::unknown("00010203-0405-4607-8809-0a0b0c0d0e0f".parse::<Uuid>()?);
    let request =
        Evaluation { path: "never", text: NEVER, arguments: &[], host: &host, limits: Limits::default() };
    Ok(evaluate(&request).map_err(|errors| anyhow!("{errors}"))?.config)
}
