/* plot.h - a picture in SVG: panels with axes, readable on a light ground and on a dark one. */
#ifndef TESTS_SOAK_PLOT_H
#define TESTS_SOAK_PLOT_H

#include <stdio.h>

#define PLOT_BLUE   "#3b82c4"
#define PLOT_ORANGE "#d9822b"
#define PLOT_RED    "#d1495b"
#define PLOT_GREY   "#7f8893"

struct plot {
    FILE *file;
    double left, top, width, height; /* of the panel, in pixels     */
    double x0, x1, y0, y1;           /* what its sides stand for    */
};

/* Returns NULL when the file cannot be written. */
FILE *plot_begin(const char *path, int width, int height, const char *title);
void plot_end(FILE *file);

/* Axes, with about `x_marks` marks below and 4 at the side. */
void plot_axes(struct plot *p, const char *title, const char *x, const char *y, unsigned x_marks);

void plot_shade(struct plot *p, double from, double to, const char *words);
void plot_rule(struct plot *p, double y, const char *colour, const char *words);
void plot_line(struct plot *p, const double *y, unsigned count, const char *colour); /* evenly over x */
void plot_area(struct plot *p, const double *low, const double *high, unsigned count,
               const char *colour);                                                  /* likewise */
void plot_bars(struct plot *p, const double *y, unsigned count, const char *colour); /* likewise      */
void plot_dot(struct plot *p, double x, double y, const char *colour);
void plot_words(struct plot *p, double x, double y, const char *colour, const char *words);

#endif
