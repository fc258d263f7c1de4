#!/bin/sh
# Debian guests with devices, made and destroyed with the tool $1: how long until the kernel of the domain that serves
# has counted something. The first guest brings the kernel.
tool=$1
backends=/sys/bus/xen-backend/devices

gunzip -c /root/disk.img.gz >/root/disk.img
"$tool" create -q /etc/xen/guest.cfg && "$tool" destroy guest
for round in 1 2 3 4 5; do
    stopwatch count disk-read $round $round "$backends/vbd-{id}-51712/statistics/rd_req" \
        "$tool" create -q /etc/xen/disk.cfg && "$tool" destroy disk
done

# What a guest's kernel sends when its interface comes up.
[ -e /sys/class/net/xenbr0 ] || brctl addbr xenbr0
ifconfig xenbr0 up
{
    cat /etc/xen/guest.cfg
    echo 'vif = ["bridge=xenbr0"]'
} >/tmp/packet.cfg
for round in 1 2 3 4 5; do
    stopwatch count first-packet $round $round '/sys/class/net/vif{id}.0/statistics/rx_packets' \
        "$tool" create -q /tmp/packet.cfg && "$tool" destroy guest
done
