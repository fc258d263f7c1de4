# shellcheck shell=sh
# What all parts of the session use.

LOGS=/var/log/xendless

# Runs a command as a person would; shows the command, what it writes and how it ends.
try() {
    printf '$ %s\n' "$*"
    "$@"
    printf '[%s]\n' $?
}

# Waits until a command succeeds, however long that takes: the machine has a watchdog.
await() {
    until "$@" >/dev/null 2>&1; do usleep 50000; done
}

# Succeeds when domain $1 is no more.
gone() {
    ! xm domid "$1"
}

# Succeeds when domain $1 ever printed $2.
printed() {
    grep -q "$2" "$LOGS/console-$1.log"
}

# Joins domain $1's console and leaves it again when it was shown.
look() {
    (sleep 1; printf '\035') | xm console "$1"
}

# Free memory of the machine in MiB.
free_memory() {
    xm info | sed -n 's/^free_memory *: //p'
}

# Succeeds when domain $1 is no more, or only defined.
gone_from_xen() {
    [ "$(xm domid "$1")" = None ]
}

# Types a line at the console of domain $1.
type_at() {
    printf '%s\n\035' "$2" | xm console "$1" >/dev/null
}

# Has domain $1 carry out $3 and waits for what it says of it, behind the number $2 that nobody else says.
ask() {
    type_at "$1" "echo $(($2 - 1))\$((0)) \"\$($3)\""
    await printed "$1" "^$(($2 - 1))0 "
    sed -n "s/\r$//; s/^$(($2 - 1))0 /$1 says: /p" "$LOGS/console-$1.log"
}

# Loop devices in use, and what is left of disks in XenStore.
leftovers() {
    echo "loop devices: $(cat /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l)"
    echo "nodes: $(xenstore-ls -f | grep -c '/vbd/[0-9]')"
}

# What became of the nonsense that domain $1 wrote by its word $2, and of what is said in the directory of its device $4 of
# class $3 where it is served. The backends' drivers and xmd see one change after the other: when they have seen to another
# device, they have seen all the nonsense, and done what they do about it.
show_nonsense() {
    await printed "$1" "$2: done"
    xm network-attach "$1" mac=00:16:3e:00:00:09 bridge=xenbr0 && xm network-detach "$1" 00:16:3e:00:00:09 -f
    tr -d '\r' <"$LOGS/console-$1.log" | sed -n "s/^guest: $2: //p" | sort | uniq -c
    xenstore-ls -f "/local/domain/1/backend/$3/$(xm domid "$1")/$4" | sed -n 's,.*/\([^/]*\) = ,theirs: \1 ,p'
}

# Logs in at Debian in domain $1.
log_in() {
    await printed "$1" 'guest login:'
    type_at "$1" root
    await printed "$1" 'root# '
}

# The nodes of the devices of class $1 that domain $2 serves domain $3.
show_tree() {
    echo "---- tree of $1: $2 serves $3"
    for top in "/local/domain/$3/device/$1" "/local/domain/$2/backend/$1/$3" "/libxl/$3/device/$1"; do
        xenstore-ls -fp "$top"
    done
    echo "---- end"
}

# Carries out an xm command and kills xmd in the middle of it, after $1 hundredths of a second; then xmd is there again.
killed_after() {
    at=$1
    shift
    (xm "$@" >/tmp/killed 2>&1; echo $? >/tmp/status) &
    command=$!
    usleep $((at * 10000))
    kill -9 "$(cat /run/xendless/xmd.pid)"
    wait $command
    /etc/init.d/xmd start >/dev/null
    await xm list
    echo "killed after $at: $1 [$(cat /tmp/status)] $(cat /tmp/killed)"
}
