//! Records of domains and of the machine.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::desk::{CONTROL, CONTROL_NAME, Desk, Target, refused};
use crate::config::List;
use crate::hyper::{DomId, DomainInfo, HostInfo, Hypervisor, XenBuild, XenVersion};
use crate::lines;
use crate::protocol::{Answer, Failure, Host, PAGE, Row};
use crate::store::service::Local;

/// KiB of `pages`.
pub(super) const fn kib(pages: u64) -> u64 {
    pages.saturating_mul(4)
}

/// One row.
pub(super) fn one<'a, H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    target: &Target,
) -> Result<Answer<'a>, Failure> {
    let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
    rows(Vec::from([row(desk, info)]), None)
}

/// A page of rows.
pub(super) fn page<'a, H: Hypervisor, S>(desk: &Desk<'_, H, S>, from: u16) -> Result<Answer<'a>, Failure> {
    let mut batch = [const { None }; PAGE];
    let count = desk.hv.list_domains(DomId(from), &mut batch).map_err(|error| refused(&error))?;
    let found: Vec<Row> = batch.iter().take(count).flatten().map(|info| row(desk, info)).collect();
    let last = found.last().map(|row| row.domid);
    let next = last.filter(|_| count == PAGE).and_then(|last| last.checked_add(1));
    rows(found, next)
}

fn rows<'a>(rows: Vec<Row>, next: Option<u16>) -> Result<Answer<'a>, Failure> {
    let rows = List::new("rows", rows).map_err(|_| Failure::ControlMemory)?;
    Ok(Answer::Rows { rows, next })
}

fn row<H: Hypervisor, S>(desk: &Desk<'_, H, S>, info: &DomainInfo) -> Row {
    let view = desk.managed.find_uuid(&info.handle).and_then(|id| desk.managed.view(id));
    let started_at = match &view {
        Some(view) => view.started_at,
        None if info.domid == CONTROL => Some(desk.entered_at),
        None => None,
    };
    Row {
        domid: info.domid.0,
        uuid: info.handle,
        name: match &view {
            Some(view) => String::from(view.name.as_str()),
            None if info.domid == CONTROL => CONTROL_NAME.into(),
            None => String::new(),
        },
        flags: info.flags.bits(),
        shutdown: info.shutdown.map(crate::hyper::ShutdownReason::code),
        memory_kib: kib(info.pages),
        max_kib: kib(info.max_pages),
        cpu_ns: info.cpu_time,
        vcpus: info.online_vcpus,
        max_vcpus: info.max_vcpus(),
        cpupool: info.cpupool,
        ssid: info.ssid,
        age_ns: started_at.and_then(|at| desk.now.checked_sub(at)),
        restarts: view.map_or(0, |view| view.restarts),
        booted: desk.chronicle.borrow().has_booted(info.domid),
    }
}

/// The machine and the hypervisor.
pub(super) fn host<H: Hypervisor, S: Local>(desk: &Desk<'_, H, S>) -> Result<Host, Failure> {
    let failed = |error| refused(&error);
    let XenVersion { major, minor } = desk.hv.xen_version().map_err(failed)?;
    let build = desk.hv.xen_build().map_err(failed)?;
    let info = desk.hv.host_info().map_err(failed)?;
    let scheduler = desk.hv.scheduler().map_err(failed)?.to_string();
    let heap = desk.heap;
    let XenBuild { extra, capabilities, changeset, command_line, .. } = build;
    let HostInfo { threads_per_core, cores_per_socket, cpus, nodes, cpu_khz, hw_cap, hvm, pv, hap, .. } =
        info;
    Ok(Host {
        xen_major: major,
        xen_minor: minor,
        xen_extra: extra,
        xen_caps: capabilities,
        virt_start: build.virt_start,
        xen_changeset: changeset,
        xen_command_line: command_line,
        cc_compiler: build.compiler,
        cc_compile_by: build.compile_by,
        cc_compile_domain: build.compile_domain,
        cc_compile_date: build.compile_date,
        scheduler,
        xendless: lines::VERSION.into(),
        up_ns: desk.now.saturating_sub(desk.entered_at),
        heap_used_kib: heap.used_kib,
        heap_limit_kib: heap.limit_kib,
        cpus,
        free_cpus: desk.hv.free_cpus().map_err(failed)?.count(),
        nodes,
        cores_per_socket,
        threads_per_core,
        cpu_khz,
        hw_cap,
        total_kib: kib(info.total_pages),
        free_kib: kib(info.free_pages),
        scrub_kib: kib(info.scrub_pages),
        hvm,
        pv,
        hap,
    })
}
