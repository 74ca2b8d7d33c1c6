// What a station keeps besides its transactions: energy registers, latches, settings.
#include "journal/parts.h"

#include <string.h>

int pw_journal_save_register(struct pw_journal *journal, unsigned connector,
                             const struct pw_register *reg)
{
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("reg/", connector);
    pw_record_start(&record);
    pw_record_put(&record, reg->energy.energy_mwh, 8);
    pw_record_put(&record, reg->energy.rest, 8);
    pw_record_put_stamp(&record, reg->at);
    pw_record_put(&record, (uint64_t)reg->counter, 8);
    return pw_journal_write_one(journal, &key, &record);
}

static void raise_register(struct pw_register *reg, const struct pw_sample *sample)
{
    uint64_t mwh = (uint64_t)pw_max(0, sample->value[PW_ENERGY_WH]) * 1000;
    if ((sample->has & 1U << PW_ENERGY_WH) != 0 && mwh > reg->energy.energy_mwh) {
        reg->energy.energy_mwh = mwh;
        reg->at = sample->at;
    }
}

// A register that was lost goes on from the highest that transactions of its connector remember: a
// central system must never see it go back.
static void rebuild_register(const struct pw_journal *journal, unsigned connector,
                             struct pw_register *reg)
{
    struct pw_transaction receipt;
    const struct pw_transaction *open = pw_journal_open_on(journal, connector);
    for (unsigned back = 0; back < PW_JOURNAL_RECEIPTS; back++) {
        if (pw_journal_receipt(journal, back, &receipt) == PW_OK &&
            receipt.connector == connector) {
            raise_register(reg, &receipt.last);
        }
    }
    if (open != NULL) {
        raise_register(reg, &open->first);
    }
    struct pw_line line;
    pw_line(&line, journal->log, PW_LOG_WARN, "journal", "register-rebuilt");
    pw_line_int(&line, "connector", connector);
    pw_line_int(&line, "wh", (int64_t)(reg->energy.energy_mwh / 1000));
    pw_line_end(&line);
}

int pw_journal_read_register(struct pw_journal *journal, unsigned connector,
                             struct pw_register *reg)
{
    static const struct pw_register none = {.counter = -1};
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("reg/", connector);
    int err = pw_journal_load(journal, &key, &record);
    *reg = none;
    if (err == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (err == PW_OK) {
        reg->energy.energy_mwh = pw_record_get(&record, 8);
        reg->energy.rest = pw_record_get(&record, 8);
        reg->at = pw_record_get_stamp(&record);
        reg->counter = pw_record_has_counter(&record) ? (int64_t)pw_record_get(&record, 8) : -1;
        err = pw_record_end(&record);
    }
    if (err == PW_ERR_STORE) {
        *reg = none;
        err = pw_journal_set_aside(journal, &key);
        rebuild_register(journal, connector, reg);
    }
    return err;
}

// Bits of what is kept besides the latches. From KEEP_LIMIT on one for each limit that follows.
enum { KEEP_INOPERATIVE = 1, KEEP_CHARGE_NOW = 2, KEEP_LIMIT = 4, KEEP_CARD_REFUSED = 32 };
_Static_assert(KEEP_LIMIT << PW_JOURNAL_LIMITS <= KEEP_CARD_REFUSED, "one bit each");

static unsigned keep_bits(const struct pw_keep *keep)
{
    unsigned bits = (keep->inoperative ? KEEP_INOPERATIVE : 0U) |
                    (keep->charge_now ? KEEP_CHARGE_NOW : 0U) |
                    (keep->card_refused ? KEEP_CARD_REFUSED : 0U);
    for (unsigned i = 0; i < PW_JOURNAL_LIMITS; i++) {
        bits |= keep->limited[i] ? (unsigned)KEEP_LIMIT << i : 0U;
    }
    return bits;
}

int pw_journal_save_keep(struct pw_journal *journal, unsigned connector, struct pw_keep keep)
{
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("keep/", connector);
    pw_record_start(&record);
    pw_record_put(&record, keep.latched, 4);
    pw_record_put(&record, keep_bits(&keep), 1);
    for (unsigned i = 0; i < PW_JOURNAL_LIMITS; i++) {
        if (keep.limited[i]) {
            pw_record_put(&record, (uint64_t)keep.limit[i], 8);
        }
    }
    struct pw_store_change change = pw_journal_put(&key, &record);
    journal->keep_ticket = pw_journal_write(journal, &change, 1);
    return journal->keep_ticket < 0 ? (int)journal->keep_ticket : PW_OK;
}

int pw_journal_read_keep(struct pw_journal *journal, unsigned connector, struct pw_keep *keep)
{
    struct pw_record record;
    struct pw_journal_key key = pw_journal_key("keep/", connector);
    int err = pw_journal_load(journal, &key, &record);
    *keep = (struct pw_keep){.latched = 0};
    if (err == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (err == PW_OK) {
        keep->latched = (uint32_t)pw_record_get(&record, 4);
        uint64_t bits = pw_record_get(&record, 1);
        keep->inoperative = (bits & KEEP_INOPERATIVE) != 0;
        keep->charge_now = (bits & KEEP_CHARGE_NOW) != 0;
        keep->card_refused = (bits & KEEP_CARD_REFUSED) != 0;
        for (unsigned i = 0; i < PW_JOURNAL_LIMITS; i++) {
            keep->limited[i] = (bits >> i & KEEP_LIMIT) != 0;
            keep->limit[i] = keep->limited[i] ? (int64_t)pw_record_get(&record, 8) : 0;
        }
        err = pw_record_end(&record);
    }
    if (err == PW_ERR_STORE) {
        // Which faults were latched nobody knows: a person must look before it charges again.
        *keep = (struct pw_keep){.inoperative = true};
        err = pw_journal_set_aside(journal, &key);
    }
    return err;
}

// "set/<path>". PW_ERR_LIMIT when that is too long.
static int setting_key(struct pw_str path, struct pw_journal_key *key)
{
    struct pw_out out = PW_OUT(key->text);
    pw_put_s(&out, "set/");
    pw_put(&out, path);
    return pw_out_err(&out);
}

int pw_journal_save_setting(struct pw_journal *journal, struct pw_str path, struct pw_str value)
{
    struct pw_journal_key key;
    journal->setting_ticket = PW_ERR_STORE;
    if (setting_key(path, &key) != PW_OK || value.len > PW_STORE_VALUE_MAX) {
        return PW_ERR_LIMIT;
    }
    int able = pw_journal_keeps(journal);
    if (able != PW_OK) {
        return able;
    }
    struct pw_store_change change = {.key = pw_str_of(key.text), .value = value};
    int64_t ticket = pw_journal_write(journal, &change, 1);
    journal->setting_ticket = ticket;
    return ticket < 0 ? (int)ticket : PW_OK;
}

int pw_journal_drop_setting(struct pw_journal *journal, struct pw_str path)
{
    struct pw_journal_key key;
    if (setting_key(path, &key) != PW_OK) {
        return PW_ERR_LIMIT;
    }
    int able = pw_journal_keeps(journal);
    if (able != PW_OK) {
        return able;
    }
    struct pw_store_change change = pw_journal_take_away(&key);
    int64_t ticket = pw_journal_write(journal, &change, 1);
    return ticket < 0 ? (int)ticket : PW_OK;
}

int pw_journal_next_setting(const struct pw_journal *journal, char *path, char *value, size_t cap)
{
    struct pw_journal_key after = {.text = ""};
    struct pw_journal_key found;
    struct pw_out out = PW_OUT(after.text);
    if (path[0] != '\0') {
        pw_put_s(&out, "set/");
        pw_put_s(&out, path);
    }
    PW_ASSERT(cap > 0);
    int len = journal->store->next(journal->store->context, PW_STR("set/"), pw_out_str(&out),
                                   found.text, value, cap - 1);
    if (len < 0) {
        return len;
    }
    value[len] = '\0';
    return pw_str_copy(path, PW_STORE_KEY_MAX + 1, pw_str_of(found.text + 4));
}
