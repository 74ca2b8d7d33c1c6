// A month's 150 charges and 2880 clock-aligned values without the central system, then everything
// is told. The whole station with its car, in virtual time; what is billed in the end is held
// against what truly flowed. The records are what fills the store, so they come in five days here;
// MONTH_DAYS=30 (`make campaign`) lives through the whole month.
// Sources: facts/reliability.md §3.1; OCPP 1.6 §3.7, §3.16, §4.10; doc/transactions.md.
#include "parts.h"
#include "rig.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 5, CHARGES = 150, CHARGE_S = 600, ALIGNED = 2880, DAY_S = 86400 };

static pw_ms days(void)
{
    const char *text = getenv("MONTH_DAYS");
    int64_t value = DAYS;
    if (text != NULL && pw_parse_int(pw_str_of(text), DAYS, 30, &value) != PW_OK) {
        fail_msg("MONTH_DAYS is \"%s\"; it must be %d..30", text, DAYS);
    }
    return (pw_ms)value;
}

_Noreturn void rig_end(enum rig_end how, const char *note)
{
    (void)how;
    fail_msg("%s", note);
    abort();
}

static struct truth {
    int64_t wh;        // flowed in this charge
    pw_unix_ms begins; // the card
    pw_unix_ms ends;
} truths[CHARGES];

static void charge(struct rig *r, struct truth *truth)
{
    int64_t before = rig_energy_wh(r);
    rig_world(r, "soc 20");
    rig_plug(r);
    rig_seconds(r, 2);
    truth->begins = r->street.wall + (pw_unix_ms)r->street.now;
    rig_card(r, "TAG-1");
    street_run(&r->street, (pw_ms)CHARGE_S * 1000);
    rig_check(r, rig_energy_flows(r));
    rig_card(r, "TAG-1");
    rig_seconds(r, 20);
    truth->ends = r->street.wall + (pw_unix_ms)r->street.now;
    rig_check(r, !rig_energy_flows(r));
    truth->wh = rig_energy_wh(r) - before;
    rig_unplug(r);
}

static void live_through_the_month(struct rig *r)
{
    pw_ms span = days() * DAY_S * 1000 / CHARGES;
    for (unsigned i = 0; i < CHARGES; i++) {
        pw_ms begins = r->street.now;
        charge(r, &truths[i]);
        street_run(&r->street, begins + span - r->street.now);
    }
}

// What was told of one charge.
struct told {
    int64_t start_wh;
    int64_t stop_wh;
    int64_t last_wh; // of its meter values
    unsigned stops;
    unsigned values;
};
static struct told told[CHARGES];

static int64_t number(const cJSON *payload, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(payload, key);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

static bool is_at(const cJSON *payload, const char *path, const struct truth *truth)
{
    pw_unix_ms at = rig_time(payload, path);
    return at >= truth->begins - 5000 && at <= truth->ends + 5000;
}

static int64_t register_of(const cJSON *values)
{
    return strtoll(rig_text(values, "meterValue.0.sampledValue.0.value"), NULL, 10);
}

// Reads the central system's notes from `from` on: starts in order, each before its values, those
// before its stop. Returns how many clock-aligned values of no charge there were.
static unsigned read_notes(struct rig *r, size_t from, unsigned *starts)
{
    unsigned aligned = 0;
    for (size_t i = from; i < r->count; i++) {
        const struct rig_message *message = r->messages[i];
        const cJSON *payload = message->payload;
        if (!message->from_station || message->kind != PW_OCPP_CALL) {
            continue;
        }
        if (strcmp(message->action, "StartTransaction") == 0) {
            rig_check(r, *starts < PW_COUNT(told));
            rig_check(r, is_at(payload, "timestamp", &truths[*starts]));
            told[(*starts)++].start_wh = number(payload, "meterStart");
            continue;
        }
        // The rig gives ids in order, from 1001 on; one was given before the month.
        int64_t index = number(payload, "transactionId") - 1002;
        bool ours = index >= 0 && index < (int64_t)*starts;
        if (strcmp(message->action, "StopTransaction") == 0) {
            rig_check(r, ours && is_at(payload, "timestamp", &truths[index]));
            told[index].stops++;
            told[index].stop_wh = number(payload, "meterStop");
        } else if (strcmp(message->action, "MeterValues") == 0 && ours) {
            rig_check(r, told[index].stops == 0);
            rig_check(r, is_at(payload, "meterValue.0.timestamp", &truths[index]));
            rig_check(r, register_of(payload) >= told[index].last_wh);
            told[index].last_wh = register_of(payload);
            told[index].values++;
        } else if (strcmp(message->action, "MeterValues") == 0) {
            aligned++;
        }
    }
    return aligned;
}

// Reason: the standard wants transactions kept until they are told; a month is what we promise.
static void a_month_offline_is_told_and_billed_to_the_watt_hour(void **state)
{
    (void)state;
    struct rig *r = rig_open(RIG_SOCKET);
    unsigned starts = 0;
    unsigned values = 0;
    char interval_s[24];
    (void)snprintf(interval_s, sizeof(interval_s), "%llu",
                   (unsigned long long)days() * DAY_S / ALIGNED);
    rig_set(r, "metering.clock_aligned_interval_s", interval_s);
    rig_set(r, "metering.sample_interval_s", "10");
    rig_boot(r);
    rig_charge(r); // the card is known from then on
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{}");
    rig_unplug(r);
    rig_seconds(r, 60);
    rig_offline(r);
    size_t from = r->count;
    live_through_the_month(r);
    assert_int_equal(r->count, from);
    rig_online(r);
    rig_run(r, (pw_ms)4 * 3600 * 1000);
    const struct pw_journal *journal = &r->street.station->journal;
    assert_int_equal(pw_journal_waiting(journal), 0);
    unsigned aligned = read_notes(r, from, &starts);
    assert_int_equal(starts, CHARGES);
    int64_t flowed = 0;
    int64_t billed = 0;
    for (unsigned i = 0; i < starts; i++) {
        assert_int_equal(told[i].stops, 1);
        assert_in_range(told[i].stop_wh - told[i].start_wh - truths[i].wh + 2, 0, 4);
        assert_true(told[i].start_wh >= (i == 0 ? 0 : told[i - 1].stop_wh));
        assert_true(told[i].values >= 2); // the first and the last stay whatever is thinned
        flowed += truths[i].wh;
        billed += told[i].stop_wh - told[i].start_wh;
        values += told[i].values;
    }
    assert_in_range(billed - flowed + 30, 0, 60);
    // What is not there was thinned, and nothing else is missing.
    unsigned sampled = CHARGES * (CHARGE_S / 10);
    print_message("%llu days, %u charges: %lld Wh flowed, %lld billed; %u values of charges and %u "
                  "clock-aligned ones told, %u thinned, %u dropped\n",
                  (unsigned long long)days(), starts, (long long)flowed, (long long)billed, values,
                  aligned, journal->thinned, journal->dropped);
    assert_int_equal(journal->dropped, 0);
    assert_true(journal->thinned > 0);
    assert_in_range(values + aligned + journal->thinned - (sampled + ALIGNED) + starts, 0,
                    2 * starts + 10);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_offline_is_told_and_billed_to_the_watt_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
