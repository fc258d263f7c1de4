#!/bin/sh
# A domain that migrates: to this machine, under another name, with a script in place of ssh. What it does at that moment
# goes on, there or, when it comes to nothing, here.
. ./lib.sh

before=$(free_memory)

# Takes the command to the other host, which is this one; the domain gets the name $1 there.
cat >/root/there.sh <<'END'
name=$1
[ "$2 $3 $4" = 'here xm migrate-receive' ] || exit 9
exec xm migrate-receive --name "$name"
END

# The same, but in the middle of what comes back when the other side has the domain, the way back ends.
cat >/root/breaks.sh <<'END'
exec 4<&0
xm migrate-receive --name "$1" <&4 | dd bs=1 count=28 2>/dev/null &
exec <&- >&-
wait
END

# A process that counts and a file in memory.
try xm create -q /etc/xen/guest.cfg name=mover type=pvh memory=80
log_in mover
# shellcheck disable=SC2016 # the guest is to expand it
ask mover 100 'dd if=/dev/urandom of=/tmp/p bs=64k count=16 2>/dev/null; md5sum </tmp/p >/tmp/sum; (n=0; while sleep 0.2; do n=$((n + 1)); echo $n >/tmp/n; done) </dev/null >/dev/null 2>&1 & echo begun'

# What is left of that in domain $1, behind number $2.
look_at() {
    # shellcheck disable=SC2016 # the guest is to expand it
    ask "$1" "$2" 'echo $([ "$(md5sum </tmp/p)" = "$(cat /tmp/sum)" ] && echo memory; n=$(cat /tmp/n); sleep 1; [ $(cat /tmp/n) -gt $n ] && echo counts)'
}

# It comes to nothing: before it is disturbed, and when all of it is there.
XM_RSH='sh /root/there.sh admin'
export XM_RSH
try xm migrate mover here
XM_RSH='sh /root/breaks.sh lost'
try xm migrate mover here
look_at mover 200
await gone lost
XM_RSH='no-ssh'
try xm migrate mover here
try xm migrate -p 8002 mover here

XM_RSH='sh /root/there.sh moved'
try xm migrate -l mover here
try xm domid mover
look_at moved 300
try xm migrate -c moved here

# Who does not suspend itself goes on, and nothing of it is there.
try xm create -q /etc/xen/tiny.cfg name=deaf extra=control-shutdown-ignore
XM_RSH='sh /root/there.sh heard'
try timeout -s INT 2 xm migrate deaf here
try xm domstate deaf
await gone heard
try xm destroy deaf
try xm destroy moved
unset XM_RSH
sleep 1
echo "memory missing: $((before - $(free_memory)))"
