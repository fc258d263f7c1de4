#!/bin/sh
# Clients of the C library, well-behaved and not, in place of xmd.
. ./lib.sh

xm create /etc/xen/tiny.cfg name=witness extra=tick
await printed witness 'tick 1'
/etc/init.d/xmd stop
ring=/xendless/control/$(xenstore-read domid)
try vchan-client "$ring" hello
try vchan-client "$ring" hello
for frames in none zero huge cut garbage; do
    try vchan-client "$ring" $frames
done
try vchan-client "$ring" hello
/etc/init.d/xmd start
try xm list witness
try xm destroy witness
