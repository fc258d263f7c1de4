#!/bin/sh
# What ci/bench has done in a management domain: $1 is the tool, $2 how many domains there are before any guest, $3 how
# many guests there are in the end. The stopwatch prints the figures.
tool=$1 present=$2 most=$3
# xl takes words on the command line as lines of a file, xm as values.
q='"'
[ "$tool" = xl ] || q=
made=0

# Makes guests number $2 to $3; they are figure $1.
make() {
    stopwatch create "$1" "$2" "$3" "$tool" create -q /etc/xen/tiny.cfg "name=${q}t{}$q" "extra=${q}mark obey$q"
}

# Makes guests until there are $2; the last five of them are figure $1.
guests() {
    [ "$2" -le "$most" ] || exit 0
    [ "$made" -ge $(($2 - 5)) ] || make more $((made + 1)) $(($2 - 5)) || exit
    make "$1" $(($2 - 4)) "$2" || exit
    made=$2
}

# XenStore from here and from a guest of its own.
store() {
    stopwatch store "store-$1" 200
    "$tool" create -q /etc/xen/tiny.cfg "name=${q}timer$q" "extra=${q}time-store=1000 obey$q"
    home=/local/domain/$("$tool" domid timer)/data
    until xenstore-exists "$home/timed"; do sleep 1; done
    for kind in read write transaction; do
        echo "figure guest-store-$1-$kind $(xenstore-read "$home/time-$kind")"
    done
    "$tool" destroy timer
}

memory() {
    stopwatch memory "memory-$1" xmd xl xenstored xenconsoled
    [ "$tool" = xl ] || stopwatch control "memory-$1"
}

destroy() {
    make more 9001 9005
    stopwatch run "destroy-$1" 9001 9005 "$tool" destroy 't{}'
}

if [ "$tool" = xl ]; then xl debug-keys n; else stopwatch control begin; fi
memory 0
stopwatch run nothing 1 5 true
make create-first 9000 9000
[ "$present" = 1 ] || "$tool" destroy t9000
stopwatch run list-2 1 5 "$tool" list
[ "$present" != 1 ] || "$tool" destroy t9000
store 2
[ "$tool" = xl ] || stopwatch ring ring 200 32
guests create-10 10
destroy 10
memory 10
guests create-100 100
memory 100
guests more $((110 - present))
stopwatch run list-110 1 5 "$tool" list
store 110
guests create-500 500
destroy 500
memory 500
stopwatch run list-500 1 5 "$tool" list
