//! What an ELF file says about itself: libraries a program needs, and what a kernel module says of itself.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use elf::ElfBytes;
use elf::abi::{DT_NEEDED, PT_INTERP};
use elf::endian::LittleEndian;

type File<'a> = ElfBytes<'a, LittleEndian>;

/// What a program or library needs to be loaded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// The program that loads it: a path.
    pub loader: Option<String>,
    /// Names of libraries.
    pub libraries: Vec<String>,
}

/// What the program or library `bytes` needs; `path` is for errors.
pub fn needs(bytes: &[u8], path: &Path) -> Result<Needs> {
    let wrong = || format!("{} is no sound program", path.display());
    let file = File::minimal_parse(bytes).with_context(wrong)?;
    let interpreter = file.segments().into_iter().flatten().find(|segment| segment.p_type == PT_INTERP);
    let loader = interpreter
        .map(|segment| -> Result<String> {
            let text = file.segment_data(&segment)?;
            Ok(std::ffi::CStr::from_bytes_until_nul(text)?.to_str()?.to_owned())
        })
        .transpose()
        .with_context(wrong)?;
    let common = file.find_common_data().with_context(wrong)?;
    let Some(dynamic) = common.dynamic else { return Ok(Needs { loader, ..Needs::default() }) };
    let names = common.dynsyms_strs.ok_or_else(|| anyhow!("{}: names are missing", path.display()))?;
    let libraries = dynamic
        .iter()
        .filter(|entry| entry.d_tag == DT_NEEDED)
        .map(|entry| Ok(names.get(usize::try_from(entry.d_val())?)?.to_owned()))
        .collect::<Result<_>>()
        .with_context(wrong)?;
    Ok(Needs { loader, libraries })
}

/// The names of the modules that the kernel module `bytes` needs; `path` is for errors.
pub fn module_needs(bytes: &[u8], path: &Path) -> Result<Vec<String>> {
    let wrong = || format!("{} is no sound kernel module", path.display());
    let file = File::minimal_parse(bytes).with_context(wrong)?;
    let section = file.section_header_by_name(".modinfo").with_context(wrong)?.with_context(wrong)?;
    let (info, _) = file.section_data(&section).with_context(wrong)?;
    let depends = info.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"depends="));
    let names = std::str::from_utf8(depends.with_context(wrong)?).with_context(wrong)?;
    Ok(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_machine_names_its_loader_and_the_c_library() {
        let path = std::env::current_exe().unwrap();
        let needs = needs(&std::fs::read(&path).unwrap(), &path).unwrap();
        assert!(needs.loader.is_some_and(|loader| loader.starts_with("/lib")));
        assert!(needs.libraries.iter().any(|name| name == "libc.so.6"), "{:?}", needs.libraries);
    }

    #[test]
    fn what_is_no_program_and_no_module_is_named_in_the_error() {
        let path = Path::new("some.ko");
        for error in [needs(b"#!/bin/sh", path).unwrap_err(), module_needs(b"\x7fELF", path).unwrap_err()] {
            assert!(error.to_string().contains("some.ko"), "{error}");
        }
    }
}
