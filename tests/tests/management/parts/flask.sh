#!/bin/sh
# Security labels and the policy, on a Xen that has them and enforces its own policy.
. ./lib.sh

usual=system_u:system_r:domU_t
other=system_u:system_r:isolated_domU_t
try xm getenforce
try xm getpolicy
try xm list --label

# A domain has the label of its configuration, in every life, and the usual one without.
cp /etc/xen/tiny.cfg /tmp/labelled.cfg
try xm addlabel $other dom /tmp/labelled.cfg
try xm getlabel dom /tmp/labelled.cfg
try xm dry-run /tmp/labelled.cfg
try xm create -q /tmp/labelled.cfg name=apart
try xm create -q /etc/xen/tiny.cfg name=plain
await printed apart hello
await printed plain hello
try xm getlabel mgt apart
try xm getlabel mgt plain
try xm list --label
before=$(xm domid apart)
try xm reset apart
[ "$(xm domid apart)" != "$before" ] && echo "another domid"
try xm getlabel mgt apart

# A label that the policy does not have, one that it does not give to a second domain, and one that XenStore may not serve.
try xm create -q /etc/xen/tiny.cfg name=unknown seclabel=system_u:system_r:nowhere_t
try xm create -q /etc/xen/tiny.cfg name=second seclabel=system_u:system_r:dom0_t
try xm create -q /etc/xen/tiny.cfg name=unserved seclabel=system_u:system_r:xenstore_t
try xm list

# Xen's policy lets nobody change the label of a domain that runs, as long as it is enforced.
try xm addlabel $other mgt plain
try xm setenforce 0
try xm getenforce
try xm addlabel $other mgt plain
try xm setenforce Enforcing
try xm getenforce
try xm getlabel mgt plain
try xm reset plain
try xm getlabel mgt plain

# With another policy that is allowed; with Xen's own it is not any more.
try xm loadpolicy /root/policies/relabel
try xm rmlabel mgt plain
try xm getlabel mgt plain
try xm addlabel $other mgt plain
try xm setpolicy FLASK /root/policies/own
try xm addlabel $usual mgt plain
try xm loadpolicy /root/policies/none
try xm getenforce
try xm destroy apart
try xm create -q /tmp/labelled.cfg name=apart
try xm getlabel mgt apart

try xm addlabel $usual res ioport:2f8-2ff
try xm rmlabel res ioport:2f8-2ff
try xm getlabel mgt Domain-0
try xm destroy apart
try xm destroy plain
