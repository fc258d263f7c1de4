#!/bin/sh
# xmd is killed and started again.
. ./lib.sh

xmd_pid() {
    cat /run/xendless/xmd.pid
}
before=$(free_memory)
xm create /etc/xen/tiny.cfg
await printed tiny hello

# Killed while files go up.
xm create /etc/xen/guest.cfg >/tmp/create 2>&1 &
create=$!
# It reads the files, 16 MB, to know their hashes, and then again to send them.
uploads() {
    [ "$(sed -n 's/^rchar: //p' /proc/$create/io)" -gt 19000000 ] || ! kill -0 $create
}
await uploads
kill -9 "$(xmd_pid)"
wait $create
echo "create ended: $?"
cat /tmp/create
try xm list
/etc/init.d/xmd start
try xm domid guest
try xm list tiny
try xm create /etc/xen/tiny.cfg name=other
try xm destroy other

# Killed while somebody looks at a console.
mkfifo /tmp/keys
sleep 1000 >/tmp/keys &
nobody=$!
xm console tiny </tmp/keys >/tmp/console 2>&1 &
console=$!
await grep -q hello /tmp/console
kill -9 "$(xmd_pid)"
wait $console
echo "console ended: $?"
kill $nobody
cat /tmp/console
/etc/init.d/xmd start
try look tiny

# Ended and started as it should be; somebody else's second one changes nothing.
try /etc/init.d/xmd restart
try xmd
try xm list tiny
try xm destroy tiny
await gone tiny
echo "memory missing: $((before - $(free_memory)))"
