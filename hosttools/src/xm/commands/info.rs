//! `info`.

use xendless_core::protocol::{Answer, Host, Request};

use super::json;
use super::topology::Topology;
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::options::Given;
use crate::xm::session::{Session, host};
use crate::xm::table::Outcome;

/// `info`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let mut client = session.connect()?;
    if given.has("config") {
        return config(session, &mut client, given.has("json"));
    }
    let host = host(&mut client)?;
    let topology = if given.has("numa") { Some(Topology::get(&mut client)?) } else { None };
    if given.has("json") {
        let mut object = object(&host);
        object.extend(topology.iter().flat_map(Topology::json).map(|(key, value)| (key.to_owned(), value)));
        session.out.line(json::text(&object.into()))?;
        return Ok(0);
    }
    for (key, value) in classic(&host) {
        session.out.line(format_args!("{key:<23}: {}", Shown(&value)))?;
        if key == "free_cpus" {
            // Numbers only, on several lines.
            for (key, table) in topology.iter().flat_map(Topology::classic) {
                session.out.line(format_args!("{key:<23}: {table}"))?;
            }
        }
    }
    Ok(0)
}

/// The settings of `xmd`.
fn config(session: &mut Session, client: &mut Client, json: bool) -> Outcome {
    let mut settings = Vec::new();
    for index in 0.. {
        match client.ask(Request::Setting { index })? {
            Answer::Setting(Some(found)) => {
                settings.push((found.name.to_owned(), found.value.map(str::to_owned)));
            }
            Answer::Setting(None) => break,
            _ => return Err(client::Error::Unexpected.into()),
        }
    }
    if json {
        let object = settings.into_iter().map(|(name, value)| (name, serde_json::Value::from(value)));
        session.out.line(json::text(&serde_json::Value::Object(object.collect())))?;
        return Ok(0);
    }
    for (name, value) in settings {
        let value = value.as_deref().map_or_else(|| "(none)".to_owned(), |value| Shown(value).to_string());
        session.out.line(format_args!("{:<38}: {value}", Shown(&name).to_string()))?;
    }
    Ok(0)
}

/// The rows of `xm info`, in their order.
fn classic(host: &Host) -> Vec<(&'static str, String)> {
    let system = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let words: Vec<String> = host.hw_cap.iter().map(|word| format!("{word:08x}")).collect();
    vec![
        ("host", text(system.nodename())),
        ("release", text(system.release())),
        ("version", text(system.version())),
        ("machine", text(system.machine())),
        ("nr_cpus", host.cpus.to_string()),
        ("nr_nodes", host.nodes.to_string()),
        ("cores_per_socket", host.cores_per_socket.to_string()),
        ("threads_per_core", host.threads_per_core.to_string()),
        ("cpu_mhz", (host.cpu_khz / 1000).to_string()),
        ("hw_caps", words.join(":")),
        ("virt_caps", if host.hvm { "hvm" } else { "" }.to_owned()),
        ("total_memory", (host.total_kib / 1024).to_string()),
        ("free_memory", (host.free_kib / 1024).to_string()),
        ("free_cpus", host.free_cpus.to_string()),
        ("xen_major", host.xen_major.to_string()),
        ("xen_minor", host.xen_minor.to_string()),
        ("xen_extra", host.xen_extra.clone()),
        ("xen_caps", host.xen_caps.clone()),
        ("xen_scheduler", host.scheduler.clone()),
        ("xen_pagesize", "4096".to_owned()),
        ("platform_params", format!("virt_start={:#x}", host.virt_start)),
        ("xen_changeset", host.xen_changeset.clone()),
        ("xen_commandline", host.xen_command_line.clone()),
        ("cc_compiler", host.cc_compiler.clone()),
        ("cc_compile_by", host.cc_compile_by.clone()),
        ("cc_compile_domain", host.cc_compile_domain.clone()),
        ("cc_compile_date", host.cc_compile_date.clone()),
        ("xend_config_format", "4".to_owned()),
    ]
}

/// The same and what the control domain says about itself.
fn object(host: &Host) -> serde_json::Map<String, serde_json::Value> {
    let number = |value: String| value.parse::<u64>().map_or_else(|_| value.into(), serde_json::Value::from);
    let numbers = ["nr_cpus", "nr_nodes", "cores_per_socket", "threads_per_core", "cpu_mhz", "total_memory"];
    let more = ["free_memory", "free_cpus", "xen_major", "xen_minor", "xen_pagesize", "xend_config_format"];
    let is_number = |key: &str| numbers.contains(&key) || more.contains(&key);
    let mut object: serde_json::Map<String, serde_json::Value> = classic(host)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), if is_number(key) { number(value) } else { value.into() }))
        .collect();
    let own = [
        ("xendless_version", host.xendless.as_str().into()),
        ("xendless_up_seconds", (host.up_ns / 1_000_000_000).into()),
        ("xendless_heap_used_kib", host.heap_used_kib.into()),
        ("xendless_heap_limit_kib", host.heap_limit_kib.into()),
        ("scrub_kib", host.scrub_kib.into()),
        ("pv", host.pv.into()),
        ("hap", host.hap.into()),
    ];
    object.extend(own.map(|(key, value): (_, serde_json::Value)| (key.to_owned(), value)));
    object
}
