// The rows of the station link and their one interpreter.
#include "json/utf8.h"
#include "link/parts.h"

#include <assert.h>
#include <string.h>

enum kind {
    KIND_u8,
    KIND_u32,
    KIND_u64,
    KIND_i32,
    KIND_i64,
    KIND_flag,
    KIND_tri,
    KIND_text,
    KIND_bytes,
    KIND_items,
};

enum { PRESENCE_MAY, PRESENCE_MUST, TAG_HEAD = 3, TRI = 3 };

struct row {
    const char *name;
    int64_t least;
    int64_t most;
    int64_t absent;
    uint16_t offset;
    uint8_t kind;
    uint8_t tag;
    uint8_t must;
};

struct pw_link_object {
    const struct row *rows;
    uint8_t count;
    uint16_t size;
};

#define ROW(S, kind_, member, tag_, least_, most_, presence, absent_)                              \
    {                                                                                              \
        .name = #member,                                                                           \
        .least = (least_),                                                                         \
        .most = (most_),                                                                           \
        .absent = (absent_),                                                                       \
        .offset = offsetof(struct pw_link_##S, member),                                            \
        .kind = KIND_##kind_,                                                                      \
        .tag = (tag_),                                                                             \
        .must = PRESENCE_##presence,                                                               \
    },
#define STRUCT(name, LIST)                                                                         \
    static const struct row rows_##name[] = {LIST(ROW, name)};                                     \
    static_assert(PW_COUNT(rows_##name) <= 64, "seen is 64 bits");                                 \
    const struct pw_link_object pw_link_##name##_rows = {                                          \
        .rows = rows_##name,                                                                       \
        .count = PW_COUNT(rows_##name),                                                            \
        .size = sizeof(struct pw_link_##name),                                                     \
    };
PW_LINK_STRUCTS(STRUCT)
#undef STRUCT
#undef ROW

#define EMPTY(name) static const struct pw_link_object pw_link_##name##_rows = {.count = 0};
PW_LINK_EMPTY_STRUCTS(EMPTY)
#undef EMPTY

#define TYPE(NAME, name_, type_, from_, form_)                                                     \
    {.type = (type_),                                                                              \
     .from = PW_LINK_FROM_##from_,                                                                 \
     .form = PW_LINK_FORM_##form_,                                                                 \
     .name = #name_,                                                                               \
     .rows = &pw_link_##name_##_rows},
static const struct pw_link_type_row types[] = {PW_LINK_MESSAGES(TYPE)};
#undef TYPE

const struct pw_link_type_row *pw_link_type_row(uint8_t type)
{
    for (size_t i = 0; i < PW_COUNT(types); i++) {
        if (types[i].type == type) {
            return &types[i];
        }
    }
    return NULL;
}

const char *pw_link_event_name(uint8_t kind)
{
#define WORD(NAME, number, word) [number] = (word),
    static const char *const words[] = {PW_LINK_EVENT_KINDS(WORD)};
#undef WORD
    return kind < PW_COUNT(words) && words[kind] != NULL ? words[kind] : "unknown";
}

const char *pw_link_error_name(uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *name;
    } names[] = {{PW_LINK_E_NONE, "done"},           {PW_LINK_E_UNKNOWN, "unknown_message"},
                 {PW_LINK_E_BODY, "bad_message"},    {PW_LINK_E_RANGE, "out_of_range"},
                 {PW_LINK_E_REFUSED, "refused"},     {PW_LINK_E_UNAVAILABLE, "not_available"},
                 {PW_LINK_E_STORE, "store"},         {PW_LINK_E_TIMEOUT, "timeout"},
                 {PW_LINK_E_LOST, "connection_lost"}};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "unknown";
}

// ---------------------------------------------------------------------------------------------
// Integers of a width. All values of the protocol fit int64_t: u64 ends at INT64_MAX.

static size_t width_of(uint8_t kind)
{
    static const uint8_t widths[] = {
        [KIND_u8] = 1,   [KIND_u32] = 4,  [KIND_u64] = 8,  [KIND_i32] = 4,   [KIND_i64] = 8,
        [KIND_flag] = 1, [KIND_tri] = 12, [KIND_text] = 0, [KIND_bytes] = 0, [KIND_items] = 0};
    return widths[kind];
}

// The wire carries two's complement, as the machine does (C17 7.20.1.1).
static int32_t signed_32(uint32_t raw)
{
    int32_t value = 0;
    memcpy(&value, &raw, sizeof(value));
    return value;
}

static int64_t signed_64(uint64_t raw)
{
    int64_t value = 0;
    memcpy(&value, &raw, sizeof(value));
    return value;
}

static uint64_t be64(const uint8_t *at)
{
    return (uint64_t)pw_be32(at) << 32 | pw_be32(at + 4);
}

// False: a u64 beyond what the protocol carries.
static bool load(uint8_t kind, const uint8_t *at, int64_t *value)
{
    uint64_t raw = 0;
    switch ((enum kind)kind) {
    case KIND_u8:
    case KIND_flag: *value = at[0]; return true;
    case KIND_u32: *value = pw_be32(at); return true;
    case KIND_i32:
    case KIND_tri: *value = signed_32(pw_be32(at)); return true;
    case KIND_u64:
        raw = be64(at);
        *value = (int64_t)(raw & INT64_MAX);
        return raw <= INT64_MAX;
    case KIND_i64: *value = signed_64(be64(at)); return true;
    case KIND_text:
    case KIND_bytes:
    case KIND_items: break;
    }
    return false;
}

static void set_member(uint8_t kind, void *member, int64_t value)
{
    switch ((enum kind)kind) {
    case KIND_u8: *(uint8_t *)member = (uint8_t)value; break;
    case KIND_u32: *(uint32_t *)member = (uint32_t)value; break;
    case KIND_u64: *(uint64_t *)member = (uint64_t)value; break;
    case KIND_i32: *(int32_t *)member = (int32_t)value; break;
    case KIND_i64: *(int64_t *)member = value; break;
    case KIND_flag: *(bool *)member = value != 0; break;
    case KIND_tri:
        for (size_t i = 0; i < TRI; i++) {
            ((int32_t *)member)[i] = (int32_t)value;
        }
        break;
    case KIND_text:
    case KIND_bytes: *(struct pw_str *)member = (struct pw_str){.at = "", .len = 0}; break;
    case KIND_items: *(struct pw_link_items *)member = (struct pw_link_items){.len = 0}; break;
    }
}

// False: a u64 beyond what the protocol carries.
static bool get_member(uint8_t kind, const void *member, int64_t *value)
{
    switch ((enum kind)kind) {
    case KIND_u8: *value = *(const uint8_t *)member; break;
    case KIND_u32: *value = *(const uint32_t *)member; break;
    case KIND_u64:
        *value = (int64_t)(*(const uint64_t *)member & INT64_MAX);
        return *(const uint64_t *)member <= INT64_MAX;
    case KIND_i32:
    case KIND_tri: *value = *(const int32_t *)member; break;
    case KIND_i64: *value = *(const int64_t *)member; break;
    case KIND_flag: *value = *(const bool *)member ? 1 : 0; break;
    case KIND_text:
    case KIND_bytes:
    case KIND_items: break;
    }
    return true;
}

static const void *member_in(const struct row *row, const void *object)
{
    return (const char *)object + row->offset;
}

static void *member_of(const struct row *row, void *object)
{
    return (char *)object + row->offset;
}

void pw_link_blank(const struct pw_link_object *rows, void *object)
{
    memset(object, 0, rows->size);
    for (uint8_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->rows[i];
        set_member(row->kind, member_of(row, object), row->absent);
    }
}

// ---------------------------------------------------------------------------------------------
// Reading.

static int say(struct pw_out *why, const struct row *row, const char *what)
{
    if (why != NULL) {
        pw_put_s(why, row->name);
        pw_put_s(why, what);
    }
    return PW_ERR_PEER;
}

static int say_range(struct pw_out *why, const struct row *row, const char *what, int64_t value)
{
    if (why != NULL) {
        pw_put_s(why, row->name);
        pw_put_s(why, what);
        pw_put_int(why, value);
        pw_put_s(why, " is outside ");
        pw_put_int(why, row->least);
        pw_put_s(why, "..");
        pw_put_int(why, row->most);
    }
    return PW_ERR_RANGE;
}

// Text that can stand in a log line, a data base and a page as it is: UTF-8, no control characters.
static bool is_text(const char *at, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t size = pw_json_utf8_size(at + i, len - i);
        if (size == 0 || (unsigned char)at[i] < ' ' || at[i] == 0x7F) {
            return false;
        }
        i += size;
    }
    return true;
}

static int read_text(const struct row *row, const uint8_t *at, size_t len, struct pw_str *to,
                     struct pw_out *why)
{
    if ((int64_t)len < row->least || (int64_t)len > row->most) {
        return say_range(why, row, ": length ", (int64_t)len);
    }
    if (row->kind == KIND_text && !is_text((const char *)at, len)) {
        return say(why, row, ": not UTF-8 without control characters");
    }
    *to = (struct pw_str){.at = len > 0 ? (const char *)at : "", .len = len};
    return PW_OK;
}

static int read_number(const struct row *row, const uint8_t *at, size_t len, void *member,
                       struct pw_out *why)
{
    size_t width = width_of(row->kind);
    size_t step = row->kind == KIND_tri ? 4 : width;
    if (len != width) {
        if (why != NULL) {
            pw_put_s(why, row->name);
            pw_put_s(why, ": ");
            pw_put_uint(why, len);
            pw_put_s(why, " bytes, a number of ");
            pw_put_uint(why, width);
            pw_put_s(why, " is wanted");
        }
        return PW_ERR_PEER;
    }
    for (size_t i = 0; i < width; i += step) {
        int64_t value = 0;
        bool fits = load(row->kind, at + i, &value);
        if (!fits || value < row->least || value > row->most) {
            return say_range(why, row, ": ", value);
        }
        if (row->kind == KIND_tri) {
            ((int32_t *)member)[i / step] = (int32_t)value;
        } else {
            set_member(row->kind, member, value);
        }
    }
    return PW_OK;
}

static int read_field(const struct row *row, const uint8_t *at, size_t len, void *member,
                      struct pw_out *why)
{
    if (row->kind == KIND_text || row->kind == KIND_bytes) {
        return read_text(row, at, len, member, why);
    }
    if (row->kind == KIND_items) {
        struct pw_link_items *items = member;
        items->count++;
        return items->count <= row->most ? PW_OK : say_range(why, row, ": number ", items->count);
    }
    return read_number(row, at, len, member, why);
}

// One field's tag and length; false when what they say does not lie in the body.
static bool cut_field(const uint8_t **at, size_t *left, uint8_t *tag, size_t *len)
{
    if (*left < TAG_HEAD) {
        return false;
    }
    *tag = (*at)[0];
    *len = pw_be16(*at + 1);
    if (*left - TAG_HEAD < *len) {
        return false;
    }
    *at += TAG_HEAD;
    *left -= TAG_HEAD;
    return true;
}

static int check_all_there(const struct pw_link_object *rows, uint64_t seen, struct pw_out *why)
{
    for (uint8_t i = 0; i < rows->count; i++) {
        if (rows->rows[i].must == PRESENCE_MUST && (seen >> i & 1) == 0) {
            return say(why, &rows->rows[i], ": missing");
        }
    }
    return PW_OK;
}

static const struct row *row_of_tag(const struct pw_link_object *rows, uint8_t tag)
{
    for (uint8_t i = 0; i < rows->count; i++) {
        if (rows->rows[i].tag == tag) {
            return &rows->rows[i];
        }
    }
    return NULL;
}

static int read_object(const struct pw_link_object *rows, const uint8_t *at, size_t len,
                       void *object, struct pw_out *why)
{
    const uint8_t *body = at;
    size_t left = len;
    uint64_t seen = 0;
    pw_link_blank(rows, object);
    while (left > 0) {
        uint8_t tag = 0;
        size_t size = 0;
        if (!cut_field(&at, &left, &tag, &size)) {
            if (why != NULL) {
                pw_put_s(why, "a field is longer than the message");
            }
            return PW_ERR_PEER;
        }
        const struct row *row = row_of_tag(rows, tag);
        if (row != NULL) {
            uint64_t bit = UINT64_C(1) << (row - rows->rows);
            void *member = member_of(row, object);
            if (row->kind == KIND_items && (seen & bit) == 0) {
                *(struct pw_link_items *)member =
                    (struct pw_link_items){.at = body, .len = len, .tag = tag};
            } else if (row->kind != KIND_items && (seen & bit) != 0) {
                return say(why, row, ": twice");
            }
            seen |= bit;
            int err = read_field(row, at, size, member, why);
            if (err != PW_OK) {
                return err;
            }
        }
        at += size;
        left -= size;
    }
    return check_all_there(rows, seen, why);
}

int pw_link_frame_read(const uint8_t *at, size_t len, size_t most, struct pw_link_frame *frame)
{
    static const uint8_t magic[] = {'P', 'W'};
    // Garbage is told at its first byte, not after a whole head.
    for (size_t i = 0; i < sizeof(magic) && i < len; i++) {
        if (at[i] != magic[i]) {
            return PW_ERR_PEER;
        }
    }
    if (len < PW_LINK_HEAD) {
        return PW_ERR_AGAIN;
    }
    size_t whole = (size_t)PW_LINK_HEAD + pw_be16(at + 6);
    if (whole > most) {
        return PW_ERR_LIMIT;
    }
    if (len < whole) {
        return PW_ERR_AGAIN;
    }
    *frame = (struct pw_link_frame){.type = at[2],
                                    .number = pw_be16(at + 4),
                                    .body = at + PW_LINK_HEAD,
                                    .len = whole - PW_LINK_HEAD};
    return (int)whole;
}

int pw_link_decode(const struct pw_link_frame *frame, struct pw_link_message *message,
                   struct pw_out *why)
{
    const struct pw_link_type_row *row = pw_link_type_row(frame->type);
    *message = (struct pw_link_message){.type = frame->type, .number = frame->number};
    if (row == NULL) {
        return PW_ERR_UNKNOWN;
    }
    return read_object(row->rows, frame->body, frame->len, &message->as, why);
}

bool pw_link_next(struct pw_link_items *items, const struct pw_link_object *rows, void *object,
                  bool *bad)
{
    *bad = false;
    while (items->len > 0) {
        uint8_t tag = 0;
        size_t size = 0;
        if (!cut_field(&items->at, &items->len, &tag, &size)) {
            *bad = true;
            return false;
        }
        const uint8_t *at = items->at;
        items->at += size;
        items->len -= size;
        if (tag == items->tag) {
            *bad = read_object(rows, at, size, object, NULL) != PW_OK;
            return !*bad;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Writing.

static void put_bytes(struct pw_link_writer *w, const void *from, size_t len)
{
    if (w->full || w->cap - w->len < len) {
        w->full = true;
        return;
    }
    if (len > 0) {
        memcpy(w->at + w->len, from, len);
    }
    w->len += len;
}

static void put_uint(struct pw_link_writer *w, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    pw_set_be32(bytes, (uint32_t)(value >> 32));
    pw_set_be32(bytes + 4, (uint32_t)value);
    put_bytes(w, bytes + sizeof(bytes) - width, width);
}

static void put_head(struct pw_link_writer *w, uint8_t tag, size_t len)
{
    put_uint(w, tag, 1);
    put_uint(w, len, 2);
}

// Our own texts give way to their row, cut on a character's border, a byte that is no text as '?':
// the words of a reason are worth more than a message that never leaves.
static size_t cut_text(struct pw_str text, size_t most)
{
    size_t len = text.len;
    if (len > most) {
        len = most;
        while (len > 0 && ((uint8_t)text.at[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    return len;
}

static void put_text(struct pw_link_writer *w, const struct row *row, struct pw_str text)
{
    size_t len = cut_text(text, (size_t)row->most);
    if (len == 0 && row->must == PRESENCE_MAY) {
        return;
    }
    if ((int64_t)len < row->least) {
        w->wrong = true;
        return;
    }
    put_head(w, row->tag, len);
    for (size_t i = 0; i < len;) {
        size_t size = pw_json_utf8_size(text.at + i, len - i);
        bool plain = size > 0 && is_text(text.at + i, size);
        put_bytes(w, plain ? text.at + i : "?", plain ? size : 1);
        i += plain ? size : 1;
    }
}

// Bytes of a file are never cut: another file would come of it.
static void put_data(struct pw_link_writer *w, const struct row *row, struct pw_str bytes)
{
    if ((int64_t)bytes.len < row->least || (int64_t)bytes.len > row->most) {
        w->wrong = true;
        return;
    }
    put_head(w, row->tag, bytes.len);
    put_bytes(w, bytes.at, bytes.len);
}

static void put_tri(struct pw_link_writer *w, const struct row *row, const int32_t value[TRI])
{
    bool absent = row->must == PRESENCE_MAY;
    for (size_t i = 0; i < TRI; i++) {
        absent = absent && value[i] == row->absent;
        w->wrong = w->wrong || value[i] < row->least || value[i] > row->most;
    }
    if (absent) {
        return;
    }
    put_head(w, row->tag, width_of(KIND_tri));
    for (size_t i = 0; i < TRI; i++) {
        put_uint(w, (uint32_t)value[i], 4);
    }
}

static void put_number(struct pw_link_writer *w, const struct row *row, const void *member)
{
    int64_t value = 0;
    bool fits = get_member(row->kind, member, &value);
    if (fits && row->must == PRESENCE_MAY && value == row->absent) {
        return;
    }
    if (!fits || value < row->least || value > row->most) {
        w->wrong = true;
        return;
    }
    put_head(w, row->tag, width_of(row->kind));
    put_uint(w, (uint64_t)value, width_of(row->kind));
}

static void put_object(struct pw_link_writer *w, const struct pw_link_object *rows,
                       const void *object)
{
    for (uint8_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->rows[i];
        const void *member = member_in(row, object);
        switch ((enum kind)row->kind) {
        case KIND_text: put_text(w, row, *(const struct pw_str *)member); break;
        case KIND_bytes: put_data(w, row, *(const struct pw_str *)member); break;
        case KIND_tri: put_tri(w, row, member); break;
        case KIND_items: break; // pw_link_add
        case KIND_u8:
        case KIND_u32:
        case KIND_u64:
        case KIND_i32:
        case KIND_i64:
        case KIND_flag: put_number(w, row, member); break;
        }
    }
}

void pw_link_begin(struct pw_link_writer *w, uint8_t type, uint16_t number, const void *object)
{
    const struct pw_link_type_row *row = pw_link_type_row(type);
    PW_ASSERT(row != NULL);
    w->len = 0;
    w->full = false;
    w->wrong = false;
    put_bytes(w, "PW", 2);
    put_uint(w, type, 1);
    put_uint(w, 0, 1); // flags: none yet
    put_uint(w, number, 2);
    put_uint(w, 0, 2); // the length, at the end
    if (object != NULL) {
        put_object(w, row->rows, object);
    } else {
        PW_ASSERT(row->rows->count == 0);
    }
}

void pw_link_add(struct pw_link_writer *w, uint8_t tag, const struct pw_link_object *rows,
                 const void *object)
{
    size_t start = w->len;
    put_head(w, tag, 0);
    put_object(w, rows, object);
    if (!w->full) {
        pw_set_be16(w->at + start + 1, (uint16_t)(w->len - start - TAG_HEAD));
    }
}

int pw_link_end(struct pw_link_writer *w)
{
    if (w->wrong) {
        return PW_ERR_RANGE;
    }
    if (w->full || w->len > PW_LINK_FRAME_MAX) {
        return PW_ERR_LIMIT;
    }
    pw_set_be16(w->at + 6, (uint16_t)(w->len - PW_LINK_HEAD));
    return (int)w->len;
}
