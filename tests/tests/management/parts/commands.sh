#!/bin/sh
# What a person types on the first day.
. ./lib.sh

try xm list
# For the end of the session.
xm create -q /etc/xen/tiny.cfg name=old
date +%s >/tmp/old
try xm create /etc/xen/tiny.cfg
await printed tiny hello
try xm list tiny
try xm domid tiny
try xm domname "$(xm domid tiny)"
try look tiny
try xm pause tiny
try xm list tiny
try xm unpause tiny
try xm list tiny
try xm rename tiny small
try xm list small
try xm uptime small
# Too young for another life.
try xm reboot -w small
try xm wait -t 60 small gone
try xm create -p /etc/xen/tiny.cfg name=late
try xm list late
try xm unpause late
await printed late hello
try xm destroy late
try xm list late
try xm info
try xm dmesg
try xm log
try xm list
