#!/bin/sh
# The rtds scheduler, in a CPU pool of its own beside that of the admin domain.
. ./lib.sh

try xm cpupool-cpu-remove Pool-0 1
printf 'name = "prompt"\nsched = "rtds"\ncpus = 1\n' >/tmp/prompt.cfg
try xm cpupool-create /tmp/prompt.cfg
try xm cpupool-list prompt
try xm create -q /etc/xen/tiny.cfg name=timely pool=prompt
await printed timely hello
try xm sched-rtds
try xm sched-rtds -d timely -v all -p 20000 -b 5000
try xm sched-rtds -d timely -v all
try xm sched-rtds -d timely -v 0 --period=30000 --budget=6000 --extratime=0
try xm sched-rtds --domain=timely --vcpuid=0
try xm sched-rtds --cpupool=prompt
try xm sched-rtds --cpupool=Pool-0
try xm sched-rtds -d timely -v 0 --json
try xm sched-rtds -d timely -v 1 -p 20000
try xm sched-rtds -d timely -v 0 -b 40000
try xm sched-rtds -d admin -v 0 -b 4000
try xm sched-credit2 timely

# It has it in its next life as well, and runs under it.
before=$(xm domid timely)
try xm reset timely
[ "$(xm domid timely)" != "$before" ] && echo "another domid"
try xm sched-rtds timely
try xm destroy timely

# This pool stays: Xen 4.17 panics when a CPU leaves a pool with rtds. Another one has a scheduler that promises and shares
# nothing.
try xm cpupool-cpu-remove Pool-0 2
try xm cpupool-create /tmp/prompt.cfg name=bare sched=null
try xm create -q /etc/xen/tiny.cfg name=alone pool=bare
await printed alone hello
try xm cpupool-list bare
try xm destroy alone
try xm cpupool-destroy bare
