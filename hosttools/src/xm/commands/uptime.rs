//! `uptime`.

use std::time::{SystemTime, UNIX_EPOCH};

use tz::TimeZone;

use super::json;
use super::list::{Entry, entries};
use crate::client::Client;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, host};
use crate::xm::table::Outcome;

/// `uptime`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let mut client = session.connect()?;
    let mut lines = Vec::new();
    for entry in entries(&mut client, &given.operands)? {
        let seconds = seconds(&mut client, &entry)?;
        lines.push((entry, seconds));
    }
    if given.has("json") {
        let all: Vec<_> = lines.iter().map(|(entry, seconds)| object(entry, *seconds)).collect();
        session.out.line(json::text(&all.into()))?;
    } else if given.has("short") {
        let now = time_of_day(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()));
        for (entry, seconds) in &lines {
            let name = Shown(&entry.name);
            session.out.line(format_args!(" {now} up {}, {name} ({})", short(*seconds), entry.id()))?;
        }
    } else {
        session.out.line(format_args!("{:<33} {:>4} {} ", "Name", "ID", "Uptime"))?;
        for (entry, seconds) in &lines {
            let name = Shown(&entry.name).to_string();
            session.out.line(format_args!("{name:<32} {:>5} {}", entry.id(), long(*seconds)))?;
        }
    }
    Ok(0)
}

/// How long a domain has been running. The control domain knows its own age best.
fn seconds(client: &mut Client, entry: &Entry) -> Result<u64, Error> {
    let Some(row) = &entry.row else { return Ok(0) };
    let age = match row.age_ns {
        Some(age) => age,
        None if row.domid == 0 => host(client)?.up_ns,
        None => 0,
    };
    Ok(age / 1_000_000_000)
}

fn object(entry: &Entry, seconds: u64) -> serde_json::Value {
    let id = entry.row.as_ref().map(|row| row.domid);
    serde_json::json!({ "name": entry.name, "id": id, "uptime_seconds": seconds })
}

fn days(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    }
}

fn long(seconds: u64) -> String {
    format!("{}:{:02}", short(seconds), seconds % 60)
}

fn short(seconds: u64) -> String {
    format!("{}{:>2}:{:02}", days(seconds), seconds / 3600 % 24, seconds / 60 % 60)
}

/// The time of the day where this machine is.
pub(super) fn time_of_day(now: u64) -> String {
    let offset = TimeZone::local().ok().and_then(|zone| {
        let local = i64::try_from(now).ok()?;
        Some(zone.find_local_time_type(local).ok()?.ut_offset())
    });
    let now = now.saturating_add_signed(offset.unwrap_or(0).into());
    format!("{:02}:{:02}:{:02}", now / 3600 % 24, now / 60 % 60, now % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_the_letter() {
        assert_eq!(long(0), " 0:00:00");
        assert_eq!(long(3_661), " 1:01:01");
        assert_eq!(long(86_400 + 36_000 + 59), "1 day, 10:00:59");
        assert_eq!(long(2 * 86_400), "2 days,  0:00:00");
        assert_eq!(short(86_400 * 3 + 60), "3 days,  0:01");
    }
}
