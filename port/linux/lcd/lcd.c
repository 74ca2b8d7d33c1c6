#include "lcd.h"

#include "draw.h"
#include "framebuffer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define GAP_NS       250000000L // between two drawings
#define PATH_MAX_LEN 200
#define NICE         10 // charging comes first

struct pw_lcd {
    char png[PATH_MAX_LEN + 1]; // "" for a framebuffer
    struct framebuffer fb;
    cairo_surface_t *surface;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pw_screen wanted; // under the lock, with the three below
    bool waits;
    bool ending;
};

static int refuse(struct pw_out *why, const char *device, const char *what)
{
    pw_put_s(why, device);
    pw_put_s(why, ": display: ");
    pw_put_s(why, what);
    return PW_ERR_RANGE;
}

int pw_lcd_check(struct pw_str device, struct pw_out *why)
{
    bool png = pw_str_starts(device, "png:");
    size_t least = png ? 5 : 2;
    if (device.len < least || device.len > PATH_MAX_LEN || (!png && device.at[0] != '/')) {
        pw_put_s(why, "it must be a framebuffer like /dev/fb0, or png:/path/file.png");
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

// The file is there whole or not at all: who looks at it never sees half of it.
static void write_png(const struct pw_lcd *lcd)
{
    char beside[PATH_MAX_LEN + 8];
    int len = snprintf(beside, sizeof(beside), "%s.new", lcd->png);
    if (len > 0 && (size_t)len < sizeof(beside) &&
        cairo_surface_write_to_png(lcd->surface, beside) == CAIRO_STATUS_SUCCESS) {
        (void)rename(beside, lcd->png);
    }
}

static void draw(struct pw_lcd *lcd, const struct pw_screen *screen)
{
    lcd_draw(lcd->surface, screen);
    cairo_surface_flush(lcd->surface);
    if (lcd->png[0] != '\0') {
        write_png(lcd);
        return;
    }
    framebuffer_put(&lcd->fb, cairo_image_surface_get_data(lcd->surface),
                    (size_t)cairo_image_surface_get_stride(lcd->surface));
}

// Waits until something is to be drawn. False at the end.
static bool wait_for(struct pw_lcd *lcd, struct pw_screen *screen)
{
    (void)pthread_mutex_lock(&lcd->lock);
    while (!lcd->waits && !lcd->ending) {
        (void)pthread_cond_wait(&lcd->changed, &lcd->lock);
    }
    bool draws = lcd->waits;
    *screen = lcd->wanted;
    lcd->waits = false;
    (void)pthread_mutex_unlock(&lcd->lock);
    return draws;
}

static void *run(void *context)
{
    struct pw_lcd *lcd = context;
    static const struct timespec gap = {.tv_nsec = GAP_NS};
    struct pw_screen screen;
    (void)setpriority(PRIO_PROCESS, 0, NICE); // on Linux: of this thread
    while (wait_for(lcd, &screen)) {
        draw(lcd, &screen);
        (void)nanosleep(&gap, NULL);
    }
    return NULL;
}

static int open_device(struct pw_lcd *lcd, const char *device, struct pw_out *why)
{
    char reason[128] = "";
    struct pw_out out = PW_OUT(reason);
    unsigned width = PW_LCD_WIDTH;
    unsigned height = PW_LCD_HEIGHT;
    if (pw_lcd_check(pw_str_of(device), &out) != PW_OK) {
        return refuse(why, device, reason);
    }
    if (strncmp(device, "png:", 4) == 0) {
        int err = pw_str_copy(lcd->png, sizeof(lcd->png), pw_str_of(device + 4));
        PW_ASSERT(err == PW_OK);
    } else {
        if (framebuffer_open(&lcd->fb, device, &out) != PW_OK) {
            return refuse(why, device, reason);
        }
        width = lcd->fb.width;
        height = lcd->fb.height;
    }
    lcd->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    return cairo_surface_status(lcd->surface) == CAIRO_STATUS_SUCCESS
               ? PW_OK
               : refuse(why, device, "out of memory");
}

static void forget(struct pw_lcd *lcd)
{
    if (lcd->surface != NULL) {
        cairo_surface_destroy(lcd->surface);
    }
    framebuffer_close(&lcd->fb);
    free(lcd);
}

struct pw_lcd *pw_lcd_open(const char *device, struct pw_out *why)
{
    struct pw_lcd *lcd = calloc(1, sizeof(*lcd));
    if (lcd == NULL) {
        (void)refuse(why, device, "out of memory");
        return NULL;
    }
    if (open_device(lcd, device, why) != PW_OK) {
        forget(lcd);
        return NULL;
    }
    (void)pthread_mutex_init(&lcd->lock, NULL);
    (void)pthread_cond_init(&lcd->changed, NULL);
    if (pthread_create(&lcd->thread, NULL, run, lcd) != 0) {
        (void)refuse(why, device, "no thread is to be had");
        forget(lcd);
        return NULL;
    }
    return lcd;
}

void pw_lcd_show(struct pw_lcd *lcd, const struct pw_screen *screen)
{
    // Whoever fills a screen clears it first, so that its bytes tell.
    const unsigned char *next = (const unsigned char *)screen;
    const unsigned char *last = (const unsigned char *)&lcd->wanted;
    (void)pthread_mutex_lock(&lcd->lock);
    if (memcmp(last, next, sizeof(*screen)) != 0) {
        lcd->wanted = *screen;
        lcd->waits = true;
        (void)pthread_cond_signal(&lcd->changed);
    }
    (void)pthread_mutex_unlock(&lcd->lock);
}

void pw_lcd_close(struct pw_lcd *lcd)
{
    if (lcd == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lcd->lock);
    lcd->ending = true;
    (void)pthread_cond_signal(&lcd->changed);
    (void)pthread_mutex_unlock(&lcd->lock);
    (void)pthread_join(lcd->thread, NULL);
    (void)pthread_cond_destroy(&lcd->changed);
    (void)pthread_mutex_destroy(&lcd->lock);
    forget(lcd);
}
