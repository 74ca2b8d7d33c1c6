// The display: what it draws, where, and when. The QR code is read back by zbar, which knows
// nothing of us.
#include "lcd.h"

#include "draw.h"
#include "folder.h"
#include "framebuffer.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define URL "http://192.168.178.20:8080/"

static struct pw_screen charging(void)
{
    struct pw_screen screen;
    memset(&screen, 0, sizeof(screen));
    screen = (struct pw_screen){
        .layout = PW_SCREEN_CHARGE,
        .tone = PW_SCREEN_GO,
        .station = "Yard 7",
        .clock = "14:32",
        .link = "online",
        .link_tone = PW_SCREEN_GO,
        .state = "Charging",
        .note = "Connector 1",
        .figure = {{"10.9", "kW", "Power"}, {"12.35", "kWh", "Energy"}, {"1:07", "h", "Time"}},
        .bar = {{"L1", "15.8 A", 490, 500}, {"L2", "15.9 A", 500, 500}, {"L3", "15.7 A", 490, 500}},
        .bars = 3,
        .line = {"At most 16 A", "load sharing: house limit"},
        .url = URL,
        .pages = 1,
    };
    return screen;
}

static cairo_surface_t *drawn(const struct pw_screen *screen, int width, int height)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    lcd_draw(surface, screen);
    cairo_surface_flush(surface);
    return surface;
}

static uint32_t pixel(cairo_surface_t *surface, int x, int y)
{
    uint32_t value = 0;
    memcpy(&value,
           cairo_image_surface_get_data(surface) +
               (size_t)y * (size_t)cairo_image_surface_get_stride(surface) + (size_t)x * 4,
           sizeof(value));
    return value & 0xFFFFFFU;
}

// Reason: from two metres the colour is what is seen first; each meaning has its own.
static void each_tone_has_a_colour_of_its_own(void **state)
{
    (void)state;
    uint32_t seen[PW_SCREEN_MUTE + 1];
    for (int tone = PW_SCREEN_CALM; tone <= PW_SCREEN_MUTE; tone++) {
        struct pw_screen screen = charging();
        screen.tone = (enum pw_screen_tone)tone;
        cairo_surface_t *surface = drawn(&screen, PW_LCD_WIDTH, PW_LCD_HEIGHT);
        seen[tone] = pixel(surface, PW_LCD_WIDTH - 20, 34);
        cairo_surface_destroy(surface);
        for (int other = PW_SCREEN_CALM; other < tone; other++) {
            assert_int_not_equal(seen[tone], seen[other]);
        }
    }
}

// Reason: a bar that does not follow its phase is worse than none.
static void a_bar_is_as_long_as_its_phase_is_loaded(void **state)
{
    (void)state;
    int long_ago = 0;
    for (int16_t filled = 0; filled <= 1000; filled = (int16_t)(filled + 250)) {
        struct pw_screen screen = charging();
        screen.bar[0].filled = filled;
        screen.bar[0].mark = -1;
        cairo_surface_t *surface = drawn(&screen, PW_LCD_WIDTH, PW_LCD_HEIGHT);
        int lit = 0;
        for (int x = 0; x < PW_LCD_WIDTH; x++) {
            uint32_t value = pixel(surface, x, 140);
            lit += (value >> 8 & 0xFFU) > 0xC0U && (value >> 16 & 0xFFU) < 0x60U ? 1 : 0;
        }
        cairo_surface_destroy(surface);
        assert_true(filled == 0 ? lit == 0 : lit > long_ago);
        long_ago = lit;
    }
}

// What zbar reads in a picture; "" when it finds no code.
static void read_code(const char *png, char *to, size_t cap)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "zbarimg -q --raw '%s' 2>/dev/null", png);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    to[0] = '\0';
    if (fgets(to, (int)cap, answer) == NULL) {
        to[0] = '\0';
    }
    to[strcspn(to, "\n")] = '\0';
    (void)pclose(answer);
}

// Reason: a code that no telephone reads is decoration; layouts and sizes all must leave it whole.
static void the_code_leads_to_the_page(void **state)
{
    (void)state;
    static const int sizes[][2] = {{320, 240}, {480, 320}, {800, 480}};
    struct folder folder;
    folder_make(&folder);
    for (int layout = PW_SCREEN_WELCOME; layout <= PW_SCREEN_TROUBLE; layout++) {
        for (size_t i = 0; i < PW_COUNT(sizes); i++) {
            struct pw_screen screen = charging();
            char png[128];
            char found[256];
            screen.layout = (enum pw_screen_layout)layout;
            screen.pages = 3;
            folder_file(&folder, "screen.png", png);
            cairo_surface_t *surface = drawn(&screen, sizes[i][0], sizes[i][1]);
            assert_int_equal(cairo_surface_write_to_png(surface, png), CAIRO_STATUS_SUCCESS);
            cairo_surface_destroy(surface);
            read_code(png, found, sizeof(found));
            assert_string_equal(found, URL);
        }
    }
    folder_remove(&folder);
}

// Reason: cheap displays have 16 bits a pixel and lines longer than the picture.
static void pixels_arrive_in_the_format_of_the_device(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        struct fb_bitfield red, green, blue;
        uint32_t white, pure_red;
    } rows[] = {
        {16, {11, 5, 0}, {5, 6, 0}, {0, 5, 0}, 0xFFFF, 0xF800},
        {32, {16, 8, 0}, {8, 8, 0}, {0, 8, 0}, 0xFFFFFF, 0xFF0000},
        {32, {0, 8, 0}, {8, 8, 0}, {16, 8, 0}, 0xFFFFFF, 0x0000FF},
    };
    struct folder folder;
    char path[128];
    folder_make(&folder);
    folder_write(&folder, "fb", "", 0600, path);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const unsigned bytes = rows[i].bits / 8;
        const unsigned stride = 340 * bytes;
        struct fb_var_screeninfo var = {.xres = 320,
                                        .yres = 240,
                                        .yoffset = 2,
                                        .bits_per_pixel = rows[i].bits,
                                        .red = rows[i].red,
                                        .green = rows[i].green,
                                        .blue = rows[i].blue};
        struct fb_fix_screeninfo fix = {.line_length = stride, .smem_len = stride * 250};
        struct framebuffer fb;
        char why[128] = "";
        struct pw_out out = PW_OUT(why);
        static uint32_t pixels[320 * 240];
        memset(pixels, 0, sizeof(pixels));
        pixels[0] = 0xFFFFFF;
        pixels[320 * 239 + 319] = 0xFF0000;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(ftruncate(fd, (off_t)fix.smem_len), 0);
        assert_int_equal(framebuffer_map(&fb, fd, &var, &fix, &out), PW_OK);
        framebuffer_put(&fb, (const uint8_t *)pixels, 320 * 4);
        framebuffer_close(&fb);
        uint32_t first = 0;
        uint32_t last = 0;
        assert_int_equal(pread(fd, &first, bytes, (off_t)stride * 2), bytes);
        assert_int_equal(pread(fd, &last, bytes, (off_t)(stride * 241 + 319 * bytes)), bytes);
        assert_int_equal(first, rows[i].white);
        assert_int_equal(last, rows[i].pure_red);
        // Memory shorter than the picture must not be written past.
        fix.smem_len = stride * 241;
        assert_int_equal(framebuffer_map(&fb, fd, &var, &fix, &out), PW_ERR_RANGE);
        (void)close(fd);
    }
    folder_remove(&folder);
}

static void what_is_no_display_is_refused_in_words(void **state)
{
    (void)state;
    static const char *const wrong[] = {"fb0", "png:", "", "/dev/null", "/dev/no-such-framebuffer"};
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        char why[256] = "";
        struct pw_out out = PW_OUT(why);
        assert_null(pw_lcd_open(wrong[i], &out));
        assert_non_null(strstr(why, "display: "));
    }
}

// Reason: who looks at the file must find a whole picture of the last screen, also at the end.
static void a_png_shows_the_last_screen(void **state)
{
    (void)state;
    struct folder folder;
    char path[128];
    char device[160];
    char found[256];
    char why[256] = "";
    struct pw_out out = PW_OUT(why);
    folder_make(&folder);
    folder_file(&folder, "lcd.png", path);
    (void)snprintf(device, sizeof(device), "png:%s", path);
    struct pw_lcd *lcd = pw_lcd_open(device, &out);
    assert_non_null(lcd);
    struct pw_screen screen = charging();
    screen.url[7] = '8'; // an address that must not stay
    pw_lcd_show(lcd, &screen);
    screen = charging();
    pw_lcd_show(lcd, &screen);
    pw_lcd_close(lcd);
    read_code(path, found, sizeof(found));
    assert_string_equal(found, URL);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tone_has_a_colour_of_its_own),
        cmocka_unit_test(a_bar_is_as_long_as_its_phase_is_loaded),
        cmocka_unit_test(the_code_leads_to_the_page),
        cmocka_unit_test(pixels_arrive_in_the_format_of_the_device),
        cmocka_unit_test(what_is_no_display_is_refused_in_words),
        cmocka_unit_test(a_png_shows_the_last_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
