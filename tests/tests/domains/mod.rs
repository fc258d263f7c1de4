//! Domains on real Xen in QEMU, from a boot bundle to their end: Debian's Linux, and the test guest
//! (`docs/test-guest.md`) that behaves or attacks.
//!
//! What a test sees is the serial port: what the admin domain prints, Xen's own word on which domains there are, and
//! the control domain's log, printed as it comes (`log=live`). By hand:
//! `cargo test -p xendless-tests --features system --test system domains::[NAME]`.

mod ends;
mod figures;
mod hostile;
mod linux;
mod rounds;
mod watch;

use xendless_core::bundle::Role;
use xendless_core::rights::Rights;
use xendless_hosttools::bundle::Start;
use xendless_tests::admin::bundle::{bundle, domain};
use xendless_tests::qemu::artifacts::{self, Build, Nameless};
use xendless_tests::qemu::machine::Machine;

/// A domain of the test guest that does what `words` say, with more lines of configuration. It has no rights, not even
/// as admin domain.
fn guest(role: Role, name: &str, words: &str, more: &[&str]) -> Start {
    let usual = format!("name = '{name}'\nkernel = 'guest'\nmemory = 4\nextra = '{words}'\n");
    let kernel = std::fs::read(artifacts::guest().unwrap()).unwrap();
    let domain = domain(role, &(usual + &more.join("\n")), kernel, None).unwrap();
    Start { rights: Rights::Nothing, ..domain }
}

/// A machine that boots this build of the control domain with a log that is printed as it comes. The file of its
/// bundle lives as long as the second value.
fn machine(build: Build, domains: impl IntoIterator<Item = Start>) -> (Machine, Nameless) {
    let file = Nameless::new(&bundle(domains).unwrap()).unwrap();
    let machine = Machine::new(artifacts::xen().unwrap(), artifacts::control_domain(build).unwrap());
    (Machine { bundle: Some(file.path()), control_args: "log=live".into(), ..machine }, file)
}
