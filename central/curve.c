// Curves as column arrays: each row of the answer is spread over the columns at the end.
#include "state.h"

#include <stdlib.h>

#define POINTS_MAX 5000

struct point {
    pw_unix_ms at;
    struct measured measured;
};

struct points {
    struct point *point;
    size_t count;
};

static void take_point(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct points *points = to;
    if (points->count == POINTS_MAX) {
        return;
    }
    struct point *point = &points->point[points->count++];
    *point = (struct point){.at = columns[0].number};
    for (unsigned i = 0; i < QUANTITIES; i++) {
        if (columns[1 + i].kind == PW_DB_INT) {
            point->measured.has |= 1U << i;
            point->measured.value[i] = columns[1 + i].number;
        }
    }
}

// The newest come first from the database; they leave oldest first.
static void put_columns(struct pw_json_writer *json, const struct points *points)
{
    pw_json_key(json, "t");
    pw_json_open(json, '[');
    for (size_t i = points->count; i-- > 0;) {
        pw_json_put_fixed(json, points->point[i].at, 3);
    }
    pw_json_close(json, ']');
    for (unsigned q = 0; q < QUANTITIES; q++) {
        pw_json_key(json, quantity_names[q]);
        pw_json_open(json, '[');
        for (size_t i = points->count; i-- > 0;) {
            const struct measured *measured = &points->point[i].measured;
            if ((measured->has & (1U << q)) != 0) {
                pw_json_put_fixed(json, measured->value[q], 3);
            } else {
                pw_json_put_null(json);
            }
        }
        pw_json_close(json, ']');
    }
}

static void put_query(const struct pw_central *central, struct pw_json_writer *json,
                      const char *sql, const struct pw_db_value *args, size_t count)
{
    struct points points = {.point = malloc(POINTS_MAX * sizeof(struct point))};
    if (points.point != NULL) {
        (void)db_read(central, sql, args, count, take_point, &points);
    }
    put_columns(json, &points);
    free(points.point);
}

#define CURVE_COLUMNS                                                                              \
    "SELECT at, power, voltage, current, offered, soc, energy, temperature, limited"               \
    " FROM measurement "

void report_session_curve(const struct pw_central *central, struct pw_json_writer *json,
                          int64_t session)
{
    struct pw_db_value args[] = {pw_db_int(session), pw_db_int(POINTS_MAX)};
    // session_id > 0 repeats the index's condition, so that SQLite uses it.
    put_query(central, json,
              CURVE_COLUMNS "WHERE session_id = $1 AND session_id > 0 ORDER BY at DESC LIMIT $2",
              args, PW_COUNT(args));
}

void report_curve(const struct pw_central *central, struct pw_json_writer *json,
                  const struct station *station, int64_t connector, pw_unix_ms from, pw_unix_ms to)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(connector),
                                 pw_db_int(from), pw_db_int(to), pw_db_int(POINTS_MAX)};
    put_query(central, json,
              CURVE_COLUMNS "WHERE station_id = $1 AND connector_id = $2 AND at >= $3 AND at <= $4"
                            " ORDER BY at DESC LIMIT $5",
              args, PW_COUNT(args));
}
