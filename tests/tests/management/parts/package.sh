#!/bin/sh
# The Debian package, installed in place of the programs that are here already, used, and purged.
. ./lib.sh

/etc/init.d/xmd stop
rm /usr/bin/xm /usr/bin/xmd /etc/init.d/xmd
mkdir -p /var/lib/dpkg/info
touch /var/lib/dpkg/status
try dpkg -i --force-depends /root/xendless.deb
try /etc/init.d/xmd start
try xm list
try xm create -q /etc/xen/tiny.cfg name=packed
await printed packed hello
try xm shutdown -w packed
echo "headings: $(gunzip -c /usr/share/man/man1/xm-create.1.gz | grep -c '^\.SH')"
try /etc/init.d/xmd stop
try dpkg -P xendless
try test ! -e /usr/bin/xm
