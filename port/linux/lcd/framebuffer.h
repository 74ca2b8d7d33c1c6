// framebuffer: a Linux framebuffer device in memory, and pixels into it. Formats come from the
// kernel (linux/fb.h, struct fb_var_screeninfo): 16 or 32 bits a pixel, any order of colours.
#ifndef PW_LINUX_LCD_FRAMEBUFFER_H
#define PW_LINUX_LCD_FRAMEBUFFER_H

#include "base/base.h"

#include <linux/fb.h>

struct framebuffer {
    uint8_t *at; // of the visible part
    void *map;
    size_t map_len;
    unsigned width;
    unsigned height;
    unsigned stride; // bytes a line
    unsigned bytes;  // 2 or 4 a pixel
    struct fb_bitfield red;
    struct fb_bitfield green;
    struct fb_bitfield blue;
};

// Maps the device. PW_ERR_RANGE with one sentence in *why: none, too small, another format.
PW_MUST_USE int framebuffer_open(struct framebuffer *fb, const char *path, struct pw_out *why);
// What framebuffer_open does once the shape is known: maps `fd`, which stays the caller's.
PW_MUST_USE int framebuffer_map(struct framebuffer *fb, int fd, const struct fb_var_screeninfo *var,
                                const struct fb_fix_screeninfo *fix, struct pw_out *why);
// Copies width x height pixels of 0x00RRGGBB, `stride` bytes a line.
void framebuffer_put(const struct framebuffer *fb, const uint8_t *pixels, size_t stride);
void framebuffer_close(struct framebuffer *fb);

#endif
