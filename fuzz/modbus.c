// Target functions: pw_modbus_answer and pw_mains_read. Input: one byte picks the map, the rest are
// the registers of one answer after the other, big-endian. Whatever a meter says, readings stay
// in their fields and the registers never run backwards.
#include "modbus/modbus.h"

#include "mains/mains.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t take(const uint8_t *data, size_t size, uint16_t *words, size_t count)
{
    size_t n = 0;
    while (n < count && 2 * n + 1 < size) {
        words[n] = pw_be16(data + 2 * n);
        n++;
    }
    return n;
}

static void check(const struct pw_board_mains *mains)
{
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        PW_ASSERT(mains->ma[p] >= 0 || mains->ma[p] == PW_BOARD_UNKNOWN);
    }
    PW_ASSERT(mains->import_mwh >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pw_mains_config config;
    struct pw_mains mains;
    struct pw_mains_view view;
    struct pw_modbus_reader reader;
    struct pw_modbus_request request;
    uint16_t words[PW_MODBUS_WORDS_MAX];
    uint64_t energy = 0;
    if (size < 1 || pw_mains_init(&mains, &config, 0) != PW_OK) {
        return 0;
    }
    const struct pw_modbus_map *map = pw_modbus_map_at(data[0] % 9U);
    size_t at = 1;
    for (pw_ms now = 1000; map != NULL && at < size; now += 1000) {
        pw_modbus_begin(&reader, map);
        while (pw_modbus_next(&reader, &request)) {
            PW_ASSERT(request.words > 0 && request.words <= map->words);
            size_t count = take(data + at, size - at, words, request.words);
            int err = pw_modbus_answer(&reader, words, count);
            PW_ASSERT((err == PW_OK) == (count == request.words));
            at += 2 * count < size - at ? 2 * count : size - at;
        }
        check(&reader.mains);
        reader.mains.at = now;
        (void)pw_mains_read(&mains, &reader.mains, now);
        pw_mains_view(&mains, &view, now);
        PW_ASSERT(view.energy_mwh >= energy);
        energy = view.energy_mwh;
        at += at + 1 == size ? 1 : 0;
    }
    return 0;
}
