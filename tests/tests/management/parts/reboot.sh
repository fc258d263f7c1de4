#!/bin/sh
# A domain that is old enough lives again.
. ./lib.sh

before=$(xm domid old)
# So old that it may live again.
until [ $(($(date +%s) - $(cat /tmp/old))) -gt 62 ]; do sleep 1; done
try xm reboot -w old
[ "$(xm domid old)" != "$before" ] && echo "another domid"
try look old
try xm shutdown -w old
await gone old
try xm list
