/*
 * Runs a fuzz target on files, for builds without libFuzzer: replay FILE... Each input is
 * copied to a block of exactly its size, so that a sanitizer or valgrind sees a read
 * beyond it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *path)
{
    static uint8_t buf[1 << 24];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    size_t n = fread(buf, 1, sizeof buf, f);
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact)
        return -1;
    memcpy(exact, buf, n);
    fprintf(stderr, "%s\n", path); // the last line before a crash names the input
    int rc = LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return rc;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (replay(argv[i]))
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
