/* memcpy.c - newlib's own is made for speed and takes 236 bytes. A Cortex-M3 reads and writes words at any address. */
#include <stdint.h>
#include <string.h>

/* Four instructions a word, where the compiler makes six: BearSSL's numbers pass through here. */
void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    void *put = to;
    uint32_t word;

    __asm__ volatile("subs %2, #4\n"
                     "bmi 2f\n"
                     "1: ldr %3, [%1], #4\n"
                     "str %3, [%0], #4\n"
                     "subs %2, #4\n"
                     "bpl 1b\n"
                     "2: adds %2, #4\n"
                     "beq 4f\n"
                     "3: ldrb %3, [%1], #1\n"
                     "strb %3, [%0], #1\n"
                     "subs %2, #1\n"
                     "bne 3b\n"
                     "4:"
                     : "+r"(put), "+r"(from), "+r"(len), "=&r"(word)
                     :
                     : "cc", "memory");
    return to;
}
