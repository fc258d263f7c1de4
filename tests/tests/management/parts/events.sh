#!/bin/sh
# What happens is told to whoever listens.
. ./lib.sh

xm events -n 6 >/tmp/events &
events=$!
xm events --json -n 1 brief >/tmp/first &
first=$!
# Both have begun to listen when they have opened their sockets and sleep.
sleep 1
try xm create -q /etc/xen/tiny.cfg name=brief
echo "id: $(xm domid brief)"
try xm wait -t 60 brief booted
try xm wait -t 1 brief paused
try xm pause brief
try xm wait brief paused
try xm unpause brief
try xm rename brief short
try xm destroy short
wait $first $events
cut -d' ' -f2- /tmp/events
cat /tmp/first
try xm wait brief crashed
# Somebody waits before it is there.
xm wait -t 60 soon booted &
soon=$!
sleep 1
xm create -q /etc/xen/tiny.cfg name=soon
wait $soon
echo "soon: $?"
try xm shutdown soon
try xm wait -t 60 soon gone
