//! Compares every structure and constant of `core::abi` with Xen's own C headers.
//!
//! The table that `core::abi` declares its items by is turned into a C program; it prints each size, offset and
//! value as the C compiler sees them, and all of them have to agree.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use xendless_core::abi::{HEADERS, Header};

/// What one line of the C program's output is about, and the number declared in Rust.
struct Item {
    what: String,
    rust: i128,
}

#[test]
fn every_structure_and_constant_agrees_with_the_c_headers() {
    require_headers();
    let mut items = Vec::new();
    let mut source = prologue();
    for header in HEADERS {
        ask(header, &mut source, &mut items);
    }
    source.push_str("    return 0;\n}\n");

    let answers = run(&source);
    assert_eq!(answers.len(), items.len(), "the C program answers once per item");
    let wrong: Vec<String> = items
        .iter()
        .zip(&answers)
        .filter(|(item, c)| item.rust != **c)
        .map(|(item, c)| format!("{}: {:#x} in Rust, {c:#x} in C", item.what, item.rust))
        .collect();
    println!("compared {} sizes, offsets and values with Xen's headers", items.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), items.len(), wrong.join("\n"));
}

/// Includes of all headers, and the beginning of `main`.
fn prologue() -> String {
    let mut source = String::from(
        "#define __XEN_TOOLS__ 1\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n",
    );
    for header in HEADERS {
        writeln!(source, "#include <{}>", header.path).unwrap();
    }
    source.push_str(
        "#define SHOW(value) ((value) < 0 ? printf(\"%lld\\n\", (long long)(value)) \\\n\
         \x20   : printf(\"%llu\\n\", (unsigned long long)(value)))\n\
         #define FIELD(type, field) SHOW(offsetof(type, field)), SHOW(sizeof(((type *)0)->field))\n\
         int main(void) {\n",
    );
    source
}

/// Appends the questions about one header, and what Rust says to each.
fn ask(header: &Header, source: &mut String, items: &mut Vec<Item>) {
    let mut expect = |what: String, rust: i128| items.push(Item { what, rust });
    for layout in header.structs {
        writeln!(source, "    SHOW(sizeof({}));", layout.c).unwrap();
        expect(format!("size of {}", layout.rust), layout.size as i128);
        for field in layout.fields.iter().filter(|field| !field.is_padding()) {
            writeln!(source, "    FIELD({}, {});", layout.c, field.c).unwrap();
            expect(format!("offset of {}.{}", layout.rust, field.c), field.offset as i128);
            expect(format!("size of {}.{}", layout.rust, field.c), field.size as i128);
        }
    }
    for constant in header.constants.iter().filter(|constant| constant.since.is_none()) {
        writeln!(source, "    SHOW({});", constant.c).unwrap();
        expect(format!("{} ({})", constant.rust, constant.c), constant.value);
    }
}

/// Compiles and runs a C program that prints numbers.
fn run(source: &str) -> Vec<i128> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (file, program) = (folder.join("abi.c"), folder.join("abi"));
    std::fs::write(&file, source).unwrap();
    let output = cc(&["-std=gnu11", "-Wall", "-Werror", "-o"], &[&program, &file]);
    assert!(
        output.status.success(),
        "the C program does not compile:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = Command::new(&program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// Without Xen's headers there is nothing to compare with, which is a failure and not a reason to skip.
fn require_headers() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("headers.c");
    std::fs::write(&file, "#include <stdint.h>\n#include <xen/xen.h>\n").unwrap();
    let output = cc(&["-fsyntax-only"], &[&file]);
    assert!(
        output.status.success(),
        "Xen's C headers (package libxen-dev) are missing: run ci/setup\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn cc(flags: &[&str], files: &[&Path]) -> Output {
    match Command::new("cc").args(flags).args(files).output() {
        Ok(output) => output,
        Err(error) => panic!("no C compiler (cc: {error}): run ci/setup"),
    }
}
