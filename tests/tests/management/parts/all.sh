#!/bin/sh
# All domains but those that manage are told at once.
. ./lib.sh

xm create -q /etc/xen/tiny.cfg name=one on_reboot=destroy
xm create -q /etc/xen/tiny.cfg name=two on_reboot=destroy
await printed one hello
await printed two hello
try xm reboot -a -w
xm create -q /etc/xen/tiny.cfg name=three
await printed three hello
try xm shutdown -a -w
try xm list
