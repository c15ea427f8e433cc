/* start.c - vectors and the way to main() on mps2-an385. The C library's files and its end are the emulator's
 * (semihosting), and so are the words main() is given. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern uint32_t bss_begin[], bss_end[], stack_end[];

int main(int argc, char **argv);
void initialise_monitor_handles(void);
void reset(void);

#define GET_COMMAND_LINE 0x15
#define WORDS            8

static void fault(void)
{
    printf("\nnot ok - the processor faulted\n");
    exit(1);
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = {stack_end, reset, fault, fault,
                                                                           fault,     fault, fault};

static int32_t call(uint32_t operation, void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

void reset(void)
{
    static char line[1000];
    static char *words[WORDS + 1];
    uint32_t block[] = {(uint32_t)(uintptr_t)line, sizeof line};
    int count = 0;

    memset(bss_begin, 0, (size_t)((char *)bss_end - (char *)bss_begin));
    initialise_monitor_handles();
    if (call(GET_COMMAND_LINE, block) == 0) {
        for (char *word = strtok(line, " "); word != NULL && count < WORDS; word = strtok(NULL, " ")) {
            words[count++] = word;
        }
    }
    exit(main(count, words));
}
