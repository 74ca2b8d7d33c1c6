// lcd: draws a struct pw_screen with cairo, pango and libqrencode, into a Linux framebuffer or a
// PNG file. A thread of its own draws, so that the program's loop never waits for it: showing costs
// one copy. It draws only what has changed, at most four times a second.
#ifndef PW_LINUX_LCD_H
#define PW_LINUX_LCD_H

#include "base/base.h"
#include "screen/screen.h"

#define PW_LCD_WIDTH  320 // the drawing's own size; it is scaled to the device's
#define PW_LCD_HEIGHT 240

struct pw_lcd; // owned by pw_lcd_open's caller

// "/dev/fb0" (16 or 32 bits a pixel, any size of at least 320 x 240), or "png:/path/file.png",
// which is replaced whole by each drawing. NULL with one sentence in *why. The drawing starts dark.
struct pw_lcd *pw_lcd_open(const char *device, struct pw_out *why);

// Shows this from now on. The screen is copied; what was not drawn yet is forgotten.
void pw_lcd_show(struct pw_lcd *lcd, const struct pw_screen *screen);

// Draws what still waits, ends the thread and frees. NULL is harmless.
void pw_lcd_close(struct pw_lcd *lcd);

// PW_OK when `device` has a form that can be opened; PW_ERR_RANGE with a sentence.
PW_MUST_USE int pw_lcd_check(struct pw_str device, struct pw_out *why);

#endif
