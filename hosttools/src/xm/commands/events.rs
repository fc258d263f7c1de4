//! `events`: what happens to domains, as it happens.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tz::UtcDateTime;
use xendless_core::hyper::ShutdownReason;
use xendless_core::protocol::{DeviceChange, Happening, What};

use super::json;
use super::list::uuid;
use super::wait::{number, time_limit};
use crate::shown::Shown;
use crate::xm::listener::Listener;
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// `events`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let limit = time_limit(given)?;
    let mut left = given.value("count").map(|count| number(count, "count")).transpose()?;
    let mut listener =
        if given.has("past") { Listener::to_all(session)? } else { Listener::to_new(session)? };
    while left != Some(0) {
        let Some(happening) = listener.next(limit.as_ref())? else { break };
        if happening.what == What::Now || !is_wanted(&happening, &given.operands) {
            continue;
        }
        if given.has("json") {
            session.out.line(json::line(&object(&happening)))?;
        } else {
            session.out.line(line(&happening))?;
        }
        left = left.map(|left| left.saturating_sub(1));
        // The next may be long in coming.
        if listener.is_idle() {
            session.out.flush()?;
        }
    }
    Ok(0)
}

/// Whether it is about one of these domains, by name, number or UUID. What was missed may be about any.
fn is_wanted(happening: &Happening, domains: &[String]) -> bool {
    domains.is_empty()
        || matches!(happening.what, What::Missed { .. })
        || domains.iter().any(|domain| is_about(happening, domain))
}

/// Whether it is about the domain that a person means.
pub(super) fn is_about(happening: &Happening, domain: &str) -> bool {
    let number = happening.domid.map(|domid| domid.to_string());
    let before = match &happening.what {
        What::Renamed { from } => Some(from.as_str()),
        _ => None,
    };
    happening.name == domain
        || before == Some(domain)
        || number.as_deref() == Some(domain)
        || uuid(happening.uuid).eq_ignore_ascii_case(domain)
}

/// When it was, in UTC and to the millisecond, as RFC 3339 writes it.
fn time(happening: &Happening) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = now.saturating_sub(Duration::from_nanos(happening.ago_ns));
    let seconds = i64::try_from(then.as_secs()).unwrap_or(i64::MAX);
    let Ok(time) = UtcDateTime::from_timespec(seconds, 0) else { return format!("@{seconds}") };
    let (year, month, day) = (time.year(), time.month(), time.month_day());
    let (hour, minute, second, millis) = (time.hour(), time.minute(), time.second(), then.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The word for it, and what more there is to say.
fn words(what: &What) -> (&'static str, String) {
    let word = match what {
        What::Created => "created",
        What::Booted => "booted",
        What::Paused => "paused",
        What::Unpaused => "unpaused",
        What::Resumed => "resumed",
        What::Stopped { reason } => match ShutdownReason::from_code(*reason) {
            ShutdownReason::Crash => "crashed",
            reason => return ("shutdown", reason_word(reason)),
        },
        What::Renamed { from } => return ("renamed", from.clone()),
        What::Device { class, id, change } => {
            return ("device", format!("{class} {id} {}", device_word(*change)));
        }
        What::Gone => "gone",
        What::Failed { why } => return ("failed", why.clone()),
        What::Now => "now",
        What::Missed { count } => return ("missed", count.to_string()),
    };
    (word, String::new())
}

fn device_word(change: DeviceChange) -> &'static str {
    match change {
        DeviceChange::Attached => "attached",
        DeviceChange::Detached => "detached",
        DeviceChange::Changed => "changed",
        DeviceChange::Held => "held",
        DeviceChange::Lost => "lost",
    }
}

fn reason_word(reason: ShutdownReason) -> String {
    match reason {
        ShutdownReason::Poweroff => "poweroff".to_owned(),
        ShutdownReason::Reboot => "reboot".to_owned(),
        ShutdownReason::Suspend => "suspend".to_owned(),
        ShutdownReason::Crash => "crash".to_owned(),
        ShutdownReason::Watchdog => "watchdog".to_owned(),
        ShutdownReason::SoftReset => "soft_reset".to_owned(),
        ShutdownReason::Other(code) => code.to_string(),
    }
}

fn line(happening: &Happening) -> String {
    let (word, more) = words(&happening.what);
    let domain = match happening.domid {
        _ if matches!(happening.what, What::Missed { .. }) => "-".to_owned(),
        Some(domid) => format!("{} ({domid})", Shown(&happening.name)),
        None => Shown(&happening.name).to_string(),
    };
    let line = format!("{} {domain} {word} {}", time(happening), Shown(&more));
    line.trim_end().to_owned()
}

fn object(happening: &Happening) -> Value {
    let (word, more) = words(&happening.what);
    let mut object = serde_json::json!({
        "time": time(happening),
        "serial": happening.serial,
        "event": word,
        "name": happening.name,
        "id": happening.domid,
        "uuid": uuid(happening.uuid),
    });
    let key = match &happening.what {
        What::Stopped { .. } => "reason",
        What::Renamed { .. } => "from",
        What::Failed { .. } => "why",
        What::Device { .. } => "device",
        What::Missed { .. } => "count",
        _ => return object,
    };
    if let Some(fields) = object.as_object_mut() {
        let more = if word == "crashed" { "crash".to_owned() } else { more };
        fields.insert(key.to_owned(), more.into());
    }
    object
}
