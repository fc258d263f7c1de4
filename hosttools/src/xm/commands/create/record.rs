//! A record of a domain back into a configuration with the variables that it was made of: the `vm` that `-n` and `-x`
//! print, or the `domain` that `list --long` prints and xend kept definitions in.

use crate::config::quoted;
use crate::config::sxp::Sxp;
use crate::config::table::{Kind, Status, find};

/// The variables of a configuration, in the order in which they came.
#[derive(Default)]
struct Variables(Vec<(String, Value)>);

enum Value {
    Text(String),
    List(Vec<String>),
}

impl Variables {
    /// Sets a variable, or adds to it if it is a list of devices.
    fn add(&mut self, name: &str, value: impl Into<String>) {
        let known = self.0.iter_mut().find(|(known, _)| known == name);
        match known {
            Some((_, Value::List(values))) => values.push(value.into()),
            Some((_, text)) => *text = Value::Text(value.into()),
            None if is_list(name) => self.0.push((name.to_owned(), Value::List(vec![value.into()]))),
            None => self.0.push((name.to_owned(), Value::Text(value.into()))),
        }
    }

    /// The configuration file that says the same.
    fn text(&self) -> String {
        let line = |(name, value): &(String, Value)| match value {
            Value::Text(text) => format!("{name} = {}\n", quoted(text)),
            Value::List(values) => {
                let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                format!("{name} = [{}]\n", values.join(", "))
            }
        };
        // Records state some things that never mattered. And anything else is no variable but a piece of program.
        let matters =
            |name: &str| find(name).is_some_and(|known| !matches!(known.status, Status::Ignored(_)));
        self.0.iter().filter(|(name, _)| matters(name)).map(line).collect()
    }
}

/// The configuration file of a record; what is no variable is passed over.
pub(super) fn configuration(record: &Sxp) -> Result<String, String> {
    let Sxp::List(items) = record else { return Err("it is no record of a domain".to_owned()) };
    let [Sxp::Atom(kind), items @ ..] = items.as_slice() else {
        return Err("it is no record of a domain".to_owned());
    };
    if !["vm", "domain"].contains(&kind.as_str()) {
        return Err(format!("it is a record of '{kind}', not of 'vm' or 'domain'"));
    }
    let mut variables = Variables::default();
    let online = record.get("vcpu_avail").and_then(atom).and_then(|mask| mask.parse::<u128>().ok());
    for item in items {
        let Some((name, values)) = named(item) else { continue };
        match (name, values) {
            ("image", [image]) => self::image(image, &mut variables),
            ("device", [device]) => self::device(device, &mut variables),
            ("backend", [role]) => named(role).into_iter().for_each(|(role, _)| variables.add(role, "1")),
            ("vcpu_avail", _) => {}
            ("vcpus", [value]) => {
                let max = atom(value).unwrap_or_default().to_owned();
                let now = online.map_or_else(|| max.clone(), |mask| mask.count_ones().to_string());
                variables.add("vcpus", now);
                variables.add("maxvcpus", max);
            }
            // The CPUs of each virtual CPU.
            ("cpus", [Sxp::List(lists)]) if lists.iter().any(|list| matches!(list, Sxp::List(_))) => {
                cpus(lists, &mut variables);
            }
            ("pool_name", values) => plain("pool", values, &mut variables),
            ("bootloader_args", values) => plain("bootargs", values, &mut variables),
            (name, values) => plain(name, values, &mut variables),
        }
    }
    Ok(variables.text())
}

/// Whether `(name (…))` holds a list of values rather than `(key value)`.
pub(super) fn holds_list(name: &str) -> bool {
    find(name).is_some_and(|variable| matches!(variable.kind, Kind::List(_) | Kind::TextOrList(_)))
}

/// Whether a variable is always a list.
fn is_list(name: &str) -> bool {
    find(name).is_some_and(|variable| matches!(variable.kind, Kind::List(_)))
}

fn atom(value: &Sxp) -> Option<&str> {
    match value {
        Sxp::Atom(text) => Some(text),
        Sxp::List(_) => None,
    }
}

/// The name of a list, and what follows it.
fn named(item: &Sxp) -> Option<(&str, &[Sxp])> {
    match item {
        Sxp::List(elements) => match elements.as_slice() {
            [Sxp::Atom(name), rest @ ..] => Some((name, rest)),
            _ => None,
        },
        Sxp::Atom(_) => None,
    }
}

fn plain(name: &str, values: &[Sxp], variables: &mut Variables) {
    match values {
        [Sxp::List(inner)] if holds_list(name) => {
            let values = inner.iter().filter_map(atom).map(str::to_owned).collect();
            variables.0.push((name.to_owned(), Value::List(values)));
        }
        _ => values.iter().filter_map(atom).for_each(|value| variables.add(name, value)),
    }
}

/// A list of CPUs for each virtual CPU; an empty one is all of them.
fn cpus(lists: &[Sxp], variables: &mut Variables) {
    let text = |list: &Sxp| match list {
        Sxp::List(cpus) if !cpus.is_empty() => cpus.iter().filter_map(atom).collect::<Vec<_>>().join(","),
        _ => "all".to_owned(),
    };
    let texts: Vec<String> = lists.iter().map(text).collect();
    if texts.iter().any(|text| text != "all") {
        variables.0.push(("cpus".to_owned(), Value::List(texts)));
    }
}

fn image(image: &Sxp, variables: &mut Variables) {
    let Some((kind, items)) = named(image) else { return };
    variables.add("builder", kind);
    let value = |name| image.get(name).and_then(atom);
    // The network's part of the command line is complete already, and comes first.
    let network = value("ip").map(|ip| format!("ip={ip}"));
    let root = value("root").filter(|_| network.is_some()).map(|root| format!("root={root}"));
    let before = network.as_deref().into_iter().chain(root.as_deref());
    let extra: Vec<&str> = before.chain(value("args")).collect();
    variables.add("extra", extra.join(" "));
    for (name, values) in items.iter().filter_map(named) {
        if !matches!(name, "ip" | "args") && (name != "root" || root.is_none()) {
            plain(name, values, variables);
        }
    }
}

fn device(device: &Sxp, variables: &mut Variables) {
    let Some((class, items)) = named(device) else { return };
    let value = |name: &str| device.get(name).and_then(atom).unwrap_or_default();
    let text = match class {
        // A keyboard comes with its screen.
        "vkbd" => return,
        // What the words of xm cannot say, those of xl can.
        "vbd" if !is_classic(device) => modern_disk(device),
        "vbd" | "tap" | "tap2" => {
            let rest = ["backend", "protocol"].map(value).join(",");
            let disk = ["uname", "dev", "mode"].map(value).join(",");
            format!("{disk},{rest}").trim_end_matches(',').to_owned()
        }
        "ioports" => format!("{}-{}", value("from"), value("to")),
        "irq" => value("irq").to_owned(),
        "vscsi" => items.first().and_then(atom).unwrap_or_default().to_owned(),
        "pci" => return items.iter().for_each(|item| variables.add("pci", pci(item))),
        _ => {
            let pair = |(key, values): (&str, &[Sxp])| {
                format!("{key}={}", values.first().and_then(atom).unwrap_or_default())
            };
            let items = items.iter().filter_map(named).filter(|(key, _)| !is_made_up(class, key));
            items.map(pair).collect::<Vec<_>>().join(",")
        }
    };
    let name = if matches!(class, "vbd" | "tap" | "tap2") { "disk" } else { class };
    variables.add(name, text);
}

/// Whether xend made this of a device itself.
fn is_made_up(class: &str, key: &str) -> bool {
    matches!(key, "location" | "other_config") || (key == "uuid" && class != "vtpm")
}

/// The text of a key of a device; empty without it.
fn text_of<'a>(device: &'a Sxp, key: &str) -> &'a str {
    device.get(key).and_then(atom).unwrap_or_default()
}

/// Whether the words of xm can say what a disk is.
fn is_classic(disk: &Sxp) -> bool {
    let uname = text_of(disk, "uname");
    let typed =
        uname.split_once(':').is_some_and(|(kind, _)| kind.bytes().all(|b| b.is_ascii_alphanumeric()));
    let plain = ["format", "script"].into_iter().all(|key| disk.get(key).is_none());
    plain && !uname.contains(',') && (typed || uname.is_empty())
}

/// A disk in the words of xl. Its target is last, and may have commas of its own.
fn modern_disk(disk: &Sxp) -> String {
    let (dev, uname) = (text_of(disk, "dev"), text_of(disk, "uname"));
    let (vdev, medium) = dev.split_once(":cdrom").map_or((dev, ""), |(vdev, _)| (vdev, ",devtype=cdrom"));
    let (via, target) = match uname.split_once(':') {
        Some(("phy", target)) => (",backendtype=phy", target),
        Some(("file", target)) => (",backendtype=qdisk", target),
        _ => ("", uname),
    };
    let keys = ["backend", "format", "script"];
    let rest = keys.into_iter().filter(|key| disk.get(key).is_some());
    let rest: String = rest.map(|key| format!(",{key}={}", text_of(disk, key))).collect();
    format!("vdev={vdev},access={}{medium}{rest}{via},target={target}", text_of(disk, "mode"))
}

fn pci(device: &Sxp) -> String {
    let part = |name: &str| {
        let text = device.get(name).and_then(atom).unwrap_or_default();
        text.trim_start_matches("0x").to_owned()
    };
    let slot = Some(part("vslot")).filter(|slot| !slot.is_empty()).map(|slot| format!("@{slot}"));
    let opts = Some(part("opts")).filter(|opts| !opts.is_empty()).map(|opts| format!(",{opts}"));
    let (slot, opts) = (slot.unwrap_or_default(), opts.unwrap_or_default());
    format!("{}:{}:{}.{}{slot}{opts}", part("domain"), part("bus"), part("slot"), part("func"))
}
