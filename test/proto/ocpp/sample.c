#include "sample.h"

#include <string.h>

enum { NEST = PW_OCPP_NEST_MAX, WORK_MAX = 4096 };

uint32_t sample_random(uint32_t *seed)
{
    uint32_t x = *seed == 0 ? 0x9E3779B9U : *seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *seed = x;
    return x;
}

struct level {
    const struct pw_ocpp_object *object;
    uint32_t at;
    uint32_t end; // rows, or elements
    bool is_list;
};

struct writing {
    struct sample *sample;
    struct pw_json_writer json;
    uint32_t depth;
    struct level level[NEST];
};

static uint32_t below(struct writing *writing, uint32_t bound)
{
    return sample_random(&writing->sample->seed) % bound;
}

static void push(struct writing *writing, struct level level)
{
    PW_ASSERT(writing->depth < NEST);
    pw_json_open(&writing->json, level.is_list ? '[' : '{');
    writing->level[writing->depth++] = level;
}

// `count` characters; `wide` ones take three bytes, escaped ones six.
static void put_characters(struct writing *writing, uint32_t count, bool wide, bool escaped)
{
    struct pw_out *out = writing->json.out;
    pw_json_put_raw(&writing->json, PW_STR("\""));
    for (uint32_t i = 0; i < count; i++) {
        pw_put_s(out, escaped ? "\\u0041" : wide ? "\xE2\x82\xAC" : "a");
    }
    pw_put_c(out, '"');
}

static void put_random_text(struct writing *writing, uint32_t max)
{
    static const char *const pieces[] = {
        "A",  "b",  "7",  " ",    "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x94\x8C",
        "\"", "\\", "\n", "\x01", "/"};
    char text[256];
    struct pw_out out = PW_OUT(text);
    uint32_t chars = below(writing, max == 0 || max > 40 ? 41 : max + 1);
    for (uint32_t i = 0; i < chars; i++) {
        pw_put_s(&out, pieces[below(writing, PW_COUNT(pieces))]);
    }
    pw_json_put_text(&writing->json, pw_out_str(&out));
}

static void put_random(struct writing *writing, const struct pw_ocpp_row *row)
{
    int64_t number = (int64_t)(int32_t)sample_random(&writing->sample->seed);
    int64_t size = number < 0 ? -(number + 1) : number;
    switch ((enum pw_ocpp_kind)row->kind) {
    case PW_OCPP_KIND_INT: pw_json_put_int(&writing->json, number); return;
    case PW_OCPP_KIND_NAT: pw_json_put_int(&writing->json, size); return;
    case PW_OCPP_KIND_POS: pw_json_put_int(&writing->json, pw_max(size, 1)); return;
    case PW_OCPP_KIND_TENTHS: pw_json_put_fixed(&writing->json, number, 1); return;
    case PW_OCPP_KIND_BOOL: pw_json_put_bool(&writing->json, number < 0); return;
    case PW_OCPP_KIND_TEXT: put_random_text(writing, row->of.max); return;
    case PW_OCPP_KIND_TIME: pw_json_put_time(&writing->json, size * 1000 + size % 1000); return;
    case PW_OCPP_KIND_CODE:
    case PW_OCPP_KIND_WORD:
        pw_json_put_text(
            &writing->json,
            pw_ocpp_code_text(row->of.codes, (int)below(writing, row->of.codes->count)));
        return;
    case PW_OCPP_KIND_OBJECT:
        push(writing, (struct level){.object = row->of.object, .end = row->of.object->count});
        return;
    case PW_OCPP_KIND_LIST: {
        uint32_t least = row->must || row->some ? 1 : 0;
        uint32_t count =
            writing->sample->presence == PRESENT_ALL ? 1 : least + below(writing, 3 - least);
        push(writing, (struct level){.object = row->of.object, .end = count, .is_list = true});
        return;
    }
    }
    PW_UNREACHABLE();
}

static bool is_number(const struct pw_ocpp_row *row)
{
    return row->kind <= PW_OCPP_KIND_TENTHS;
}

static int64_t lowest(const struct pw_ocpp_row *row)
{
    return row->kind == PW_OCPP_KIND_NAT ? 0 : row->kind == PW_OCPP_KIND_POS ? 1 : INT32_MIN;
}

static void put_number(struct writing *writing, const struct pw_ocpp_row *row, int64_t value)
{
    pw_json_put_fixed(&writing->json, value, row->kind == PW_OCPP_KIND_TENTHS ? 1 : 0);
}

// The spoilt value in place of the right one.
static void put_spoilt(struct writing *writing, const struct pw_ocpp_row *row)
{
    struct pw_json_writer *json = &writing->json;
    uint32_t max = row->kind == PW_OCPP_KIND_TEXT ? row->of.max : 0;
    switch (writing->sample->spoil) {
    case SPOIL_NULL: pw_json_put_null(json); return;
    case SPOIL_TYPE:
        pw_json_put_raw(json, is_number(row) || row->kind == PW_OCPP_KIND_BOOL ? PW_STR("\"7\"")
                                                                               : PW_STR("7"));
        return;
    case SPOIL_OTHER_TYPE:
        pw_json_put_raw(json, row->kind == PW_OCPP_KIND_OBJECT ? PW_STR("[]") : PW_STR("{}"));
        return;
    case SPOIL_LOW:
        if (is_number(row)) {
            put_number(writing, row, lowest(row));
        } else {
            pw_json_put_s(json, "");
        }
        return;
    case SPOIL_BELOW: put_number(writing, row, lowest(row) - 1); return;
    case SPOIL_NEAR:
        if (is_number(row)) {
            put_number(writing, row, INT32_MAX - 1);
        } else {
            put_characters(writing, max - 1, false, false);
        }
        return;
    case SPOIL_HIGH:
        if (is_number(row)) {
            put_number(writing, row, INT32_MAX);
        } else {
            put_characters(writing, max, false, false);
        }
        return;
    case SPOIL_HIGH_WIDE: put_characters(writing, max, true, false); return;
    case SPOIL_HIGH_ESCAPED: put_characters(writing, max, false, true); return;
    case SPOIL_ABOVE:
        if (is_number(row)) {
            put_number(writing, row, (int64_t)INT32_MAX + 1);
        } else {
            put_characters(writing, max + 1, false, false);
        }
        return;
    case SPOIL_ABOVE_WIDE: put_characters(writing, max + 1, true, false); return;
    case SPOIL_HUGE:
        pw_json_put_raw(json, PW_STR("1234567890123456789012345678901234567890"));
        return;
    case SPOIL_FRACTION: pw_json_put_raw(json, PW_STR("16.05")); return;
    case SPOIL_WORD: pw_json_put_s(json, "Furlong"); return;
    case SPOIL_CASE: {
        char word[64];
        struct pw_out out = PW_OUT(word);
        pw_put(&out, pw_ocpp_code_text(row->of.codes, 0));
        word[0] ^= 0x20;
        pw_json_put_text(json, pw_out_str(&out));
        return;
    }
    case SPOIL_ZERO_CHAR: pw_json_put_raw(json, PW_STR("\"a\\u0000\"")); return;
    case SPOIL_EMPTY: pw_json_put_raw(json, PW_STR("[]")); return;
    case SPOIL_EXTRA: put_random(writing, row); return;
    case SPOIL_NOTHING:
    case SPOIL_MISSING:
    case SPOIL_TWICE:
    case SPOIL_COUNT: break;
    }
    PW_UNREACHABLE();
}

static void put_key(struct writing *writing, const struct pw_ocpp_row *row)
{
    if (row->key_len > 0) {
        pw_json_key(&writing->json, row->key);
    }
}

static bool is_present(struct writing *writing, const struct pw_ocpp_row *row)
{
    return row->must || writing->sample->presence == PRESENT_ALL ||
           (writing->sample->presence == PRESENT_RANDOM && below(writing, 2) == 0);
}

static void put_field(struct writing *writing, const struct pw_ocpp_row *row)
{
    struct sample *sample = writing->sample;
    bool is_target = sample->fields++ == sample->target && sample->spoil != SPOIL_NOTHING;
    if (!is_target) {
        if (is_present(writing, row)) {
            put_key(writing, row);
            put_random(writing, row);
        }
        return;
    }
    sample->row = row;
    if (sample->spoil == SPOIL_MISSING) {
        return;
    }
    if (sample->spoil == SPOIL_EXTRA) {
        pw_json_say_raw(&writing->json, "unheardOf", PW_STR("[1,{\"a\":null}]"));
    }
    if (sample->spoil == SPOIL_TWICE) {
        for (int i = 0; i < 2; i++) {
            put_key(writing, row);
            pw_json_put_int(&writing->json, 1);
        }
        return;
    }
    put_key(writing, row);
    put_spoilt(writing, row);
}

void sample_write(struct sample *sample, const struct pw_ocpp_object *object, struct pw_out *out)
{
    struct writing writing = {.sample = sample, .json = PW_JSON_WRITER(out)};
    sample->fields = 0;
    sample->row = NULL;
    push(&writing, (struct level){.object = object, .end = object->count});
    while (writing.depth > 0) {
        struct level *level = &writing.level[writing.depth - 1];
        const struct pw_ocpp_row *rows = level->object->rows;
        if (level->at == level->end) {
            pw_json_close(&writing.json, level->is_list ? ']' : '}');
            writing.depth--;
        } else if (!level->is_list) {
            put_field(&writing, &rows[level->at++]);
        } else {
            level->at++;
            if (pw_ocpp_is_bare(level->object)) {
                put_field(&writing, &rows[0]);
            } else {
                push(&writing,
                     (struct level){.object = level->object, .end = level->object->count});
            }
        }
    }
}

static int refused(enum pw_ocpp_error *code, enum pw_ocpp_error with)
{
    *code = with;
    return PW_ERR_PEER;
}

int sample_expect(const struct pw_ocpp_row *row, enum spoil spoil, unsigned policy,
                  enum pw_ocpp_error *code)
{
    bool text = row->kind == PW_OCPP_KIND_TEXT;
    bool bounded = text && row->of.max > 0;
    bool number = is_number(row);
    bool word = row->kind == PW_OCPP_KIND_CODE || row->kind == PW_OCPP_KIND_WORD;
    bool bare = row->key_len == 0;
    bool kept = row->kind == PW_OCPP_KIND_WORD && (policy & PW_OCPP_KEEP_UNKNOWN_CODES) != 0;
    switch (spoil) {
    case SPOIL_NOTHING: return PW_OK;
    case SPOIL_MISSING:
        // A list of texts without its only text is an empty list, another case.
        return bare        ? PW_ERR_UNKNOWN
               : row->must ? refused(code, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION)
                           : PW_OK;
    case SPOIL_NULL:
        return !row->must && (policy & PW_OCPP_NULL_IS_ABSENT) != 0
                   ? PW_OK
                   : refused(code, PW_OCPP_TYPE_CONSTRAINT_VIOLATION);
    case SPOIL_TYPE:
    case SPOIL_OTHER_TYPE: return refused(code, PW_OCPP_TYPE_CONSTRAINT_VIOLATION);
    case SPOIL_LOW: return number || text ? PW_OK : PW_ERR_UNKNOWN;
    case SPOIL_NEAR:
    case SPOIL_HIGH: return number || bounded ? PW_OK : PW_ERR_UNKNOWN;
    case SPOIL_HIGH_WIDE:
    case SPOIL_HIGH_ESCAPED: return bounded ? PW_OK : PW_ERR_UNKNOWN;
    case SPOIL_BELOW:
    case SPOIL_HUGE:
        return number ? refused(code, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION) : PW_ERR_UNKNOWN;
    case SPOIL_ABOVE:
        return number || bounded ? refused(code, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION)
                                 : PW_ERR_UNKNOWN;
    case SPOIL_ABOVE_WIDE:
        return bounded ? refused(code, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION) : PW_ERR_UNKNOWN;
    case SPOIL_FRACTION:
        return !number ? PW_ERR_UNKNOWN
                       : refused(code, row->kind == PW_OCPP_KIND_TENTHS
                                           ? PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION
                                           : PW_OCPP_TYPE_CONSTRAINT_VIOLATION);
    case SPOIL_WORD:
        return kept ? PW_OK
               : word || row->kind == PW_OCPP_KIND_TIME
                   ? refused(code, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION)
                   : PW_ERR_UNKNOWN;
    case SPOIL_CASE:
        return kept   ? PW_OK
               : word ? refused(code, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION)
                      : PW_ERR_UNKNOWN;
    case SPOIL_ZERO_CHAR:
        return text ? refused(code, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION) : PW_ERR_UNKNOWN;
    case SPOIL_EMPTY:
        return row->kind != PW_OCPP_KIND_LIST ? PW_ERR_UNKNOWN
               : row->must || row->some ? refused(code, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION)
                                        : PW_OK;
    case SPOIL_EXTRA:
        return bare ? PW_ERR_UNKNOWN
               : (policy & PW_OCPP_REFUSE_UNKNOWN_KEYS) != 0
                   ? refused(code, PW_OCPP_FORMATION_VIOLATION)
                   : PW_OK;
    case SPOIL_TWICE: return bare ? PW_ERR_UNKNOWN : refused(code, PW_OCPP_FORMATION_VIOLATION);
    case SPOIL_COUNT: break;
    }
    PW_UNREACHABLE();
}

// --- Lists.

struct work {
    const struct pw_ocpp_object *object;
    unsigned char *at;
};

static void *take(struct room *room, size_t size)
{
    size_t whole = (size + 15) / 16 * 16;
    if (whole > room->cap - room->used) {
        return NULL;
    }
    void *at = room->at + room->used;
    room->used += whole;
    return at;
}

static int own_list(struct pw_ocpp_list *list, struct room *room, struct work *work, size_t *count)
{
    unsigned char *items = take(room, (size_t)list->count * list->of->size);
    if (items == NULL || *count + list->count > WORK_MAX) {
        return PW_ERR_LIMIT;
    }
    struct pw_ocpp_iter iter = pw_ocpp_each(list);
    for (uint32_t i = 0; i < list->count; i++) {
        unsigned char *item = items + (size_t)i * list->of->size;
        if (!pw_ocpp_next(&iter, item, list->of->size)) {
            return PW_ERR_BUG;
        }
        work[(*count)++] = (struct work){.object = list->of, .at = item};
    }
    list->items = items;
    return PW_OK;
}

int sample_own_lists(const struct pw_ocpp_object *object, void *decoded, struct room *room)
{
    struct work work[WORK_MAX];
    size_t count = 0;
    work[count++] = (struct work){.object = object, .at = decoded};
    while (count > 0) {
        struct work now = work[--count];
        uint32_t has;
        memcpy(&has, now.at, sizeof(has));
        for (uint32_t i = 0; i < now.object->count; i++) {
            const struct pw_ocpp_row *row = &now.object->rows[i];
            unsigned char *member = now.at + row->offset;
            if ((has >> i & 1U) == 0) {
                continue;
            }
            if (row->kind == PW_OCPP_KIND_OBJECT) {
                work[count++] = (struct work){.object = row->of.object, .at = member};
            } else if (row->kind == PW_OCPP_KIND_LIST) {
                struct pw_ocpp_list list;
                memcpy(&list, member, sizeof(list));
                int err = own_list(&list, room, work, &count);
                if (err != PW_OK) {
                    return err;
                }
                memcpy(member, &list, sizeof(list));
            }
        }
    }
    return PW_OK;
}
