#include "modbus/snapshot.h"

#include <string.h>

static const struct pw_modbus_signer signers[] = {
    {
        .map = "bsm",
        .clock = 40260,
        .user = 40279,
        .user_words = 70,
        .place = 40349,
        .place_words = 50,
        .key_len = 40450,
        .key_words = 48,
        .text_words = 496,
        // The pairs that switch no contactor: that is the station's.
        .status = {[PW_SIGNED_BEGIN] = 41286, [PW_SIGNED_END] = 41540, [PW_SIGNED_CURRENT] = 40524},
        .text = {[PW_SIGNED_BEGIN] = 43295, [PW_SIGNED_END] = 43795, [PW_SIGNED_CURRENT] = 41795},
        .end = 44291,
    },
};
_Static_assert(2 * 496 <= PW_SIGNED_TEXT_MAX && 2 * 48 <= PW_SIGNED_KEY_MAX, "all of it fits");

const struct pw_modbus_signer *pw_modbus_signer_of(const struct pw_modbus_map *map)
{
    for (size_t i = 0; i < PW_COUNT(signers); i++) {
        if (strcmp(signers[i].map, map->name) == 0) {
            return &signers[i];
        }
    }
    return NULL;
}

void pw_modbus_put_text(uint16_t *word, size_t words, struct pw_str text)
{
    for (size_t i = 0; i < words; i++) {
        uint8_t high = 2 * i < text.len ? (uint8_t)text.at[2 * i] : 0;
        uint8_t low = 2 * i + 1 < text.len ? (uint8_t)text.at[2 * i + 1] : 0;
        word[i] = (uint16_t)(high << 8 | low);
    }
}

size_t pw_modbus_get_text(const uint16_t *word, size_t words, char *to)
{
    for (size_t i = 0; i < 2 * words; i++) {
        uint8_t byte = (uint8_t)(i % 2 == 0 ? word[i / 2] >> 8 : word[i / 2] & 0xFF);
        if (byte == 0) {
            return i;
        }
        to[i] = (char)byte;
    }
    return 2 * words;
}

// Whether there is anything to do in a stage.
static bool wanted(const struct pw_modbus_snapshot *snapshot, enum pw_snapshot_stage stage)
{
    switch (stage) {
    case PW_STAGE_CLOCK:
        return snapshot->request.wall != 0 && snapshot->request.moment != PW_SIGNED_KEY;
    // In between the meter still knows whom it works for.
    case PW_STAGE_USER:
    case PW_STAGE_PLACE: return snapshot->request.moment == PW_SIGNED_BEGIN;
    case PW_STAGE_KEY: return snapshot->reading.key_len == 0;
    case PW_STAGE_ORDER:
    case PW_STAGE_LOOK:
    case PW_STAGE_TEXT: return snapshot->request.moment != PW_SIGNED_KEY;
    case PW_STAGE_DONE: return true;
    }
    PW_UNREACHABLE();
}

static void go_on(struct pw_modbus_snapshot *snapshot, enum pw_snapshot_stage stage)
{
    while (!wanted(snapshot, stage)) {
        stage++;
    }
    snapshot->stage = stage;
}

void pw_modbus_snapshot_begin(struct pw_modbus_snapshot *snapshot,
                              const struct pw_modbus_signer *signer,
                              const struct pw_signed_request *request, bool set_clock,
                              const struct pw_signed_reading *key)
{
    memset(snapshot, 0, sizeof(*snapshot));
    snapshot->signer = signer;
    snapshot->request = *request;
    snapshot->request.wall = set_clock ? request->wall : 0;
    snapshot->reading.encoding = PW_SIGNED_OCMF;
    if (key != NULL) {
        snapshot->reading.key_len = key->key_len;
        memcpy(snapshot->reading.key, key->key, key->key_len);
    }
    if (request->moment == PW_SIGNED_KEY) {
        snapshot->reading.key_len = 0;
    }
    go_on(snapshot, PW_STAGE_CLOCK);
}

static void write_text(struct pw_modbus_exchange *exchange, uint16_t address, uint16_t words,
                       const char *text)
{
    exchange->write = true;
    exchange->address = address;
    exchange->words = words;
    pw_modbus_put_text(exchange->word, words, pw_str_of(text));
}

bool pw_modbus_snapshot_next(const struct pw_modbus_snapshot *snapshot,
                             struct pw_modbus_exchange *exchange)
{
    const struct pw_modbus_signer *signer = snapshot->signer;
    unsigned moment = snapshot->request.moment;
    uint32_t seconds = (uint32_t)(snapshot->request.wall / 1000);
    memset(exchange, 0, sizeof(*exchange));
    switch (snapshot->stage) {
    case PW_STAGE_CLOCK:
        // We give it UTC: an offset would have to follow summer time.
        exchange->write = true;
        exchange->address = signer->clock;
        exchange->words = 3;
        exchange->word[0] = (uint16_t)(seconds >> 16);
        exchange->word[1] = (uint16_t)seconds;
        return true;
    case PW_STAGE_USER:
        write_text(exchange, signer->user, signer->user_words, snapshot->request.user);
        return true;
    case PW_STAGE_PLACE:
        write_text(exchange, signer->place, signer->place_words, snapshot->request.place);
        return true;
    case PW_STAGE_KEY:
        exchange->address = signer->key_len;
        exchange->words = (uint16_t)(1 + signer->key_words);
        return true;
    case PW_STAGE_ORDER:
        exchange->write = true;
        exchange->address = signer->status[moment];
        exchange->words = 1;
        exchange->word[0] = PW_SNAPSHOT_UPDATING;
        return true;
    case PW_STAGE_LOOK:
        exchange->look = true;
        exchange->address = signer->status[moment];
        exchange->words = 1;
        return true;
    case PW_STAGE_TEXT:
        exchange->address = (uint16_t)(signer->text[moment] + snapshot->read);
        exchange->words =
            (uint16_t)pw_min(signer->text_words - snapshot->read, PW_MODBUS_WORDS_MAX);
        return true;
    case PW_STAGE_DONE: return false;
    }
    PW_UNREACHABLE();
}

static int refuse(struct pw_out *why, const char *what)
{
    pw_put_s(why, what);
    return PW_ERR_PEER;
}

static int take_key(struct pw_modbus_snapshot *snapshot, const uint16_t *word, struct pw_out *why)
{
    uint16_t len = word[0];
    if (len == 0 || len > 2 * snapshot->signer->key_words) {
        return refuse(why, "the meter has no public key");
    }
    for (uint16_t i = 0; i < len; i++) {
        uint16_t pair = word[1 + i / 2];
        snapshot->reading.key[i] = (uint8_t)(i % 2 == 0 ? pair >> 8 : pair & 0xFF);
    }
    snapshot->reading.key_len = (uint8_t)len;
    return PW_OK;
}

static int take_status(struct pw_modbus_snapshot *snapshot, uint16_t status, struct pw_out *why)
{
    if (status == PW_SNAPSHOT_UPDATING) {
        return PW_OK;
    }
    if (status != PW_SNAPSHOT_VALID) {
        pw_put_s(why, "the meter could not sign, status ");
        pw_put_uint(why, status);
        return PW_ERR_PEER;
    }
    snapshot->stage = PW_STAGE_TEXT;
    return PW_OK;
}

static int take_text(struct pw_modbus_snapshot *snapshot, const uint16_t *word, uint16_t words,
                     struct pw_out *why)
{
    struct pw_signed_reading *reading = &snapshot->reading;
    size_t len = pw_modbus_get_text(word, words, reading->text + reading->len);
    reading->len = (uint16_t)(reading->len + len);
    snapshot->read = (uint16_t)(snapshot->read + words);
    if (len == (size_t)2 * words && snapshot->read < snapshot->signer->text_words) {
        return PW_OK;
    }
    snapshot->stage = PW_STAGE_DONE;
    return reading->len > 0 ? PW_OK : refuse(why, "the meter's data set is empty");
}

int pw_modbus_snapshot_answer(struct pw_modbus_snapshot *snapshot,
                              const struct pw_modbus_exchange *exchange, struct pw_out *why)
{
    int err = PW_OK;
    switch (snapshot->stage) {
    case PW_STAGE_LOOK: return take_status(snapshot, exchange->word[0], why);
    case PW_STAGE_TEXT: return take_text(snapshot, exchange->word, exchange->words, why);
    case PW_STAGE_KEY: err = take_key(snapshot, exchange->word, why); break;
    case PW_STAGE_CLOCK:
    case PW_STAGE_USER:
    case PW_STAGE_PLACE:
    case PW_STAGE_ORDER: break;
    case PW_STAGE_DONE: return PW_OK;
    }
    go_on(snapshot, (enum pw_snapshot_stage)(snapshot->stage + 1));
    return err;
}
