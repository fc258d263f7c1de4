#!/bin/sh
# CPU pools and schedulers, on a machine with several CPUs.
. ./lib.sh

try xm cpupool-list
try xm cpupool-list -c

# Pool-0 keeps CPU 0, and there are no CPUs for others yet.
cat >/tmp/fast.cfg <<END
name = "fast"
sched = "credit"
cpus = "1"
other_config = ["owner=me"]
END
try xm cpupool-create /tmp/fast.cfg
try xm cpupool-cpu-remove Pool-0 0
try xm cpupool-cpu-remove Pool-0 7
try xm cpupool-cpu-remove nowhere 1
try xm cpupool-destroy Pool-0
try xm cpupool-cpu-remove Pool-0 1
try xm cpupool-cpu-remove Pool-0 2
xm info | grep free_cpus
try xm cpupool-create -n /tmp/fast.cfg
try xm cpupool-create /tmp/fast.cfg
try xm cpupool-create /tmp/fast.cfg
try xm cpupool-list fast
try xm cpupool-list -l fast
try xenstore-read /local/pool/1/name
try xenstore-read /local/pool/1/other_config/owner

# A domain is made in it, and gets its share.
try xm create -q /etc/xen/tiny.cfg name=quick pool=fast
await printed quick hello
try xm list --pool=fast
try xm list --pool=Pool-0
try xm list --pool=fast quick
try xm vcpu-list quick
try xm sched-credit -d quick
try xm sched-credit -d quick -w 512 -c 50
try xm sched-credit
try xm sched-credit -d quick -c 101
try xm sched-credit -d admin -w 300
try xm sched-credit2 -d admin -w 300
try xm sched-credit2
try xm sched-credit -d nobody -w 300
try xm create -q /etc/xen/tiny.cfg name=lost pool=nowhere
try xm domid lost

# CPUs come and go while it runs, but for its last one.
try xm cpupool-cpu-add fast 2
try xm cpupool-cpu-add fast 2
try xm cpupool-cpu-add Pool-0 1
try xm cpupool-cpu-add fast 9
try xm cpupool-list -c
try xm cpupool-cpu-remove fast 1
try xm cpupool-cpu-remove fast 2
try xm cpupool-destroy fast
xm console quick </dev/null >/tmp/quick &
console=$!
before=$(xm domid quick)
try xm reset quick
[ "$(xm domid quick)" != "$before" ] && echo "another domid"
kill $console
try xm sched-credit -d quick

# It moves, with what it was pinned to.
try xm vcpu-pin quick 0 2
try xm cpupool-migrate quick Pool-0
try xm list --pool=fast
try xm vcpu-list quick
try xm reset quick
try xm cpupool-migrate quick fast
try xm cpupool-migrate quick nowhere
try xm cpupool-migrate nobody fast
try xm cpupool-migrate 0 fast
try xm list --pool=fast
try xm destroy quick
try xm cpupool-destroy fast
try xm cpupool-list -c
xm info | grep free_cpus

# However often CPUs come and go below domains that run, each command comes to its end.
for _ in $(seq 8); do
    for change in add remove; do
        for cpu in 1 2; do
            timeout 20 xm cpupool-cpu-$change Pool-0 $cpu || echo "changed: no"
        done
    done
done
echo "rounds over"

# One that is kept.
try xm cpupool-new /tmp/fast.cfg name=kept sched=credit2 cpus=2
try xm cpupool-start kept
try xm cpupool-start kept
try xm cpupool-delete kept
try xm cpupool-cpu-remove kept 2
try xm cpupool-list kept
try xm cpupool-destroy kept
try xm cpupool-destroy kept
try xm cpupool-list kept
try xm cpupool-delete kept
try xm cpupool-list kept

# What Debian's Xen was built without.
try xm cpupool-create /tmp/fast.cfg sched=rtds cpus=1
try xm sched-rtds -d admin
try xm sched-sedf admin
try xm cpupool-cpu-add Pool-0 1
try xm cpupool-cpu-add Pool-0 2
try xm cpupool-list
