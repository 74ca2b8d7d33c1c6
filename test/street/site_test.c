// Twenty stations of both kinds on one fuse, with the real central system: cars and scooters come
// and go, links are cut or hang, programs die, the server restarts. The fuse is never exceeded
// beyond the vehicles' own 5 s, every station that is cut off falls back when its lease is over,
// and every watt hour has its receipt. SITE_HOURS and SITE_SEED choose; `make street-week` runs a
// week.
#include "site.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HOURS = 3, SEED = 20260101, HOUR_MS = 3600000 };

static int64_t from_env(const char *name, int64_t least, int64_t most, int64_t otherwise)
{
    const char *text = getenv(name);
    int64_t value = 0;
    bool good = text != NULL && pw_parse_int(pw_str_of(text), least, most, &value) == PW_OK;
    return good ? value : otherwise;
}

static void report(const struct site *site, int64_t hours, uint64_t seed, double took_s)
{
    const struct site_counts *counts = &site->counts;
    (void)printf("seed %llu: %lld hours with %d stations in %.1f s (%.0f station-hours/s)\n",
                 (unsigned long long)seed, (long long)hours, SITE_STATIONS, took_s,
                 (double)hours * SITE_STATIONS / took_s);
    (void)printf("  %llu turns, %u vehicles, %u cuts (%u half-open), %u server restarts, %u "
                 "programs died, %u of %u leases seen to end\n",
                 (unsigned long long)counts->turns, counts->plugged, counts->cuts,
                 counts->half_open, counts->restarts, counts->deaths, counts->falls_seen,
                 counts->falls_due);
    (void)printf("  fuse %d A: most %.2f A, longest above %llu ms; row %d A: most %.2f A, longest "
                 "above %llu ms\n",
                 SITE_FUSE_A, site->fuse.most_a, (unsigned long long)site->fuse.longest_ms,
                 SITE_ROW_A, site->row.most_a, (unsigned long long)site->row.longest_ms);
}

static void the_fuse_holds_and_every_watt_hour_has_its_receipt(void **state)
{
    (void)state;
    static struct site site;
    int64_t hours = from_env("SITE_HOURS", 1, 100000, HOURS);
    uint64_t seed = (uint64_t)from_env("SITE_SEED", 0, INT64_MAX, SEED);
    clock_t start = clock();
    site_open(&site, seed);
    site_run(&site, (pw_ms)hours * HOUR_MS);
    double took_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    site_settle(&site);
    report(&site, hours, seed, took_s);
    int64_t open = server_count(&site.server, "SELECT COUNT(*) FROM session WHERE stop_at IS NULL");
    int64_t sessions = server_count(&site.server, "SELECT COUNT(*) FROM session");
    int64_t billed_wh =
        server_count(&site.server, "SELECT SUM(meter_stop - meter_start) FROM session");
    int64_t physical_wh = site_physical_mwh(&site) / 1000;
    (void)printf("  %lld receipts, %lld Wh billed, %lld Wh physically\n", (long long)sessions,
                 (long long)billed_wh, (long long)physical_wh);
    for (unsigned i = 0; i < SITE_STATIONS; i++) {
        const struct acwatch *watch = &site.place[i].street.watch;
        if (watch->violations != 0) {
            fail_msg("%s: %u violations; %s", site.place[i].line->id, watch->violations,
                     watch->what);
        }
    }
    assert_true(site.fuse.longest_ms <= SITE_EXCUSE_MS);
    assert_true(site.row.longest_ms <= SITE_EXCUSE_MS);
    assert_true(site.fuse.most_a > SITE_FUSE_A * 0.8); // it was scarce
    assert_int_equal(site.counts.falls_seen, site.counts.falls_due);
    assert_int_equal(open, 0);
    assert_true(sessions > 0 && llabs(billed_wh - physical_wh) <= sessions + physical_wh / 100);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fuse_holds_and_every_watt_hour_has_its_receipt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
