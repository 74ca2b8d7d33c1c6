// The bounded writer and the log line built on it.
#include "base/base.h"

#include <string.h>

void pw_put(struct pw_out *out, struct pw_str text)
{
    if (out->cap == 0) {
        out->full = out->full || text.len > 0;
        return;
    }
    PW_ASSERT(out->len < out->cap);
    size_t room = out->cap - 1 - out->len;
    size_t take = text.len < room ? text.len : room;
    if (take > 0) {
        memcpy(out->at + out->len, text.at, take);
    }
    out->len += take;
    out->at[out->len] = '\0';
    out->full = out->full || take < text.len;
}

void pw_put_c(struct pw_out *out, char c)
{
    if (out->cap > 1 && out->len < out->cap - 1) {
        out->at[out->len++] = c;
        out->at[out->len] = '\0';
        return;
    }
    pw_put(out, (struct pw_str){.at = &c, .len = 1});
}

void pw_put_s(struct pw_out *out, const char *terminated)
{
    pw_put(out, pw_str_of(terminated));
}

void pw_put_uint(struct pw_out *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    pw_put(out, (struct pw_str){.at = digits + at, .len = sizeof(digits) - at});
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? ~(uint64_t)value + 1U : (uint64_t)value;
}

void pw_put_int(struct pw_out *out, int64_t value)
{
    if (value < 0) {
        pw_put_c(out, '-');
    }
    pw_put_uint(out, magnitude(value));
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    PW_ASSERT(exponent <= 18);
    for (unsigned i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

static void put_fraction(struct pw_out *out, uint64_t fraction, unsigned digits)
{
    for (uint64_t scale = power_of_ten(digits) / 10; scale > 0; scale /= 10) {
        pw_put_c(out, (char)('0' + fraction / scale % 10));
    }
}

void pw_put_fixed(struct pw_out *out, int64_t value, unsigned decimals)
{
    uint64_t scale = power_of_ten(decimals);
    uint64_t size = magnitude(value);
    uint64_t fraction = size % scale;
    while (decimals > 0 && fraction % 10 == 0) {
        fraction /= 10;
        decimals--;
    }
    if (value < 0) {
        pw_put_c(out, '-');
    }
    pw_put_uint(out, size / scale);
    if (decimals > 0) {
        pw_put_c(out, '.');
        put_fraction(out, fraction, decimals);
    }
}

void pw_put_places(struct pw_out *out, int64_t value, unsigned decimals, unsigned places)
{
    PW_ASSERT(places <= decimals);
    uint64_t drop = power_of_ten(decimals - places);
    uint64_t rounded = magnitude(value) / drop + (magnitude(value) % drop * 2 >= drop && drop > 1);
    uint64_t scale = power_of_ten(places);
    if (value < 0 && rounded > 0) {
        pw_put_c(out, '-');
    }
    pw_put_uint(out, rounded / scale);
    if (places > 0) {
        pw_put_c(out, '.');
        put_fraction(out, rounded % scale, places);
    }
}

void pw_put_hex(struct pw_out *out, uint64_t value, unsigned digits)
{
    PW_ASSERT(digits >= 1 && digits <= 16);
    for (unsigned i = digits; i-- > 0;) {
        pw_put_c(out, "0123456789ABCDEF"[(value >> (4 * i)) & 0xF]);
    }
}

void pw_put_base64(struct pw_out *out, const void *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)at[i] << 16;
        bits |= i + 1 < len ? (uint32_t)at[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (uint32_t)at[i + 2] : 0;
        pw_put_c(out, digits[bits >> 18]);
        pw_put_c(out, digits[bits >> 12 & 63]);
        pw_put_c(out, i + 1 < len ? digits[bits >> 6 & 63] : '=');
        pw_put_c(out, i + 2 < len ? digits[bits & 63] : '=');
    }
}

struct pw_str pw_out_str(const struct pw_out *out)
{
    return (struct pw_str){.at = out->at, .len = out->len};
}

int pw_out_err(const struct pw_out *out)
{
    return out->full ? PW_ERR_LIMIT : PW_OK;
}

int pw_refuse(struct pw_out *why, int err, const char *name, const char *sentence)
{
    pw_put_s(why, name);
    pw_put_s(why, ": ");
    pw_put_s(why, sentence);
    return err;
}

// ---------------------------------------------------------------------------------------------

static const char *const level_names[] = {"error", "warn", "info", "debug"};

const char *pw_level_name(enum pw_level level)
{
    PW_ASSERT((size_t)level < PW_COUNT(level_names));
    return level_names[level];
}

void pw_line(struct pw_line *line, const struct pw_log *log, enum pw_level level, const char *room,
             const char *event)
{
    line->log = log;
    line->level = level;
    line->room = room;
    line->out = (struct pw_out){.at = line->text, .cap = sizeof(line->text)};
    line->text[0] = '\0';
    pw_put_s(&line->out, event);
}

static bool is_plain(struct pw_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return value.len > 0;
}

// Control bytes, quotes, backslashes and marks of direction leave as \xHH, so that no value can
// forge a line or show it as another.
static void put_quoted(struct pw_out *out, struct pw_str value)
{
    pw_put_c(out, '"');
    size_t obeyed = 0; // bytes of a sequence that are still to leave
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        obeyed = obeyed > 0 ? obeyed - 1 : 0;
        obeyed = obeyed > 0 ? obeyed : pw_str_obeyed(value, i);
        if (c == '"' || c == '\\' || obeyed > 0) {
            pw_put_s(out, "\\x");
            pw_put_hex(out, c, 2);
        } else {
            pw_put_c(out, (char)c);
        }
    }
    pw_put_c(out, '"');
}

static void put_key(struct pw_line *line, const char *key)
{
    pw_put_c(&line->out, ' ');
    pw_put_s(&line->out, key);
    pw_put_c(&line->out, '=');
}

void pw_line_str(struct pw_line *line, const char *key, struct pw_str value)
{
    put_key(line, key);
    if (is_plain(value)) {
        pw_put(&line->out, value);
    } else {
        put_quoted(&line->out, value);
    }
}

void pw_line_s(struct pw_line *line, const char *key, const char *value)
{
    pw_line_str(line, key, pw_str_of(value));
}

void pw_line_int(struct pw_line *line, const char *key, int64_t value)
{
    put_key(line, key);
    pw_put_int(&line->out, value);
}

void pw_line_fixed(struct pw_line *line, const char *key, int64_t value, unsigned decimals)
{
    put_key(line, key);
    pw_put_fixed(&line->out, value, decimals);
}

void pw_line_end(struct pw_line *line)
{
    if (line->log != NULL && line->log->write != NULL) {
        line->log->write(line->log->context, line->level, line->room, pw_out_str(&line->out));
    }
}

bool pw_within(struct pw_out *why, const char *field, int64_t value, int64_t least, int64_t most)
{
    if (value >= least && value <= most) {
        return true;
    }
    if (why != NULL) {
        pw_put_s(why, field);
        pw_put_s(why, " is ");
        pw_put_int(why, value);
        pw_put_s(why, ", must be ");
        pw_put_int(why, least);
        pw_put_s(why, " to ");
        pw_put_int(why, most);
    }
    return false;
}
