#!/bin/sh
# The memory of domains in files.
. ./lib.sh

# Shows a file so that it can be had outside.
show() {
    echo "file $1:"
    gzip -c "$1" | base64
    echo "end of file"
}

xm create -q /etc/xen/tiny.cfg name=told extra="say=hello say=a-secret-of-the-guest obey"
await printed told a-secret-of-the-guest
try xm dump-core told /tmp/whole
try xm list told
show /tmp/whole
xm pause told
try xm dump-core told /tmp/paused
try xm list told
xm unpause told
try xm dump-core -L told /tmp/live
show /tmp/live
try xm dump-core told
ls -l /var/lib/xen/dump/told

# It crashed, and stays as it was.
xm create -q /etc/xen/tiny.cfg name=broken on_crash=preserve extra="say=hello crash"
await sh -c 'xm list broken | grep -q -- ----c-'
try xm dump-core broken /tmp/broken
try xm list broken
show /tmp/broken
xm destroy broken

# A domain whose frames Xen translates; too large to be shown whole.
xm create -q -p /etc/xen/guest.cfg name=large type=pvh memory=80
try xm dump-core large /tmp/large
echo "size of large: $(stat -c %s /tmp/large)"
head -c 2048 /tmp/large >/tmp/head
show /tmp/head
rm /tmp/large
xm destroy large

# What cannot be.
try xm dump-core told /tmp
try xm dump-core told /nowhere/core
try xm dump-core nobody
try xm dump-core Domain-0
try xm dump-core admin /tmp/own
try xm dump-core -C -R told
try xm dump-core
xm new -q /etc/xen/tiny.cfg name=kept
try xm dump-core kept
xm delete kept

# Another life behind it, or none.
before=$(xm domid told)
try xm dump-core -R told /tmp/reset
show /tmp/reset
[ "$(xm domid told)" != "$before" ] && echo "another domid"
await sh -c "[ \$(grep -c a-secret $LOGS/console-told.log) -ge 2 ]"
await sh -c 'xm list told | grep -q -- -b----'
echo "lines with the secret: $(grep -c a-secret $LOGS/console-told.log)"
try xm dump-core -C told /tmp/crash
try xm domid told
