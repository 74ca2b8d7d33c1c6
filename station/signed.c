// Signed readings of the charges: what the meter is asked to sign and when, and how its answer
// joins the samples. A charge waits for it at its begin and end, and no longer than the settings
// allow; what is not signed by then goes on unsigned, and the log says so. Source: OCA Signed Meter
// Values 1.0 §2.3.1, §3.3.
#include "cp16/measurands.h"
#include "parts.h"

#include <string.h>

enum {
    HURRY_MS = 2000,      // longest wait once the station is to restart at once
    KEY_AGAIN_MS = 60000, // between two tries to read a meter's public key
};

static const char *const moments[] = {[PW_SIGNED_BEGIN] = "begin",
                                      [PW_SIGNED_END] = "end",
                                      [PW_SIGNED_CURRENT] = "in between",
                                      [PW_SIGNED_KEY] = "public key"};

static bool on(const struct pw_station *st, enum pw_setting_id id)
{
    return pw_settings_int(&st->settings, id) != 0;
}

// Whether a list of measurands has what a meter signs.
static bool lists_energy(const struct pw_station *st, enum pw_setting_id id)
{
    uint32_t mask = 0;
    char text[1];
    struct pw_out why = PW_OUT(text);
    int err = pw_cp16_measurands(pw_str_of(pw_settings_text(&st->settings, id)), &mask, &why);
    return err == PW_OK && (mask >> PW_ENERGY_WH & 1U) != 0;
}

static bool reading_is_wanted(const struct pw_station *st, enum pw_reading reading)
{
    switch (reading) {
    case PW_READING_BEGIN:
    case PW_READING_END: return on(st, PW_SET_SIGN_SAMPLED) || on(st, PW_SET_SIGN_ALIGNED);
    case PW_READING_PERIODIC:
        return on(st, PW_SET_SIGN_SAMPLED) && on(st, PW_SET_SIGN_UPDATED) &&
               lists_energy(st, PW_SET_SAMPLED_DATA);
    case PW_READING_CLOCK:
        return on(st, PW_SET_SIGN_ALIGNED) && on(st, PW_SET_SIGN_ALIGNED_UPDATED) &&
               lists_energy(st, PW_SET_ALIGNED_DATA);
    case PW_READING_TRIGGER:
    case PW_READING_INTERRUPTION_BEGIN:
    case PW_READING_INTERRUPTION_END:
    case PW_READING_OTHER:
    case PW_READINGS: return false;
    }
    PW_UNREACHABLE();
}

static void ask(struct pw_station *st, unsigned index, enum pw_signed_moment moment,
                const char *user, pw_ms now)
{
    pw_ms wait_ms = (pw_ms)pw_settings_int(&st->settings, PW_SET_SIGN_WAIT_S) * 1000;
    bool hurry = st->restart == PW_RESTART_HARD && wait_ms > HURRY_MS;
    struct pw_signed_request request = {
        .moment = moment,
        .wall = pw_cp16_wall(&st->cp16, now),
        .wait_ms = hurry ? HURRY_MS : wait_ms,
    };
    struct pw_out whose = PW_OUT(request.user);
    struct pw_out place = PW_OUT(request.place);
    pw_put_s(&whose, user);
    // As OCMF's CBIDC: charge box and connector.
    pw_put_s(&place, pw_settings_text(&st->settings, PW_SET_STATION_ID));
    pw_put_c(&place, ' ');
    pw_put_uint(&place, index + 1U);
    pw_signer_ask(&st->signer[index], &request, now);
}

static void say_unsigned(const struct pw_station *st, unsigned index)
{
    const struct pw_signer *signer = &st->signer[index];
    struct pw_line line;
    pw_line(&line, st->log, PW_LOG_WARN, "meter", "unsigned");
    pw_line_int(&line, "connector", (int64_t)index + 1);
    pw_line_s(&line, "reading", moments[signer->request.moment]);
    pw_line_s(&line, "why", signer->why);
    pw_line_end(&line);
}

// ---------------------------------------------------------------------------------------------
// Begin and end.

void pw_signed_join(struct pw_station *st, unsigned index, struct pw_sample *sample)
{
    struct pw_signer *signer = &st->signer[index];
    struct pw_station_connector *extra = &st->extra[index];
    if (signer->state == PW_SIGNER_FAILED) {
        say_unsigned(st, index);
        pw_signer_rest(signer);
    } else if (signer->state == PW_SIGNER_DONE && extra->joined) {
        // The record before could not be written; its reading is kept already.
        sample->has |= 1U << PW_SIGNED_NUMBER;
        sample->value[PW_SIGNED_NUMBER] = extra->joined_number;
    } else if (signer->state == PW_SIGNER_DONE &&
               pw_journal_keep_signed(&st->journal, &signer->reading, sample) == PW_OK) {
        extra->joined = true;
        extra->joined_number = sample->value[PW_SIGNED_NUMBER];
    }
}

// What waits for its signature goes out, with it or without.
static void flush(struct pw_station *st, unsigned index)
{
    struct pw_station_connector *extra = &st->extra[index];
    for (unsigned i = 0; i < extra->deferred_count; i++) {
        struct pw_sample *sample = &extra->deferred[i];
        extra->joined = false; // each message takes its own copy along
        pw_signed_join(st, index, sample);
        pw_cp16_keep_reading(&st->cp16, index + 1, sample);
    }
    extra->deferred_count = 0;
}

void pw_signed_ask(struct pw_station *st, unsigned index, enum pw_signed_moment moment,
                   const char *user, pw_ms now)
{
    enum pw_reading reading = moment == PW_SIGNED_BEGIN ? PW_READING_BEGIN : PW_READING_END;
    flush(st, index);
    pw_signer_rest(&st->signer[index]);
    st->extra[index].joined = false;
    if (st->signer[index].present && reading_is_wanted(st, reading)) {
        ask(st, index, moment, user, now);
    }
}

bool pw_signed_waits(struct pw_station *st, unsigned index, pw_ms now)
{
    return pw_signer_state(&st->signer[index], now) == PW_SIGNER_WAITS;
}

// ---------------------------------------------------------------------------------------------
// In between: a sample waits for its signature, the charge does not.

void pw_signed_meter(struct pw_station *st, unsigned index, const struct pw_sample *sample,
                     pw_ms now)
{
    struct pw_station_connector *extra = &st->extra[index];
    struct pw_signer *signer = &st->signer[index];
    bool wanted = signer->present && reading_is_wanted(st, sample->reading) &&
                  pw_journal_open_on(&st->journal, index + 1) != NULL;
    bool shares = extra->deferred_count > 0;
    bool busy = !shares && (extra->begin_waits || extra->end_waits);
    if (!wanted || busy || extra->deferred_count == PW_COUNT(extra->deferred)) {
        pw_cp16_keep_reading(&st->cp16, index + 1, sample);
        return;
    }
    // Those that are due at the same time share one reading of the meter.
    if (!shares) {
        ask(st, index, PW_SIGNED_CURRENT, "", now);
    }
    extra->deferred[extra->deferred_count++] = *sample;
}

// The public key is wanted before anything is signed: GetConfiguration tells it.
static void want_key(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_station_connector *extra = &st->extra[index];
    struct pw_signer *signer = &st->signer[index];
    bool known = extra->key_read || !signer->present;
    if (known || signer->state == PW_SIGNER_WAITS || now < extra->key_at) {
        return;
    }
    extra->key_at = pw_after(now, KEY_AGAIN_MS);
    ask(st, index, PW_SIGNED_KEY, "", now);
}

void pw_signed_step(struct pw_station *st, unsigned index, pw_ms now)
{
    if (st->extra[index].deferred_count > 0 && !pw_signed_waits(st, index, now)) {
        flush(st, index);
        pw_signer_rest(&st->signer[index]);
    }
    want_key(st, index, now);
}

pw_ms pw_signed_deadline(const struct pw_station *st, unsigned index)
{
    const struct pw_signer *signer = &st->signer[index];
    bool key = signer->present && !st->extra[index].key_read;
    return pw_earlier(pw_signer_deadline(signer), key ? st->extra[index].key_at : PW_NEVER);
}

// ---------------------------------------------------------------------------------------------
// The meter's side.

void pw_station_signer(struct pw_station *st, unsigned connector, bool present)
{
    if (connector >= 1 && connector <= st->connectors) {
        st->signer[connector - 1].present = present;
    }
}

bool pw_station_take_signing(struct pw_station *st, unsigned connector,
                             struct pw_signed_request *request)
{
    return connector >= 1 && connector <= st->connectors &&
           pw_signer_take(&st->signer[connector - 1], request);
}

// A meter that was changed has another key: whoever pays must be able to see that.
static void remember_key(struct pw_station *st, unsigned index,
                         const struct pw_signed_reading *reading)
{
    uint8_t kept[PW_SIGNED_KEY_MAX];
    int len = pw_journal_read_meter_key(&st->journal, index + 1, kept, sizeof(kept));
    st->extra[index].key_read = true;
    if (len == reading->key_len && memcmp(kept, reading->key, (size_t)len) == 0) {
        return;
    }
    struct pw_line line;
    pw_line(&line, st->log, len > 0 ? PW_LOG_WARN : PW_LOG_INFO, "meter",
            len > 0 ? "another-public-key" : "public-key");
    pw_line_int(&line, "connector", (int64_t)index + 1);
    pw_line_end(&line);
    if (pw_journal_save_meter_key(&st->journal, index + 1, reading->key, reading->key_len) !=
        PW_OK) {
        st->extra[index].key_read = false; // once more, later
    }
}

void pw_station_signed(struct pw_station *st, unsigned connector, uint32_t ticket,
                       const struct pw_signed_reading *reading, struct pw_str why)
{
    if (connector < 1 || connector > st->connectors ||
        !pw_signer_hear(&st->signer[connector - 1], ticket, reading, why)) {
        return;
    }
    if (reading != NULL && reading->key_len > 0) {
        remember_key(st, connector - 1, reading);
    }
}

void pw_signed_public_key(const struct pw_station *st, unsigned index, struct pw_out *out)
{
    uint8_t key[PW_SIGNED_KEY_MAX];
    int len = pw_journal_read_meter_key(&st->journal, index + 1, key, sizeof(key));
    pw_cp16_put_public_key(out, key, len > 0 ? (size_t)len : 0);
}
