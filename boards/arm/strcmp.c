/* strcmp.c - newlib's own for this processor is made for speed: 444 bytes, to compare a few short words. */
#include <string.h>

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}
