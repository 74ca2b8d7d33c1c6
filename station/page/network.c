// The station's own network: what stands, what is in reach, and which one it shall join. With the
// station's access point, this is the set-up page.
#include "page/parts.h"

#include <string.h>

#define LINE_MAX 160 // "set network.password2 " and a password

bool pw_page_sets_up(const struct pw_page *page)
{
    struct pw_network_view view;
    pw_network_view(&page->config.station->network, &view);
    return view.ap && !pw_page_has_password(page);
}

bool pw_page_catch(struct call *call)
{
    struct pw_out out = PW_OUT(call->reply->location);
    if (call->request->method != PW_HTTP_GET || pw_str_starts(call->request->path, "/api/") ||
        !pw_network_page(&call->page->config.station->network, &out)) {
        return false;
    }
    pw_put_s(&out, "#/network");
    call->reply->status = 302;
    return true;
}

// Whoever looks without a login is on this machine, not at the access point.
static void note_use(const struct call *call)
{
    if (call->login != NULL) {
        pw_network_used(&call->page->config.station->network, call->now);
    }
}

void pw_page_api_network(struct call *call)
{
    note_use(call);
    pw_page_report(call, "json network");
}

void pw_page_api_network_scan(struct call *call)
{
    note_use(call);
    pw_page_run(call, PW_STR("network scan"));
}

static bool refuse(struct call *call, const char *sentence)
{
    pw_page_fail(call, 422, "range", sentence, PW_STR(""), "");
    return false;
}

struct wifi {
    int64_t slot;
    struct pw_str ssid;
    struct pw_str password;
    bool keeps_password; // none was given: the one that is set stays
};

// Everything is checked before anything is set: both settings change, or neither.
static bool read_wifi(struct call *call, struct wifi *wifi)
{
    const struct pw_json_node *password = pw_json_member(call->body, "password");
    wifi->keeps_password = password == NULL || pw_json_is(password, PW_JSON_NULL);
    wifi->password = PW_STR("");
    if (pw_json_int(pw_json_member(call->body, "slot"), 1, PW_NETWORK_KNOWN, &wifi->slot) !=
        PW_OK) {
        return refuse(call, "slot: must be 1 or 2");
    }
    if (pw_json_text(pw_json_member(call->body, "ssid"), &wifi->ssid) != PW_OK ||
        wifi->ssid.len >= PW_WIRELESS_SSID_MAX || !pw_page_is_printed(wifi->ssid) ||
        pw_str_trim(wifi->ssid).len != wifi->ssid.len) {
        return refuse(call, "ssid: must be a text of at most 32 bytes, without blanks at its ends");
    }
    if (!wifi->keeps_password &&
        (pw_json_text(password, &wifi->password) != PW_OK || !pw_page_is_printed(wifi->password) ||
         pw_str_trim(wifi->password).len != wifi->password.len ||
         wifi->password.len >= PW_WIRELESS_PASSWORD_MAX ||
         (wifi->password.len > 0 && wifi->password.len < 8))) {
        return refuse(call, "password: must have 8 to 63 characters, without blanks at its ends; "
                            "an open network has none");
    }
    return true;
}

static int set(struct call *call, const char *what, int64_t slot, struct pw_str value)
{
    char line[LINE_MAX];
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(line);
    struct pw_out answer = PW_OUT(text);
    pw_put_s(&out, "set network.");
    pw_put_s(&out, what);
    pw_put_int(&out, slot);
    pw_put_c(&out, ' ');
    pw_put(&out, value);
    int err = pw_station_command(call->page->config.station, pw_out_str(&out), &answer, call->now);
    memset(line, 0, sizeof(line));
    if (err != PW_OK) {
        pw_page_fail(call, err == PW_ERR_STORE ? 503 : 422, pw_err_name(err), "",
                     pw_str_trim(pw_out_str(&answer)), "");
    }
    return err;
}

void pw_page_api_network_wifi(struct call *call)
{
    struct pw_network_view view;
    struct wifi wifi;
    note_use(call);
    if (!read_wifi(call, &wifi) ||
        (!wifi.keeps_password && set(call, "password", wifi.slot, wifi.password) != PW_OK) ||
        set(call, "ssid", wifi.slot, wifi.ssid) != PW_OK) {
        return;
    }
    pw_network_view(&call->page->config.station->network, &view);
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_key(json, "message");
    pw_json_put_s(json, !view.managed ? "kept; network.managed is off, so nothing is done with it"
                        : view.ap     ? "kept; the access point closes now, and opens again if the "
                                        "network cannot be joined"
                                      : "kept");
    pw_page_done(call, 200);
}
