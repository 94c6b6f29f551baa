#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

size_t
pz_edit_distance(const char *a, size_t n, const char *b)
{
    enum { MAX = 63 };
    size_t m = strlen(b), row[MAX + 1];
    if (n > MAX || m > MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < shift ? change : shift;
        }
    }
    return row[m];
}
