#!/bin/sh
# The admin domain's first process. With commands to run it runs them and reports; see session.rs for the
# framing. Without, or when they are done, there is a shell on the console, for a person.
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
# shellcheck disable=SC2046 # one word per module
modprobe -a $(cat /etc/modules)
mount -t xenfs xenfs /proc/xen
hostname admin
ifconfig lo up
cd /root || exit

for script in /etc/init.d/*; do
    [ ! -e "$script" ] || "$script" start
done

if [ -e /session ]; then
    token=$(cat /session/token)
    rm /session/token
    {
        sh /session/commands </dev/null 2>&1
        # The zeros push the status through the encoder, which waits for full lines.
        printf '%s %03d %0256d' "$token" $? 0
    } | hexdump -v -e "\"$token %08_ax \" 128/1 \"%02x\" \"\n\""
fi
[ -e /session ] || cat /etc/motd
while :; do setsid cttyhack sh -l; done
