#include "draw.h"

#include "lcd.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <string.h>

// Places on the 320 x 240 drawing.
enum {
    LEFT = 12,
    RIGHT = PW_LCD_WIDTH - 12,
    HEAD_Y = 6,
    BAND_Y = 28,
    BAND_LOW = 46,  // height of the band while figures are below it
    BAND_HIGH = 62, // ... and of the one alone
    BODY_Y = 102,
    FIGURES_Y = 81,
    BARS_Y = 130,
    BAR_STEP = 18,
    QR_SIDE = 96, // the most it may take
    QR_QUIET = 3, // modules of white around it; the frame's own dark begins behind
    FOOT_Y = 230,
};

struct colour {
    double r, g, b;
};

#define RGB(hex)                                                                                   \
    {                                                                                              \
        (double)((hex) >> 16 & 0xFF) / 255.0, (double)((hex) >> 8 & 0xFF) / 255.0,                 \
            (double)((hex)&0xFF) / 255.0                                                           \
    }

static const struct colour back = RGB(0x0e1413);
static const struct colour sunk = RGB(0x26302e);
static const struct colour ink = RGB(0xffffff);
static const struct colour soft = RGB(0xa9b8b3);
static const struct colour tones[] = {
    [PW_SCREEN_CALM] = RGB(0x17806a), [PW_SCREEN_INFO] = RGB(0x2767d6),
    [PW_SCREEN_GO] = RGB(0x128a3c),   [PW_SCREEN_WARN] = RGB(0xa86400),
    [PW_SCREEN_BAD] = RGB(0xc2281d),  [PW_SCREEN_MUTE] = RGB(0x56625f),
};
// The same meanings as light on the dark ground: bars and dots.
static const struct colour lights[] = {
    [PW_SCREEN_CALM] = RGB(0x35d0ae), [PW_SCREEN_INFO] = RGB(0x5b9bff),
    [PW_SCREEN_GO] = RGB(0x3ddc74),   [PW_SCREEN_WARN] = RGB(0xffb13d),
    [PW_SCREEN_BAD] = RGB(0xff6b5e),  [PW_SCREEN_MUTE] = RGB(0x8a9793),
};

static void use(cairo_t *cr, struct colour colour)
{
    cairo_set_source_rgb(cr, colour.r, colour.g, colour.b);
}

static void box(cairo_t *cr, double x, double y, double w, double h, double radius)
{
    double r = fmin(radius, fmin(w, h) / 2);
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - r, y + r, r, -M_PI_2, 0);
    cairo_arc(cr, x + w - r, y + h - r, r, 0, M_PI_2);
    cairo_arc(cr, x + r, y + h - r, r, M_PI_2, M_PI);
    cairo_arc(cr, x + r, y + r, r, M_PI, 3 * M_PI_2);
    cairo_close_path(cr);
    cairo_fill(cr);
}

// How a text is set.
struct face {
    int size; // of the letters, pixels of the drawing
    PangoWeight weight;
    PangoAlignment align;
    int lines; // at most; what does not fit ends in an ellipsis
};

// Puts a text into the box that begins at x, y and is w wide. Returns its height.
static int text(cairo_t *cr, const struct face *face, double x, double y, double w,
                const char *words)
{
    int height = 0;
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string("Inter, DejaVu Sans, Sans");
    pango_font_description_set_absolute_size(font, face->size * PANGO_SCALE);
    pango_font_description_set_weight(font, face->weight);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_width(layout, (int)(w * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_height(layout, -face->lines);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_alignment(layout, face->align);
    pango_layout_set_text(layout, words, -1);
    pango_layout_get_pixel_size(layout, NULL, &height);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
    return height;
}

static int width_of(cairo_t *cr, const struct face *face, const char *words)
{
    int width = 0;
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string("Inter, DejaVu Sans, Sans");
    pango_font_description_set_absolute_size(font, face->size * PANGO_SCALE);
    pango_font_description_set_weight(font, face->weight);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, words, -1);
    pango_layout_get_pixel_size(layout, &width, NULL);
    pango_font_description_free(font);
    g_object_unref(layout);
    return width;
}

static void head(cairo_t *cr, const struct pw_screen *screen)
{
    static const struct face left = {13, PANGO_WEIGHT_SEMIBOLD, PANGO_ALIGN_LEFT, 1};
    static const struct face right = {13, PANGO_WEIGHT_MEDIUM, PANGO_ALIGN_RIGHT, 1};
    double end = RIGHT;
    if (screen->clock[0] != '\0') {
        use(cr, ink);
        text(cr, &right, RIGHT - 60, HEAD_Y, 60, screen->clock);
        end -= width_of(cr, &right, screen->clock) + 12;
    }
    if (screen->link[0] != '\0') {
        int wide = width_of(cr, &right, screen->link);
        use(cr, soft);
        text(cr, &right, end - wide - 2, HEAD_Y, wide + 2, screen->link);
        use(cr, lights[screen->link_tone]);
        cairo_arc(cr, end - wide - 10, HEAD_Y + 8.5, 4, 0, 2 * M_PI);
        cairo_fill(cr);
        end -= wide + 24;
    }
    use(cr, soft);
    text(cr, &left, LEFT, HEAD_Y, end - LEFT, screen->station);
}

static void band(cairo_t *cr, const struct pw_screen *screen, double height)
{
    static const struct face large = {27, PANGO_WEIGHT_BOLD, PANGO_ALIGN_LEFT, 1};
    static const struct face small = {22, PANGO_WEIGHT_BOLD, PANGO_ALIGN_LEFT, 1};
    static const struct face below = {13, PANGO_WEIGHT_MEDIUM, PANGO_ALIGN_LEFT, 1};
    bool low = height < BAND_HIGH;
    bool alone = screen->note[0] == '\0';
    use(cr, tones[screen->tone]);
    box(cr, 6, BAND_Y, PW_LCD_WIDTH - 12, height, 9);
    use(cr, ink);
    double top = BAND_Y + (alone ? (height - (low ? 27 : 33)) / 2 : low ? 1 : 5);
    text(cr, low ? &small : &large, LEFT + 3, top, RIGHT - LEFT - 6, screen->state);
    if (!alone) {
        text(cr, &below, LEFT + 3, BAND_Y + height - (low ? 20 : 23), RIGHT - LEFT - 6,
             screen->note);
    }
}

static void figures(cairo_t *cr, const struct pw_screen *screen)
{
    static const int from[PW_SCREEN_FIGURES + 1] = {LEFT, LEFT + 98, LEFT + 214, RIGHT + 8};
    static const struct face value = {24, PANGO_WEIGHT_BOLD, PANGO_ALIGN_LEFT, 1};
    static const struct face unit = {13, PANGO_WEIGHT_SEMIBOLD, PANGO_ALIGN_LEFT, 1};
    static const struct face label = {11, PANGO_WEIGHT_MEDIUM, PANGO_ALIGN_LEFT, 1};
    for (size_t i = 0; i < PW_SCREEN_FIGURES; i++) {
        const struct pw_screen_figure *figure = &screen->figure[i];
        double x = from[i];
        double wide = from[i + 1] - from[i] - 2;
        if (figure->value[0] == '\0') {
            continue;
        }
        use(cr, ink);
        text(cr, &value, x, FIGURES_Y - 4, wide, figure->value);
        int end = width_of(cr, &value, figure->value);
        use(cr, soft);
        text(cr, &unit, x + end + 4, FIGURES_Y + 8, wide - end - 4, figure->unit);
        text(cr, &label, x, FIGURES_Y + 26, wide, figure->label);
    }
}

// Where the QR code stands on this screen: its left edge; the right edge without one.
static double body_end(const struct pw_screen *screen)
{
    return screen->url[0] != '\0' ? RIGHT - QR_SIDE - 10 : RIGHT;
}

static void bars(cairo_t *cr, const struct pw_screen *screen)
{
    static const struct face label = {13, PANGO_WEIGHT_SEMIBOLD, PANGO_ALIGN_LEFT, 1};
    static const struct face value = {13, PANGO_WEIGHT_SEMIBOLD, PANGO_ALIGN_RIGHT, 1};
    const double end = body_end(screen);
    double label_wide = 0;
    for (size_t i = 0; i < screen->bars && i < PW_SCREEN_BARS; i++) {
        label_wide = fmax(label_wide, width_of(cr, &label, screen->bar[i].label));
    }
    const double from = LEFT + label_wide + 8;
    const double wide = end - 52 - from;
    for (size_t i = 0; i < screen->bars && i < PW_SCREEN_BARS; i++) {
        const struct pw_screen_bar *bar = &screen->bar[i];
        double y = BARS_Y + BAR_STEP * (double)i;
        use(cr, soft);
        text(cr, &label, LEFT, y, label_wide + 4, bar->label);
        use(cr, sunk);
        box(cr, from, y + 3, wide, 11, 4);
        use(cr, lights[screen->tone]);
        if (bar->filled > 0) {
            box(cr, from, y + 3, fmax(4, wide * bar->filled / 1000.0), 11, 4);
        }
        if (bar->mark >= 0) {
            use(cr, ink);
            box(cr, from + fmin(wide - 2, wide * bar->mark / 1000.0), y + 1, 2, 15, 1);
        }
        use(cr, ink);
        text(cr, &value, end - 54, y, 54, bar->value);
    }
}

// Modules fall on whole pixels of the device: a code scaled to fractions cannot be read.
static void qr(cairo_t *cr, const char *url, double scale)
{
    QRcode *code = QRcode_encodeString8bit(url, 0, QR_ECLEVEL_M);
    if (code == NULL) {
        return; // longer than any code; the words remain
    }
    int modules = code->width + 2 * QR_QUIET;
    double module = floor(QR_SIDE * scale / modules) / scale;
    double side = module * modules;
    double x = floor((RIGHT + 4 - side) * scale) / scale;
    double y = floor((FOOT_Y + 4 - side) * scale) / scale;
    use(cr, ink);
    cairo_rectangle(cr, x, y, side, side);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
    for (int row = 0; row < code->width; row++) {
        for (int column = 0; column < code->width; column++) {
            if ((code->data[row * code->width + column] & 1U) != 0) {
                cairo_rectangle(cr, x + module * (column + QR_QUIET), y + module * (row + QR_QUIET),
                                module, module);
            }
        }
    }
    cairo_fill(cr);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
    QRcode_free(code);
}

// Lines below each other, the first one brighter. They end above the code.
static void lines(cairo_t *cr, const struct pw_screen *screen, double y, int size, int each)
{
    const double end = body_end(screen);
    const double low = screen->code[0] != '\0' ? FOOT_Y - 8 : FOOT_Y + 6;
    for (size_t i = 0; i < PW_SCREEN_LINES && y < low - size; i++) {
        struct face face = {size, i == 0 ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_MEDIUM,
                            PANGO_ALIGN_LEFT, each};
        if (screen->line[i][0] == '\0') {
            continue;
        }
        int room = (int)((low - y) / (size * 1.21));
        face.lines = room < each ? room : each;
        use(cr, i == 0 ? ink : soft);
        y += text(cr, &face, LEFT, y, end - LEFT, screen->line[i]) + 2;
    }
}

static void foot(cairo_t *cr, const struct pw_screen *screen)
{
    static const struct face code = {11, PANGO_WEIGHT_MEDIUM, PANGO_ALIGN_LEFT, 1};
    use(cr, soft);
    text(cr, &code, LEFT, FOOT_Y - 7, body_end(screen) - LEFT, screen->code);
}

// Which of the pages that take turns this is: dots in the corner of the band.
static void dots(cairo_t *cr, const struct pw_screen *screen)
{
    for (int i = 0; screen->pages > 1 && i < screen->pages; i++) {
        double x = RIGHT - 3 - 10.0 * (screen->pages - 1 - i);
        cairo_set_source_rgba(cr, ink.r, ink.g, ink.b, i == screen->page ? 1 : 0.4);
        cairo_arc(cr, x, BAND_Y + 10, 3, 0, 2 * M_PI);
        cairo_fill(cr);
    }
}

void lcd_draw(cairo_surface_t *surface, const struct pw_screen *screen)
{
    cairo_t *cr = cairo_create(surface);
    double wide = cairo_image_surface_get_width(surface);
    double high = cairo_image_surface_get_height(surface);
    double scale = fmin(wide / PW_LCD_WIDTH, high / PW_LCD_HEIGHT);
    use(cr, back);
    cairo_paint(cr);
    cairo_translate(cr, floor((wide - PW_LCD_WIDTH * scale) / 2),
                    floor((high - PW_LCD_HEIGHT * scale) / 2));
    cairo_scale(cr, scale, scale);
    head(cr, screen);
    switch (screen->layout) {
    case PW_SCREEN_CHARGE:
        band(cr, screen, BAND_LOW);
        figures(cr, screen);
        bars(cr, screen);
        lines(cr, screen, BARS_Y + BAR_STEP * screen->bars + 2, 12, 3);
        break;
    case PW_SCREEN_WELCOME:
        band(cr, screen, BAND_HIGH);
        lines(cr, screen, BODY_Y, 14, 3);
        break;
    case PW_SCREEN_TROUBLE:
        band(cr, screen, BAND_HIGH);
        lines(cr, screen, BODY_Y, 15, 4);
        break;
    }
    if (screen->url[0] != '\0') {
        qr(cr, screen->url, scale);
    }
    foot(cr, screen);
    dots(cr, screen);
    cairo_destroy(cr);
}
