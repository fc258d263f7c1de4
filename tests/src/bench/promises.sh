#!/bin/sh
# What xm promises to take, where that is measured in a minute; for the tests.
sed -i 's/^extra.*/extra = "mark obey"/' /etc/xen/tiny.cfg
stopwatch run version 1 5 xm --version
stopwatch run list 1 5 xm list
# The first one brings the kernel.
stopwatch create first 0 0 xm create -q /etc/xen/tiny.cfg 'name=t{}'
stopwatch create create 1 5 xm create -q /etc/xen/tiny.cfg 'name=t{}'
stopwatch run destroy 1 5 xm destroy 't{}'
/etc/init.d/xmd stop
stopwatch serve serve 1 5 /run/xendless/xmd.sock xmd
