//! Commands to the server itself. Source: `docs/misc/xenstore.txt`, `CONTROL`.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::str;

use super::Answer;
use crate::hyper::DomId;
use crate::store::quota::Quota;
use crate::store::server::{Platform, Server};
use crate::store::wire::{Payload, Strings, XsError};

const HELP: &[(&str, &str)] = &[
    ("check", "compares the tree with its books"),
    ("help", ""),
    ("print", "<text>"),
    ("quota", "[set <name> <value>|<domid>]"),
];

impl Server {
    pub(super) fn control(
        &mut self,
        platform: &mut impl Platform,
        command: &[u8],
        args: Strings<'_>,
    ) -> Answer {
        let args: Vec<_> = args.collect();
        match (command, args.as_slice()) {
            (b"check", []) => self.control_check(platform),
            (b"help", []) => {
                let mut text = Payload::new();
                for (command, args) in HELP {
                    fmt(&mut text, format_args!("{command:<15} {args}\n"))?;
                }
                text.push(&[0])?;
                Ok(Some(text))
            }
            (b"print", [text]) => {
                platform.print(text);
                Ok(None)
            }
            (b"quota", []) => self.show_limits(),
            (b"quota", [b"set", name, value]) => {
                let value = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                let value = value.filter(|value| *value > 0).ok_or(XsError::EINVAL)?;
                self.set_quota(platform, None, name, value)
            }
            (b"quota", [domid]) => self.show_usage(domid),
            _ => Err(XsError::EINVAL.into()),
        }
    }

    fn control_check(&self, platform: &mut impl Platform) -> Answer {
        let Err(fault) = self.check() else { return Ok(None) };
        let text = fault.to_string();
        platform.print(text.as_bytes());
        let mut answer = Payload::new();
        answer.push_string(text.as_bytes())?;
        Ok(Some(answer))
    }

    fn show_limits(&self) -> Answer {
        let mut text = Payload::new();
        for quota in Quota::ALL {
            let value = self.state.limits.or_default(*quota);
            fmt(&mut text, format_args!("{:<18}: {value:>8} {}\n", quota.name(), quota.text()))?;
        }
        text.push(&[0])?;
        Ok(Some(text))
    }

    fn show_usage(&self, domid: &[u8]) -> Answer {
        let domid = str::from_utf8(domid).ok().and_then(|text| text.parse().ok()).ok_or(XsError::EINVAL)?;
        let usage = self.usage(DomId(domid)).ok_or(XsError::ENOENT)?;
        let mut text = Payload::new();
        fmt(&mut text, format_args!("Domain {domid}:\n"))?;
        let lines = [
            (Quota::Nodes, usage.nodes),
            (Quota::Watches, usage.watches),
            (Quota::Transactions, usage.transactions),
            (Quota::Memory, usage.memory),
        ];
        for (quota, used) in lines {
            fmt(&mut text, format_args!("{:<16}: {used:>8}\n", quota.name()))?;
        }
        text.push(&[0])?;
        Ok(Some(text))
    }
}

fn fmt(text: &mut Payload, line: core::fmt::Arguments<'_>) -> Result<(), XsError> {
    core::fmt::write(text, line).map_err(|core::fmt::Error| XsError::E2BIG)
}
