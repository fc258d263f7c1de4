//! Links the guest as a PV kernel, by the control domain's layout. The code generation flags that go with it stand
//! in `ci/build-stubdom`.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../linker/x86_64-pv.ld");
    println!("cargo:rerun-if-changed={script}");
    println!("cargo:rustc-link-arg-bins=-T{script}");
    for argument in ["-nostartfiles", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
