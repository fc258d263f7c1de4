#!/bin/sh
# Interfaces of Debian guests, on bridges of this domain, and everything that goes wrong.
. ./lib.sh

# The ports of bridge $1.
ports() {
    for port in "/sys/class/net/$1/brif"/*; do [ ! -e "$port" ] || echo "$1 has ${port##*/}"; done
}

# Interface $2 of domain $1 is as domain $3 says.
up() {
    ask "$1" "$3" "until [ -e /sys/class/net/$2 ]; do sleep 0.1; done; ifconfig $2 $4 netmask 255.255.255.0 up && cat /sys/class/net/$2/address"
}

brctl addbr xenbr1
ifconfig xenbr1 up
before=$(free_memory)

# Two guests on the bridge that xmd made: one with an address of its own, one with what it gets.
try xm create -q /etc/xen/guest.cfg name=left memory=256 vif=mac=00:16:3e:00:00:01,bridge=xenbr0
try xm create -q /etc/xen/guest.cfg name=right vif=
log_in left
log_in right
up left eth0 100 10.0.0.1
up right eth0 200 10.0.0.2
try xm network-list left
try xm network-list --long right
ports xenbr0
id=$(xm domid left)
show_tree vif 1 "$id"

# 64 MiB over TCP.
ask left 300 'ping -c 2 -w 60 10.0.0.2 | grep -c "bytes from"'
ask left 400 'cd /root; dd if=/dev/urandom of=4m bs=1M count=4 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat 4m; done >64m; stat -c %s 64m'
ask left 500 'httpd -h /root; md5sum </root/64m'
ask right 600 'wget -q -O - http://10.0.0.1/64m | md5sum'

# Another interface comes and goes fifty times, while the first one works.
type_at right 'while :; do wget -q -O /dev/null http://10.0.0.1/64m; done &'
ask right 700 'until [ "$(cat /sys/class/net/eth0/statistics/rx_bytes)" -gt 70000000 ]; do sleep 0.1; done; cat /sys/class/net/eth0/statistics/rx_bytes'
rounds=0
while [ $rounds -lt 50 ] && xm network-attach right bridge=xenbr1 && xm network-detach right 1; do
    rounds=$((rounds + 1))
done
echo "rounds: $rounds"
ask right 800 'cat /sys/class/net/eth0/statistics/rx_bytes'
type_at right 'kill %1'
ports xenbr1

# One that may send no more than 100000 bytes in each second sends 400000.
try xm network-attach left mac=00:16:3e:00:00:03 bridge=xenbr1 rate=100KB/s vifname=slow
up left eth1 900 10.0.1.1
ifconfig xenbr1 10.0.1.9 netmask 255.255.255.0
ports xenbr1
ask left 1000 'ping -c 1 -w 60 10.0.1.9 >/dev/null; dd if=/dev/zero of=/root/400k bs=1000 count=400 2>/dev/null; stat -c %s /root/400k'
start=$(cut -d. -f1 /proc/uptime)
wget -q -O /root/400k http://10.0.1.1/400k
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
ask left 1100 'ping -c 2 -w 60 10.0.0.2 | grep -c "bytes from"'
try xm network-detach left 00:16:3e:00:00:03
try xm network-list left

# It is killed in the middle of an attach and of a detach. Whatever became of that, what comes behind works.
attach="network-attach right mac=00:16:3e:00:00:04 bridge=xenbr1"
detach="network-detach right 00:16:3e:00:00:04"
for moment in 2 6 15; do
    killed_after $moment $attach
    xm network-list right | grep -q 00:16:3e:00:00:04 || xm $attach
    killed_after $moment $detach
    xm $detach >/dev/null 2>&1
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

# An interface with a script of its own, which says itself that it is ready. A slow one holds up no other interface.
mkdir -p /etc/xen/scripts
cat >/etc/xen/scripts/vif-log <<'END'
#!/bin/sh
echo "script: $* vif=$vif netdev=$netdev $XENBUS_TYPE $XENBUS_BASE_PATH ${XENBUS_PATH%/*/*} $script" >>/tmp/vif-log
[ "$1" = offline ] || until [ -e /tmp/vif-go ]; do sleep 1; done
[ "$1" = offline ] || xenstore-write "$XENBUS_PATH/hotplug-status" connected
END
chmod +x /etc/xen/scripts/vif-log
xm create -q /etc/xen/tiny.cfg name=scripted
xm network-attach scripted script=vif-log &
slow=$!
await test -e /tmp/vif-log
try xm network-attach scripted bridge=xenbr1
kill -0 $slow && echo "the slow one is not ready"
touch /tmp/vif-go
wait $slow
echo "slow one: $?"
try xm network-detach scripted 0 -f
try xm destroy scripted
await gone scripted
sed "s/=vif[0-9]*\\./=vifN./" /tmp/vif-log
rm /tmp/vif-log /tmp/vif-go /etc/xen/scripts/vif-log

# A hostile guest writes nonsense about its interface.
hostile='mac=00:16:3e:00:00:08 bridge=xenbr1'
try xm create -q /etc/xen/tiny.cfg name=hostile vif=mac=00:16:3e:00:00:08,bridge=xenbr1 'extra=garbage-vif obey'
show_nonsense hostile garbage-vif vif 0
try xm network-list hostile
try xm network-detach hostile 0 -f
try xm network-list hostile
try xm network-attach hostile $hostile
try xm destroy hostile
await gone hostile

# A TPM that another guest serves, which has no driver for it: what that would say is said here.
try xm create -q /etc/xen/tiny.cfg name=sealed vtpm=backend=nobody
xm create -q /etc/xen/tiny.cfg name=tpm
xm create -q /etc/xen/tiny.cfg name=sealed vtpm=backend=tpm,uuid=5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11 &
sealed=$!
module() {
    echo "/local/domain/$(xm domid tpm)/backend/vtpm/$(xm domid sealed)/0"
}
has_module() {
    xenstore-read "$(module)/state" >/dev/null 2>&1
}
await has_module
for home in "$(module)" "/local/domain/$(xm domid sealed)/device/vtpm/0"; do
    xenstore-ls -f "$home" | sed "s,/domain/$(xm domid tpm)/,/domain/TPM/,g; s,/domain/$(xm domid sealed)/,/domain/SEALED/,g; s,/vtpm/$(xm domid sealed)/,/vtpm/SEALED/,g; s,^,module: ,"
done
xenstore-write "$(module)/state" 2
wait $sealed
echo "sealed: $?"
try xm vtpm-list sealed
try xm vtpm-list --long sealed
xenstore-write "$(module)/state" 4
try xm destroy sealed
await gone sealed
xm destroy tpm
await gone tpm
echo "left of modules: $(xenstore-ls -f | grep -c vtpm)"
try xm new /etc/xen/tiny.cfg name=sealed vtpm=backend=tpm
try xm vtpm-list sealed
try xm delete sealed

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
echo "interfaces: $(find /sys/class/net -name 'vif*' | wc -l)"
echo "nodes: $(xenstore-ls -f | grep -c '/vif/[0-9]')"
ports xenbr1
echo "memory missing: $((before - $(free_memory)))"
ifconfig xenbr1 down
brctl delbr xenbr1
