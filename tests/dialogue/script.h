/* script.h - reads a dialogue (README.md tells the format) into a plan for the scripted CA and a list of what has to be
 * seen. */
#ifndef TESTS_DIALOGUE_SCRIPT_H
#define TESTS_DIALOGUE_SCRIPT_H

#include "fake/engine.h"

#define SCRIPT_LINES   400
#define SCRIPT_TWISTS  24
#define SCRIPT_EXPECTS 32
#define SCRIPT_TABLES  4
#define SCRIPT_COLUMNS 4
#define SCRIPT_ROWS    16

struct script_expect {
    unsigned line;
    const char *what, *value; /* words as written */
    char op;                  /* '=', '<' (at most), '>' (at least); 0: none, value is a text */
    long number;              /* of value, where there is an op                               */
};

/* A table: the script is played once a row, and once a combination of rows when there are several tables. */
struct script_table {
    unsigned columns, rows;
    const char *name[SCRIPT_COLUMNS];
    const char *cell[SCRIPT_ROWS][SCRIPT_COLUMNS];
};

struct script {
    char path[300];
    unsigned line_count;
    const char *line[SCRIPT_LINES];
    unsigned table_count;
    struct script_table table[SCRIPT_TABLES];
    bool covers[100];

    /* of the variant read last */
    struct ca_plan plan;
    struct engine_way way;
    struct ca_twist twist[SCRIPT_TWISTS];
    unsigned twist_count;
    const char *more_hosts[4];
    struct script_expect expect[SCRIPT_EXPECTS];
    unsigned expect_count;
    int outcome; /* the error that is wanted; 0: a certificate; 1: not said */
    char variant[400];

    char error[600]; /* path:line: what is wrong */
    char text[60000], arena[120000];
    size_t used;
};

/* Reads a file, or a text in its place. False: see error. */
bool script_load(struct script *s, const char *path, const char *text);

/* How often it is to be played, and one of the ways. False: see error. */
unsigned script_variants(const struct script *s);
bool script_variant(struct script *s, unsigned number);

/* The word of a kind of request, and the name of an error. */
const char *script_kind(enum ca_kind kind);
const char *script_error(int error);

#endif
