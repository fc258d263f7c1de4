//! What each request does first. Most have their answer at once; the others stay open.

use alloc::boxed::Box;
use alloc::format;

use super::adjust;
use super::desk::{CONTROL, CONTROL_NAME, Caller, Desk, Target, refused};
use super::failures::not_found_anywhere;
use super::open::{Ask, Create, Dump, Ending, Events, Open, Save, Text, View, Wait};
use super::session::{Ended, Outbox};
use super::{devices, labels, machine, pools, records, sched};
use crate::config::DomainName;
use crate::hyper::{DomId, DomainFlags, Hypervisor};
use crate::protocol::resources::Machine;
use crate::protocol::{Answer, Failure, Labels, Pools, Request, RequestId, What};
use crate::store::service::Local;

/// What became of a request at once.
pub(super) enum First<'a> {
    Answer(Answer<'a>),
    Open(Open),
}

impl From<Open> for First<'_> {
    fn from(open: Open) -> Self {
        Self::Open(open)
    }
}

/// Begins a request. Says what stays open of it; without that it has its answer.
pub(super) fn begin<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    out: &mut Outbox,
    id: RequestId,
    request: &Request<'_>,
) -> Result<Option<Open>, Ended> {
    if let Request::Config { domain } = request {
        // Its bytes are borrowed by the answer.
        let bytes = target(desk, caller, request, domain).and_then(|target| configuration(desk, &target));
        out.answer(id, bytes.as_deref().map(Answer::Config).map_err(Clone::clone))?;
        return Ok(None);
    }
    match first(desk, caller, request) {
        Ok(First::Open(open)) => return Ok(Some(open)),
        Ok(First::Answer(answer)) => out.answer(id, Ok(answer))?,
        Err(failure) => out.answer(id, Err(failure))?,
    }
    Ok(None)
}

fn first<'a, H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    request: &Request<'_>,
) -> Result<First<'a>, Failure> {
    let Some(domain) = request.domain() else { return of_host(desk, caller, request) };
    let target = target(desk, caller, request, domain)?;
    let done = |outcome: crate::hyper::Result<()>| match outcome {
        Ok(()) => Ok(First::Answer(Answer::Done)),
        Err(error) => Err(refused(&error)),
    };
    match *request {
        Request::Find { .. } => Ok(First::Answer(records::one(desk, &target)?)),
        Request::Vcpus { from, .. } => Ok(First::Answer(machine::vcpus(desk, &target, from)?)),
        Request::Adjust { what, .. } => {
            Ok(adjust::begin(desk, caller, &target, &what)?.map_or(First::Answer(Answer::Done), First::Open))
        }
        Request::Console { .. } => view(desk, &target).map(Into::into),
        Request::Destroy { .. } => destroy(desk, caller, &target).map(Into::into),
        Request::Shutdown { wish, .. } => {
            let managed = target.managed.ok_or(Failure::NotRunning)?;
            Ok(Open::Ask(Ask::Shutdown(managed, wish)).into())
        }
        Request::Rename { name, .. } => {
            let managed = target.managed.ok_or_else(|| not_ours(&target))?;
            let name = DomainName::new(name).map_err(|error| Failure::Invalid(format!("{error}")))?;
            if name.as_str() == CONTROL_NAME {
                return Err(Failure::NameTaken { domid: Some(CONTROL.0) });
            }
            Ok(Open::Ask(Ask::Rename(managed, name)).into())
        }
        Request::Wait { until, .. } => Ok(Open::Wait(Wait::new(target.running()?, until)).into()),
        Request::Pause { .. } => {
            let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
            let domid = info.domid;
            if domid == caller.domid || domid == CONTROL {
                return Err(Failure::Invalid(format!(
                    "domain {domid} cannot be paused: it would pause its own control"
                )));
            }
            // Xen counts pauses; a person means a state.
            if info.flags.contains(DomainFlags::PAUSED) {
                return Ok(First::Answer(Answer::Done));
            }
            done(desk.hv.pause_domain(domid).inspect(|()| written_down(desk, domid, What::Paused)))
        }
        Request::Unpause { .. } => {
            let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
            if !info.flags.contains(DomainFlags::PAUSED) {
                return Ok(First::Answer(Answer::Done));
            }
            let unpaused = desk.hv.unpause_domain(info.domid);
            done(unpaused.inspect(|()| written_down(desk, info.domid, What::Unpaused)))
        }
        Request::Sched(sched) => Ok(First::Answer(sched::answer(desk, &target, &sched)?)),
        Request::Dump { live, hold, .. } => dump(desk, caller, target, live, hold).map(Into::into),
        Request::Save { keep, .. } => save(desk, caller, target, keep).map(Into::into),
        Request::Devices(what) => devices::begin(desk, caller, &target, &what).map(Into::into),
        Request::Pools(Pools::Migrate { pool, .. }) => {
            pools::migrate(desk, &target, pool)?;
            Ok(First::Answer(Answer::Done))
        }
        Request::Labels(Labels::Domain { label, .. }) => {
            labels::relabel(desk, &target, label)?;
            Ok(First::Answer(Answer::Done))
        }
        _ => Err(not_found_anywhere()),
    }
}

/// Takes down what was done to a domain.
fn written_down<H: Hypervisor, S>(desk: &Desk<'_, H, S>, domid: DomId, what: What) {
    desk.chronicle.borrow_mut().add(desk.now, domid, what);
}

fn of_host<'a, H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    request: &Request<'_>,
) -> Result<First<'a>, Failure> {
    caller.check(desk, request.needs(), None)?;
    match *request {
        Request::Host => Ok(First::Answer(Answer::Host(Box::new(records::host(desk)?)))),
        Request::List { from } => Ok(First::Answer(records::page(desk, from)?)),
        Request::Create { config, kernel, ramdisk, paused, saved } => {
            let create = Create::new(desk, *caller, config, (kernel, ramdisk), (paused, saved))?;
            Ok(Open::Create(create).into())
        }
        Request::Machine(Machine::Cpus { from }) => Ok(First::Answer(machine::cpus(desk, from)?)),
        Request::Machine(Machine::Nodes { from }) => Ok(First::Answer(machine::nodes(desk, from)?)),
        Request::Machine(Machine::Keys { keys }) => Ok(adjust::keys(keys)?.into()),
        Request::Events { after } => Ok(Open::Events(Events::new(desk, after)).into()),
        Request::Dmesg { clear } => Ok(Open::Text(Text::xen(clear)).into()),
        Request::Log => Ok(Open::Text(Text::journal()).into()),
        Request::Pools(request) => pools::begin(desk, &request),
        Request::Labels(request) => labels::begin(desk, &request),
        _ => Err(not_found_anywhere()),
    }
}

/// Finds the domain and asks for the right.
fn target<H: Hypervisor, S: Local>(
    desk: &Desk<'_, H, S>,
    caller: &Caller,
    request: &Request<'_>,
    domain: &str,
) -> Result<Target, Failure> {
    // Who may not ask learns nothing, not even whether the domain is there.
    caller.check(desk, request.needs(), None)?;
    let target = desk.find(domain)?;
    caller.check(desk, request.needs(), Some(&target))?;
    Ok(target)
}

pub(super) fn not_ours(target: &Target) -> Failure {
    let domid = target.info.as_ref().map_or(CONTROL, |info| info.domid);
    Failure::Unsupported(format!("this for domain {domid}, which xendless did not make,"))
}

fn configuration<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    target: &Target,
) -> Result<alloc::vec::Vec<u8>, Failure> {
    let config =
        target.managed.and_then(|managed| desk.managed.config(managed)).ok_or_else(|| not_ours(target))?;
    config.encode().ok_or(Failure::ControlMemory)
}

fn destroy<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    target: &Target,
) -> Result<Open, Failure> {
    let domid = target.info.as_ref().map(|info| info.domid);
    if domid == Some(CONTROL) {
        return Err(Failure::Invalid("Domain-0 is the control domain and cannot be destroyed".into()));
    }
    if domid == Some(caller.domid) {
        return Err(Failure::Invalid(format!("domain {} cannot destroy itself: shut it down", caller.domid)));
    }
    match (target.managed, domid) {
        (Some(managed), _) => {
            desk.managed.destroy(managed);
            Ok(Open::Ending(Ending::Managed(managed)))
        }
        (None, Some(domid)) => Ok(Open::Ending(Ending::Unmanaged(domid))),
        (None, None) => Err(Failure::NoSuchDomain),
    }
}

fn save<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    target: Target,
    keep: bool,
) -> Result<Open, Failure> {
    let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
    if info.domid == caller.domid || info.domid == CONTROL {
        let domid = info.domid;
        return Err(Failure::Invalid(format!(
            "domain {domid} cannot be saved: it would suspend its own control"
        )));
    }
    let managed = target.managed.ok_or_else(|| not_ours(&target))?;
    Save::new(desk, managed, info, keep).map(|save| Open::Save(Box::new(save)))
}

fn dump<H: Hypervisor, S: Local>(
    desk: &Desk<'_, H, S>,
    caller: &Caller,
    target: Target,
    live: bool,
    hold: bool,
) -> Result<Open, Failure> {
    let info = target.info.ok_or(Failure::NotRunning)?;
    if info.domid == caller.domid || info.domid == CONTROL {
        let domid = info.domid;
        return Err(Failure::Invalid(format!(
            "domain {domid} cannot be dumped: it would pause its own control"
        )));
    }
    Dump::new(desk, info, live, hold).map(Open::Dump)
}

fn view<H: Hypervisor, S: Local>(desk: &mut Desk<'_, H, S>, target: &Target) -> Result<Open, Failure> {
    let status = target.managed.and_then(|managed| desk.managed.status(managed));
    let console = status.and_then(|status| status.console);
    let console = console.ok_or_else(|| Failure::Unsupported("a console of this domain".into()))?;
    View::new(desk, console).map(Open::View)
}
