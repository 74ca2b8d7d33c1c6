#include "board/file.h"

#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Rows: which key goes where, and what it may be.

enum type { TEXT, INT, BOOL, CHOICE, LINE };

// Which kind of board a key belongs to.
enum use { ANY, FRONTEND, NATIVE };

struct row {
    const char *key;
    enum type type;
    enum use use;
    int64_t min; // INT; TEXT: least length
    int64_t max;
    int64_t otherwise;
    const char *words; // CHOICE: "frontend|linux"
    size_t at;         // offsetof in struct pw_board_file
};

#define AT(member) offsetof(struct pw_board_file, member)
#define PIN(name, id)                                                                              \
    {                                                                                              \
        .key = "lines." name, .type = LINE, .use = NATIVE, .at = AT(line[PW_BOARD_LINE_##id])      \
    }
#define PATH(name, used, member)                                                                   \
    {                                                                                              \
        .key = name, .type = TEXT, .use = used, .min = 1, .max = PW_BOARD_TEXT_MAX,                \
        .at = AT(member)                                                                           \
    }
#define NUMBER(name, used, low, high, preset, member)                                              \
    {                                                                                              \
        .key = name, .type = INT, .use = used, .min = low, .max = high, .otherwise = preset,       \
        .at = AT(member)                                                                           \
    }
#define FLAG(name, used, member)                                                                   \
    {                                                                                              \
        .key = name, .type = BOOL, .use = used, .at = AT(member)                                   \
    }
#define INPUT(name, member)                                                                        \
    NUMBER(name ".gain_nano", ANY, -INT32_MAX, INT32_MAX, 0, member.gain_nano),                    \
        NUMBER(name ".zero", ANY, INT16_MIN, INT16_MAX, 0, member.zero),                           \
        NUMBER(name ".lag_ns", ANY, -PW_ANALOG_LAG_MAX_NS, PW_ANALOG_LAG_MAX_NS, 0, member.lag_ns)

// analog.rail_low and the like are 16 bits wide and go through `wide` below.
struct wide {
    struct pw_board_file board;
    int32_t rail_low;
    int32_t rail_high;
    int32_t pp_short;
    int32_t pp_open;
    struct {
        int32_t count;
        int32_t mv;
        unsigned line; // 0: there is no such point
        unsigned set;  // a bit for each of its keys
    } cp[PW_ANALOG_POINTS];
};

#define WIDE(member) offsetof(struct wide, member)
#define COUNT(name, preset, member)                                                                \
    {                                                                                              \
        .key = name, .type = INT, .use = ANY, .min = INT16_MIN, .max = INT16_MAX,                  \
        .otherwise = preset, .at = WIDE(member)                                                    \
    }

static const struct row rows[] = {
    {.key = "board.kind", .type = CHOICE, .words = "frontend|linux", .at = AT(kind)},
    PATH("frontend.device", FRONTEND, device),
    PIN("contactor", CONTACTOR),
    PIN("lock", LOCK),
    PIN("lock_close", LOCK_CLOSE),
    PIN("lock_open", LOCK_OPEN),
    PIN("rcd_test", RCD_TEST),
    PIN("ventilation", VENTILATION),
    PIN("green", GREEN),
    PIN("blue", BLUE),
    PIN("red", RED),
    PIN("buzzer", BUZZER),
    PIN("contact", CONTACT),
    PIN("locked", LOCKED),
    PIN("rcd_trip", RCD_TRIP),
    PIN("earth_lost", EARTH_LOST),
    PIN("estop", ESTOP),
    NUMBER("lines.lock_pulse_ms", NATIVE, 50, 3000, 600, lock_pulse_ms),
    PATH("pwm.chip", NATIVE, pwm_chip),
    NUMBER("pwm.channel", NATIVE, 0, 255, 0, pwm_channel),
    NUMBER("pwm.step_ppm", NATIVE, 1, 10000, 1, pwm_step_ppm),
    FLAG("pwm.inverted", NATIVE, pwm_inverted),
    PATH("samples.cp_high", NATIVE, cp_high),
    PATH("samples.cp_low", NATIVE, cp_low),
    PATH("samples.pp", NATIVE, pp),
    PATH("samples.probe0", NATIVE, probe[0]),
    PATH("samples.probe1", NATIVE, probe[1]),
    NUMBER("samples.every_ms", NATIVE, 1, 50, 5, every_ms),
    INPUT("volt_l1", analog.volt[0]),
    INPUT("volt_l2", analog.volt[1]),
    INPUT("volt_l3", analog.volt[2]),
    INPUT("ampere_l1", analog.ampere[0]),
    INPUT("ampere_l2", analog.ampere[1]),
    INPUT("ampere_l3", analog.ampere[2]),
    COUNT("converter.rail_low", INT16_MIN, rail_low),
    COUNT("converter.rail_high", INT16_MAX, rail_high),
    NUMBER("converter.window_ms", ANY, 20, 1000, 190, analog.window_ms),
    NUMBER("proximity.pull_up_ohm", ANY, 10, 100000, 0, analog.pp_pull_up_ohm),
    COUNT("proximity.short_count", 0, pp_short),
    COUNT("proximity.open_count", 0, pp_open),
};

// Fields of the list "pilot", one section a point of the curve.
static const struct {
    const char *key;
    int64_t min;
    int64_t max;
    size_t at;
} point_rows[] = {
    {"count", INT16_MIN, INT16_MAX, WIDE(cp[0].count)},
    {"mv", -20000, 20000, WIDE(cp[0].mv)},
};

struct reader {
    const char *path;
    struct pw_out *why;
    struct wide *wide;
    unsigned seen[PW_COUNT(rows)]; // line of each row; 0: not set
};

// ---------------------------------------------------------------------------------------------
// Refusals.

static int begin(const struct reader *reader, unsigned line, struct pw_str key)
{
    pw_put_s(reader->why, reader->path);
    if (line > 0) {
        pw_put_c(reader->why, ':');
        pw_put_uint(reader->why, line);
    }
    pw_put_s(reader->why, ": ");
    pw_put(reader->why, key);
    pw_put_s(reader->why, ": ");
    return PW_ERR_RANGE;
}

static int refuse(const struct reader *reader, unsigned line, const char *key, const char *what)
{
    int err = begin(reader, line, pw_str_of(key));
    pw_put_s(reader->why, what);
    return err;
}

static int refuse_value(const struct reader *reader, const struct pw_config_entry *entry,
                        const char *allowed)
{
    int err = begin(reader, entry->line, entry->path);
    pw_put_c(reader->why, '"');
    pw_put(reader->why, entry->value);
    pw_put_s(reader->why, "\" is not allowed; it must be ");
    pw_put_s(reader->why, allowed);
    return err;
}

static int refuse_number(const struct reader *reader, const struct pw_config_entry *entry,
                         int64_t min, int64_t max)
{
    char text[64];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "a whole number from ");
    pw_put_int(&out, min);
    pw_put_s(&out, " to ");
    pw_put_int(&out, max);
    return refuse_value(reader, entry, text);
}

// ---------------------------------------------------------------------------------------------
// Values.

static int take_int(const struct reader *reader, const struct pw_config_entry *entry, int64_t min,
                    int64_t max, size_t at)
{
    int64_t value = 0;
    if (pw_parse_int(entry->value, min, max, &value) != PW_OK) {
        return refuse_number(reader, entry, min, max);
    }
    int32_t small = (int32_t)value;
    memcpy((char *)reader->wide + at, &small, sizeof(small));
    return PW_OK;
}

static int take_text(const struct reader *reader, const struct pw_config_entry *entry, size_t at)
{
    if (entry->value.len == 0 ||
        pw_str_copy((char *)reader->wide + at, PW_BOARD_TEXT_MAX + 1, entry->value) != PW_OK) {
        return refuse_value(reader, entry, "a path of 1 to 127 characters");
    }
    return PW_OK;
}

static int take_bool(const struct reader *reader, const struct pw_config_entry *entry, size_t at)
{
    bool yes = pw_str_is(entry->value, "true");
    if (!yes && !pw_str_is(entry->value, "false")) {
        return refuse_value(reader, entry, "true or false");
    }
    memcpy((char *)reader->wide + at, &yes, sizeof(yes));
    return PW_OK;
}

// The only choice is the kind.
static int take_kind(const struct reader *reader, const struct pw_config_entry *entry,
                     const char *words)
{
    struct pw_str rest = pw_str_of(words);
    for (int i = 0; rest.len > 0; i++) {
        if (pw_str_eq(pw_str_cut(&rest, '|'), entry->value)) {
            reader->wide->board.kind = (enum pw_board_kind)i;
            return PW_OK;
        }
    }
    return refuse_value(reader, entry, "frontend or linux");
}

static bool take_word(struct pw_str word, struct pw_board_line *line)
{
    static const struct {
        const char *word;
        enum pw_board_pull pull;
    } pulls[] = {{"pull_none", PW_BOARD_PULL_NONE},
                 {"pull_up", PW_BOARD_PULL_UP},
                 {"pull_down", PW_BOARD_PULL_DOWN}};
    if (pw_str_is(word, "active_low")) {
        line->active_low = true;
        return true;
    }
    for (size_t i = 0; i < PW_COUNT(pulls); i++) {
        if (pw_str_is(word, pulls[i].word)) {
            line->pull = pulls[i].pull;
            return true;
        }
    }
    return word.len == 0; // two spaces in a row
}

// "gpiochip0:17 active_low pull_up"
static int take_line(const struct reader *reader, const struct pw_config_entry *entry, size_t at)
{
    struct pw_board_line line = {.active_low = false};
    struct pw_str rest = entry->value;
    struct pw_str name = pw_str_cut(&rest, ' ');
    struct pw_str chip = pw_str_cut(&name, ':');
    bool good = chip.len > 0 && name.len > 0 &&
                pw_str_copy(line.chip, sizeof(line.chip), chip) == PW_OK &&
                pw_str_copy(line.line, sizeof(line.line), name) == PW_OK;
    while (good && rest.len > 0) {
        good = take_word(pw_str_cut(&rest, ' '), &line);
    }
    if (!good) {
        return refuse_value(reader, entry,
                            "chip:line as in gpiochip0:17 or gpiochip0:CONTACTOR, then perhaps "
                            "active_low and one of pull_up, pull_down, pull_none");
    }
    memcpy((char *)reader->wide + at, &line, sizeof(line));
    return PW_OK;
}

static int take_row(const struct reader *reader, const struct row *row,
                    const struct pw_config_entry *entry)
{
    switch (row->type) {
    case TEXT: return take_text(reader, entry, row->at);
    case INT: return take_int(reader, entry, row->min, row->max, row->at);
    case BOOL: return take_bool(reader, entry, row->at);
    case CHOICE: return take_kind(reader, entry, row->words);
    case LINE: return take_line(reader, entry, row->at);
    }
    PW_UNREACHABLE();
}

// "pilot[0].count". PW_ERR_UNKNOWN when it is none.
static int take_point(const struct reader *reader, const struct pw_config_entry *entry)
{
    struct pw_str key = entry->path;
    struct pw_str list = pw_str_cut(&key, '[');
    int64_t index = 0;
    if (!pw_str_is(list, "pilot") || key.len == 0) {
        return PW_ERR_UNKNOWN;
    }
    if (pw_parse_int(pw_str_cut(&key, ']'), 0, PW_ANALOG_POINTS - 1, &index) != PW_OK) {
        return refuse(reader, entry->line, "pilot", "has more than 8 points");
    }
    (void)pw_str_cut(&key, '.');
    for (size_t i = 0; i < PW_COUNT(point_rows); i++) {
        if (pw_str_is(key, point_rows[i].key)) {
            size_t stride = sizeof(reader->wide->cp[0]);
            reader->wide->cp[index].line = entry->line;
            reader->wide->cp[index].set |= 1U << i;
            return take_int(reader, entry, point_rows[i].min, point_rows[i].max,
                            point_rows[i].at + stride * (size_t)index);
        }
    }
    return PW_ERR_UNKNOWN;
}

static int take_entry(struct reader *reader, const struct pw_config_entry *entry)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (pw_str_is(entry->path, rows[i].key)) {
            reader->seen[i] = entry->line;
            return take_row(reader, &rows[i], entry);
        }
    }
    int err = take_point(reader, entry);
    if (err == PW_ERR_UNKNOWN) {
        err = begin(reader, entry->line, entry->path);
        pw_put_s(reader->why, "no board has such a key; examples/boards shows all there are");
    }
    return err;
}

// ---------------------------------------------------------------------------------------------
// What fits together.

static unsigned line_of(const struct reader *reader, const char *key)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(rows[i].key, key) == 0) {
            return reader->seen[i];
        }
    }
    return 0;
}

static bool has(const struct reader *reader, const char *key)
{
    return line_of(reader, key) != 0;
}

// A key of the other kind would be ignored; whoever wrote it thinks it counts.
static int check_use(const struct reader *reader)
{
    enum use other = reader->wide->board.kind == PW_BOARD_KIND_FRONTEND ? NATIVE : FRONTEND;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (rows[i].use == other && reader->seen[i] != 0) {
            return refuse(reader, reader->seen[i], rows[i].key,
                          other == NATIVE ? "means nothing to a board of kind frontend"
                                          : "means nothing to a board of kind linux");
        }
    }
    return PW_OK;
}

static int check_needs(const struct reader *reader)
{
    static const struct {
        enum use use;
        const char *key;  // when this one is there ("": always)
        const char *need; // this one must be there
        const char *what;
    } needs[] = {
        {FRONTEND, "", "frontend.device", "is missing: the serial device or tcp:address:port"},
        {NATIVE, "", "lines.contactor", "is missing: the line that closes the contactor"},
        {NATIVE, "", "pwm.chip", "is missing: the folder of the pilot's PWM"},
        {NATIVE, "", "samples.cp_high", "is missing: the file of the pilot's high peak"},
        {NATIVE, "", "samples.cp_low", "is missing: the file of the pilot's low peak"},
        {NATIVE, "lines.rcd_trip", "lines.rcd_test",
         "is missing: with rcd_trip, a test precedes each closing"},
        {NATIVE, "lines.rcd_test", "lines.rcd_trip", "is missing: nothing would see the test"},
        {NATIVE, "lines.lock_close", "lines.lock_open", "is missing: nothing would open the lock"},
        {NATIVE, "lines.lock_open", "lines.lock_close", "is missing: nothing would close the lock"},
        {NATIVE, "samples.pp", "proximity.pull_up_ohm", "is missing: samples.pp means nothing"},
    };
    enum use own = reader->wide->board.kind == PW_BOARD_KIND_FRONTEND ? FRONTEND : NATIVE;
    for (size_t i = 0; i < PW_COUNT(needs); i++) {
        bool asks = needs[i].key[0] == '\0' || has(reader, needs[i].key);
        if (needs[i].use == own && asks && !has(reader, needs[i].need)) {
            return refuse(reader, line_of(reader, needs[i].key), needs[i].need, needs[i].what);
        }
    }
    if (has(reader, "lines.lock") && has(reader, "lines.lock_close")) {
        return refuse(reader, line_of(reader, "lines.lock"), "lines.lock",
                      "has the lock one line or two (lock_close, lock_open)?");
    }
    return PW_OK;
}

// Two outputs on one line would fight.
static int check_twice(const struct reader *reader)
{
    const struct pw_board_line *lines = reader->wide->board.line;
    for (size_t i = 0; i < PW_BOARD_LINES; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lines[i].chip[0] != '\0' && strcmp(lines[i].chip, lines[k].chip) == 0 &&
                strcmp(lines[i].line, lines[k].line) == 0) {
                pw_put_s(reader->why, reader->path);
                pw_put_s(reader->why, ": lines: \"");
                pw_put_s(reader->why, lines[i].chip);
                pw_put_c(reader->why, ':');
                pw_put_s(reader->why, lines[i].line);
                pw_put_s(reader->why, "\" is used twice");
                return PW_ERR_RANGE;
            }
        }
    }
    return PW_OK;
}

static int check_curve(const struct reader *reader)
{
    const struct wide *wide = reader->wide;
    unsigned points = 0;
    while (points < PW_ANALOG_POINTS && wide->cp[points].line != 0) {
        points++;
    }
    for (unsigned i = 0; i < points; i++) {
        if (wide->cp[i].set != (1U << PW_COUNT(point_rows)) - 1U) {
            return refuse(reader, wide->cp[i].line, "pilot", "a point needs both count and mv");
        }
    }
    for (unsigned i = 1; i < points; i++) {
        if (wide->cp[i].count <= wide->cp[i - 1].count) {
            return refuse(reader, wide->cp[i].line, "pilot",
                          "the counts of the points must rise from one to the next");
        }
    }
    bool needed = wide->board.kind == PW_BOARD_KIND_LINUX;
    if (points == 1 || (needed && points == 0)) {
        return refuse(reader, points == 1 ? wide->cp[0].line : 0, "pilot",
                      "needs at least two points of count and mv");
    }
    return PW_OK;
}

static int check_counts(const struct reader *reader)
{
    const struct wide *wide = reader->wide;
    if (wide->rail_high <= wide->rail_low) {
        return refuse(reader, line_of(reader, "converter.rail_high"), "converter.rail_high",
                      "must be above converter.rail_low");
    }
    if (wide->board.analog.pp_pull_up_ohm != 0 && wide->pp_open <= wide->pp_short) {
        return refuse(reader, line_of(reader, "proximity.open_count"), "proximity.open_count",
                      "must be above proximity.short_count");
    }
    return PW_OK;
}

static int check(const struct reader *reader)
{
    int (*const checks[])(const struct reader *reader) = {check_use, check_needs, check_twice,
                                                          check_curve, check_counts};
    int err = has(reader, "board.kind")
                  ? PW_OK
                  : refuse(reader, 0, "board.kind", "is missing: frontend or linux");
    for (size_t i = 0; i < PW_COUNT(checks) && err == PW_OK; i++) {
        err = checks[i](reader);
    }
    return err;
}

// ---------------------------------------------------------------------------------------------

static void preset(struct wide *wide)
{
    memset(wide, 0, sizeof(*wide));
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (rows[i].type == INT) {
            int32_t value = (int32_t)rows[i].otherwise;
            memcpy((char *)wide + rows[i].at, &value, sizeof(value));
        }
    }
}

static void finish(const struct wide *wide, struct pw_board_file *board)
{
    *board = wide->board;
    board->analog.rail_low = (int16_t)wide->rail_low;
    board->analog.rail_high = (int16_t)wide->rail_high;
    board->analog.pp_short = (int16_t)wide->pp_short;
    board->analog.pp_open = (int16_t)wide->pp_open;
    for (unsigned i = 0; i < PW_ANALOG_POINTS && wide->cp[i].line != 0; i++) {
        board->analog.cp.points = (uint8_t)(i + 1);
        board->analog.cp.point[i].count = (int16_t)wide->cp[i].count;
        board->analog.cp.point[i].value = wide->cp[i].mv;
    }
}

static int interpret(struct pw_board_file *board, const char *path, const struct pw_config *config,
                     struct pw_out *why)
{
    struct wide wide;
    struct reader reader = {.path = path, .why = why, .wide = &wide};
    preset(&wide);
    int err = PW_OK;
    for (size_t i = 0; i < config->count && err == PW_OK; i++) {
        err = take_entry(&reader, &config->entry[i]);
    }
    if (err == PW_OK) {
        err = check(&reader);
    }
    if (err == PW_OK) {
        finish(&wide, board);
    }
    return err;
}

static struct pw_config *new_config(struct pw_out *why)
{
    struct pw_config *config = malloc(sizeof(*config));
    if (config == NULL) {
        pw_put_s(why, "out of memory");
    }
    return config;
}

int pw_board_file_read(struct pw_board_file *board, const char *path, struct pw_out *why)
{
    struct pw_config *config = new_config(why);
    if (config == NULL) {
        return PW_ERR_LIMIT;
    }
    int err = pw_config_read(config, path, false, why);
    if (err == PW_OK) {
        err = interpret(board, path, config, why);
    }
    free(config);
    return err;
}

int pw_board_file_parse(struct pw_board_file *board, const char *path, struct pw_str text,
                        struct pw_out *why)
{
    struct pw_config *config = new_config(why);
    if (config == NULL) {
        return PW_ERR_LIMIT;
    }
    int err = pw_config_parse(config, path, text, why);
    if (err == PW_OK) {
        err = interpret(board, path, config, why);
    }
    free(config);
    return err;
}
