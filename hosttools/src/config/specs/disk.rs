//! Disks: `uname,vdev,mode[,backend[,protocol]]` of `xm`; positions, keys and flags of `xl`.

use xendless_core::config::Text;
use xendless_core::config::devices::{Access, Disk, DiskFormat, DiskSource, DiskVia, Medium, VirtualDevice};

use super::pairs::unknown;
use crate::config::diagnostic::Complaint;
use crate::config::draft::Draft;
use crate::config::table::Taken;

/// Adds a disk.
pub(in crate::config) fn disk(draft: &mut Draft, text: &str) -> Taken {
    let disk = if is_classic(text) { classic(draft, text)? } else { modern(draft, text)? };
    if draft.disks.iter().any(|other| other.vdev == disk.vdev) {
        return Err(Complaint::new(format!("The device \"{}\" is already defined", disk.vdev)));
    }
    draft.disks.push(disk);
    Ok(())
}

/// The disk that `xm block-attach` means, and warnings about it. The words are those of a classic disk, each by itself.
pub(in crate::config) fn words(
    back: &str,
    front: &str,
    mode: &str,
    backend: Option<&str>,
) -> Result<(Disk, Vec<String>), Complaint> {
    let mut draft = Draft::default();
    let disk = classic_disk(&mut draft, back, front, mode, backend)?;
    Ok((disk, draft.take_warnings()))
}

/// `xm` starts with a type and a colon, or with nothing for an empty drive; `xl` with a path or a key.
pub(in crate::config) fn is_classic(text: &str) -> bool {
    let first = text.split(',').next().unwrap_or("");
    let typed =
        first.split_once(':').is_some_and(|(kind, _)| kind.bytes().all(|b| b.is_ascii_alphanumeric()));
    (typed && !first.contains('=')) || first.is_empty()
}

fn classic(draft: &mut Draft, text: &str) -> Result<Disk, Complaint> {
    let fields: Vec<&str> = text.split(',').collect();
    let (uname, vdev, mode, backend) = match *fields.as_slice() {
        [uname, vdev, mode] | [uname, vdev, mode, "" | "None"] => (uname, vdev, mode, None),
        [uname, vdev, mode, backend] | [uname, vdev, mode, backend, _] => (uname, vdev, mode, Some(backend)),
        _ => {
            return Err(Complaint::new(format!("Invalid disk specifier: {text}"))
                .help("a disk has 3 to 5 fields, as in phy:vg/root,xvda,w"));
        }
    };
    classic_disk(draft, uname, vdev, mode, backend)
}

fn classic_disk(
    draft: &mut Draft,
    uname: &str,
    vdev: &str,
    mode: &str,
    backend: Option<&str>,
) -> Result<Disk, Complaint> {
    let (name, cdrom) = match vdev.rsplit_once(':') {
        Some((name, "cdrom")) => (name, true),
        Some((name, "disk")) => (name, false),
        _ => (vdev, false),
    };
    let source = if uname.is_empty() { None } else { Some(classic_source(draft, uname)?) };
    let vdev = virtual_device(name.strip_prefix("ioemu:").unwrap_or(name))?;
    let backend = backend.filter(|name| !name.is_empty()).map(str::parse).transpose()?;
    Ok(Disk { vdev, access: access(mode)?, medium: medium(source, cdrom)?, backend })
}

fn virtual_device(name: &str) -> Result<VirtualDevice, Complaint> {
    name.parse().map_err(|_| {
        Complaint::new(format!("Unable to find number for device ({name})"))
            .help("use a name such as xvda, xvdb1, hdc or sda")
    })
}

fn medium(source: Option<DiskSource>, cdrom: bool) -> Result<Medium, Complaint> {
    match (source, cdrom) {
        (source, true) => Ok(Medium::Cdrom(source)),
        (Some(source), false) => Ok(Medium::Disk(source)),
        (None, false) => Err(Complaint::new("Block device must have physical details specified")
            .help("only a CD-ROM drive can be empty: put :cdrom behind the device")),
    }
}

fn access(mode: &str) -> Result<Access, Complaint> {
    match mode {
        "r" | "ro" => Ok(Access::ReadOnly),
        "w" | "rw" => Ok(Access::ReadWrite),
        "w!" | "rw!" | "!" => Ok(Access::ReadWriteShared),
        _ => Err(Complaint::new("Invalid mode")
            .help(format!("{mode:?} is none of r (read), w (write), w! (write, shared)"))),
    }
}

fn classic_source(draft: &mut Draft, uname: &str) -> Result<DiskSource, Complaint> {
    let (kind, target) = uname.split_once(':').unwrap_or(("", uname));
    let plain = |via, format, target: &str| source(via, format, target, None);
    if target.is_empty() {
        return Err(Complaint::new("Block device must have physical details specified"));
    }
    match kind {
        "phy" if target.starts_with('/') => plain(DiskVia::Device, DiskFormat::Raw, target),
        "phy" => plain(DiskVia::Device, DiskFormat::Raw, &format!("/dev/{target}")),
        "file" => plain(DiskVia::File, DiskFormat::Raw, target),
        "tap" | "tap2" => {
            let target = target.strip_prefix("tapdisk:").unwrap_or(target);
            let (driver, path) = target.split_once(':').unwrap_or(("", target));
            let format = match driver {
                "aio" | "sync" => DiskFormat::Raw,
                "qcow" => DiskFormat::Qcow,
                "qcow2" => DiskFormat::Qcow2,
                "vhd" => DiskFormat::Vhd,
                _ => return Err(Complaint::new(format!("tap:{driver} not a valid disk type"))),
            };
            draft.warn(format!("blktap was removed in Xen 4.13; {uname} is served without it"));
            plain(DiskVia::File, format, path)
        }
        "raw" | "aio" => plain(DiskVia::Any, DiskFormat::Raw, target),
        "qcow" | "qcow2" | "vhd" | "qed" => plain(DiskVia::File, format_name(kind)?, target),
        _ if kind.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            let known = ["phy", "file", "tap", "tap2", "iscsi", "nbd", "drbd", "npiv", "enbd"];
            if !known.contains(&kind) {
                return Err(unknown(format!("Block device type \"{kind}\" is invalid."), kind, &known));
            }
            source(DiskVia::Any, DiskFormat::Raw, target, Some(&format!("block-{kind}")))
        }
        _ => Err(Complaint::new(format!("Block device type \"{kind}\" is invalid."))),
    }
}

fn source(
    via: DiskVia,
    format: DiskFormat,
    target: &str,
    script: Option<&str>,
) -> Result<DiskSource, Complaint> {
    let script = script.map(|script| Text::filled("script", script)).transpose()?;
    Ok(DiskSource { via, format, target: Text::filled("disk", target)?, script })
}

/// What an `xl` disk says, as far as it is read.
#[derive(Default)]
struct Parts<'a> {
    target: Option<&'a str>,
    format: Option<&'a str>,
    vdev: Option<&'a str>,
    access: Option<&'a str>,
    cdrom: bool,
    script: Option<&'a str>,
    backend: Option<&'a str>,
    via: Option<DiskVia>,
}

const KEYS: &[&str] =
    &["target", "format", "vdev", "access", "devtype", "script", "backend", "backendtype", "specification"];

fn modern(draft: &mut Draft, text: &str) -> Result<Disk, Complaint> {
    let mut parts = Parts::default();
    let mut position = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_once(',').unwrap_or((rest, ""));
        let word = word.trim();
        if let Some(target) = rest.trim_start().strip_prefix("target=") {
            // The target is last and may have commas of its own.
            parts.target = Some(target);
            break;
        }
        rest = after;
        match word.split_once('=') {
            Some((key, value)) => keyed(draft, &mut parts, key.trim(), value.trim())?,
            None => positional(draft, &mut parts, &mut position, word)?,
        }
    }
    finish(&parts, text)
}

fn keyed<'a>(draft: &mut Draft, parts: &mut Parts<'a>, key: &str, value: &'a str) -> Result<(), Complaint> {
    match key {
        "format" => parts.format = Some(value),
        "vdev" => parts.vdev = Some(value),
        "access" => parts.access = Some(value),
        "devtype" => parts.cdrom = value == "cdrom",
        "script" => parts.script = Some(value),
        "backend" => parts.backend = Some(value),
        "backendtype" => {
            parts.via = match value {
                "phy" => Some(DiskVia::Device),
                "qdisk" => Some(DiskVia::File),
                "tap" => {
                    draft.warn("blktap was removed in Xen 4.13; the disk is served without it".to_owned());
                    Some(DiskVia::File)
                }
                _ => {
                    return Err(unknown(
                        format!("Invalid disk backend type: {value}"),
                        value,
                        &["phy", "qdisk"],
                    ));
                }
            }
        }
        "specification" | "discard" | "direct-io-safe" => {}
        _ => return Err(unknown(format!("Invalid disk option: {key}"), key, KEYS)),
    }
    Ok(())
}

fn positional<'a>(
    draft: &mut Draft,
    parts: &mut Parts<'a>,
    position: &mut u32,
    word: &'a str,
) -> Result<(), Complaint> {
    match word {
        "cdrom" => parts.cdrom = true,
        "discard" | "no-discard" | "direct-io-safe" => draft.warn(format!("{word} has no effect on a disk")),
        _ => {
            let slot = match *position {
                0 => &mut parts.target,
                1 => &mut parts.format,
                2 => &mut parts.vdev,
                3 => &mut parts.access,
                _ => {
                    return Err(Complaint::new(format!("Invalid disk option: {word}"))
                        .help("only target, format, vdev and access go without a name"));
                }
            };
            *slot = Some(word).filter(|word| !word.is_empty());
            *position += 1;
        }
    }
    Ok(())
}

fn format_name(name: &str) -> Result<DiskFormat, Complaint> {
    match name {
        "raw" | "empty" => Ok(DiskFormat::Raw),
        "qcow" => Ok(DiskFormat::Qcow),
        "qcow2" => Ok(DiskFormat::Qcow2),
        "vhd" => Ok(DiskFormat::Vhd),
        "qed" => Ok(DiskFormat::Qed),
        other => {
            let known = ["raw", "qcow", "qcow2", "vhd", "qed", "empty"];
            Err(unknown(format!("Invalid disk format: {other}"), other, &known))
        }
    }
}

fn finish(parts: &Parts<'_>, text: &str) -> Result<Disk, Complaint> {
    let vdev = parts.vdev.ok_or_else(|| {
        Complaint::new(format!("Invalid disk specifier: {text}")).help("the disk has no vdev: add vdev=xvda")
    })?;
    let (vdev, cdrom) = vdev.strip_suffix(":cdrom").map_or((vdev, parts.cdrom), |vdev| (vdev, true));
    let format = format_name(parts.format.unwrap_or("raw"))?;
    let target = parts.target.filter(|_| parts.format != Some("empty"));
    let via = parts.via.unwrap_or(DiskVia::Any);
    let source = target.map(|target| source(via, format, target, parts.script)).transpose()?;
    let default = if cdrom { "ro" } else { "rw" };
    let backend = parts.backend.map(str::parse).transpose()?;
    let access = access(parts.access.unwrap_or(default))?;
    Ok(Disk { vdev: virtual_device(vdev)?, access, medium: medium(source, cdrom)?, backend })
}
