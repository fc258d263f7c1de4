#!/bin/sh
# Definitions, with xmd killed at any moment. The file system is the admin domain's memory, so what is shown is that
# nothing acknowledged is lost while that lives.
. ./lib.sh

again() {
    kill -9 "$(cat /run/xendless/xmd.pid)"
    await sh -c '! xm list'
    /etc/init.d/xmd start >/dev/null
}
define() {
    xm new -q /etc/xen/tiny.cfg "name=kept$1"
}

# Killed when all was said to be done.
define 0
again
try xm list kept0
try xm start kept0
await printed kept0 hello
again
try xm list kept0
try xm destroy kept0
await gone_from_xen kept0
try xm list kept0

# Killed while definitions come: those whose command ended well are there, whole, and can be started.
for round in 1 2 3 4 5; do
    : >/tmp/acknowledged
    (for number in 1 2 3 4 5 6 7 8 9; do
        define $round$number 2>/dev/null && echo kept$round$number >>/tmp/acknowledged
    done) &
    loop=$!
    await sh -c "[ \$(wc -l </tmp/acknowledged) -ge $round ]"
    kill -9 "$(cat /run/xendless/xmd.pid)"
    wait $loop
    /etc/init.d/xmd start >/dev/null
    while read -r name; do
        xm list "$name" | grep -q -- ---s-- && echo "kept: $name"
    done </tmp/acknowledged
    echo "acknowledged: $(wc -l </tmp/acknowledged)"
    last=$(tail -n 1 /tmp/acknowledged)
    xm start "$last" >/dev/null && await printed "$last" hello && echo "starts: $last"
    xm destroy "$last"
    await gone_from_xen "$last"
done
xm list | grep -c -- ---s--
ls /var/lib/xendless/definitions | grep -v kept
for name in $(xm list | sed -n 's/^\(kept[0-9]*\) .*/\1/p'); do
    xm delete "$name" || echo "not deleted: $name"
done
again
try xm list
