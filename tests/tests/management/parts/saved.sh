#!/bin/sh
# Domains that are saved and restored, with what they do at that moment: a process, memory, a disk.
. ./lib.sh

rm -rf /var/lib/xen/dump /root/*.core
before=$(free_memory)
truncate -s 4M /root/saved.img

# A guest of kind $1 with a process that counts, a file in its memory and one on its disk.
begin() {
    try xm create -q /etc/xen/guest.cfg name="$1" type="$1" memory=96 vcpus=2 disk=file:/root/saved.img,xvdb,w
    log_in "$1"
    # shellcheck disable=SC2016 # the guest is to expand it
    ask "$1" 100 'until [ -b /dev/xvdb ]; do sleep 0.1; done; dd if=/dev/urandom of=/tmp/p bs=64k count=16 2>/dev/null; dd if=/tmp/p of=/dev/xvdb conv=fsync 2>/dev/null; md5sum </tmp/p >/tmp/sum; (n=0; while sleep 0.2; do n=$((n + 1)); echo $n >/tmp/n; done) </dev/null >/dev/null 2>&1 & echo begun'
}

# What is left of that, behind number $2: memory, the disk, the count goes on, the disk can be written, both processors.
look_at() {
    # shellcheck disable=SC2016 # the guest is to expand it
    ask "$1" "$2" 'echo $([ "$(md5sum </tmp/p)" = "$(cat /tmp/sum)" ] && echo memory; [ "$(dd if=/dev/xvdb bs=64k count=16 2>/dev/null | md5sum)" = "$(cat /tmp/sum)" ] && echo disk; n=$(cat /tmp/n); sleep 1; [ $(cat /tmp/n) -gt $n ] && echo counts; dd if=/tmp/p of=/dev/xvdb bs=64k seek=16 conv=fsync 2>/dev/null && echo writes; grep -c ^processor /proc/cpuinfo)'
}

for kind in pvh pv; do
    begin $kind
    try xm save $kind /root/$kind.chk
    try xm domid $kind
    leftovers
    try xm restore /root/$kind.chk
    look_at $kind 200
    try xm restore /root/$kind.chk 2>&1 | sed "s/ID '[0-9]*'/ID 'N'/"
    try xm save -c $kind /root/again.chk
    look_at $kind 300
    try xm destroy $kind
    try xm restore -p /root/again.chk
    try xm list --state=paused
    try xm unpause $kind
    look_at $kind 400
    # It can be made anew, too.
    try xm reset $kind
    printed_again() { [ "$(grep -c 'guest login:' "$LOGS/console-$1.log")" -gt 1 ]; }
    await printed_again $kind
    try xm shutdown -w $kind
    # There is room for two files.
    head -c 3000000 /root/$kind.chk >/root/short.$kind
    rm /root/*.chk
done

# Who does not suspend itself, or is not let.
try xm create -q /etc/xen/tiny.cfg name=deaf extra=control-shutdown-ignore
try timeout -s INT 2 xm save deaf /root/deaf.chk
try xm domstate deaf
try xm save deaf /nowhere/deaf.chk
try xm pause deaf
try xm save deaf /root/deaf.chk
try xm destroy deaf
echo "left of it: $(ls /root/deaf.chk* 2>/dev/null)"

# What is damaged makes no domain.
mv /root/short.pvh /root/short.chk
try xm restore /root/short.chk
mv /root/short.pv /root/bad.chk
head -c 100000 /dev/urandom >>/root/bad.chk
try xm restore /root/bad.chk
try xm restore /etc/xen/tiny.cfg
try xm restore /root/nothing.chk
rm /root/*.chk /root/saved.img
leftovers
sleep 1
echo "memory missing: $((before - $(free_memory)))"
