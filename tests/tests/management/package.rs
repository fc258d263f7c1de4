//! The Debian package in the admin domain.

use super::part;

#[test]
fn what_the_package_installs_manages_domains() {
    let part = part("package");
    let installed = part.step("dpkg -i --force-depends /root/xendless.deb");
    assert!(installed.output.contains("Setting up xendless") && installed.status == 0, "{installed:?}");
    part.step("/etc/init.d/xmd start").wrote("");
    assert_eq!(part.step("xm list").states().len(), 2, "{}", part.text());
    part.step("xm create -q /etc/xen/tiny.cfg name=packed").wrote("");
    part.step("xm shutdown -w packed").wrote("Domain packed terminated\nAll domains terminated\n");
    assert!(part.number("headings:") >= 5, "{}", part.text());
    part.step("/etc/init.d/xmd stop").wrote("");
    assert_eq!(part.step("dpkg -P xendless").status, 0, "{}", part.text());
    part.step("test ! -e /usr/bin/xm").wrote("");
}
