#!/bin/sh
# A Debian guest is made and destroyed with the tool $1, twice each from a kernel packed with LZ4 and one with XZ.
tool=$1
q='"'
[ "$tool" = xl ] || q=

# Kernel $2; figure $1.
once() {
    stopwatch run "$1" 1 1 "$tool" create -q /etc/xen/guest.cfg "kernel=$q$2$q" && "$tool" destroy guest
}

for time in first second; do once debian-lz4-$time /boot/guest/vmlinuz; done
for time in first second; do once debian-xz-$time /boot/guest/vmlinuz-xz; done
