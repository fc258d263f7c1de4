//! What a person sees when something is wrong, to the letter.

use super::errors;

fn check(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(errors(&format!("kernel = '/k'\n{text}"), &[]), *wanted, "{text}");
    }
}

#[test]
fn a_file_that_is_no_program() {
    check(&[(
        "memory = 64\ndisk = [ 'phy:hda1,hda1,w\nroot = '/dev/hda1'",
        "Errors were found at line 3 while processing /etc/xen/web:\n\
         \tdisk = [ 'phy:hda1,hda1,w\n\
         \t         ^\n\
         /etc/xen/web:3:10: the string is not closed\n\
         help: add ' at its end; text over several lines needs three quotes",
    )]);
}

#[test]
fn a_program_that_fails() {
    check(&[
        (
            "name = 'VM' + vmid",
            "Errors were found at line 2 while processing /etc/xen/web:\n\
             \tname = 'VM' + vmid\n\
             \t              ^\n\
             /etc/xen/web:2:15: name 'vmid' is not defined\n\
             help: put text in quotes, or give vmid a value: here or by vmid=… on the command line",
        ),
        (
            "data = open('/etc/passwd').read()",
            "Errors were found at line 2 while processing /etc/xen/web:\n\
             \tdata = open('/etc/passwd').read()\n\
             \t       ^\n\
             /etc/xen/web:2:8: name 'open' is not defined\n\
             help: configurations cannot read files; give what they need on the command line, as in key=value",
        ),
        (
            "import strnig",
            "Errors were found at line 2 while processing /etc/xen/web:\n\
             \timport strnig\n\
             \t^\n\
             /etc/xen/web:2:1: No module named strnig\n\
             help: did you mean string?",
        ),
    ]);
}

#[test]
fn variables_that_the_file_checks() {
    let text = include_str!("files/vmid.cfg");
    let head = "Errors were found at line 6 while processing /etc/xen/web:\n\t    val = int(val)\n\t          ^\n/etc/xen/web:6:11: ";
    assert_eq!(
        errors(text, &[]),
        format!(
            "{head}vmid - int() argument must be a string or a number, not 'NoneType'\nhelp: give vmid=… on the command line: Virtual machine id. Integer greater than 0."
        )
    );
    assert!(errors(text, &[("vmid", "0")]).contains("/etc/xen/web:8:9: vmid - \nhelp: check vmid=… on"));
    assert!(errors(text, &[("vmid", "x")]).contains("vmid - invalid literal for int() with base 10: 'x'"));
}

#[test]
fn values_that_variables_cannot_have() {
    check(&[
        (
            "memory = 'lots'",
            "memory must be a number from 1 to 16777216, not 'lots'\n\tmemory = 'lots'\n\t         ^\nat /etc/xen/web:2:10",
        ),
        (
            "on_crash = 'coredump-restrat'",
            "Invalid event handling mode: crash\n\ton_crash = 'coredump-restrat'\n\t           ^\nat /etc/xen/web:2:12\n\
             help: did you mean coredump-restart?",
        ),
        (
            "on_poweroff = 'coredump-destroy'",
            "Invalid event handling mode: shutdown\n\ton_poweroff = 'coredump-destroy'\n\t              ^\nat /etc/xen/web:2:15\n\
             help: on_poweroff can be destroy, restart, preserve, rename-restart",
        ),
        (
            "disk = 'phy:hda1,hda1,w'",
            "disk must be a list, not 'phy:hda1,hda1,w'\n\tdisk = 'phy:hda1,hda1,w'\n\t       ^\nat /etc/xen/web:2:8\n\
             help: put it in brackets: disk = [ 'phy:hda1,hda1,w' ]",
        ),
        (
            "builder = 'hvm'",
            "HVM guests need a device emulator, which this control plane does not have\n\tbuilder = 'hvm'\n\t          ^\nat /etc/xen/web:2:11\n\
             help: use type = 'pvh' with a kernel, or type = 'pv'",
        ),
        (
            "maxmem = 64\nmemory = 128",
            "maxmem: must not be less than memory\n\tmaxmem = 64\n\t         ^\nat /etc/xen/web:2:10",
        ),
        (
            "vcpus = 2\ncpus = ['0', '1', '2']",
            "vcpus and the item number of cpus are not same\n\tcpus = ['0', '1', '2']\n\t       ^\nat /etc/xen/web:3:8\n\
             help: cpus has 3 items, vcpus is 2; one text is for all vcpus",
        ),
        (
            "name = 'my guest'",
            "Invalid VM Name\n\tname = 'my guest'\n\t       ^\nat /etc/xen/web:2:8\n\
             help: name: cannot contain ' '; give the domain a name of letters, digits and _-.:+, as in name = 'web'",
        ),
        (
            "access_control = ['policy=p,label=l']",
            "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.\n\
             \taccess_control = ['policy=p,label=l']\n\t                 ^\nat /etc/xen/web:2:18",
        ),
    ]);
}

/// The first lines of messages, in the words of `xm`.
#[test]
fn classic_words_about_devices() {
    let cases = [
        ("disk = ['phy:a,xvda']", "Invalid disk specifier: phy:a,xvda"),
        ("disk = ['phy:a,xvda,w,0,x,y']", "Invalid disk specifier: phy:a,xvda,w,0,x,y"),
        ("disk = ['fyle:/a,xvda,w']", "Block device type \"fyle\" is invalid."),
        ("disk = [',xvda,w']", "Block device must have physical details specified"),
        ("disk = ['phy:a,xvda,x']", "Invalid mode"),
        ("disk = ['phy:a,sdz99,w']", "Unable to find number for device (sdz99)"),
        ("disk = ['phy:a,xvda,w', 'phy:b,xvda,w']", "The device \"xvda\" is already defined"),
        ("disk = ['tap:ram:/a,xvda,w']", "tap:ram not a valid disk type"),
        ("disk = ['/a,raw,xvda,rw,more']", "Invalid disk option: more"),
        ("disk = ['/a,rwa,xvda,rw']", "Invalid disk format: rwa"),
        ("vif = ['birdge=a']", "Invalid vif option: birdge"),
        ("vif = ['bridge']", "bridge should be a pair, separated by an equals sign."),
        ("vif = ['mac=1']", "mac: must be six hexadecimal bytes, as in 00:16:3e:01:02:03"),
        (
            "vif = ['mac=0:16:3e:0:0:1', 'mac=00:16:3e:00:00:01']",
            "The mac \"00:16:3e:00:00:01\" is already defined",
        ),
        ("vfb = ['vnclistne=a']", "configuration option vnclistne unknown to vfbs"),
        ("pci = ['03']", "Failed to parse pci device: 03"),
        ("pci = ['03:00.0,msitranslate=x']", "Invalid pci option msitranslate=x: "),
        ("vtpm = ['instance=1,backend=0']", "vtpm instance= is obsolete; give backend=<vtpm domain>."),
        ("vtpm = ['foo']", "Invalid vtpm specifier: foo"),
        ("vscsi = ['a']", "vscsi syntax error \"a\""),
        ("vusb = ['usbver=9']", "Invalid vusb option: usbver"),
        ("vusb = ['numports=99']", "Invalid vusb option: numports"),
        ("ioports = ['zz']", "Invalid i/o port range specifier: zz"),
        ("nfs_root = '/srv'", "Must set nfs root and nfs server"),
        (
            "cpu_cap = 250\nvcpus = 2",
            "Cpu cap out of range, valid range is from 0 to 200 for specified number of vcpus",
        ),
        ("cpuid = ['1']", "cpuid's syntax is (eax|ebx|ecx|edx)=value"),
    ];
    for (text, wanted) in cases {
        let message = errors(&format!("kernel = '/k'\n{text}"), &[]);
        assert_eq!(message.lines().next(), Some(wanted), "{message}");
        assert!(message.contains("at /etc/xen/web:"), "{message}");
    }
}

#[test]
fn an_element_of_a_list_is_pointed_at() {
    check(&[(
        "vif = [ 'bridge=a',\n        'brigde=b' ]",
        "Invalid vif option: brigde\n\t        'brigde=b' ]\n\t        ^\nat /etc/xen/web:3:9\nhelp: did you mean bridge?",
    )]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let message = errors("kernel='/k'\nmemory = -1\nvif = ['x', 'y=1']\nvcpus = 0", &[]);
    let first: Vec<&str> = message.split("\n\n").filter_map(|part| part.lines().next()).collect();
    assert_eq!(
        first,
        [
            "memory must be from 1 to 16777216, not -1",
            "vcpus must be from 1 to 512, not 0",
            "x should be a pair, separated by an equals sign.",
            "Invalid vif option: y",
        ]
    );
}

#[test]
fn a_domain_without_a_kernel() {
    let message = errors("memory = 64", &[]);
    assert_eq!(
        message,
        "the domain has no kernel\nin /etc/xen/web\nhelp: set kernel = '/boot/…', or bootloader = 'pygrub'"
    );
}
