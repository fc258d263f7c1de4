//! How `xm` is linked where it is linked statically.
//!
//! At a fixed address nothing has to be relocated when it starts. That spares some thirty page faults, each of which Xen
//! and Linux see to: half a virtual millisecond of every command. `xmd`, which stays, keeps its random address.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if features.split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bin=xm=-static");
        println!("cargo::rustc-link-arg-bin=xm=-no-pie");
    }
}
