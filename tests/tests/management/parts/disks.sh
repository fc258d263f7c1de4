#!/bin/sh
# Disks from files of this domain: a root, one that moves from guest to guest, and everything that goes wrong.
. ./lib.sh

gunzip -c /root/disk.img.gz >/root/disk.img
truncate -s 80M /root/data.img
before=$(free_memory)

# A guest with its root on a disk.
try xm create -q /etc/xen/disk.cfg
log_in disk
ask disk 100 "sed -n 's,^/dev/xvda / ,,p' /proc/mounts"
try xm block-list disk
show_tree vbd 1 "$(xm domid disk)"

# Another disk comes while it runs; 64 MiB are written to it.
try xm block-attach disk file:/root/data.img xvdb w
ask disk 200 'until [ -b /dev/xvdb ]; do sleep 0.1; done; mke2fs -F /dev/xvdb >/dev/null 2>&1; mount /dev/xvdb /mnt && echo mounted'
ask disk 300 'dd if=/dev/urandom of=/root/4m bs=1M count=4 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat /root/4m; done >/mnt/64m; sync; stat -c %s /mnt/64m'
ask disk 400 'md5sum </mnt/64m'
try xm block-attach disk file:/root/data.img xvdc w
try xm block-attach disk file:/root/../root/data.img xvdc w
try xm block-attach disk file:/root/missing.img xvdc r
try xm block-attach disk file:/root/data.img xvdb w
try xm block-detach disk xvdz
try xm block-attach disk file:/root/data.img xvdc w nobody
ask disk 500 'umount /mnt && echo unmounted'
try xm block-detach disk xvdb
try xm block-list disk

# The same disk in another guest, to be read there.
try xm create -q /etc/xen/guest.cfg name=other
log_in other
try xm block-attach other file:/root/data.img xvdb r
ask other 600 'until [ -b /dev/xvdb ]; do sleep 0.1; done; mount -t ext2 -o ro /dev/xvdb /mnt && md5sum </mnt/64m'
try xm block-list --long other
ask other 700 'dd if=/dev/zero of=/dev/xvdb count=1 2>/dev/null && echo written || echo refused'

# xmd is killed: disks go on, and are found again.
kill -9 "$(cat /run/xendless/xmd.pid)"
/etc/init.d/xmd start
ask other 800 'md5sum </mnt/64m'
# Debian lets go of it, mounted or not.
try xm block-detach other xvdb
try xm block-list other

# A drive, and another disc in it.
cp /root/data.img /root/disc.img
try xm block-attach other file:/root/data.img xvdd:cdrom r
try xm block-configure other file:/root/disc.img xvdd:cdrom r
xenstore-ls -f /local/domain/1/backend/vbd | sed -n 's,.*/51760/params = ,in the drive: ,p'
try xm block-configure other file:/root/missing.img xvdd:cdrom r
xenstore-ls -f /local/domain/1/backend/vbd | sed -n 's,.*/51760/params = ,still in it: ,p'
try xm block-detach other xvdd
rm /root/disc.img

# A guest without a driver never does; but it can be taken away.
xm create -q /etc/xen/tiny.cfg
try xm block-attach tiny file:/root/data.img xvdb w
timeout 3 xm block-detach tiny xvdb
echo "asked in vain: $?"
try xm block-detach tiny xvdb -f
try xm block-list tiny
try xm destroy tiny

# What a guest wrote and synced is there after its end.
ask disk 900 'dd if=/dev/urandom of=/root/kept bs=1M count=2 2>/dev/null; sync; md5sum </root/kept'
try xm destroy disk
await gone disk
try xm block-attach other file:/root/disk.img xvdc w
ask other 1000 'umount -l /mnt; until [ -b /dev/xvdc ]; do sleep 0.1; done; mount -t ext4 /dev/xvdc /mnt && md5sum </mnt/root/kept; umount /mnt'
try xm block-detach other xvdc
try xm destroy other
await gone other

# A guest whose image is not there is not made.
mv /root/disk.img /root/away.img
try xm create -q /etc/xen/disk.cfg
try xm list disk
mv /root/away.img /root/disk.img
leftovers
echo "memory missing: $((before - $(free_memory)))"
rm /root/disk.img /root/data.img
