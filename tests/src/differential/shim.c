/*
 * Xen as C xenstored sees it, without Xen: preloaded into xenstored, this stands in for the few functions of
 * libxenctrl, libxenevtchn and libxengnttab that it calls.
 *
 * Everything lives in the folder $XENDLESS_SHIM:
 *   ring.N      the ring page of domain N; the domain exists as long as the file does
 *   shutdown.N  domain N has shut down
 *   to-server   a FIFO: ports on which an event came, as native 32-bit words
 *   to-guests   a FIFO: ports that the server notified, likewise
 * Port 1 is VIRQ_DOM_EXC; the server's port to domain N is 1000 + N.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

enum { VIRQ_PORT = 1, FIRST_PORT = 1000 };

static int to_server = -1, to_guests = -1;

static int shim_open(const char *name, unsigned int number, int flags)
{
    char path[4096];
    snprintf(path, sizeof(path), name, getenv("XENDLESS_SHIM"), number);
    return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static int exists(const char *name, unsigned int number)
{
    int fd = shim_open(name, number, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The kernel tells dom0's port and page through two files. */
int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (strcmp(path, "/proc/xen/xsd_kva") == 0)
        return shim_open("%s/ring.%u", 0, flags);
    if (strcmp(path, "/proc/xen/xsd_port") == 0)
        return shim_open("%s/port", 0, flags);
    return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
    to_server = shim_open("%s/to-server", 0, O_RDWR);
    to_guests = shim_open("%s/to-guests", 0, O_RDWR);
    return to_server < 0 || to_guests < 0 ? NULL : (xenevtchn_handle *)&to_server;
}

int xenevtchn_fd(xenevtchn_handle *handle)
{
    return to_server;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle)
{
    uint32_t port;
    return read(to_server, &port, sizeof(port)) == sizeof(port) ? (int)port : -1;
}

int xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t port)
{
    return 0;
}

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
    uint32_t word = port;
    return write(to_guests, &word, sizeof(word)) == sizeof(word) ? 0 : -1;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid, evtchn_port_t port)
{
    return FIRST_PORT + domid;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *handle, unsigned int virq)
{
    return VIRQ_PORT;
}

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
    return 0;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild, unsigned int flags)
{
    return (xc_interface *)&to_server;
}

int xc_interface_close(xc_interface *handle)
{
    return 0;
}

int xc_domain_getinfo(xc_interface *handle, uint32_t first, unsigned int max, xc_dominfo_t *info)
{
    memset(info, 0, sizeof(*info));
    if (first >= DOMID_FIRST_RESERVED || !exists("%s/ring.%u", first))
        return 0;
    info->domid = first;
    info->shutdown = exists("%s/shutdown.%u", first);
    return 1;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
    return (xengnttab_handle *)&to_server;
}

int xengnttab_close(xengnttab_handle *handle)
{
    return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *handle, uint32_t count)
{
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domid, uint32_t ref, int prot)
{
    int fd = shim_open("%s/ring.%u", domid, O_RDWR);
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, prot, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return page == MAP_FAILED ? NULL : page;
}

int xengnttab_unmap(xengnttab_handle *handle, void *address, uint32_t count)
{
    return munmap(address, 4096 * (size_t)count);
}
