// What people and programs read of the network.
#include "json/json.h"
#include "network/network.h"

#include <string.h>

bool pw_network_page(const struct pw_network *net, struct pw_out *url)
{
    const struct pw_settings *settings = net->config.settings;
    bool plain = pw_settings_text(settings, PW_SET_PAGE_LISTEN)[0] != '\0';
    struct pw_str listen =
        pw_str_of(pw_settings_text(settings, plain ? PW_SET_PAGE_LISTEN : PW_SET_PAGE_TLS_LISTEN));
    struct pw_network_view view;
    struct pw_str port = listen;
    pw_network_view(net, &view);
    while (memchr(port.at, ':', port.len) != NULL) {
        (void)pw_str_cut(&port, ':');
    }
    bool everybody = pw_str_starts(listen, "0.0.0.0:") || pw_str_starts(listen, "[::]:") ||
                     (view.ip[0] != '\0' && pw_str_starts(listen, view.ip));
    if (!view.ap || view.ip[0] == '\0' || !everybody) {
        return false;
    }
    pw_put_s(url, plain ? "http://" : "https://");
    pw_put_s(url, view.ip);
    if (!pw_str_is(port, plain ? "80" : "443")) {
        pw_put_c(url, ':');
        pw_put(url, port);
    }
    pw_put_c(url, '/');
    return true;
}

static void put_quoted(struct pw_out *out, const char *text)
{
    pw_put_c(out, '"');
    pw_put_s(out, text);
    pw_put_c(out, '"');
}

static void put_found(const struct pw_wireless_found *found, struct pw_out *out)
{
    pw_put_s(out, "  ");
    put_quoted(out, found->ssid);
    pw_put_c(out, ' ');
    pw_put_int(out, found->signal);
    pw_put_s(out, found->secured ? " %\n" : " %, open\n");
}

static void put_known(const struct pw_network_view *view, struct pw_out *out)
{
    for (size_t i = 0; i < PW_NETWORK_KNOWN; i++) {
        pw_put_s(out, "network ");
        pw_put_uint(out, i + 1);
        pw_put_s(out, ": ");
        if (view->known[i].ssid[0] == '\0') {
            pw_put_s(out, "none");
        } else {
            put_quoted(out, view->known[i].ssid);
        }
        pw_put_c(out, '\n');
    }
    if (view->failed_ssid[0] != '\0') {
        pw_put_s(out, "last failure: ");
        put_quoted(out, view->failed_ssid);
        pw_put_s(out, ": ");
        pw_put_s(out, view->failed_why);
        pw_put_c(out, '\n');
    }
}

void pw_network_report(const struct pw_network *net, struct pw_out *out, pw_ms now)
{
    struct pw_network_view view;
    pw_network_view(net, &view);
    pw_put_s(out, "network: ");
    pw_put_s(out, view.state_name);
    if (view.ssid[0] != '\0') {
        pw_put_c(out, ' ');
        put_quoted(out, view.ssid);
    }
    if (view.signal != PW_WIRELESS_UNKNOWN) {
        pw_put_s(out, ", signal ");
        pw_put_int(out, view.signal);
        pw_put_s(out, " %");
    }
    if (view.ip[0] != '\0') {
        pw_put_s(out, ", address ");
        pw_put_s(out, view.ip);
    }
    pw_put_s(out, ", for ");
    pw_put_uint(out, (now - view.since) / 1000);
    pw_put_s(out, " s (");
    pw_put_s(out, view.why);
    pw_put_s(out, ")\n");
    if (!view.managed) {
        return;
    }
    if (view.ap) {
        pw_put_s(out, "access point ");
        put_quoted(out, view.ap_ssid);
        pw_put_s(out, ", password ");
        pw_put_s(out, pw_network_ap_password(net));
        pw_put_c(out, '\n');
    }
    put_known(&view, out);
    if (view.found_at != PW_NEVER) {
        pw_put_s(out, "in reach ");
        pw_put_uint(out, (now - view.found_at) / 1000);
        pw_put_s(out, " s ago:\n");
        for (size_t i = 0; i < view.found_count; i++) {
            put_found(&view.found[i], out);
        }
    }
}

static void put_text_or_null(struct pw_json_writer *json, const char *key, const char *text)
{
    pw_json_key(json, key);
    if (text[0] != '\0') {
        pw_json_put_s(json, text);
    } else {
        pw_json_put_null(json);
    }
}

static void put_int_or_null(struct pw_json_writer *json, const char *key, int value)
{
    pw_json_key(json, key);
    if (value != PW_WIRELESS_UNKNOWN) {
        pw_json_put_int(json, value);
    } else {
        pw_json_put_null(json);
    }
}

static void put_bool(struct pw_json_writer *json, const char *key, bool value)
{
    pw_json_key(json, key);
    pw_json_put_bool(json, value);
}

static void put_lists(struct pw_json_writer *json, const struct pw_network_view *view, pw_ms now)
{
    pw_json_key(json, "known");
    pw_json_open(json, '[');
    for (size_t i = 0; i < PW_NETWORK_KNOWN; i++) {
        pw_json_open(json, '{');
        pw_json_key(json, "slot");
        pw_json_put_int(json, (int64_t)i + 1);
        put_text_or_null(json, "ssid", view->known[i].ssid);
        put_bool(json, "password_set", view->known[i].password[0] != '\0');
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
    pw_json_key(json, "found_s_ago");
    if (view->found_at != PW_NEVER) {
        pw_json_put_int(json, (int64_t)((now - view->found_at) / 1000));
    } else {
        pw_json_put_null(json);
    }
    pw_json_key(json, "found");
    pw_json_open(json, '[');
    for (size_t i = 0; i < view->found_count; i++) {
        pw_json_open(json, '{');
        pw_json_key(json, "ssid");
        pw_json_put_s(json, view->found[i].ssid);
        pw_json_key(json, "signal_percent");
        pw_json_put_int(json, view->found[i].signal);
        put_bool(json, "secured", view->found[i].secured);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}

void pw_network_report_json(const struct pw_network *net, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer writer = PW_JSON_WRITER(out);
    struct pw_json_writer *json = &writer;
    struct pw_network_view view;
    pw_network_view(net, &view);
    pw_json_open(json, '{');
    put_bool(json, "managed", view.managed);
    pw_json_key(json, "state");
    pw_json_put_s(json, view.state_name);
    pw_json_key(json, "why");
    pw_json_put_s(json, view.why);
    pw_json_key(json, "since_s");
    pw_json_put_int(json, (int64_t)((now - view.since) / 1000));
    put_bool(json, "connected", view.connected);
    put_bool(json, "ap", view.ap);
    put_text_or_null(json, "ssid", view.ssid);
    put_int_or_null(json, "signal_percent", view.signal);
    put_text_or_null(json, "ip", view.ip);
    put_text_or_null(json, "ap_ssid", view.ap_ssid);
    put_int_or_null(json, "guests", view.guests);
    put_text_or_null(json, "failed_ssid", view.failed_ssid);
    put_text_or_null(json, "failed_why", view.failed_why);
    put_lists(json, &view, now);
    pw_json_close(json, '}');
}
