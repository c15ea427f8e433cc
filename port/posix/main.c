/* main.c - nanoacme, the program for a gateway. */
#include "program.h"

int main(int argc, char **argv)
{
    static struct acme_config config;
    return acme_program_run(&config, argc, argv);
}
