//! The records that `create -n` shows.

use xendless_hosttools::config::sxp::{read, record};

use super::run;

fn shown(text: &str, arguments: &[(&str, &str)]) -> String {
    let shown = record(&run(text, arguments).unwrap()).pretty();
    assert_eq!(read(&shown).unwrap().pretty(), shown);
    shown
}

#[test]
fn the_classic_example_to_the_letter() {
    let text = "kernel = '/tmp/k'\nmemory = 64\nname = 'ExampleDomain'\nvif = [ '' ]\n\
                disk = [ 'phy:hda1,hda1,w' ]\nroot = '/dev/hda1 ro'\nextra = '4'";
    let wanted = "\
(vm
    (name ExampleDomain)
    (memory 64)
    (on_xend_start ignore)
    (on_xend_stop ignore)
    (vcpus 1)
    (oos 1)
    (image
        (linux
            (kernel /tmp/k)
            (root '/dev/hda1 ro')
            (videoram 4)
            (args 4)
            (tsc_mode 0)
            (nomigrate 0)
        )
    )
    (s3_integrity 1)
    (device (vbd (uname phy:hda1) (dev hda1) (mode w)))
    (device (vif))
)
";
    assert_eq!(shown(text, &[]), wanted);
}

#[test]
fn everything_in_its_place() {
    let text = "kernel = '/k'\nramdisk = '/r'\nname = 'a'\nmaxmem = 256\nvcpus = 2\nmaxvcpus = 4\ncpus = ['0', '1']\n\
                cpu_weight = 512\non_crash = 'preserve'\nlocaltime = 1\npool = 'p'\nip = '10.0.0.2'\nblkif = 1\n\
                uuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'\npci = ['03:00.1']\nioports = ['2f8-2ff']\nirq = [5]\n\
                disk = ['/a,raw,xvda,rw', ',hdc:cdrom,r']\nvif = ['bridge=b, mac=00:16:3e:00:00:01']\nvfb = ['vnc=1']";
    let record = shown(text, &[("memory", "64"), ("vusb", "usbver=1"), ("vusb", "usbver=2")]);
    let lines: Vec<&str> = record.lines().map(str::trim).collect();
    let wanted = [
        "(name a)",
        "(memory 64)",
        "(maxmem 256)",
        "(on_crash preserve)",
        "(vcpu_avail 3)",
        "(vcpus 4)",
        "(uuid 5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11)",
        "(cpus (0 1))",
        "(cpu_weight 512)",
        "(backend (blkif))",
        "(localtime 1)",
        "(oos 1)",
        "(pool_name p)",
        "(ramdisk /r)",
        "(ip 10.0.0.2:127.0.255.255::::eth0:off)",
        "(device (vbd (uname /a) (dev xvda) (mode w)))",
        "(device (vbd (uname '') (dev hdc:cdrom) (mode r)))",
        "(device (pci (dev (domain 0x0000) (bus 0x03) (slot 0x00) (func 0x1))))",
        "(device (vusb (usbver 1)))",
        "(device (vusb (usbver 2)))",
        "(device (ioports (from 2f8) (to 2ff)))",
        "(device (irq (irq 5)))",
        "(device (vif (bridge b) (mac 00:16:3e:00:00:01)))",
        "(device (vkbd))",
        "(device (vfb (vnc 1)))",
    ];
    let mut rest = lines.iter();
    for line in wanted {
        assert!(rest.any(|found| *found == line), "{line} is not where it should be in\n{record}");
    }
}
