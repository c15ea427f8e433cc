/* plot.c - see plot.h. */
#include "plot.h"

#include <math.h>

FILE *plot_begin(const char *path, int width, int height, const char *title)
{
    FILE *f = fopen(path, "w");
    if (f != NULL) {
        fprintf(f,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                "font-family=\"sans-serif\" font-size=\"11\">\n<title>%s</title>\n",
                width, height, width, height, title);
    }
    return f;
}

void plot_end(FILE *file)
{
    fprintf(file, "</svg>\n");
    fclose(file);
}

static double across(const struct plot *p, double x)
{
    return p->left + (x - p->x0) / (p->x1 - p->x0) * p->width;
}

static double up(const struct plot *p, double y)
{
    double share = (y - p->y0) / (p->y1 - p->y0);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return p->top + p->height - share * p->height;
}

/* 1, 2 or 5, and zeros. */
static double step(double span, unsigned marks)
{
    double unit = pow(10, floor(log10(span / marks)));
    double times = span / marks / unit;
    return unit * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

static void text(const struct plot *p, double x, double y, const char *anchor, const char *colour, const char *words)
{
    fprintf(p->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y, anchor, colour,
            words);
}

void plot_axes(struct plot *p, const char *title, const char *x, const char *y, unsigned x_marks)
{
    char label[40];
    double dx = step(p->x1 - p->x0, x_marks), dy = step(p->y1 - p->y0, 4);
    double bottom = p->top + p->height;
    fprintf(p->file, "<g stroke=\"" PLOT_GREY "\" stroke-opacity=\"0.35\">\n");
    for (double v = ceil(p->y0 / dy) * dy; v <= p->y1 + dy / 100; v += dy) {
        fprintf(p->file, "<path d=\"M%.1f %.1fh%.1f\"/>\n", p->left, up(p, v), p->width);
    }
    fprintf(p->file, "<path d=\"M%.1f %.1fv%.1f\" stroke-opacity=\"1\"/>\n", p->left, p->top, p->height);
    fprintf(p->file, "<path d=\"M%.1f %.1fh%.1f\" stroke-opacity=\"1\"/>\n</g>\n", p->left, bottom, p->width);
    for (double v = ceil(p->y0 / dy) * dy; v <= p->y1 + dy / 100; v += dy) {
        snprintf(label, sizeof label, "%g", v);
        text(p, p->left - 5, up(p, v) + 4, "end", PLOT_GREY, label);
    }
    for (double v = ceil(p->x0 / dx) * dx; v <= p->x1 + dx / 100; v += dx) {
        snprintf(label, sizeof label, "%g", fabs(v) < dx / 100 ? 0 : v);
        text(p, across(p, v), bottom + 14, "middle", PLOT_GREY, label);
    }
    text(p, p->left + p->width / 2, bottom + 28, "middle", PLOT_GREY, x);
    fprintf(p->file, "<g font-size=\"13\" font-weight=\"bold\">\n");
    text(p, p->left, p->top - 22, "start", PLOT_GREY, title);
    fprintf(p->file, "</g>\n");
    text(p, p->left, p->top - 7, "start", PLOT_GREY, y);
}

void plot_shade(struct plot *p, double from, double to, const char *words)
{
    fprintf(p->file,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"" PLOT_GREY
            "\" fill-opacity=\"0.22\"/>\n",
            across(p, from), p->top, across(p, to) - across(p, from), p->height);
    text(p, across(p, from) + 3, p->top + 11, "start", PLOT_GREY, words);
}

void plot_rule(struct plot *p, double y, const char *colour, const char *words)
{
    fprintf(p->file, "<path d=\"M%.1f %.1fh%.1f\" stroke=\"%s\" stroke-dasharray=\"4 3\"/>\n", p->left, up(p, y),
            p->width, colour);
    text(p, p->left + p->width - 3, up(p, y) - 4, "end", colour, words);
}

void plot_line(struct plot *p, const double *y, unsigned count, const char *colour)
{
    fprintf(p->file, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.3\" d=\"", colour);
    for (unsigned i = 0; i < count; i++) {
        fprintf(p->file, "%c%.1f %.1f", i == 0 ? 'M' : 'L', p->left + p->width * i / (count > 1 ? count - 1 : 1),
                up(p, y[i]));
    }
    fprintf(p->file, "\"/>\n");
}

void plot_area(struct plot *p, const double *low, const double *high, unsigned count, const char *colour)
{
    fprintf(p->file, "<path fill=\"%s\" fill-opacity=\"0.25\" d=\"", colour);
    for (unsigned i = 0; i < 2 * count; i++) {
        unsigned at = i < count ? i : 2 * count - 1 - i;
        fprintf(p->file, "%c%.1f %.1f", i == 0 ? 'M' : 'L', p->left + p->width * at / (count > 1 ? count - 1 : 1),
                up(p, i < count ? high[at] : low[at]));
    }
    fprintf(p->file, "z\"/>\n");
}

void plot_bars(struct plot *p, const double *y, unsigned count, const char *colour)
{
    double bottom = p->top + p->height, width = p->width / count;
    fprintf(p->file, "<path fill=\"%s\" d=\"", colour);
    for (unsigned i = 0; i < count; i++) {
        double top = up(p, y[i]);
        if (bottom - top >= 0.05) {
            fprintf(p->file, "M%.1f %.1fV%.1fh%.2fV%.1fz", p->left + width * i, bottom, top, width * 0.9, bottom);
        }
    }
    fprintf(p->file, "\"/>\n");
}

void plot_dot(struct plot *p, double x, double y, const char *colour)
{
    fprintf(p->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.4\" fill=\"%s\"/>\n", across(p, x), up(p, y), colour);
}

void plot_words(struct plot *p, double x, double y, const char *colour, const char *words)
{
    text(p, across(p, x), up(p, y), "start", colour, words);
}
