#!/bin/sh
# Memory, virtual CPUs, keys and another life of domains that run.
. ./lib.sh

# What Debian says to command $1, behind the word $2 that nobody else says.
ask_debian() {
    type_at deb "echo $2\$(($2 - 1)) \$($1)"
    await printed deb "^$2$(($2 - 1)) "
    sed -n "s/\r$//; s/^$2$(($2 - 1)) /debian says: /p" "$LOGS/console-deb.log"
}

try xm create -q /etc/xen/guest.cfg name=deb vcpus=2
log_in deb
ask_debian 'cat /sys/devices/system/cpu/online' 100
try xm vcpu-list deb

# It gives memory and takes it again.
before=$(free_memory)
try xm mem-set deb 96
echo "memory given: $(($(free_memory) - before))"
ask_debian 'sed -n "s/^MemTotal: *//p" /proc/meminfo' 200
try xm list deb
try xm mem-set deb 128
echo "memory taken again: $((before - $(free_memory)))"
try xm mem-set deb 129
try xm mem-max deb 200
try xm mem-max deb 100
# Debian has room for some more than it was started with.
try xm mem-set deb 134
try xm list deb

# A virtual CPU is plugged out, and in again.
try xm vcpu-set deb 1
await sh -c 'xm vcpu-list deb | grep -q -- --p'
try xm vcpu-list --json deb
ask_debian 'cat /sys/devices/system/cpu/online' 300
try xm vcpu-set deb 3
try xm vcpu-set deb 0
try xm vcpu-pin deb 0 0
try xm vcpu-pin deb 0 7
try xm vcpu-pin deb 9 0
try xm vcpu-pin deb all all

# Keys for its kernel.
try xm sysrq deb h
await printed deb 'sysrq: HELP'
try xm sysrq deb help
try xm trigger deb reset
try xm trigger deb power
try xm trigger deb nmi
await printed deb NMI
try xm destroy deb
await gone deb

# One that does not cooperate.
try xm create -q /etc/xen/tiny.cfg
await printed tiny hello
try xm mem-set tiny 2
try xm mem-set tiny 5
try xm mem-set 0 64
hellos() {
    grep -c hello "$LOGS/console-tiny.log"
}
seen=$(hellos)
number=$(xm domid tiny)
try xm reset tiny
await sh -c "[ \$(grep -c hello $LOGS/console-tiny.log) -gt $seen ]"
[ "$(xm domid tiny)" != "$number" ] && echo "another domid"
try xm reset 0
try xm reset admin
try xm reset nobody
try xm destroy tiny
await gone tiny

# One that is kept.
try xm new -q /etc/xen/tiny.cfg name=kept
try xm sysrq kept h
try xm trigger kept nmi
try xm reset kept
try xm mem-max kept 6
xm start kept
try xm mem-max kept 8
try xm destroy kept
await gone_from_xen kept
xm list -l kept | grep maxmem
try xm delete kept

# The machine.
xm dmesg -c >/dev/null
try xm debug-keys h
try xm dmesg
try xm info -n
try xm info -c
try xm top -b -i 1
try xm top -b -i 2 -d 1
try xm top --json -i 1
