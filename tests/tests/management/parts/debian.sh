#!/bin/sh
# A second Debian comes, ends, and comes again.
. ./lib.sh

before=$(free_memory)
try xm create /etc/xen/guest.cfg
await printed guest 'guest login:'
echo "memory taken: $((before - $(free_memory)))"
try xm shutdown -w guest
await gone guest
# The second time the files are there.
try xm create /etc/xen/guest.cfg
try xm list guest
try xm destroy guest
await gone guest
echo "memory missing: $((before - $(free_memory)))"
