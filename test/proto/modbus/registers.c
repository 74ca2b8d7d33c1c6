// Modbus registers: what each meter's numbers mean, and which of them are read together.
#include "can/float32.h"
#include "modbus/modbus.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN PW_BOARD_UNKNOWN

static struct pw_modbus_reader reader;

static const struct pw_modbus_map *map_named(const char *name)
{
    const struct pw_modbus_map *map = pw_modbus_map_of(pw_str_of(name));
    assert_non_null(map);
    return map;
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

// Reason: on a slow serial line each request costs 30 ms and more; and no meter answers for
// registers that it does not have.
static void neighbours_are_read_together(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        struct pw_modbus_request want[5];
    } rows[] = {
        {"sdm630", {{PW_MODBUS_INPUT, 0, 18}, {PW_MODBUS_INPUT, 0x46, 4}}},
        {"sdm72", {{PW_MODBUS_INPUT, 0, 18}, {PW_MODBUS_INPUT, 0x46, 4}}},
        {"sdm230",
         {{PW_MODBUS_INPUT, 0, 2},
          {PW_MODBUS_INPUT, 6, 2},
          {PW_MODBUS_INPUT, 12, 2},
          {PW_MODBUS_INPUT, 0x46, 4}}},
        {"sdm120",
         {{PW_MODBUS_INPUT, 0, 2},
          {PW_MODBUS_INPUT, 6, 2},
          {PW_MODBUS_INPUT, 12, 2},
          {PW_MODBUS_INPUT, 0x46, 4}}},
        {"abb", {{PW_MODBUS_HOLDING, 0x5000, 4}, {PW_MODBUS_HOLDING, 0x5B00, 45}}},
        {"em340", {{PW_MODBUS_INPUT, 0, 24}, {PW_MODBUS_INPUT, 0x33, 3}}},
        // Each with the registers of its scales.
        {"bsm", {{PW_MODBUS_HOLDING, 40093, 20}, {PW_MODBUS_HOLDING, 40136, 9}}},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_modbus_request got;
        pw_modbus_begin(&reader, map_named(rows[i].map));
        for (unsigned r = 0; rows[i].want[r].words != 0; r++) {
            assert_true(pw_modbus_next(&reader, &got));
            assert_int_equal(got.table, rows[i].want[r].table);
            assert_int_equal(got.address, rows[i].want[r].address);
            assert_int_equal(got.words, rows[i].want[r].words);
        }
        assert_false(pw_modbus_next(&reader, &got));
        assert_false(pw_modbus_next(&reader, &got));
    }
    assert_null(pw_modbus_map_at(PW_COUNT(rows))); // every map is above
    assert_null(pw_modbus_map_of(PW_STR("sdm")));
    assert_null(pw_modbus_map_of(PW_STR("")));
}

// Reason: a meter refuses a request that is too long for it, and has two tables that count from 0
// each. No map of ours needs it today; the next one may.
static void requests_keep_to_the_limit_and_to_one_table(void **state)
{
    (void)state;
    static const struct pw_modbus_row rows[] = {
        {PW_MODBUS_INPUT, 0, PW_MODBUS_U32, PW_MODBUS_MV_L1, 1, 0, 0},
        {PW_MODBUS_INPUT, 2, PW_MODBUS_U16, PW_MODBUS_MV_L2, 1, 0, 0},
        {PW_MODBUS_INPUT, 3, PW_MODBUS_U32, PW_MODBUS_MV_L3, 1, 0, 0}, // one too many
        {PW_MODBUS_HOLDING, 5, PW_MODBUS_U16, PW_MODBUS_MHZ, 1, 0, 0}, // next to it, elsewhere
    };
    static const struct pw_modbus_map map = {.words = 4, .rows = 4, .row = rows};
    static const struct pw_modbus_request want[] = {
        {PW_MODBUS_INPUT, 0, 3}, {PW_MODBUS_INPUT, 3, 2}, {PW_MODBUS_HOLDING, 5, 1}};
    struct pw_modbus_request got;
    pw_modbus_begin(&reader, &map);
    for (size_t i = 0; i < PW_COUNT(want); i++) {
        assert_true(pw_modbus_next(&reader, &got));
        assert_int_equal(got.table, want[i].table);
        assert_int_equal(got.address, want[i].address);
        assert_int_equal(got.words, want[i].words);
    }
    assert_false(pw_modbus_next(&reader, &got));
}

// Reason: a new row out of order, doubled or too wide for a request would never be read.
static void every_map_is_well_formed(void **state)
{
    (void)state;
    for (unsigned m = 0; pw_modbus_map_at(m) != NULL; m++) {
        const struct pw_modbus_map *map = pw_modbus_map_at(m);
        unsigned seen = 0;
        assert_ptr_equal(pw_modbus_map_of(pw_str_of(map->name)), map);
        assert_in_range(map->words, 4, PW_MODBUS_WORDS_MAX);
        for (unsigned i = 0; i < map->rows; i++) {
            const struct pw_modbus_row *row = &map->row[i];
            assert_true(row->factor > 0 && row->factor <= PW_FLOAT32_FACTOR_MAX);
            assert_false(seen & 1U << row->value);
            seen |= 1U << row->value;
            if (i > 0) {
                assert_true(row->address >= row[-1].address + pw_modbus_words(row[-1].form));
            }
        }
        assert_true(seen & 1U << PW_MODBUS_IMPORT_MWH);
    }
}

static struct pw_board_mains read_all(const struct pw_modbus_map *map,
                                      const struct pw_board_mains *from)
{
    static uint16_t table[65536];
    struct pw_modbus_request request;
    for (unsigned i = 0; i < map->rows; i++) {
        pw_modbus_put(&map->row[i], from, &table[map->row[i].address]);
        if (map->row[i].scale != 0) {
            table[map->row[i].scale] = (uint16_t)map->row[i].exponent;
        }
    }
    pw_modbus_begin(&reader, map);
    while (pw_modbus_next(&reader, &request)) {
        assert_int_equal(pw_modbus_answer(&reader, &table[request.address], request.words), PW_OK);
    }
    return reader.mains;
}

// Reason: both directions share the rows; what one writes the other reads, to the resolution of
// each form.
static void what_is_put_is_read_again(void **state)
{
    (void)state;
    uint64_t seed = 0x9E3779B97F4A7C15;
    for (unsigned m = 0; pw_modbus_map_at(m) != NULL; m++) {
        const struct pw_modbus_map *map = pw_modbus_map_at(m);
        for (int run = 0; run < 1000; run++) {
            struct pw_board_mains want = {.import_mwh = (int64_t)(random_next(&seed) % 100000000)};
            for (unsigned p = 0; p < 3; p++) {
                want.mv[p] = (int32_t)(random_next(&seed) % 300000);
                want.ma[p] = (int32_t)(random_next(&seed) % 80000);
                want.mw[p] = (int32_t)(random_next(&seed) % 40000000) - 20000000;
            }
            want.mhz = 47000 + (int32_t)(random_next(&seed) % 6000);
            struct pw_board_mains got = read_all(map, &want);
            for (unsigned i = 0; i < map->rows; i++) {
                const struct pw_modbus_row *row = &map->row[i];
                int64_t a = 0;
                int64_t b = 0;
                unsigned p = row->value % 3;
                if (row->value < PW_MODBUS_MHZ) {
                    unsigned kind = row->value / 3;
                    a = kind == 0 ? want.mv[p] : kind == 1 ? want.ma[p] : want.mw[p];
                    b = kind == 0 ? got.mv[p] : kind == 1 ? got.ma[p] : got.mw[p];
                } else {
                    a = row->value == PW_MODBUS_MHZ ? want.mhz : want.import_mwh;
                    b = row->value == PW_MODBUS_MHZ ? got.mhz : got.import_mwh;
                }
                int64_t step = row->form == PW_MODBUS_F32 ? 1 + llabs(a) / 8000000 : row->factor;
                assert_true(llabs(a - b) < step || (step == 1 && a == b));
            }
            assert_int_equal(got.at, PW_NEVER);
        }
    }
}

// Reason: what a meter does not know must not come out as a number, in any form.
static void what_is_unknown_stays_so(void **state)
{
    (void)state;
    const struct pw_board_mains unknown = {
        .mv = {UNKNOWN, UNKNOWN, UNKNOWN},
        .ma = {UNKNOWN, UNKNOWN, UNKNOWN},
        .mw = {UNKNOWN, UNKNOWN, UNKNOWN},
        .mhz = UNKNOWN,
        .import_mwh = -1,
    };
    for (unsigned m = 0; pw_modbus_map_at(m) != NULL; m++) {
        struct pw_board_mains got = read_all(pw_modbus_map_at(m), &unknown);
        assert_memory_equal(got.mv, unknown.mv, sizeof(got.mv));
        assert_memory_equal(got.ma, unknown.ma, sizeof(got.ma));
        assert_memory_equal(got.mw, unknown.mw, sizeof(got.mw));
        assert_int_equal(got.mhz, UNKNOWN);
        assert_int_equal(got.import_mwh, -1);
    }
}

// Reason: the examples of the makers' own lists, digit by digit: a mistake in word order or scale
// that both our directions share would not show otherwise.
static void numbers_from_the_makers_lists(void **state)
{
    (void)state;
    struct pw_modbus_request request;
    pw_modbus_begin(&reader, map_named("sdm630"));
    assert_true(pw_modbus_next(&reader, &request));
    uint16_t volts[18] = {0x4366, 0x3334, 0x4366, 0x3334, 0x4366, 0x3334, 0x4180, 0x0000}; // 230.2
    volts[12] = 0xC45A; // -872 W and a bit
    assert_int_equal(pw_modbus_answer(&reader, volts, 18), PW_OK);
    assert_int_equal(reader.mains.mv[2], 230200);
    assert_int_equal(reader.mains.ma[0], 16000);
    assert_int_equal(reader.mains.mw[0], -872000);
    assert_true(pw_modbus_next(&reader, &request));
    const uint16_t rest[4] = {0x4247, 0xF5C3, 0x4640, 0xE6B7}; // 49.99 Hz, 12345.679 kWh
    assert_int_equal(pw_modbus_answer(&reader, rest, 4), PW_OK);
    assert_int_equal(reader.mains.mhz, 49990);
    assert_int_equal(reader.mains.import_mwh, 12345678711); // what single precision holds of it

    pw_modbus_begin(&reader, map_named("abb"));
    assert_true(pw_modbus_next(&reader, &request));
    const uint16_t energy[4] = {0, 0, 0x0001, 0x86A1}; // 100001 times 0.01 kWh
    assert_int_equal(pw_modbus_answer(&reader, energy, 4), PW_OK);
    assert_int_equal(reader.mains.import_mwh, 1000010000);
    assert_true(pw_modbus_next(&reader, &request));
    uint16_t now[45] = {0};
    memset(now, 0xFF, sizeof(now)); // what is not there reads all ones
    now[0] = 0;
    now[1] = 2301; // 230.1 V
    now[12] = 0;
    now[13] = 1604;   // 16.04 A
    now[22] = 0xFFFF; // -1.00 W
    now[23] = 0xFF9C;
    now[44] = 4998; // 49.98 Hz
    now[24] = 0x7FFF;
    assert_int_equal(pw_modbus_answer(&reader, now, 45), PW_OK);
    assert_int_equal(reader.mains.mv[0], 230100);
    assert_int_equal(reader.mains.mv[1], UNKNOWN);
    assert_int_equal(reader.mains.ma[0], 16040);
    assert_int_equal(reader.mains.ma[2], UNKNOWN);
    assert_int_equal(reader.mains.mw[0], -1000);
    assert_int_equal(reader.mains.mw[1], UNKNOWN);
    assert_int_equal(reader.mains.mhz, 49980);

    pw_modbus_begin(&reader, map_named("em340"));
    assert_true(pw_modbus_next(&reader, &request));
    uint16_t em[24] = {2305, 0};
    em[12] = 0xC180; // -16.000 A: power flows back
    em[13] = 0xFFFF;
    em[18] = 0x7000; // -36864 times 0.1 W
    em[19] = 0xFFFF;
    em[20] = 0xFFFF;
    em[21] = 0x7FFF; // no such value
    assert_int_equal(pw_modbus_answer(&reader, em, 24), PW_OK);
    assert_int_equal(reader.mains.mv[0], 230500);
    assert_int_equal(reader.mains.ma[0], 16000);
    assert_int_equal(reader.mains.mw[0], -3686400);
    assert_int_equal(reader.mains.mw[1], UNKNOWN);
}

// Reason: what no meter can mean must come out as unknown, or so far out that nobody believes it.
static void impossible_numbers_from_the_wire(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        int32_t mv;
        int32_t ma;
        int64_t mwh;
    } rows[] = {
        {0x7FC00000, UNKNOWN, UNKNOWN, -1}, // NaN
        {0xFFC00000, UNKNOWN, UNKNOWN, -1},
        {0x7F800001, UNKNOWN, UNKNOWN, -1},
        {0x7F800000, INT32_MAX, INT32_MAX, INT64_MAX}, // infinity
        {0xFF800000, -INT32_MAX, INT32_MAX, -1},
        {0x4E6E6B28, INT32_MAX, INT32_MAX, 1000000000000000}, // 10^9
        {0xCE6E6B28, -INT32_MAX, INT32_MAX, -1},
        {0x7F7FFFFF, INT32_MAX, INT32_MAX, INT64_MAX}, // the largest
        {0xC3660000, -230000, 230000, -1},
        {0x80000000, 0, 0, 0}, // minus zero
        {0x00000001, 0, 0, 0}, // the smallest
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_modbus_request request;
        uint16_t words[4] = {(uint16_t)(rows[i].bits >> 16), (uint16_t)rows[i].bits};
        pw_modbus_begin(&reader, map_named("sdm120"));
        assert_true(pw_modbus_next(&reader, &request));
        assert_int_equal(pw_modbus_answer(&reader, words, 2), PW_OK);
        assert_int_equal(reader.mains.mv[0], rows[i].mv);
        assert_true(pw_modbus_next(&reader, &request));
        assert_int_equal(pw_modbus_answer(&reader, words, 2), PW_OK);
        assert_int_equal(reader.mains.ma[0], rows[i].ma);
        assert_true(pw_modbus_next(&reader, &request));
        assert_true(pw_modbus_next(&reader, &request));
        memmove(words + 2, words, 4);
        assert_int_equal(pw_modbus_answer(&reader, words, 4), PW_OK);
        assert_int_equal(reader.mains.import_mwh, rows[i].mwh);
    }
}

// Reason: a short or long answer is another request's, or a broken one; nothing of it counts.
static void an_answer_of_another_length_is_refused(void **state)
{
    (void)state;
    struct pw_modbus_request request;
    uint16_t words[32] = {0x4366, 0x3334};
    pw_modbus_begin(&reader, map_named("sdm630"));
    assert_int_equal(pw_modbus_answer(&reader, words, 18), PW_ERR_PEER); // nothing asked yet
    assert_true(pw_modbus_next(&reader, &request));
    static const size_t wrong[] = {0, 1, 17, 19, 32};
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        assert_int_equal(pw_modbus_answer(&reader, words, wrong[i]), PW_ERR_PEER);
        assert_int_equal(reader.mains.mv[0], UNKNOWN);
    }
    assert_true(pw_modbus_next(&reader, &request)); // skipped
    words[0] = 0x4248;
    words[1] = 0;
    assert_int_equal(pw_modbus_answer(&reader, words, 4), PW_OK);
    assert_int_equal(reader.mains.mhz, 50000);
    assert_int_equal(reader.mains.mv[0], UNKNOWN);
    assert_false(pw_modbus_next(&reader, &request));
    assert_int_equal(pw_modbus_answer(&reader, words, 4), PW_ERR_PEER);
}

// Reason: kilowatt hours as single precision are the widest numbers here; judged by the compiler's
// own floating point.
static void floats_agree_with_the_processor(void **state)
{
    (void)state;
    uint64_t seed = 0x2545F4914F6CDD1D;
    static const uint32_t factors[] = {1, 1000, 1000000};
    for (int run = 0; run < 300000; run++) {
        uint32_t bits = (uint32_t)random_next(&seed);
        uint32_t factor = factors[run % 3];
        int64_t got = 77;
        double exact = (double)as_float(bits) * factor; // 24 and 20 bits: exact in double precision
        int err = pw_float32_scaled(bits, factor, INT64_MAX, &got);
        if (isnan(exact)) {
            assert_int_equal(err, PW_ERR_PEER);
        } else if (fabs(exact) >= 9223372036854775807.0) {
            assert_int_equal(err, PW_ERR_RANGE);
            assert_int_equal(got, 77);
        } else {
            assert_int_equal(err, PW_OK);
            assert_int_equal(got, (int64_t)round(exact));
        }
        int64_t scaled = (int64_t)(random_next(&seed) >> (run % 50)) >> 1;
        scaled = run % 2 == 0 ? scaled : -scaled;
        uint32_t back = pw_float32_of_scaled(scaled, factor);
        double want = (double)scaled / factor;
        // The double itself is rounded; nearest but for that.
        assert_true(fabs((double)as_float(back) - want) <= fabs(want) / 16777215);
    }
    assert_int_equal(pw_float32_of_scaled(INT64_MIN, 1), 0xDF000000);
    assert_int_equal(pw_float32_of_scaled(16777217, 1), 0x4B800000); // a tie goes to even
    assert_int_equal(pw_float32_of_scaled(16777219, 1), 0x4B800002);
}

// Reason: people pick a map from the guide; it must list each of them, and nothing we do not have.
static void the_guide_lists_every_map(void **state)
{
    (void)state;
    static char guide[32768];
    FILE *file = fopen(METERS_DOC, "r");
    assert_non_null(file);
    size_t len = fread(guide, 1, sizeof(guide) - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(len > 0 && len < sizeof(guide) - 1);
    const char *table = strstr(guide, "| map |");
    assert_non_null(table);
    unsigned listed = 0;
    for (const char *at = strstr(table, "\n| `"); at != NULL; at = strstr(at + 1, "\n| `")) {
        listed++;
    }
    for (unsigned i = 0; pw_modbus_map_at(i) != NULL; i++) {
        char row[32];
        (void)snprintf(row, sizeof(row), "\n| `%s` |", pw_modbus_map_at(i)->name);
        assert_non_null(strstr(table, row));
        listed--;
    }
    assert_int_equal(listed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_read_together),
        cmocka_unit_test(requests_keep_to_the_limit_and_to_one_table),
        cmocka_unit_test(every_map_is_well_formed),
        cmocka_unit_test(what_is_unknown_stays_so),
        cmocka_unit_test(what_is_put_is_read_again),
        cmocka_unit_test(numbers_from_the_makers_lists),
        cmocka_unit_test(impossible_numbers_from_the_wire),
        cmocka_unit_test(an_answer_of_another_length_is_refused),
        cmocka_unit_test(floats_agree_with_the_processor),
        cmocka_unit_test(the_guide_lists_every_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
