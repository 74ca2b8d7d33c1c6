// python-can datagrams. One msgpack map:
//   8B                              map of 11
//   A9 "timestamp"             CB f64    AE "arbitration_id"       CE u32
//   AE "is_extended_id"        C2/C3     AF "is_remote_frame"      C2/C3
//   AE "is_error_frame"        C2/C3     A7 "channel"              C0
//   A3 "dlc"                   0..8      A4 "data"                 C4 len bytes
//   A5 "is_fd"                 C2        AE "bitrate_switch"       C2
//   B5 "error_state_indicator" C2
#include "can/mcast.h"

#include <string.h>

enum key {
    TIMESTAMP,
    ID,
    EXTENDED,
    REMOTE,
    IS_ERROR,
    CHANNEL,
    DLC,
    DATA,
    FD,
    BITRATE_SWITCH,
    STATE_INDICATOR,
    KEYS,
};

static const char *const key_names[KEYS] = {
    [TIMESTAMP] = "timestamp",
    [ID] = "arbitration_id",
    [EXTENDED] = "is_extended_id",
    [REMOTE] = "is_remote_frame",
    [IS_ERROR] = "is_error_frame",
    [CHANNEL] = "channel",
    [DLC] = "dlc",
    [DATA] = "data",
    [FD] = "is_fd",
    [BITRATE_SWITCH] = "bitrate_switch",
    [STATE_INDICATOR] = "error_state_indicator",
};

// Without these there is no frame; the others say nothing we need.
#define NEEDED                                                                                     \
    (1U << ID | 1U << EXTENDED | 1U << REMOTE | 1U << IS_ERROR | 1U << DLC | 1U << DATA | 1U << FD)

// msgpack's first bytes (its specification, "Formats").
enum {
    FIXMAP = 0x80,
    FIXMAP_16 = 0x8F,
    FIXSTR = 0xA0,
    FIXSTR_31 = 0xBF,
    NIL = 0xC0,
    FALSE = 0xC2,
    TRUE = 0xC3,
    BIN8 = 0xC4,
    BIN16 = 0xC5,
    FLOAT32 = 0xCA,
    FLOAT64 = 0xCB,
    UINT8 = 0xCC,
    UINT64 = 0xCF,
    INT8 = 0xD0,
    INT64 = 0xD3,
    STR8 = 0xD9,
    STR16 = 0xDA,
    NEGATIVE_FIXINT = 0xE0,
};

// ---------------------------------------------------------------------------------------------
// Writing. The buffer is large enough for any frame by construction.

struct writer {
    uint8_t *at;
    size_t len;
};

static void put(struct writer *writer, uint8_t byte)
{
    PW_ASSERT(writer->len < PW_MCAST_MAX);
    writer->at[writer->len++] = byte;
}

static void put_big_endian(struct writer *writer, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        put(writer, (uint8_t)(value >> (8 * i)));
    }
}

static void put_key(struct writer *writer, enum key key)
{
    const char *name = key_names[key];
    size_t len = strlen(name);
    put(writer, (uint8_t)(FIXSTR | len));
    for (size_t i = 0; i < len; i++) {
        put(writer, (uint8_t)name[i]);
    }
}

static void put_bool(struct writer *writer, enum key key, bool value)
{
    put_key(writer, key);
    put(writer, value ? TRUE : FALSE);
}

// us / 1e6 as IEEE 754 double by long division: 53 bits of quotient, rounded to the nearest.
static uint64_t seconds_bits(uint64_t us)
{
    const uint64_t one = 1000000;
    uint64_t quotient = us / one;
    uint64_t rest = us % one;
    uint64_t exponent = 1023 + 52;
    if (us == 0) {
        return 0;
    }
    PW_ASSERT(quotient < (uint64_t)1 << 53);
    while (quotient < (uint64_t)1 << 52) {
        rest *= 2;
        quotient = quotient * 2 + (rest >= one ? 1 : 0);
        rest -= rest >= one ? one : 0;
        exponent--;
    }
    quotient += rest * 2 >= one ? 1 : 0; // a carry into the exponent is what it means
    return (exponent << 52) + (quotient - ((uint64_t)1 << 52));
}

static void put_id(struct writer *writer, uint32_t id)
{
    put_key(writer, ID);
    put(writer, 0xCE);
    put_big_endian(writer, id, 4);
}

int pw_mcast_pack(const struct pw_mcast_datagram *from, uint64_t wall_us, uint8_t to[PW_MCAST_MAX])
{
    struct writer writer = {0};
    struct pw_can_frame frame = from->frame;
    writer.at = to;
    if (from->is_error) {
        frame = (struct pw_can_frame){.id = from->error.classes, .extended = true, .len = 8};
        memcpy(frame.data, from->error.data, sizeof(frame.data));
    }
    if (!pw_can_valid(&frame)) {
        return PW_ERR_RANGE;
    }
    uint8_t stored = frame.remote ? 0 : frame.len;
    put(&writer, FIXMAP | KEYS);
    put_key(&writer, TIMESTAMP);
    put(&writer, FLOAT64);
    put_big_endian(&writer, seconds_bits(wall_us), 8);
    put_id(&writer, frame.id);
    put_bool(&writer, EXTENDED, frame.extended);
    put_bool(&writer, REMOTE, frame.remote);
    put_bool(&writer, IS_ERROR, from->is_error);
    put_key(&writer, CHANNEL);
    put(&writer, NIL);
    put_key(&writer, DLC);
    put(&writer, frame.len);
    put_key(&writer, DATA);
    put(&writer, BIN8);
    put(&writer, stored);
    for (unsigned i = 0; i < stored; i++) {
        put(&writer, frame.data[i]);
    }
    put_bool(&writer, FD, false);
    put_bool(&writer, BITRATE_SWITCH, false);
    put_bool(&writer, STATE_INDICATOR, false);
    return (int)writer.len;
}

// ---------------------------------------------------------------------------------------------
// Reading.

struct reader {
    const uint8_t *at;
    size_t len;
    size_t pos;
};

enum kind { IS_NIL, IS_BOOL, IS_UINT, IS_BYTES, IS_OTHER };

struct value {
    enum kind kind;
    uint64_t number;      // UINT; BOOL as 0 and 1
    const uint8_t *bytes; // BYTES: a string or binary
    size_t len;
};

static bool take(struct reader *reader, unsigned bytes, uint64_t *number)
{
    uint64_t sum = 0;
    if (reader->len - reader->pos < bytes) {
        return false;
    }
    for (unsigned i = 0; i < bytes; i++) {
        sum = sum << 8 | reader->at[reader->pos++];
    }
    *number = sum;
    return true;
}

static bool take_bytes(struct reader *reader, uint64_t len, struct value *value)
{
    if (reader->len - reader->pos < len) {
        return false;
    }
    value->kind = IS_BYTES;
    value->bytes = reader->at + reader->pos;
    value->len = (size_t)len;
    reader->pos += (size_t)len;
    return true;
}

static bool take_number(struct reader *reader, unsigned bytes, enum kind kind, struct value *value)
{
    value->kind = kind;
    return take(reader, bytes, &value->number);
}

// One value that is neither list nor map.
static bool take_value(struct reader *reader, struct value *value)
{
    uint64_t head;
    uint64_t len;
    if (!take(reader, 1, &head)) {
        return false;
    }
    *value = (struct value){.kind = IS_OTHER};
    if (head < FIXMAP) {
        value->kind = IS_UINT;
        value->number = head;
        return true;
    }
    if (head >= FIXSTR && head <= FIXSTR_31) {
        return take_bytes(reader, head & 0x1FU, value);
    }
    if (head == BIN8 || head == STR8) {
        return take(reader, 1, &len) && take_bytes(reader, len, value);
    }
    if (head == BIN16 || head == STR16) {
        return take(reader, 2, &len) && take_bytes(reader, len, value);
    }
    if (head >= UINT8 && head <= UINT64) {
        return take_number(reader, 1U << (head - UINT8), IS_UINT, value);
    }
    if (head >= INT8 && head <= INT64) {
        return take_number(reader, 1U << (head - INT8), IS_OTHER, value);
    }
    if (head == FLOAT32 || head == FLOAT64) {
        return take_number(reader, head == FLOAT32 ? 4 : 8, IS_OTHER, value);
    }
    value->kind = head == NIL ? IS_NIL : head == TRUE || head == FALSE ? IS_BOOL : IS_OTHER;
    value->number = head == TRUE ? 1 : 0;
    return value->kind != IS_OTHER || head >= NEGATIVE_FIXINT;
}

static enum key key_of(const struct value *name)
{
    struct pw_str text = {.at = (const char *)name->bytes, .len = name->len};
    unsigned key = 0;
    while (key < KEYS && !pw_str_is(text, key_names[key])) {
        key++;
    }
    return (enum key)key;
}

// The kind of value a key must have; those that say nothing to us may have any.
static bool fits(enum key key, const struct value *value)
{
    switch (key) {
    case ID:
    case DLC: return value->kind == IS_UINT;
    case EXTENDED:
    case REMOTE:
    case IS_ERROR:
    case FD: return value->kind == IS_BOOL;
    case DATA: return value->kind == IS_BYTES || value->kind == IS_NIL;
    case TIMESTAMP:
    case CHANNEL:
    case BITRATE_SWITCH:
    case STATE_INDICATOR:
    case KEYS: return true;
    }
    return false;
}

static int read_map(struct reader *reader, struct value values[KEYS])
{
    uint64_t head = 0;
    unsigned seen = 0;
    if (!take(reader, 1, &head) || head < FIXMAP || head > FIXMAP_16) {
        return PW_ERR_PEER;
    }
    for (uint64_t left = head & 0xFU; left > 0; left--) {
        struct value name;
        struct value value;
        if (!take_value(reader, &name) || name.kind != IS_BYTES || !take_value(reader, &value)) {
            return PW_ERR_PEER;
        }
        enum key key = key_of(&name);
        if (!fits(key, &value) || (key < KEYS && (seen >> key & 1U) != 0)) {
            return PW_ERR_PEER;
        }
        if (key < KEYS) {
            values[key] = value;
            seen |= 1U << key;
        }
    }
    return (seen & NEEDED) == NEEDED && reader->pos == reader->len ? PW_OK : PW_ERR_PEER;
}

int pw_mcast_unpack(const uint8_t *at, size_t len, struct pw_mcast_datagram *to)
{
    struct reader reader = {.at = at, .len = len, .pos = 0};
    struct value values[KEYS] = {{0}};
    struct pw_mcast_datagram read = {0};
    int err = len > PW_MCAST_READ_MAX ? PW_ERR_PEER : read_map(&reader, values);
    if (err != PW_OK) {
        return err;
    }
    if (values[FD].number != 0) {
        return PW_ERR_UNKNOWN;
    }
    bool remote = values[REMOTE].number != 0;
    size_t stored = values[DATA].len;
    if (values[ID].number > UINT32_MAX || values[DLC].number > PW_CAN_DATA_MAX ||
        stored != (remote ? 0 : values[DLC].number)) {
        return PW_ERR_RANGE;
    }
    read.is_error = values[IS_ERROR].number != 0;
    read.frame.id = (uint32_t)values[ID].number;
    read.frame.extended = values[EXTENDED].number != 0;
    read.frame.remote = remote;
    read.frame.len = (uint8_t)values[DLC].number;
    if (stored > 0) {
        memcpy(read.frame.data, values[DATA].bytes, stored);
    }
    if (!pw_can_valid(&read.frame)) {
        return PW_ERR_RANGE;
    }
    if (read.is_error) {
        read.error.classes = read.frame.id;
        memcpy(read.error.data, read.frame.data, sizeof(read.error.data));
        read.frame = (struct pw_can_frame){0};
    }
    *to = read;
    return PW_OK;
}
