/* Preloaded into ovs-vswitchd: makes the kernel refuse DISPATCH_UPCALL_PER_CPU, as one before 5.15 does, so that the
 * switch dispatches per port. Whatever sets that feature (8) also asks for one that no kernel has (bit 31). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { NLMSG_HEADER = 16, OVS_HEADERS = 24, DP_NEW = 1, DP_SET = 4, DP_VERSION = 2, USER_FEATURES = 5 };

static void spoil(uint8_t *bytes, size_t left) {
    uint32_t length;
    for (; left >= OVS_HEADERS; bytes += length, left -= length) {
        uint16_t type, attr[2];
        memcpy(&length, bytes, 4);
        memcpy(&type, bytes + 4, 2);
        if (length < OVS_HEADERS || length > left) return;
        int is_datapath = type > 16 && (bytes[16] == DP_NEW || bytes[16] == DP_SET) && bytes[17] == DP_VERSION;
        for (size_t at = OVS_HEADERS; is_datapath && at + 4 <= length; at += (attr[0] + 3u) & ~3u) {
            memcpy(attr, bytes + at, 4);
            if (attr[0] < 4) return;
            if (attr[1] == USER_FEATURES && attr[0] == 8 && bytes[at + 4] & 8) bytes[at + 7] |= 0x80;
        }
        length = (length + 3) & ~3u;
        if (length > left) return;
    }
}

static int is_netlink(int fd) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_NETLINK;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
    if (is_netlink(fd))
        for (size_t i = 0; i < message->msg_iovlen; i++)
            spoil(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    return real(fd, message, flags);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    ssize_t (*real)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
    if (is_netlink(fd)) spoil((uint8_t *)bytes, length);
    return real(fd, bytes, length, flags);
}
