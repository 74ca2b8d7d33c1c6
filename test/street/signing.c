#include "signing.h"

#include <string.h>

enum { EXCHANGE_MS = 20, LOOK_MS = 100 };

static bool peek(void *context, uint16_t address, uint16_t *word, size_t words)
{
    const struct street_signing *signing = context;
    memcpy(word, &signing->registers[address], words * sizeof(*word));
    return true;
}

static bool fill(void *context, uint16_t address, const uint16_t *word, size_t words)
{
    struct street_signing *signing = context;
    memcpy(&signing->registers[address], word, words * sizeof(*word));
    return true;
}

static size_t sign(void *context, struct pw_str text, uint8_t *signature, size_t cap)
{
    uint32_t sum = 2166136261U;
    (void)context;
    PW_ASSERT(cap >= 70);
    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ (uint8_t)text.at[i]) * 16777619U;
    }
    memset(signature, 0, 70);
    pw_set_be32(signature, sum);
    return 70;
}

void street_signing_open(struct street *street, struct street_signing *signing)
{
    struct pw_signmeter_signer signer = {.algorithm = "ECDSA-secp256r1-SHA256", .sign = sign};
    const struct pw_signmeter_registers registers = {
        .context = signing, .peek = peek, .fill = fill};
    memset(signing, 0, sizeof(*signing));
    signer.key_len = 91; // of a key for P-256
    memset(signer.key, 0x30, signer.key_len);
    street->signing = signing;
    pw_signmeter_init(&signing->meter, pw_modbus_signer_of(pw_modbus_map_of(PW_STR("bsm"))),
                      &signer, &registers);
}

void street_signing_start(struct street *street)
{
    street->signing->busy = false;
    pw_station_signer(street->station, 1, true);
}

// What the station wants, as the port does it.
static void take_order(struct street *street)
{
    struct street_signing *signing = street->signing;
    struct pw_signed_request request;
    if (!pw_station_take_signing(street->station, 1, &request)) {
        return;
    }
    pw_modbus_snapshot_begin(&signing->snapshot, signing->meter.map, &request,
                             !signing->meter.clock_set, NULL);
    signing->busy = true;
    signing->due = street->now + EXCHANGE_MS;
    signing->until = pw_after(street->now, request.wait_ms);
}

static void answer(struct street *street, const struct pw_signed_reading *reading, const char *why)
{
    struct street_signing *signing = street->signing;
    signing->busy = false;
    pw_station_signed(street->station, 1, signing->snapshot.request.ticket, reading,
                      pw_str_of(why));
    street->station_at = street->now;
    if (reading != NULL && reading->len > 0) {
        PW_ASSERT(signing->count < STREET_SIGNED_MAX);
        signing->given[signing->count++] = *reading;
    }
}

static void exchange(struct street *street)
{
    struct street_signing *signing = street->signing;
    struct pw_modbus_exchange next;
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    if (street->now >= signing->until) {
        answer(street, NULL, "no answer in time");
        return;
    }
    if (signing->silent || !pw_modbus_snapshot_next(&signing->snapshot, &next)) {
        signing->due = street->now + LOOK_MS;
        return;
    }
    if (next.write) {
        (void)fill(signing, next.address, next.word, next.words);
    } else {
        (void)peek(signing, next.address, next.word, next.words);
    }
    signing->due = street->now + (next.look ? LOOK_MS : EXCHANGE_MS);
    if (pw_modbus_snapshot_answer(&signing->snapshot, &next, &why) != PW_OK) {
        answer(street, NULL, text);
    } else if (signing->snapshot.stage == PW_STAGE_DONE) {
        answer(street, &signing->snapshot.reading, "");
    }
}

void street_signing_turn(struct street *street)
{
    struct street_signing *signing = street->signing;
    signing->meter_at =
        pw_signmeter_step(&signing->meter, pw_world_ac_truth(&street->ac).energy_mwh, street->now);
    if (street->station == NULL) {
        signing->busy = false;
        return;
    }
    take_order(street);
    if (signing->busy && street->now >= signing->due) {
        exchange(street);
    }
}

pw_ms street_signing_next(const struct street *street)
{
    const struct street_signing *signing = street->signing;
    return signing->busy ? pw_earlier(signing->due, signing->meter_at) : signing->meter_at;
}
