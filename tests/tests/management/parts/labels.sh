#!/bin/sh
# Security labels and the policy, on a Xen that was built without them.
. ./lib.sh

cp /etc/xen/tiny.cfg /tmp/labelled.cfg
label=system_u:system_r:domU_t
try xm getenforce
try xm setenforce 1
try xm getpolicy
try xm loadpolicy /etc/passwd
try xm setpolicy FLASK /etc/passwd
try xm setpolicy ACM x
try xm getlabel mgt admin
try xm addlabel $label mgt admin
try xm rmlabel mgt admin
try xm addlabel $label res ioport:2f8-2ff
for word in labels resources dumppolicy resetpolicy makepolicy cfgbootpolicy; do
    try xm $word
done
try xm list --label

# A configuration file may have one all the same; no domain comes of it here.
try xm dry-run /tmp/labelled.cfg
try xm addlabel $label dom /tmp/labelled.cfg
try xm getlabel dom /tmp/labelled.cfg
try xm create -q /tmp/labelled.cfg
try xm dry-run /tmp/labelled.cfg
try xm rmlabel dom /tmp/labelled.cfg
try xm create -q /tmp/labelled.cfg
try xm destroy tiny
await gone tiny
