// draw: one screen onto a cairo surface.
#ifndef PW_LINUX_LCD_DRAW_H
#define PW_LINUX_LCD_DRAW_H

#include "screen/screen.h"

#include <cairo.h>

// Draws the whole surface (CAIRO_FORMAT_RGB24); the drawing of 320 x 240 is scaled to fit and
// centred.
void lcd_draw(cairo_surface_t *surface, const struct pw_screen *screen);

#endif
