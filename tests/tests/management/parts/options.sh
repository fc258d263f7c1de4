#!/bin/sh
# Options that the first day does not need, and sub-commands that only have advice.
. ./lib.sh

# Lets a command show a console, and leaves that.
leave() {
    (sleep 1; printf '\035') | "$@"
}

# Configurations that are only shown, and domains of what was shown.
try xm create -q -n /etc/xen/tiny.cfg name=sxp
xm create -q -n /etc/xen/tiny.cfg name=sxp >/tmp/record.sxp
xm create -q -x /etc/xen/tiny.cfg name=xml >/tmp/record.xml
xm create --help_config >/tmp/variables
echo "variables: $(grep -c = /tmp/variables)"
try xm create -F /tmp/record.sxp
try xm create -q -s /tmp/record.xml
sed 's/"tiny"/"third"/' /etc/xen/tiny.cfg >/tmp/third.cfg
try xm create -q --path=/nowhere:/tmp --vncviewer --vncviewer-autopass -f third.cfg
await printed sxp hello
await printed xml hello
await printed third hello

# Domains as they are listed.
try xm list --state=running
try xm list --state=paused
try xm list --pool=Pool-0
try xm list --pool=other
try xm list --label sxp
try xm list -v sxp
try xm list --json sxp
try xm uptime -s sxp
try xm uptime --json sxp
try xm domstate sxp
try xm info --json
try xm top -b -d 1 -i 2
try xm top --json -i 1
try leave xm console -n 0 sxp
try xm console -n 1 sxp
try xm console -q nobody
try xm events --past -t 1 third

# Ends, one way and another.
try xm shutdown -H -w sxp
try xm shutdown -R xml
try xm wait -t 60 xml gone
try xm create -q /etc/xen/tiny.cfg name=deaf extra=control-shutdown-ignore
try xm shutdown -w --timeout=2 deaf
try xm reboot -w --timeout=2 deaf
try xm destroy deaf
try xm destroy third

# Definitions.
try xm new -q -n /etc/xen/tiny.cfg name=kept
xm new -q -x /etc/xen/tiny.cfg name=kept2 >/tmp/kept.xml
xm new --help_config >/tmp/variables
try xm new -q -s --path=/tmp -f kept.xml -p -c --vncviewer --vncviewer-autopass
try xm new -F /tmp/record.sxp
try xm rename sxp kept
try xm domid kept
try xm start -p --vncviewer --vncviewer-autopass kept
try xm domstate kept
try xm unpause kept
await printed kept hello
try xm delete --timeout=60 kept
try xm list kept
try leave xm start -c kept2
try xm delete --force kept2
try xm create -q --managed /etc/xen/tiny.cfg name=both
try xm shutdown -w both
try xm list both
try xm delete both
try xm create -q /etc/xen/tiny.cfg name=auto on_xend_start=start
try xm new --managed -q /etc/xen/tiny.cfg name=auto on_xend_start=start on_xend_stop=shutdown
try xm start --on-xend-start
try xm shutdown -w --on-xend-stop
try xm start --on-xend-start
try xm shutdown -w --on-xend-stop
try xm delete auto

# What cannot be done here.
try xm suspend admin
try xm suspend nobody
try xm resume -p admin
try xm migrate -l -p 8002 -n 0 -s -c -r 100 admin elsewhere
try xm vncviewer --autopass --vncviewer-autopass admin
try xm vtpm-list -l admin
try xm tmem-list -a
try xm serve

# Words.
printf 'domid admin\nxm domname 0\nnonsense\n' >/tmp/script
xm shell </tmp/script >/tmp/said
echo "shell: $?"
cat /tmp/said
xm help >/tmp/help
echo "sub-commands: $(grep -c '^ [a-z]' /tmp/help)"
xm completions bash >/tmp/completions && grep -c complete /tmp/completions
mkdir -p /tmp/man && xm man /tmp/man && echo "pages: $(find /tmp/man -type f | wc -l)"
