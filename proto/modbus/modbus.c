#include "modbus/modbus.h"

#include "can/float32.h"

// clang-format off
// Where the rows of each map begin and end in the one array of all rows: the rows count through,
// the lines of a map's begin and end take none.
#define M(name, words, gap, text) FIRST_##name, BEFORE_##name = FIRST_##name - 1,
#define R(name, table, address, form, value, factor) ROW_##name##_##value,
#define E(name) END_##name, AFTER_##name = END_##name - 1,
enum {
#include "modbus/maps.def"
};

#define R(name, table, address, form, value, factor) \
    { PW_MODBUS_##table, (address), PW_MODBUS_##form, PW_MODBUS_##value, (factor), 0, 0 },
#define S(name, table, address, form, value, factor, scale, exponent) \
    { PW_MODBUS_##table, (address), PW_MODBUS_##form, PW_MODBUS_##value, (factor), (scale), (exponent) },
static const struct pw_modbus_row rows[] = {
#include "modbus/maps.def"
};

#define M(name, words, gap, text) \
    { #name, (text), (words), (gap), END_##name - FIRST_##name, &rows[FIRST_##name] },
static const struct pw_modbus_map maps[] = {
#include "modbus/maps.def"
};
// clang-format on

unsigned pw_modbus_words(enum pw_modbus_form form)
{
    switch (form) {
    case PW_MODBUS_U16:
    case PW_MODBUS_S16:
    case PW_MODBUS_SUN16: return 1;
    case PW_MODBUS_F32:
    case PW_MODBUS_U32:
    case PW_MODBUS_S32:
    case PW_MODBUS_S32_LOW_FIRST: return 2;
    case PW_MODBUS_U64: return 4;
    }
    PW_UNREACHABLE();
}

const struct pw_modbus_map *pw_modbus_map_at(unsigned index)
{
    return index < PW_COUNT(maps) ? &maps[index] : NULL;
}

const struct pw_modbus_map *pw_modbus_map_of(struct pw_str name)
{
    for (size_t i = 0; i < PW_COUNT(maps); i++) {
        if (pw_str_is(name, maps[i].name)) {
            return &maps[i];
        }
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// Planning

void pw_modbus_begin(struct pw_modbus_reader *reader, const struct pw_modbus_map *map)
{
    *reader = (struct pw_modbus_reader){
        .map = map,
        .mains = PW_BOARD_NO_MAINS,
    };
}

static uint16_t end_of(const struct pw_modbus_row *row)
{
    uint16_t end = (uint16_t)(row->address + pw_modbus_words(row->form));
    return row->scale >= end ? (uint16_t)(row->scale + 1) : end;
}

// Scales lie behind what they belong to, and those of later rows need not lie further.
static uint16_t end_of_all(const struct pw_modbus_row *row, unsigned count)
{
    uint16_t end = 0;
    for (unsigned i = 0; i < count; i++) {
        end = end_of(&row[i]) > end ? end_of(&row[i]) : end;
    }
    return end;
}

unsigned pw_modbus_end(const struct pw_modbus_map *map)
{
    return end_of_all(map->row, map->rows);
}

bool pw_modbus_next(struct pw_modbus_reader *reader, struct pw_modbus_request *request)
{
    const struct pw_modbus_map *map = reader->map;
    reader->row = (uint8_t)(reader->row + reader->rows);
    reader->rows = 0;
    if (reader->row >= map->rows) {
        return false;
    }
    const struct pw_modbus_row *first = &map->row[reader->row];
    uint16_t end = first->address;
    for (unsigned i = reader->row; i < map->rows; i++) {
        const struct pw_modbus_row *row = &map->row[i];
        bool near = row->table == first->table && row->address <= end + map->gap;
        if (!near || end_of(row) - first->address > map->words) {
            break;
        }
        end = end_of(row) > end ? end_of(row) : end;
        reader->rows++;
    }
    *request = (struct pw_modbus_request){
        .table = first->table,
        .address = first->address,
        .words = (uint16_t)(end - first->address),
    };
    return true;
}

// ---------------------------------------------------------------------------------------------
// Numbers

static uint64_t bits_of(const uint16_t *words, unsigned count)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < count; i++) {
        bits = bits << 16 | words[i];
    }
    return bits;
}

static uint32_t low_first(const uint16_t *words)
{
    return (uint32_t)words[1] << 16 | words[0];
}

// Two's complement of `width` bits.
static int64_t as_signed(uint64_t bits, unsigned width)
{
    uint64_t sign = UINT64_C(1) << (width - 1);
    return (bits & sign) != 0 ? -(int64_t)((sign << 1) - bits) : (int64_t)bits;
}

static int64_t times(int64_t number, uint32_t factor)
{
    if (number > INT64_MAX / (int64_t)factor) {
        return INT64_MAX;
    }
    return number < -(INT64_MAX / (int64_t)factor) ? -INT64_MAX : number * (int64_t)factor;
}

static bool scale(uint64_t bits, uint64_t none, int64_t number, uint32_t factor, int64_t *value)
{
    *value = times(number, factor);
    return bits != none;
}

static bool scale_float(uint32_t bits, uint32_t factor, int64_t *value)
{
    int err = pw_float32_scaled(bits, factor, INT64_MAX, value);
    if (err == PW_ERR_RANGE) {
        *value = bits >> 31 != 0 ? -INT64_MAX : INT64_MAX;
    }
    return err != PW_ERR_PEER;
}

// Times a power of ten, as its own register says it; false when nobody can mean that.
static bool raise(int64_t *value, uint16_t exponent)
{
    int64_t power = as_signed(exponent, 16);
    if (power < -10 || power > 10) {
        return false;
    }
    for (; power > 0; power--) {
        *value = times(*value, 10);
    }
    for (; power < 0; power++) {
        *value /= 10;
    }
    return true;
}

// False: the meter says that there is no such value.
static bool number_of(const struct pw_modbus_row *row, const uint16_t *words, int64_t *value)
{
    uint64_t bits = bits_of(words, pw_modbus_words(row->form));
    switch (row->form) {
    case PW_MODBUS_F32: return scale_float((uint32_t)bits, row->factor, value);
    case PW_MODBUS_U16: return scale(bits, UINT16_MAX, (int64_t)bits, row->factor, value);
    case PW_MODBUS_SUN16:
        return scale(bits, (uint64_t)1 << 15, as_signed(bits, 16), row->factor, value);
    case PW_MODBUS_S16: return scale(bits, INT16_MAX, as_signed(bits, 16), row->factor, value);
    case PW_MODBUS_U32: return scale(bits, UINT32_MAX, (int64_t)bits, row->factor, value);
    case PW_MODBUS_S32: return scale(bits, INT32_MAX, as_signed(bits, 32), row->factor, value);
    case PW_MODBUS_S32_LOW_FIRST:
        bits = low_first(words);
        return scale(bits, INT32_MAX, as_signed(bits, 32), row->factor, value);
    case PW_MODBUS_U64:
        return scale(bits, UINT64_MAX, bits > INT64_MAX ? INT64_MAX : (int64_t)bits, row->factor,
                     value);
    }
    PW_UNREACHABLE();
}

static void put_number(const struct pw_modbus_row *row, bool none, int64_t value, uint16_t *words)
{
    unsigned count = pw_modbus_words(row->form);
    int64_t number = value / (int64_t)row->factor;
    if (row->exponent < 0) {
        number = value;
        for (int8_t power = row->exponent; power < 0; power++) {
            number *= 10;
        }
        number /= (int64_t)row->factor;
    }
    uint64_t bits = (uint64_t)number;
    switch (row->form) {
    case PW_MODBUS_F32:
        bits = none ? UINT32_C(0x7FC00000) : pw_float32_of_scaled(value, row->factor);
        break;
    case PW_MODBUS_U16:
    case PW_MODBUS_U32:
    case PW_MODBUS_U64: bits = none ? UINT64_MAX : bits; break;
    case PW_MODBUS_SUN16: bits = none ? (uint64_t)1 << 15 : bits; break;
    case PW_MODBUS_S16: bits = none ? (uint64_t)INT16_MAX : bits; break;
    case PW_MODBUS_S32:
    case PW_MODBUS_S32_LOW_FIRST: bits = none ? (uint64_t)INT32_MAX : bits; break;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned place = row->form == PW_MODBUS_S32_LOW_FIRST ? i : count - 1 - i;
        words[place] = (uint16_t)(bits >> (16 * i));
    }
}

// ---------------------------------------------------------------------------------------------
// Values

static int32_t narrow(int64_t value)
{
    return (int32_t)pw_clamp(value, -INT32_MAX, INT32_MAX);
}

static void set_value(struct pw_board_mains *mains, enum pw_modbus_value what, int64_t value)
{
    switch (what) {
    case PW_MODBUS_MV_L1:
    case PW_MODBUS_MV_L2:
    case PW_MODBUS_MV_L3: mains->mv[what - PW_MODBUS_MV_L1] = narrow(value); return;
    case PW_MODBUS_MA_L1:
    case PW_MODBUS_MA_L2:
    case PW_MODBUS_MA_L3:
        mains->ma[what - PW_MODBUS_MA_L1] = narrow(value < 0 ? -value : value);
        return;
    case PW_MODBUS_MW_L1:
    case PW_MODBUS_MW_L2:
    case PW_MODBUS_MW_L3: mains->mw[what - PW_MODBUS_MW_L1] = narrow(value); return;
    case PW_MODBUS_MHZ: mains->mhz = narrow(value); return;
    case PW_MODBUS_IMPORT_MWH: mains->import_mwh = value < 0 ? -1 : value; return;
    }
    PW_UNREACHABLE();
}

static int64_t get_value(const struct pw_board_mains *mains, enum pw_modbus_value what)
{
    switch (what) {
    case PW_MODBUS_MV_L1:
    case PW_MODBUS_MV_L2:
    case PW_MODBUS_MV_L3: return mains->mv[what - PW_MODBUS_MV_L1];
    case PW_MODBUS_MA_L1:
    case PW_MODBUS_MA_L2:
    case PW_MODBUS_MA_L3: return mains->ma[what - PW_MODBUS_MA_L1];
    case PW_MODBUS_MW_L1:
    case PW_MODBUS_MW_L2:
    case PW_MODBUS_MW_L3: return mains->mw[what - PW_MODBUS_MW_L1];
    case PW_MODBUS_MHZ: return mains->mhz;
    case PW_MODBUS_IMPORT_MWH: return mains->import_mwh < 0 ? PW_BOARD_UNKNOWN : mains->import_mwh;
    }
    PW_UNREACHABLE();
}

int pw_modbus_answer(struct pw_modbus_reader *reader, const uint16_t *words, size_t count)
{
    const struct pw_modbus_row *row = &reader->map->row[reader->row];
    uint16_t start = row->address;
    if (reader->rows == 0 || count != (size_t)(end_of_all(row, reader->rows) - start)) {
        return PW_ERR_PEER;
    }
    for (unsigned i = 0; i < reader->rows; i++) {
        int64_t value = 0;
        bool there = number_of(&row[i], words + (row[i].address - start), &value);
        if (there && row[i].scale != 0) {
            there = raise(&value, words[row[i].scale - start]);
        }
        if (there) {
            set_value(&reader->mains, row[i].value, value);
        }
    }
    return PW_OK;
}

void pw_modbus_put(const struct pw_modbus_row *row, const struct pw_board_mains *mains,
                   uint16_t *words)
{
    int64_t value = get_value(mains, row->value);
    put_number(row, value == PW_BOARD_UNKNOWN, value, words);
}
