//! `dump-core`: what a domain held is in the file, and readers find it, gdb among them.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use elf::ElfBytes;
use elf::abi::{PF_W, PT_LOAD};
use elf::endian::LittleEndian;
use xendless_core::abi::arch::VcpuGuestContext;
use xendless_tests::qemu::artifacts;
use zerocopy::FromBytes;

use super::part;

const PAGE: usize = 4096;

/// Files that the part showed, by name.
static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let part = part("dump");
    let shown = part.text().split("file /tmp/").skip(1);
    shown
        .map(|text| {
            let (name, rest) = text.split_once(":\n").unwrap();
            (name.to_owned(), unpack(rest.split_once("end of file").unwrap().0))
        })
        .collect()
});

/// Undoes `gzip | base64`.
fn unpack(text: &str) -> Vec<u8> {
    let mut child = Command::new("sh")
        .args(["-c", "base64 -d | gzip -dc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn file(name: &str) -> &'static [u8] {
    &FILES.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// A dump, read as any reader of Xen's format would.
struct Core<'a> {
    registers: &'a [u8],
    /// The domain's number, the machine's number and the contents of each page.
    pages: Vec<(u64, u64, &'a [u8])>,
}

impl<'a> Core<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let file = ElfBytes::<LittleEndian>::minimal_parse(bytes).unwrap();
        let section = |name| {
            let header = file.section_header_by_name(name).unwrap().unwrap_or_else(|| panic!("no {name}"));
            file.section_data(&header).unwrap().0
        };
        let words = section(".xen_p2m").chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        let words: Vec<u64> = words.collect();
        let pages = words.chunks(2).zip(section(".xen_pages").chunks(PAGE));
        let pages = pages.map(|(numbers, page)| (numbers[0], numbers[1], page)).collect();
        Self { registers: section(".xen_prstatus"), pages }
    }

    fn page(&self, pfn: u64) -> &'a [u8] {
        self.pages.iter().find(|(found, ..)| *found == pfn).unwrap_or_else(|| panic!("no page {pfn}")).2
    }

    fn holds(&self, text: &str) -> bool {
        self.pages.iter().any(|(.., page)| page.windows(text.len()).any(|bytes| bytes == text.as_bytes()))
    }

    fn context(&self) -> VcpuGuestContext {
        VcpuGuestContext::read_from_bytes(self.registers).unwrap()
    }
}

/// All that has to be true of a dump of the tiny guest.
fn check(bytes: &[u8]) -> Core<'_> {
    let core = Core::read(bytes);
    let mut numbers: Vec<u64> = core.pages.iter().map(|(pfn, ..)| *pfn).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..1024), "all of 4 MiB, each page once: {numbers:?}");
    let mut frames: Vec<u64> = core.pages.iter().map(|(_, gmfn, _)| *gmfn).collect();
    frames.sort_unstable();
    frames.dedup();
    assert_eq!(frames.len(), 1024, "each has a frame of its own");
    // The kernel, as it is in its file.
    let kernel = fs::read(artifacts::guest().unwrap()).unwrap();
    let kernel = ElfBytes::<LittleEndian>::minimal_parse(&kernel).unwrap();
    let mut compared = 0;
    for segment in kernel.segments().unwrap().iter().filter(|s| s.p_type == PT_LOAD && s.p_flags & PF_W == 0)
    {
        let first = segment.p_paddr / PAGE as u64;
        assert_eq!(segment.p_paddr % PAGE as u64, 0);
        for (pfn, content) in (first..).zip(kernel.segment_data(&segment).unwrap().chunks_exact(PAGE)) {
            // Xen wrote its entries into one page of it.
            compared += u32::from(core.page(pfn) == content);
        }
    }
    assert!(compared >= 5, "only {compared} pages are the kernel's");
    // Registers: where it is, and which page table it uses.
    let context = core.context();
    let top = context.ctrlreg[3] >> 12;
    assert!(core.pages.iter().any(|(_, gmfn, _)| *gmfn == top), "{top:#x}");
    core
}

#[test]
fn a_dump_holds_what_the_domain_did_and_the_domain_goes_on() {
    let part = part("dump");
    part.step("xm dump-core told /tmp/whole").wrote("Dumping core of domain: told ...\n");
    part.step("xm dump-core told /tmp/paused").wrote("Dumping core of domain: told ...\n");
    part.step("xm dump-core -L told /tmp/live").wrote("Dumping core of domain: told ...\n");
    let [after, paused] = part.steps("xm list told");
    assert_eq!((after.states(), paused.states()), (vec![("told", "-b----")], vec![("told", "-bp---")]));
    for name in ["whole", "live"] {
        let core = check(file(name));
        assert!(core.holds("say=a-secret-of-the-guest"), "{name}");
    }
}

#[test]
fn a_crashed_domain_can_be_looked_into() {
    let part = part("dump");
    part.step("xm dump-core broken /tmp/broken").wrote("Dumping core of domain: broken ...\n");
    let [(name, state)] = part.step("xm list broken").states()[..] else { panic!("{}", part.text()) };
    assert_eq!((name, &state[4..]), ("broken", "c-"));
    let core = check(file("broken"));
    assert!(core.holds("say=hello crash"));
}

#[test]
fn readelf_reads_the_file() {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/whole.core");
    fs::write(path, file("whole")).unwrap();
    let output = Command::new("readelf").args(["-h", "-S", "-W", path]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(text.contains("CORE (Core file)"), "{text}");
    for section in [".note.Xen", ".xen_prstatus", ".xen_shared_info", ".xen_pages", ".xen_p2m"] {
        assert!(text.contains(section), "{section}: {text}");
    }
    let core = ElfBytes::<LittleEndian>::minimal_parse(file("whole")).unwrap();
    let notes = core.section_header_by_name(".note.Xen").unwrap().unwrap();
    assert_eq!(core.section_data_as_notes(&notes).unwrap().count(), 4, "{text}");
}

#[test]
fn gdb_finds_registers_symbols_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("core"), file("whole")).unwrap();
    // The program beside the image has the symbols.
    let program = artifacts::guest().unwrap().with_extension("");
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch"]).current_dir(folder.path());
    for command in [
        "set language c",
        "info threads",
        r#"printf "rip %lx, rsp %lx\n", $rip, $rsp"#,
        "info symbol $rip",
        r#"find /1 (char *) &image_end, +0x300000, "a-secret-of-the-guest obey""#,
        "dump binary memory text &image_start &rodata_start",
        "dump binary memory stack &stack_bottom &stack_top",
    ] {
        gdb.args(["-ex", command]);
    }
    let output = gdb.arg(&program).arg("core").output().expect("gdb: is ci/setup done?");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let core = check(file("whole"));
    let registers = core.context().user_regs;
    assert!(text.contains(&format!("rip {:x}, rsp {:x}\n", registers.rip, registers.rsp)), "{text}");
    // It waits in the hypercall page, at the beginning of its text.
    assert!(text.contains(" in section .text") && text.contains("1 pattern found"), "{text}");
    assert_eq!(text.matches("* 1 ").count(), 1, "one thread for its one virtual CPU: {text}");
    // What is in memory, by the addresses of the program's symbols.
    let bytes = fs::read(&program).unwrap();
    let elf = ElfBytes::<LittleEndian>::minimal_parse(&bytes).unwrap();
    let section = elf.section_header_by_name(".text").unwrap().unwrap();
    let wanted = &elf.section_data(&section).unwrap().0[PAGE..];
    let found = fs::read(path("text")).unwrap();
    assert!(found.get(PAGE..PAGE + wanted.len()) == Some(wanted), "the text behind the hypercall page");
    let stack =
        ["stack_bottom", "stack_top"].map(|name| elf_symbol(&elf, name) - elf_symbol(&elf, "image_start"));
    let pages: Vec<u8> =
        (stack[0]..stack[1]).step_by(PAGE).flat_map(|at| core.page(at / PAGE as u64)).copied().collect();
    assert!(fs::read(path("stack")).unwrap() == pages && pages.iter().any(|byte| *byte != 0), "its stack");
}

/// Where a symbol of a program is.
fn elf_symbol(elf: &ElfBytes<'_, LittleEndian>, name: &str) -> u64 {
    let (symbols, names) = elf.symbol_table().unwrap().unwrap();
    symbols
        .iter()
        .find(|symbol| names.get(symbol.st_name as usize).is_ok_and(|found| found == name))
        .unwrap()
        .st_value
}

#[test]
fn a_translated_domain_has_a_file_of_its_size() {
    let part = part("dump");
    part.step("xm dump-core large /tmp/large").wrote("Dumping core of domain: large ...\n");
    // Only the headers and notes came: sections by number, behind the empty one and that of the names.
    let head = file("head");
    let word = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
    let section = |number: usize| (word(64 + 64 * number + 24), word(64 + 64 * number + 32));
    let (pages_at, pages) = section(4);
    let (frames_at, frames) = section(5);
    let notes = usize::try_from(section(2).0).unwrap();
    // Behind the empty note: magic, virtual CPUs, pages, size of a page.
    let header: Vec<u64> = (0..4).map(|at| word(notes + 32 + 8 * at)).collect();
    assert_eq!(header, [0xf00f_ebee, 1, pages / PAGE as u64, PAGE as u64]);
    assert!(header[2] >= 64 << 8, "{header:?}");
    assert_eq!((frames_at, frames), (pages_at + pages, 8 * header[2]));
    let size = part.number("size of large:");
    assert!(u64::try_from(size).unwrap() > frames_at + frames, "{size}");
}

#[test]
fn a_dump_without_a_name_is_told_where_it_went() {
    let part = part("dump");
    let step = part.step("xm dump-core told");
    let line = step.output.lines().nth(1).unwrap();
    let path = line.strip_prefix("Dumped core to /var/lib/xen/dump/told/").unwrap();
    let domid = path.strip_suffix(".core").unwrap().rsplit('.').next().unwrap();
    assert!(domid.parse::<u16>().is_ok() && path.contains("-told."), "{path}");
    let listed = part.text().lines().find(|line| line.starts_with('-') && line.ends_with(path)).unwrap();
    assert!(listed.starts_with("-rw-------"), "{listed}");
}

#[test]
fn what_cannot_be_dumped_is_said() {
    let part = part("dump");
    part.step("xm dump-core told /tmp").failed(1, "Cannot dump core in a directory: /tmp");
    part.step("xm dump-core told /nowhere/core").failed(1, "Failed to dump core: No such file or directory");
    part.step("xm dump-core nobody").failed(3, "Error: Domain 'nobody' does not exist.");
    part.step("xm dump-core Domain-0").failed(1, "Cannot dump core for privileged domain Domain-0");
    part.step("xm dump-core admin /tmp/own").failed(1, "cannot be dumped");
    part.step("xm dump-core -C -R told").failed(1, "You may not specify more than one '-CR' option");
    part.step("xm dump-core").failed(1, "Expects 1 or 2 argument(s)");
    part.step("xm dump-core kept").failed(1, "Domain 'kept' is not started");
}

#[test]
fn a_dumped_domain_gets_another_life_or_none() {
    let part = part("dump");
    part.step("xm dump-core -R told /tmp/reset").wrote("Dumping core of domain: told ...\n");
    assert!(part.says("another domid"), "{}", part.text());
    assert_eq!(part.number("lines with the secret:"), 2, "what it said in each life, once");
    part.step("xm dump-core -C told /tmp/crash").wrote("Dumping core of domain: told ...\n");
    part.step("xm domid told").failed(3, "Error: Domain 'told' does not exist.");
    check(file("reset"));
}
