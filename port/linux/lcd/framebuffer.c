#include "framebuffer.h"

#include "lcd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int refuse(struct pw_out *why, const char *what)
{
    pw_put_s(why, what);
    return PW_ERR_RANGE;
}

int framebuffer_map(struct framebuffer *fb, int fd, const struct fb_var_screeninfo *var,
                    const struct fb_fix_screeninfo *fix, struct pw_out *why)
{
    *fb = (struct framebuffer){.width = var->xres,
                               .height = var->yres,
                               .stride = fix->line_length,
                               .bytes = var->bits_per_pixel / 8,
                               .red = var->red,
                               .green = var->green,
                               .blue = var->blue};
    if (var->bits_per_pixel != 16 && var->bits_per_pixel != 32) {
        return refuse(why, "the framebuffer must have 16 or 32 bits a pixel");
    }
    bool wide = var->xres >= PW_LCD_WIDTH && var->yres >= PW_LCD_HEIGHT;
    if (!wide || var->xres > 8192 || var->yres > 8192) {
        return refuse(why, "the framebuffer must be 320 x 240 or larger");
    }
    size_t offset = (size_t)var->yoffset * fix->line_length + (size_t)var->xoffset * fb->bytes;
    size_t need = offset + (size_t)var->yres * fix->line_length;
    if (fix->line_length < var->xres * fb->bytes || need > fix->smem_len) {
        return refuse(why, "the framebuffer's memory is smaller than its picture");
    }
    fb->map = mmap(NULL, fix->smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fb->map == MAP_FAILED) {
        fb->map = NULL;
        return refuse(why, strerror(errno));
    }
    fb->map_len = fix->smem_len;
    fb->at = (uint8_t *)fb->map + offset;
    return PW_OK;
}

int framebuffer_open(struct framebuffer *fb, const char *path, struct pw_out *why)
{
    struct fb_var_screeninfo var;
    struct fb_fix_screeninfo fix;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return refuse(why, strerror(errno));
    }
    int err = PW_ERR_RANGE;
    if (ioctl(fd, FBIOGET_VSCREENINFO, &var) != 0 || ioctl(fd, FBIOGET_FSCREENINFO, &fix) != 0) {
        (void)refuse(why, "it is no framebuffer");
    } else {
        err = framebuffer_map(fb, fd, &var, &fix, why);
    }
    (void)close(fd); // the map stays
    return err;
}

static uint32_t scaled(uint32_t eight, const struct fb_bitfield *field)
{
    uint32_t most = field->length >= 8 ? 255U : (1U << field->length) - 1U;
    uint32_t value = (eight * most + 127U) / 255U;
    return value << field->offset;
}

void framebuffer_put(const struct framebuffer *fb, const uint8_t *pixels, size_t stride)
{
    for (unsigned y = 0; y < fb->height; y++) {
        uint8_t *to = fb->at + (size_t)y * fb->stride;
        for (unsigned x = 0; x < fb->width; x++) {
            uint32_t pixel = 0;
            memcpy(&pixel, pixels + y * stride + (size_t)x * 4, sizeof(pixel));
            uint32_t value = scaled(pixel >> 16 & 0xFFU, &fb->red) |
                             scaled(pixel >> 8 & 0xFFU, &fb->green) |
                             scaled(pixel & 0xFFU, &fb->blue);
            uint16_t half = (uint16_t)value;
            if (fb->bytes == 2) {
                memcpy(to + (size_t)x * 2, &half, sizeof(half));
            } else {
                memcpy(to + (size_t)x * 4, &value, sizeof(value));
            }
        }
    }
}

void framebuffer_close(struct framebuffer *fb)
{
    if (fb->map != NULL) {
        (void)munmap(fb->map, fb->map_len);
        fb->map = NULL;
    }
}
