#!/bin/sh
# A managed domain that is suspended and resumed, by hand and with the system, with what it does at that moment.
. ./lib.sh

SAVED=/var/lib/xendless/suspended
before=$(free_memory)

# Whether the domain still counts, behind number $1.
counts() {
    # shellcheck disable=SC2016 # the guest is to expand it
    ask sleeper "$1" 'n=$(cat /tmp/n); sleep 1; [ $(cat /tmp/n) -gt $n ] && echo counts'
}

try xm new -q /etc/xen/guest.cfg name=sleeper type=pvh memory=96 on_xend_stop=suspend
try xm start sleeper
log_in sleeper
# shellcheck disable=SC2016 # the guest is to expand it
ask sleeper 100 'cd /tmp; (n=0; while sleep 0.2; do n=$((n + 1)); echo $n >/tmp/n; done) </dev/null >/dev/null 2>&1 & echo begun'

try xm suspend sleeper
try xm list --state=suspended
try xm start -p sleeper
try xm delete sleeper
try xm resume -p sleeper
try xm list --state=paused
try xm unpause sleeper
counts 200
echo "files after it was resumed: $(ls $SAVED | wc -l)"
try xm resume sleeper

# The system stops and starts; xmd is another one then.
try xm shutdown -w --on-xend-stop
try xm domid sleeper
echo "files of suspended domains: $(ls $SAVED | sed 's/^[-0-9a-f]*//')"
/etc/init.d/xmd stop
/etc/init.d/xmd start
await xm list
try xm start --on-xend-start
counts 300

try xm suspend sleeper
try xm delete --force sleeper
echo "files in the end: $(ls $SAVED | wc -l)"
# A domain that nobody manages is not suspended.
try xm create -q /etc/xen/tiny.cfg name=alone
try xm suspend alone
try xm destroy alone
await gone alone
echo "memory missing: $((before - $(free_memory)))"
