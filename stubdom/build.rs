//! Links the control domain as a PV kernel: our entry, our memory layout, nothing of the host's C runtime.
//! The code generation flags that go with it stand in `ci/build-stubdom`.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../linker/x86_64-pv.ld");
    println!("cargo:rerun-if-changed={script}");
    println!("cargo:rustc-link-arg-bins=-T{script}");
    // Where defmt's texts go; its own build script puts the file on the search path.
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    for argument in ["-nostartfiles", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
