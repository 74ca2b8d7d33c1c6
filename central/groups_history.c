// What a group's limit, offer and use were: the first circuit's phases every ten seconds, and each
// member when it changed.
#include "groups.h"

#define STILL_MS   300000 // a member that does not change has a row this often
#define CHANGED_MA 500
#define POINTS     2000 // about so many of a curve are answered
#define DAY_MS     INT64_C(86400000)

static struct pw_db_value known(bool is, int64_t value)
{
    return is ? pw_db_int(value) : pw_db_null();
}

static void keep_total(struct pw_central *central, const struct group *group, struct pw_instant at)
{
    struct group_sum sum = group_sum(group, 0);
    const int32_t *limit = group->load_circuit[0].limit_ma;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(group->id)),
        pw_db_int(at.wall),
        pw_db_int(limit[0]),
        pw_db_int(limit[1]),
        pw_db_int(limit[2]),
        pw_db_int(sum.offer_ma[0]),
        pw_db_int(sum.offer_ma[1]),
        pw_db_int(sum.offer_ma[2]),
        known(sum.known, sum.used_ma[0]),
        known(sum.known, sum.used_ma[1]),
        known(sum.known, sum.used_ma[2]),
    };
    (void)db_write(central,
                   "INSERT INTO load_history (group_id, at, limit1, limit2, limit3, offer1, offer2,"
                   " offer3, used1, used2, used3)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), at.now);
}

static bool moved(int32_t before, int32_t now)
{
    return now - before >= CHANGED_MA || before - now >= CHANGED_MA ||
           (now != before && (now <= 0 || before <= 0));
}

static void keep_member(struct pw_central *central, struct group *group, size_t m,
                        struct pw_instant at)
{
    struct group_member *member = &group->member[m];
    int32_t offer = group_offer(group, m);
    int32_t used = group_used(group, m);
    if (!moved(member->kept_offer_ma, offer) && !moved(member->kept_used_ma, used) &&
        at.wall - member->kept_at < STILL_MS) {
        return;
    }
    member->kept_offer_ma = offer;
    member->kept_used_ma = used;
    member->kept_at = at.wall;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(member->station)),
                                 pw_db_int(member->connector), pw_db_int(at.wall), pw_db_int(offer),
                                 known(used >= 0, used)};
    (void)db_write(central,
                   "INSERT INTO load_member_history (station_id, connector_id, at, offer, used)"
                   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), at.now);
}

void group_history_keep(struct pw_central *central, struct group *group, struct pw_instant at)
{
    if (at.wall == 0 || at.now < group->history_at) {
        return;
    }
    group->history_at = pw_after(at.now, HISTORY_MS);
    keep_total(central, group, at);
    for (size_t m = 0; m < group->load.members; m++) {
        keep_member(central, group, m, at);
    }
}

void group_history_tidy(struct pw_central *central, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_int(at.wall - HISTORY_DAYS * DAY_MS)};
    (void)db_write(central, "DELETE FROM load_history WHERE at < $1", args, 1, at.now);
    (void)db_write(central, "DELETE FROM load_member_history WHERE at < $1", args, 1, at.now);
}

// --- Reading. Rows come column by column: one pass a column, so that nothing is kept here.

struct columns {
    struct pw_json_writer *json;
    size_t column;
    unsigned decimals;
};

static void take_value(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct columns *wanted = to;
    const struct pw_db_value *value = &columns[wanted->column];
    if (value->kind == PW_DB_INT) {
        pw_json_put_fixed(wanted->json, value->number, wanted->decimals);
    } else {
        pw_json_put_null(wanted->json);
    }
}

static void put_column(const struct pw_central *central, struct columns *columns, const char *sql,
                       const struct pw_db_value *args, size_t count)
{
    pw_json_open(columns->json, '[');
    (void)db_read(central, sql, args, count, take_value, columns);
    pw_json_close(columns->json, ']');
    columns->column++;
}

// Means over steps of $1 milliseconds; a limit is the least of its step.
static const char totals[] =
    "SELECT at / $1 * $1 AS step, MIN(limit1), MIN(limit2), MIN(limit3),"
    " SUM(offer1) / COUNT(*), SUM(offer2) / COUNT(*), SUM(offer3) / COUNT(*),"
    " SUM(used1) / COUNT(used1), SUM(used2) / COUNT(used2), SUM(used3) / COUNT(used3)"
    " FROM load_history WHERE group_id = $2 AND at >= $3 AND at <= $4 GROUP BY step ORDER BY step";

static const char members[] =
    "SELECT at / $1 * $1 AS step, SUM(offer) / COUNT(*), SUM(used) / COUNT(used)"
    " FROM load_member_history WHERE station_id = $2 AND connector_id = $3 AND at >= $4"
    " AND at <= $5 GROUP BY step ORDER BY step";

static void put_total(const struct pw_central *central, struct pw_json_writer *json,
                      const struct pw_db_value *args, size_t count)
{
    static const char *const names[] = {"limit_a", "offer_a", "used_a"};
    struct columns columns = {.json = json, .decimals = 3};
    pw_json_key(json, "t");
    put_column(central, &columns, totals, args, count);
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        pw_json_key(json, names[i]);
        pw_json_open(json, '[');
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            put_column(central, &columns, totals, args, count);
        }
        pw_json_close(json, ']');
    }
}

void group_history_report(const struct pw_central *central, struct pw_json_writer *json,
                          const struct group *group, pw_unix_ms from, pw_unix_ms to)
{
    static const char *const names[] = {"t", "offer_a", "used_a"};
    int64_t step = pw_max(1, (to - from) / POINTS);
    struct pw_db_value args[] = {pw_db_int(step), pw_db_text(pw_str_of(group->id)), pw_db_int(from),
                                 pw_db_int(to)};
    put_total(central, json, args, PW_COUNT(args));
    pw_json_key(json, "members");
    pw_json_open(json, '[');
    for (size_t m = 0; m < group->load.members; m++) {
        const struct group_member *member = &group->member[m];
        struct pw_db_value mine[] = {pw_db_int(step), pw_db_text(pw_str_of(member->station)),
                                     pw_db_int(member->connector), pw_db_int(from), pw_db_int(to)};
        struct columns columns = {.json = json, .decimals = 3};
        pw_json_open(json, '{');
        pw_json_say_s(json, "station_id", member->station);
        pw_json_say_int(json, "connector_id", member->connector);
        for (size_t i = 0; i < PW_COUNT(names); i++) {
            pw_json_key(json, names[i]);
            put_column(central, &columns, members, mine, PW_COUNT(mine));
        }
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}
