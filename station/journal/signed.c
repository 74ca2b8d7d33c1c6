#include "journal/signed.h"

#include <string.h>

// version, encoding, length of the key, the key, length of the text, the text.
enum { VERSION = 1, HEAD = 3 };

static void put_part_key(struct pw_out *out, uint64_t number, unsigned part)
{
    pw_put_s(out, "sig/");
    pw_put_hex(out, number, 16);
    pw_put_c(out, '/');
    pw_put_uint(out, part);
}

static size_t encode(const struct pw_signed_reading *reading, uint8_t *to)
{
    size_t at = HEAD;
    to[0] = VERSION;
    to[1] = (uint8_t)reading->encoding;
    to[2] = reading->key_len;
    memcpy(to + at, reading->key, reading->key_len);
    at += reading->key_len;
    pw_set_be16(to + at, reading->len);
    memcpy(to + at + 2, reading->text, reading->len);
    return at + 2 + reading->len;
}

static int decode(const uint8_t *from, size_t len, struct pw_signed_reading *reading)
{
    if (len < HEAD + 2 || from[0] != VERSION || from[1] != PW_SIGNED_OCMF ||
        from[2] > sizeof(reading->key) || len < (size_t)HEAD + from[2] + 2) {
        return PW_ERR_STORE;
    }
    size_t at = HEAD;
    reading->encoding = (enum pw_signed_encoding)from[1];
    reading->key_len = from[2];
    memcpy(reading->key, from + at, reading->key_len);
    at += reading->key_len;
    reading->len = pw_be16(from + at);
    at += 2;
    if (reading->len > sizeof(reading->text) || len != at + reading->len) {
        return PW_ERR_STORE;
    }
    memcpy(reading->text, from + at, reading->len);
    return PW_OK;
}

bool pw_sample_is_signed(const struct pw_sample *sample)
{
    return (sample->has >> PW_SIGNED_NUMBER & 1U) != 0;
}

int pw_journal_keep_signed(struct pw_journal *journal, const struct pw_signed_reading *reading,
                           struct pw_sample *sample)
{
    uint8_t bytes[PW_SIGNED_BYTES_MAX];
    char keys[PW_SIGNED_PARTS][PW_STORE_KEY_MAX + 1];
    struct pw_store_change changes[PW_SIGNED_PARTS];
    PW_ASSERT(reading->len <= sizeof(reading->text) && reading->key_len <= sizeof(reading->key));
    size_t len = encode(reading, bytes);
    // The program's starts count up, so no number is used twice.
    uint64_t number = (uint64_t)journal->boot << 32 | (journal->signatures + 1U);
    size_t count = 0;
    for (size_t at = 0; at < len; at += PW_SIGNED_PART) {
        size_t rest = len - at;
        struct pw_out out = PW_OUT(keys[count]);
        put_part_key(&out, number, (unsigned)count);
        changes[count] = (struct pw_store_change){
            .key = pw_str_of(keys[count]),
            .value = {.at = (const char *)bytes + at,
                      .len = rest < PW_SIGNED_PART ? rest : PW_SIGNED_PART}};
        count++;
    }
    int64_t ticket = journal->store->write(journal->store->context, changes, count);
    if (ticket < 0) {
        return (int)ticket;
    }
    journal->signatures++;
    sample->has |= 1U << PW_SIGNED_NUMBER;
    sample->value[PW_SIGNED_NUMBER] = (int64_t)number;
    return PW_OK;
}

int pw_journal_signed(const struct pw_journal *journal, const struct pw_sample *sample,
                      struct pw_signed_reading *reading)
{
    uint8_t bytes[PW_SIGNED_PARTS * PW_STORE_VALUE_MAX];
    size_t len = 0;
    if (!pw_sample_is_signed(sample)) {
        return PW_ERR_UNKNOWN;
    }
    for (unsigned part = 0; part < PW_SIGNED_PARTS; part++) {
        char key[PW_STORE_KEY_MAX + 1];
        struct pw_out out = PW_OUT(key);
        put_part_key(&out, (uint64_t)sample->value[PW_SIGNED_NUMBER], part);
        int got = journal->store->get(journal->store->context, pw_str_of(key), (char *)bytes + len,
                                      sizeof(bytes) - len);
        if (got == PW_ERR_UNKNOWN && part > 0) {
            break;
        }
        if (got < 0) {
            return got;
        }
        len += (size_t)got;
        if (got < PW_SIGNED_PART) {
            break;
        }
    }
    return decode(bytes, len, reading);
}

// Which of a message's samples take their reading with them.
static size_t samples_that_leave(const struct pw_message *message, const struct pw_sample **sample)
{
    switch (message->kind) {
    case PW_MESSAGE_START: return 0;
    case PW_MESSAGE_METER:
        // The first reading is sent once more, with the transaction's end.
        sample[0] = &message->sample;
        return message->sample.reading == PW_READING_BEGIN ? 0 : 1;
    case PW_MESSAGE_STOP:
        sample[0] = &message->transaction.first;
        sample[1] = &message->transaction.last;
        return 2;
    }
    PW_UNREACHABLE();
}

size_t pw_signed_leave_with(const struct pw_sample *const *sample, size_t samples,
                            struct pw_signed_keys *keys, struct pw_store_change *changes)
{
    size_t count = 0;
    for (size_t i = 0; i < samples; i++) {
        for (unsigned part = 0; part < PW_SIGNED_PARTS && pw_sample_is_signed(sample[i]); part++) {
            struct pw_out out = PW_OUT(keys->text[count]);
            put_part_key(&out, (uint64_t)sample[i]->value[PW_SIGNED_NUMBER], part);
            changes[count] =
                (struct pw_store_change){.key = pw_str_of(keys->text[count]), .remove = true};
            count++;
        }
    }
    return count;
}

size_t pw_signed_leave(const struct pw_message *message, struct pw_signed_keys *keys,
                       struct pw_store_change *changes)
{
    const struct pw_sample *sample[2];
    return pw_signed_leave_with(sample, samples_that_leave(message, sample), keys, changes);
}

static void put_meter_key(struct pw_out *out, unsigned connector)
{
    pw_put_s(out, "mkey/");
    pw_put_uint(out, connector);
}

int pw_journal_save_meter_key(struct pw_journal *journal, unsigned connector, const uint8_t *key,
                              size_t len)
{
    char name[PW_STORE_KEY_MAX + 1];
    struct pw_out out = PW_OUT(name);
    PW_ASSERT(len <= PW_SIGNED_KEY_MAX);
    put_meter_key(&out, connector);
    const struct pw_store_change change = {.key = pw_str_of(name),
                                           .value = {.at = (const char *)key, .len = len}};
    int64_t ticket = journal->store->write(journal->store->context, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

int pw_journal_read_meter_key(const struct pw_journal *journal, unsigned connector, uint8_t *key,
                              size_t cap)
{
    char name[PW_STORE_KEY_MAX + 1];
    struct pw_out out = PW_OUT(name);
    put_meter_key(&out, connector);
    return journal->store->get(journal->store->context, pw_str_of(name), (char *)key, cap);
}
