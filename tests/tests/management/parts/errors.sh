#!/bin/sh
# What cannot be had.
. ./lib.sh

config() {
    sed "s|^kernel.*|kernel = \"$1\"|" /etc/xen/tiny.cfg >/tmp/case.cfg
}
before=$(free_memory)
config /nowhere
try xm create /tmp/case.cfg
config /etc/passwd
try xm create /tmp/case.cfg
head -c 30000 /boot/guest/tiny >/tmp/cut
config /tmp/cut
try xm create /tmp/case.cfg
head -c 3000000 /boot/guest/vmlinuz >/tmp/cut
try xm create /tmp/case.cfg
: >/tmp/cut
try xm create /tmp/case.cfg
try xm create /tmp/nowhere.cfg
try xm create /etc/xen/tiny.cfg memory=100000
try xm create /etc/xen/tiny.cfg
try xm create /etc/xen/tiny.cfg
try xm rename tiny admin
try xm rename tiny Domain-0
try xm destroy nobody
try xm destroy tini
try xm pause 4711
try xm console nobody
try xm destroy 0
try xm pause admin
try xm nonsense
try xm destroy tiny
await gone tiny
try xm list
echo "memory missing: $((before - $(free_memory)))"
