#!/bin/sh
# Interfaces of Debian guests, on bridges of this domain, and everything that goes wrong.
. ./lib.sh

# The ports of bridge $1.
ports() {
    for port in "/sys/class/net/$1/brif"/*; do [ ! -e "$port" ] || echo "$1 has ${port##*/}"; done
}

# Interfaces of guests, and what is left of them in XenStore.
leftovers() {
    echo "interfaces: $(find /sys/class/net -name 'vif*' | wc -l)"
    echo "nodes: $(xenstore-ls -f | grep -c '/vif/[0-9]')"
}

# Interface $2 of domain $1 is as domain $3 says.
up() {
    ask "$1" "$3" "until [ -e /sys/class/net/$2 ]; do sleep 0.1; done; ifconfig $2 $4 netmask 255.255.255.0 up && cat /sys/class/net/$2/address"
}

brctl addbr xenbr1
ifconfig xenbr1 up
before=$(free_memory)

# Two guests on the bridge that xmd made: one with an address of its own, one with what it gets.
try xm create -q /etc/xen/guest.cfg name=left vif=mac=00:16:3e:00:00:01,bridge=xenbr0
try xm create -q /etc/xen/guest.cfg name=right vif=
log_in left
log_in right
up left eth0 100 10.0.0.1
up right eth0 200 10.0.0.2
try xm network-list left
try xm network-list --long right
ports xenbr0
id=$(xm domid left)
echo "---- tree"
for top in "/local/domain/$id/device/vif" "/local/domain/1/backend/vif/$id"; do
    xenstore-ls -fp "$top" | sed "s,/$id/,/GUEST/,g; s/\"$id\"/\"GUEST\"/; s/r$id)/rGUEST)/; s/(n$id,/(nGUEST,/; s,vif/$id ,vif/GUEST ,"
done
echo "---- end"

# 64 MiB over TCP.
type_at right 'nc -l -p 5000 | md5sum >/root/sum &'
ask left 300 'ping -c 2 -w 60 10.0.0.2 | grep -c "bytes from"'
ask left 400 'dd if=/dev/urandom of=/root/4m bs=1M count=4 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat /root/4m; done >/root/64m; stat -c %s /root/64m'
ask left 500 'nc 10.0.0.2 5000 </root/64m && md5sum </root/64m'
ask right 600 'wait; cat /root/sum'

# Another interface comes and goes fifty times, while the first one works.
type_at right 'while nc -l -p 5001 >/dev/null; do :; done &'
type_at left 'while nc 10.0.0.2 5001 </root/64m; do :; done &'
rounds=0
while [ $rounds -lt 50 ] && xm network-attach right bridge=xenbr1 && xm network-detach right 1; do
    rounds=$((rounds + 1))
done
echo "rounds: $rounds"
ask right 700 "sed -n 's/^ *eth0:\([0-9]*\).*/\1/p' /proc/net/dev | grep -c '[0-9]\{6\}'"
type_at left 'kill %1'
type_at right 'kill %2'
ports xenbr1

# One that may send no more than 100000 bytes in each second, to where nobody answers it: 400 kB in packets of 1000.
try xm network-attach left mac=00:16:3e:00:00:03 bridge=xenbr1 rate=100KB/s vifname=slow
up left eth1 800 10.0.1.1
ifconfig xenbr1 10.0.1.9 netmask 255.255.255.0
ports xenbr1
ask left 900 'ping -c 1 -w 60 10.0.1.9 >/dev/null; dd if=/dev/zero of=/root/400k bs=1000 count=400 2>/dev/null; echo ready'
nc -l -p 5002 >/root/400k &
receiver=$!
await grep -qs ':138A ' /proc/net/tcp /proc/net/tcp6
start=$(cut -d. -f1 /proc/uptime)
type_at left 'nc 10.0.1.9 5002 </root/400k'
wait $receiver
echo "seconds: $(($(cut -d. -f1 /proc/uptime) - start))"
echo "received: $(stat -c %s /root/400k)"
rm /root/400k

# What does not work says why, and changes nothing.
try xm network-attach left bridge=nowhere
try xm network-attach left bridge=lo
try xm network-attach left bridge=xenbr1 vifname=slow
try xm network-attach left mac=00:16:3e:00:00:01 bridge=xenbr1
try xm network-attach right mac=00:16:3e:00:00:01 bridge=xenbr0
try xm network-attach left backend=nobody
try xm network-attach left script=vif-absent
try xm network-detach left 7
try xm network-detach left 00:16:3e:00:00:07
try xm create -q /etc/xen/guest.cfg name=third vif=bridge=nowhere
try xm list third

# xmd is killed: interfaces go on, and are found again.
kill -9 "$(cat /run/xendless/xmd.pid)"
/etc/init.d/xmd start
await xm list
ask left 1000 'ping -c 2 -w 60 10.0.0.2 | grep -c "bytes from"'
try xm network-detach left 00:16:3e:00:00:03
try xm network-list left

# It is killed in the middle of an attach and of a detach. Whatever became of that, what comes behind works.
for moment in 20000 60000 150000; do
    xm network-attach right mac=00:16:3e:00:00:04 bridge=xenbr1 2>/dev/null &
    usleep $moment
    kill -9 "$(cat /run/xendless/xmd.pid)"
    wait $!
    /etc/init.d/xmd start
    await xm list
    xm network-list right | grep -q 00:16:3e:00:00:04 || xm network-attach right mac=00:16:3e:00:00:04 bridge=xenbr1
    xm network-detach right 00:16:3e:00:00:04 2>/dev/null &
    usleep $moment
    kill -9 "$(cat /run/xendless/xmd.pid)"
    wait $!
    /etc/init.d/xmd start
    await xm list
    xm network-detach right 00:16:3e:00:00:04 2>/dev/null
    echo "left of one in the middle: $(xenstore-ls -f | grep -c '/vif/.*00:16:3e:00:00:04')"
done
try xm network-list right

# A guest without a driver never lets go; but it can be taken away.
xm create -q /etc/xen/tiny.cfg
try xm network-attach tiny bridge=xenbr1
timeout 3 xm network-detach tiny 0
echo "asked in vain: $?"
try xm network-detach tiny 0 --force
try xm network-list tiny
try xm destroy tiny

# What comes and goes while a managed domain runs is in its definition.
try xm new /etc/xen/tiny.cfg name=kept vif=mac=00:16:3e:00:00:05,bridge=xenbr1
try xm start kept
try xm network-attach kept mac=00:16:3e:00:00:06 bridge=xenbr1
try xm network-detach kept 0 -f
try xm destroy kept
try xm network-list kept
try xm delete kept

# A device of the host is not given to any domain; what a definition names is listed.
try xm create -q /etc/xen/tiny.cfg name=pci pci=03:00.0
try xm new /etc/xen/tiny.cfg name=pci pci=03:00.0
try xm pci-list pci
try xm pci-list-assignable-devices
try xm delete pci

try xm destroy left
try xm destroy right
await gone left
await gone right
leftovers
ports xenbr1
echo "memory missing: $((before - $(free_memory)))"
ifconfig xenbr1 down
brctl delbr xenbr1
