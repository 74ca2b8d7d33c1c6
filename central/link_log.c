// Stations' own log lines: kept once each, trimmed, searched, and told live. Search is for a piece
// of text anywhere in a line (LIKE over the station's part of the index): log lines are keys and
// values, of which people look for pieces, not words.
#include "state.h"

#include <string.h>

#define TRIM_EVERY  500
#define PATTERN_MAX (2 * LINE_QUERY_MAX + 3)

static void put_line(struct pw_json_writer *json, int64_t n, const struct line *line)
{
    pw_json_say_int(json, "n", n);
    pw_json_say_known_time(json, "time", line->time);
    pw_json_say_s(json, "level", pw_level_name(line->level));
    pw_json_say_text(json, "room", line->room);
    pw_json_say_text(json, "text", line->text);
    pw_json_say_int(json, "dropped", line->dropped);
}

static void tell(struct pw_central *central, const struct station *station, int64_t n,
                 const struct line *line)
{
    if (!events_wanted(central, station)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "log");
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "station_id", station->id);
    put_line(&json, n, line);
    pw_json_close(&json, '}');
    event_close(central, &out, station);
}

static void trim(struct pw_central *central, struct station *station, pw_ms now)
{
    if (++station->lines < TRIM_EVERY) {
        return;
    }
    station->lines = 0;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)),
                                 pw_db_int(PW_CENTRAL_LINES_KEPT)};
    (void)db_write(central,
                   "DELETE FROM line WHERE station_id = $1 AND n <="
                   " (SELECT n FROM line WHERE station_id = $1 ORDER BY n DESC LIMIT 1 OFFSET $2)",
                   args, PW_COUNT(args), now);
}

void line_keep(struct pw_central *central, struct station *station, const struct line *line,
               struct pw_instant at)
{
    struct line shown = *line;
    shown.text = traffic_presentable(central, line->text);
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        db_time(line->time),
        pw_db_int((int64_t)line->level),
        pw_db_text(line->room),
        pw_db_text(shown.text),
        pw_db_int(line->dropped),
    };
    int64_t n = db_write_id(central,
                            "INSERT INTO line (station_id, at, level, room, text, dropped)"
                            " VALUES ($1, $2, $3, $4, $5, $6) RETURNING n",
                            args, PW_COUNT(args), at.now);
    station->past.dropped += line->dropped;
    central->count.lines++;
    central->count.lines_dropped += line->dropped;
    trim(central, station, at.now);
    if (n > 0) {
        tell(central, station, n, &shown);
    }
}

// --- Reading.

static void put_row(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    struct line line = {
        .time = columns[1].number,
        .level = (enum pw_level)pw_clamp(columns[2].number, PW_LOG_ERROR, PW_LOG_DEBUG),
        .room = columns[3].text,
        .text = columns[4].text,
        .dropped = (uint32_t)columns[5].number,
    };
    pw_json_open(json, '{');
    put_line(json, columns[0].number, &line);
    pw_json_close(json, '}');
}

static void put_pattern(struct pw_out *out, struct pw_str query)
{
    pw_put_c(out, '%');
    for (size_t i = 0; i < query.len; i++) {
        char c = query.at[i];
        if (c == '%' || c == '_' || c == '\\') {
            pw_put_c(out, '\\');
        }
        pw_put_c(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    pw_put_c(out, '%');
}

void report_lines(const struct pw_central *central, struct pw_json_writer *json,
                  const struct station *station, const struct line_filter *filter)
{
    char pattern[PATTERN_MAX];
    struct pw_out out = PW_OUT(pattern);
    put_pattern(&out, filter->query);
    PW_ASSERT(!out.full);
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        pw_db_int(filter->before),
        pw_db_int((int64_t)filter->level),
        filter->query.len > 0 ? pw_db_text(pw_out_str(&out)) : pw_db_null(),
        pw_db_int(filter->limit),
    };
    (void)db_read(central,
                  "SELECT n, at, level, room, text, dropped FROM line"
                  " WHERE station_id = $1 AND n < $2 AND level <= $3"
                  " AND ($4 IS NULL OR lower(room || ' ' || text) LIKE $4 ESCAPE '\\')"
                  " ORDER BY n DESC LIMIT $5",
                  args, PW_COUNT(args), put_row, json);
}
