#!/bin/sh
# Starts what a dom0 of Debian's Xen needs, as Debian's own script does, and returns when all of it serves.
[ "$1" = start ] || exit 2
mkdir -p /run/xen /run/xenstored /run/lock /var/lib/xen /var/log/xen
ln -sf /run /var/run
# udev makes it.
ln -s /proc/self/fd/0 /dev/stdin
ln -sf /run/lock /var/lock
xenstored --pid-file /run/xenstore.pid
until xenstore-read -s / >/dev/null 2>&1; do usleep 1000; done
xen-init-dom0 >/dev/null
xenconsoled --pid-file=/run/xenconsoled.pid
