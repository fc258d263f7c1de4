#!/bin/sh
# Disks that come and go while another one is in use, with xmd killed in the middle, and with a hostile guest.
. ./lib.sh

ROUNDS=50
# Moments at which xmd is killed, in eighths of what the command takes.
EIGHTHS="0 1 2 4 6"

# Succeeds when domain $1 has disk $2, and in state $3 if there is one.
has() {
    xm block-list "$1" | grep -q "^$2  *[0-9]* *0 *${3:-[0-9]}"
}
has_not() {
    ! xm block-list "$1" | grep -q "^$2 "
}

# How often a line with $3 came below the last one with $1, up to the next one with $2, in Xen's own word.
xen_counts() {
    xm dmesg | awk -v "begin=$1" -v "end=$2" -v "line=$3" '
        $0 ~ begin { count = 0; on = 1; next }
        $0 ~ end { on = 0 }
        on && $0 ~ line { count++ }
        END { print count }'
}
grants_shown() {
    xm dmesg | grep -c 'gnttab_usage_print_all ] done'
}

# What Xen knows of domain $1 as $2 begins: event channels, and its pages that others have.
known_to_xen() {
    shown=$(grants_shown)
    xm debug-keys e
    xm debug-keys g
    until [ "$(grants_shown)" -gt "$shown" ]; do usleep 50000; done
    id=$(xm domid "$1")
    echo "$2 channels: $(xen_counts "information for domain $id:" 'information for domain' ' s=[0-9]')"
    echo "$2 grants: $(xen_counts "table for remote d$id " 'table for remote' ' .0x[0-9a-f]*. ')"
}

heap() {
    xm info | sed -n 's/^xendless_heap_used_kib *: //p'
}

# Hundredths of a second since the boot.
now() {
    sed 's/\.\([0-9]*\) .*/\1/' /proc/uptime
}

before=$(free_memory)
truncate -s 16M /root/busy.img
truncate -s 4M /root/moved.img
attach="block-attach busy file:/root/moved.img xvdd w"
detach="block-detach busy xvdd"

xm create -q /etc/xen/guest.cfg name=busy
log_in busy
known_to_xen busy before
xm block-attach busy file:/root/busy.img xvdb w
# One processor has to do for all: the guest leaves some of it. Closing a block device writes what is not on it yet, and forgets what is.
ask busy 100 'until [ -b /dev/xvdb ]; do sleep 0.1; done; dd if=/dev/urandom of=/tmp/p bs=64k count=16 2>/dev/null; p=$(md5sum </tmp/p); (n=0 wrong=0; until [ -e /tmp/stop ]; do o=$((n % 8 * 16)); dd if=/tmp/p of=/dev/xvdb bs=64k seek=$o conv=notrunc 2>/dev/null; [ "$(dd if=/dev/xvdb bs=64k skip=$o count=16 2>/dev/null | md5sum)" = "$p" ] || wrong=$((wrong + 1)); n=$((n + 1)); sleep 0.05; done; echo $n $wrong >/tmp/rounds) </dev/null >/dev/null 2>&1 & echo started'

# Every other time its frontend is let connect.
round=1
while [ $round -le $ROUNDS ]; do
    xm $attach || echo "not attached: $round"
    [ $((round % 2)) = 0 ] || await has busy 51760 4
    xm $detach || echo "not detached: $round"
    [ $round != 5 ] || first=$(heap)
    round=$((round + 1))
done
echo "rounds: $((round - 1))"
echo "heap grew: $(($(heap) - first))"
echo "loop devices under load: $(cat /sys/block/loop*/loop/backing_file | wc -l)"
try xm block-list busy

# xmd killed in the middle of it, and again when it is back.
start=$(now)
xm $attach
attach_took=$(($(now) - start))
await has busy 51760 4
start=$(now)
xm $detach
detach_took=$(($(now) - start))
xm $attach
await has busy 51760 4
for eighth in $EIGHTHS; do
    killed_after $((detach_took * eighth / 8)) $detach
    # Who was killed before it could ask has to ask again.
    [ "$(cat /tmp/status)" = 0 ] || xm $detach >/dev/null 2>&1
    await has_not busy 51760
    killed_after $((attach_took * eighth / 8)) $attach
    until has busy 51760 4; do
        ! has_not busy 51760 || xm $attach || echo "not attached again"
        usleep 50000
    done
done
xm $detach

# The disk that was in use all the time is right.
ask busy 200 'touch /tmp/stop; until [ -e /tmp/rounds ]; do sleep 0.1; done; cat /tmp/rounds'
ask busy 300 'md5sum </dev/xvdb'
echo "in the file: $(md5sum </root/busy.img)"

# A hostile guest writes nonsense about its disk.
try xm create -q /etc/xen/tiny.cfg name=hostile disk=file:/root/moved.img,xvda,w 'extra=garbage-disk obey'
show_nonsense hostile garbage-disk vbd 51712
try xm block-list hostile
try xm block-attach busy file:/root/moved.img xvdd w
try xm block-detach hostile xvda -f
try xm block-list hostile
try xm block-attach busy file:/root/moved.img xvdd w
ask busy 400 'until [ -b /dev/xvdd ]; do sleep 0.1; done; echo $(dd if=/dev/xvdd bs=64k 2>/dev/null | wc -c) $(md5sum </dev/xvdb)'
xm $detach
try xm block-attach hostile file:/root/moved.img xvda w
try xm destroy hostile
await gone hostile

try xm block-detach busy xvdb
await has_not busy 51728
known_to_xen busy after
try xm destroy busy
await gone busy
leftovers
echo "memory missing: $((before - $(free_memory)))"
rm /root/busy.img /root/moved.img
