#include "settings_file.h"

#include "address.h"
#include "can/wire.h"
#include "config.h"
#include "cp16/cp16.h"
#include "lcd.h"
#include "meters.h"
#include "modbus/url.h"
#include "mqtt/wire.h"
#include "proxy/proxy.h"
#include "serial.h"
#include "tls.h"
#include "wsclient.h"
#include "zones.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_MAX 63 // characters compared for a suggestion

static void say_where(struct pw_out *why, const char *file, unsigned line)
{
    pw_put_s(why, file);
    pw_put_c(why, ':');
    pw_put_uint(why, line);
    pw_put_s(why, ": ");
}

// ---------------------------------------------------------------------------------------------
// "Did you mean": the row with the fewest changed letters.

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

// Levenshtein's distance, one row at a time.
static size_t distance(struct pw_str a, struct pw_str b)
{
    size_t row[KEY_MAX + 1];
    if (a.len > KEY_MAX || b.len > KEY_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t change = diagonal + (a.at[i - 1] == b.at[j - 1] ? 0 : 1);
            row[j] = smallest(above + 1, row[j - 1] + 1, change);
            diagonal = above;
        }
    }
    return row[b.len];
}

static struct pw_str last_part(struct pw_str path)
{
    struct pw_str last = path;
    while (path.len > 0) {
        last = pw_str_cut(&path, '.');
    }
    return last;
}

static void say_unknown(struct pw_out *why, struct pw_str path)
{
    struct pw_str key = last_part(path);
    const struct pw_setting_row *best = NULL;
    size_t least = 4; // more changes than that are no slip of the fingers
    size_t apart = 0; // of the whole paths, where the last parts are as near as another's
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        struct pw_str row = pw_str_of(pw_setting_rows[id].path);
        size_t far = distance(key, last_part(row));
        size_t whole = distance(path, row);
        if (far < least || (best != NULL && far == least && whole < apart)) {
            least = far;
            apart = whole;
            best = &pw_setting_rows[id];
        }
    }
    pw_put(why, path);
    pw_put_s(why, ": there is no such setting");
    if (least == 0 && pw_str_starts(path, "connectors[")) {
        pw_put_s(why, "; connectors are numbered 0..");
        pw_put_uint(why, PW_CONNECTORS_MAX - 1);
    } else if (best != NULL) {
        pw_put_s(why, "; did you mean ");
        pw_put_s(why, best->scope == PW_SCOPE_CONNECTOR ? "connectors[N]." : "");
        pw_put_s(why, best->path);
        pw_put_c(why, '?');
    }
}

// ---------------------------------------------------------------------------------------------

// What a row cannot say: what OCPP wants, and what only the port knows, which URLs and devices can
// be opened.
static int check_form(struct pw_setting_at at, struct pw_str value, struct pw_out *why)
{
    char text[PW_SETTING_TEXT_MAX];
    int err = pw_cp16_check_setting(at.id, value, why);
    if (err != PW_OK) {
        return err;
    }
    if (value.len == 0 || pw_str_copy(text, sizeof(text), value) != PW_OK) {
        return PW_OK;
    }
    if (at.id == PW_SET_CAN_BUS0 || at.id == PW_SET_CAN_BUS1) {
        return pw_can_wire_check(value, why);
    }
    if (at.id == PW_SET_HOUSE_METER) {
        return meters_check_house(value, why);
    }
    if (at.id == PW_SET_METER) {
        struct pw_modbus_url url;
        return pw_modbus_url_read(value, &url, why);
    }
    if (at.id == PW_SET_OCPP_URL) {
        return pw_ws_check_url(value, why);
    }
    if (at.id == PW_SET_PROXY || at.id == PW_SET_NO_PROXY) {
        struct pw_proxy proxy;
        return at.id == PW_SET_PROXY ? pw_proxy_read_url(value, &proxy, why)
                                     : pw_proxy_read_direct(value, &proxy, why);
    }
    if (at.id == PW_SET_UPLINK_URL) {
        return pw_tls_check_url(value, why);
    }
    if (at.id == PW_SET_MQTT_URL) {
        return pw_mqtt_wire_check_url(value, why);
    }
    if (at.id == PW_SET_UPLINK_PIN || at.id == PW_SET_OCPP_PIN || at.id == PW_SET_MQTT_PIN) {
        return pw_tls_check_pin(value, why);
    }
    if (at.id == PW_SET_LCD_DEVICE) {
        return pw_lcd_check(value, why);
    }
    if (at.id == PW_SET_PAGE_LISTEN || at.id == PW_SET_PAGE_TLS_LISTEN ||
        at.id == PW_SET_OE_LISTEN || at.id == PW_SET_OE_TLS_LISTEN) {
        return address_check_listen(value, why);
    }
    if (at.id == PW_SET_PAGE_URL) {
        return address_check_url(value, why);
    }
    if (at.id == PW_SET_CARD_DEVICE ||
        (at.id == PW_SET_CONSOLE_DEVICE && !pw_str_is(value, "off"))) {
        return pw_serial_check(text, why);
    }
    return PW_OK;
}

static int set_one(struct pw_settings *settings, const struct pw_config_entry *entry,
                   enum pw_setting_by by, struct pw_out *why)
{
    struct pw_setting_at at;
    char form[256];
    struct pw_out form_why = PW_OUT(form);
    if (pw_settings_find(entry->path, &at) != PW_OK) {
        say_unknown(why, entry->path);
        return PW_ERR_UNKNOWN;
    }
    int err = pw_settings_set(settings, at, entry->value, by, why);
    if (err == PW_OK && check_form(at, entry->value, &form_why) != PW_OK) {
        pw_settings_print_path(at, why);
        if (pw_setting_rows[at.id].when != PW_WHEN_SECRET) {
            pw_put_s(why, ": \"");
            pw_put(why, entry->value);
            pw_put_c(why, '"');
        }
        pw_put_s(why, " is not allowed; ");
        pw_put(why, pw_out_str(&form_why));
        err = PW_ERR_RANGE;
    }
    return err;
}

static int read_file(struct pw_settings *settings, struct pw_config *config, const char *file,
                     enum pw_setting_by by, struct pw_out *why)
{
    int err = pw_config_read(config, file, by == PW_BY_SECRETS, why);
    for (size_t i = 0; err == PW_OK && i < config->count; i++) {
        size_t begin = why->len;
        say_where(why, file, config->entry[i].line);
        err = set_one(settings, &config->entry[i], by, why);
        if (err == PW_OK) {
            why->len = begin;
        }
    }
    pw_config_wipe(config);
    return err;
}

// A credential: the whole file is the value, but for a line end that an editor left.
static int read_credential(struct pw_settings *settings, const char *folder,
                           struct pw_setting_at at, struct pw_out *why)
{
    char path[512];
    char value[PW_SETTING_TEXT_MAX + 2];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, pw_setting_rows[at.id].path);
    int fd = len > 0 && (size_t)len < sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return PW_OK; // it is not given this way
    }
    ssize_t got = read(fd, value, sizeof(value));
    (void)close(fd);
    struct pw_str text = {.at = value, .len = got > 0 ? (size_t)got : 0};
    while (text.len > 0 && (value[text.len - 1] == '\n' || value[text.len - 1] == '\r')) {
        text.len--;
    }
    const struct pw_config_entry entry = {.path = pw_str_of(pw_setting_rows[at.id].path),
                                          .value = text};
    size_t begin = why->len;
    pw_put_s(why, "credential ");
    int err = got < 0 ? PW_ERR_STORE : set_one(settings, &entry, PW_BY_SECRETS, why);
    if (got < 0) {
        pw_put_s(why, path);
        pw_put_s(why, ": it cannot be read");
    }
    why->len = err == PW_OK ? begin : why->len;
    explicit_bzero(value, sizeof(value));
    return err;
}

static int read_credentials(struct pw_settings *settings, const char *folder, struct pw_out *why)
{
    int err = PW_OK;
    for (size_t id = 0; err == PW_OK && id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_at at = {.id = (enum pw_setting_id)id};
        if (pw_setting_rows[id].when == PW_WHEN_SECRET) {
            err = read_credential(settings, folder, at, why);
        }
    }
    return err;
}

// A password that would go unencrypted to another machine is said at the start already: later, the
// connection is not made (link.c, mqtt.c), since console and page may change addresses.
static int check_passwords(const struct pw_settings *settings, struct pw_out *why)
{
    static const struct {
        enum pw_setting_id url;
        enum pw_setting_id secret;
    } rows[] = {{PW_SET_OCPP_URL, PW_SET_OCPP_KEY}, {PW_SET_MQTT_URL, PW_SET_MQTT_PASSWORD}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_str url = pw_str_of(pw_settings_text(settings, rows[i].url));
        bool over_tls = rows[i].url == PW_SET_OCPP_URL &&
                        pw_settings_int(settings, PW_SET_SECURITY_PROFILE) >= 2;
        if (url.len == 0 || over_tls || pw_settings_text(settings, rows[i].secret)[0] == '\0') {
            continue;
        }
        size_t begin = why->len;
        pw_put_s(why, pw_setting_rows[rows[i].url].path);
        pw_put_s(why, ": ");
        if (pw_security_may_send_password(settings, url, why) != PW_OK) {
            return PW_ERR_RANGE;
        }
        why->len = begin;
    }
    return PW_OK;
}

int settings_file_read(struct pw_settings *settings, const struct settings_files *files,
                       struct pw_out *why)
{
    struct pw_config *file = malloc(sizeof(*file));
    if (file == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    pw_settings_init(settings);
    int err = read_file(settings, file, files->config, PW_BY_FILE, why);
    // One that is not there was sealed, or forgotten, and its unit file still names it.
    if (err == PW_OK && files->secrets != NULL && access(files->secrets, F_OK) == 0) {
        err = read_file(settings, file, files->secrets, PW_BY_SECRETS, why);
    }
    if (err == PW_OK && files->credentials != NULL) {
        err = read_credentials(settings, files->credentials, why);
    }
    free(file);
    if (err == PW_OK) {
        size_t begin = why->len;
        pw_put_s(why, files->config);
        pw_put_s(why, ": ");
        err = pw_settings_check(settings, why);
        if (err == PW_OK) {
            err = pw_rules_check(&station_zones, settings, why);
        }
        if (err == PW_OK) {
            err = check_passwords(settings, why);
        }
        why->len = err == PW_OK ? begin : why->len;
    }
    return err;
}

// ---------------------------------------------------------------------------------------------

static const char *when_words(enum pw_setting_when when)
{
    switch (when) {
    case PW_WHEN_FILE: return "File";
    case PW_WHEN_LIVE: return "Live";
    case PW_WHEN_RESTART: return "Restart";
    case PW_WHEN_FIXED: return "Fixed";
    case PW_WHEN_SECRET: return "Secret";
    }
    PW_UNREACHABLE();
}

// Rows of a Markdown table; a connector that does not exist yet is called N.
static void print_row(const struct pw_settings *settings, struct pw_setting_at at, bool exists,
                      struct pw_out *out)
{
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    pw_put_s(out, "| `");
    if (exists) {
        pw_settings_print_path(at, out);
    } else {
        pw_put_s(out, "connectors[N].");
        pw_put_s(out, row->path);
    }
    pw_put_s(out, "` | ");
    pw_settings_print(settings, at, out);
    pw_put_s(out, " | ");
    pw_settings_print_range(row, out);
    pw_put_s(out, " | ");
    pw_put_s(out, when_words(row->when));
    pw_put_s(out, " | ");
    pw_settings_print_kinds(row, out);
    pw_put_s(out, " | ");
    pw_put_s(out, row->ocpp_key);
    pw_put_s(out, " | ");
    pw_put_s(out, row->doc);
    pw_put_s(out, " |\n");
}

void settings_file_print(const struct pw_settings *settings, struct pw_out *out)
{
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        bool connector = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
        bool exists = !connector || settings->connectors > 0;
        unsigned instances = connector && settings->connectors > 0 ? settings->connectors : 1;
        for (unsigned i = 0; i < instances; i++) {
            struct pw_setting_at at = {.id = (enum pw_setting_id)id, .instance = (uint8_t)i};
            print_row(settings, at, exists, out);
        }
    }
}
