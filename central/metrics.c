// Figures for Prometheus, and the health check.
#include "http.h"

static void put_metric(struct pw_out *out, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    pw_put_s(out, "# HELP pilotwire_");
    pw_put_s(out, name);
    pw_put_c(out, ' ');
    pw_put_s(out, help);
    pw_put_s(out, "\n# TYPE pilotwire_");
    pw_put_s(out, name);
    pw_put_c(out, ' ');
    pw_put_s(out, type);
    pw_put_s(out, "\npilotwire_");
    pw_put_s(out, name);
    pw_put_c(out, ' ');
    pw_put_uint(out, value);
    pw_put_c(out, '\n');
}

static void put_counters(struct pw_out *out, const struct counters *count)
{
    const struct {
        const char *name;
        const char *help;
        uint64_t value;
    } rows[] = {
        {"messages_in_total", "OCPP messages received", count->messages_in},
        {"messages_out_total", "OCPP messages sent", count->messages_out},
        {"messages_bad_total", "OCPP messages that were none", count->bad_messages},
        {"calls_refused_total", "OCPP calls answered with an error", count->calls_refused},
        {"answers_unmatched_total", "late, repeated or strange answers", count->answers_unmatched},
        {"sessions_started_total", "sessions started", count->sessions_started},
        {"sessions_retried_total", "repeated StartTransaction", count->sessions_retried},
        {"sessions_stopped_total", "sessions stopped", count->sessions_stopped},
        {"orphans_total", "records that belong to no session", count->orphans},
        {"handshakes_total", "station handshakes", count->handshakes},
        {"handshakes_refused_total", "station handshakes refused", count->handshakes_refused},
        {"links_lost_total", "station links ended", count->links_lost},
        {"links_slow_total", "station links ended for slow reading", count->links_slow},
        {"boots_deferred_total", "boots answered Pending because many came at once",
         count->boots_deferred},
        {"duplicates_total", "second sockets of a live identity", count->duplicates},
        {"station_links_total", "station links that proved themselves", count->uplinks},
        {"station_links_lost_total", "station links ended", count->uplinks_lost},
        {"station_events_total", "events kept of station links", count->link_events},
        {"station_events_repeated_total", "events a station sent again", count->link_events_again},
        {"station_lines_total", "log lines kept of stations", count->lines},
        {"station_lines_dropped_total", "log lines lost at stations", count->lines_dropped},
        {"station_orders_total", "orders sent over station links", count->orders},
        {"http_requests_total", "HTTP requests", count->http_requests},
        {"http_refused_total", "HTTP requests answered 4xx or 5xx", count->http_refused},
        {"logins_failed_total", "wrong passwords", count->logins_failed},
        {"streams_slow_total", "event streams ended for slow reading", count->streams_slow},
        {"commits_total", "database commits", count->commits},
        {"commits_failed_total", "database commits that failed", count->commits_failed},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        put_metric(out, rows[i].name, "counter", rows[i].help, rows[i].value);
    }
}

void api_metrics(struct http *http)
{
    const struct pw_central *central = http->central;
    struct pw_out *out = &http->out;
    uint64_t online = 0;
    uint64_t charging = 0;
    for (size_t i = 0; i < central->stations; i++) {
        const struct station *station = central->station[i];
        online += station->link != NULL ? 1 : 0;
        for (size_t k = 0; k < PW_CENTRAL_CONNECTORS; k++) {
            const struct connector *connector = station->connector[k];
            charging += connector != NULL && connector->session != 0 ? 1 : 0;
        }
    }
    pw_put_s(out, "# HELP pilotwire_info the program\n# TYPE pilotwire_info gauge\n"
                  "pilotwire_info{version=\"");
    pw_put(out, central->config.version);
    pw_put_s(out, "\"} 1\n");
    put_metric(out, "stations", "gauge", "stations known", central->stations);
    put_metric(out, "stations_online", "gauge", "stations connected", online);
    put_metric(out, "sessions_open", "gauge", "connectors with an open session", charging);
    put_metric(out, "links", "gauge", "WebSocket links", central->links);
    put_counters(out, &central->count);
    http->reply->status = 200;
    http->reply->content_type = "text/plain; version=0.0.4";
    http->reply->body = pw_out_str(out);
}

void api_health(struct http *http)
{
    if (http->central->store_bad) {
        http_fail(http, 503, "store", "the database does not take writes", PW_STR(""), "");
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_say_s(json, "status", "ok");
    http_done(http, 200);
}
