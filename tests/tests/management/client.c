/* A client of the control ring by the C library: says something, shows what it is answered in hexadecimal. */
#include <libxenvchan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a client that plays by the rules says first. */
static const unsigned char hello[] = { HELLO };

static const struct saying {
    const char *name;
    unsigned char bytes[64];
    size_t length;
} sayings[] = {
    /* A frame without a message, one that is longer than any, half a header and a farewell, no hello. */
    { "zero", { 0, 0, 0, 0 }, 4 },
    { "huge", { 255, 255, 255, 255, 1, 2, 3 }, 7 },
    { "cut", { 8, 0 }, 2 },
    { "garbage", { 5, 0, 0, 0, 250, 251, 252, 253, 254 }, 9 },
    { "none", { 0 }, 0 },
};

/* Reads so many bytes, or all until the other side ends it; returns how many came. */
static size_t take(struct libxenvchan *ring, unsigned char *bytes, size_t wanted)
{
    size_t have = 0;
    while (have < wanted) {
        int count = libxenvchan_read(ring, bytes + have, wanted - have);
        if (count <= 0)
            break;
        have += count;
    }
    return have;
}

/* Shows what comes: one frame, or everything until the other side ends it. */
static void show(struct libxenvchan *ring, int one_frame)
{
    unsigned char bytes[4096];
    size_t have = take(ring, bytes, one_frame ? 4 : sizeof(bytes));
    if (one_frame && have == 4)
        have += take(ring, bytes + 4, bytes[0]);
    printf("answer ");
    for (size_t at = 0; at < have; at++)
        printf("%02x", bytes[at]);
    printf("\n%s\n", libxenvchan_is_open(ring) == 1 ? "open" : "closed");
}

int main(int argc, char **argv)
{
    struct libxenvchan *ring;
    if (argc != 3)
        return 2;
    ring = libxenvchan_client_init(NULL, 0, argv[1]);
    if (!ring) {
        perror("libxenvchan_client_init");
        return 1;
    }
    ring->blocking = 1;
    if (!strcmp(argv[2], "hello")) {
        if (libxenvchan_send(ring, hello, sizeof(hello)) != sizeof(hello))
            return 1;
        show(ring, 1);
    }
    for (size_t at = 0; at < sizeof(sayings) / sizeof(sayings[0]); at++) {
        const struct saying *saying = &sayings[at];
        if (strcmp(argv[2], saying->name))
            continue;
        if (saying->length > 0 && libxenvchan_send(ring, saying->bytes, saying->length) < 0)
            return 1;
        /* Who says too little waits for ever, so these leave without a word. */
        if (saying->length > 3)
            show(ring, 0);
    }
    libxenvchan_close(ring);
    return 0;
}
