#!/bin/sh
# A guest with a disk and a network interface, made by xl in a classic dom0: the nodes that it writes.
. ./lib.sh

# Succeeds when both ends of the first device of class $1 and number $2 are connected.
connected() {
    xenstore-read "/local/domain/0/backend/$1/$id/$2/state" "/local/domain/$id/device/$1/$2/state" |
        tr -d '\n' | grep -q 44
}

gunzip -c /root/disk.img.gz >/root/disk.img
brctl addbr xenbr0
ip link set dev xenbr0 up
xl create -q /etc/xen/disk.cfg 'vif=["mac=00:16:3e:00:00:01,bridge=xenbr0"]' || exit
id=$(xl domid disk)
await connected vbd 51712
await connected vif 0
show_tree vbd 0 "$id"
show_tree vif 0 "$id"
xl destroy disk
