// settings: the values behind the rows of settings.def, and the one way to change them. Every
// change is checked against its row; a refused one changes nothing. Values set while running are
// kept under "set/<path>" by the caller (pw_settings_record).
#ifndef PW_SETTINGS_H
#define PW_SETTINGS_H

#include "base/base.h"
#include "settings/settings.def"

#define PW_CONNECTORS_MAX   4
#define PW_SETTING_TEXT_MAX 501 // bytes of the longest text and its NUL (OCPP: 500 characters)
#define PW_SETTING_PATH_MAX 64  // "connectors[3].terminal_current_divisor" and NUL
#define PW_SETTING_WHY_MAX  200 // an error text and NUL

enum pw_setting_scope { PW_SCOPE_STATION, PW_SCOPE_CONNECTOR };
enum pw_setting_kind { PW_KIND_INT, PW_KIND_BOOL, PW_KIND_TEXT, PW_KIND_CHOICE };
enum pw_setting_when { PW_WHEN_FILE, PW_WHEN_LIVE, PW_WHEN_RESTART, PW_WHEN_FIXED, PW_WHEN_SECRET };

// Connector kinds: the words of settings row `kind`, in its order.
#define PW_CONNECTOR_KINDS(X)                                                                      \
    X(DC, "dc")                                                                                    \
    X(PILOT, "pilot")                                                                              \
    X(OPENEVSE, "openevse")

#define PW_CONNECTOR_KIND_ID(name, word) PW_KIND_OF_CONNECTOR_##name,
enum pw_setting_connector_kind { PW_CONNECTOR_KINDS(PW_CONNECTOR_KIND_ID) PW_CONNECTOR_KIND_ROWS };
#undef PW_CONNECTOR_KIND_ID

// Column `for`: the connector kinds that a row concerns, one bit each.
enum pw_setting_for {
    PW_FOR_DC = 1 << PW_KIND_OF_CONNECTOR_DC,
    PW_FOR_PILOT = 1 << PW_KIND_OF_CONNECTOR_PILOT,
    PW_FOR_OPENEVSE = 1 << PW_KIND_OF_CONNECTOR_OPENEVSE,
    PW_FOR_AC = PW_FOR_PILOT | PW_FOR_OPENEVSE,
    PW_FOR_SWITCHED = PW_FOR_DC | PW_FOR_PILOT, // the station switches their power itself
    PW_FOR_ANY = PW_FOR_DC | PW_FOR_AC,
};

#define PW_SETTING_ID(scope, concerns, name, path, kind, least, most, value, when, ocpp, doc)      \
    PW_SET_##name,
enum pw_setting_id { PW_SETTINGS(PW_SETTING_ID) PW_SETTING_ROWS };
#undef PW_SETTING_ID

struct pw_setting_row {
    enum pw_setting_scope scope;
    unsigned concerns; // set of enum pw_setting_for
    enum pw_setting_kind kind;
    enum pw_setting_when when;
    int64_t least;
    int64_t most;
    const char *path;
    const char *initial;  // default as text; CHOICE: the words, the first is the default
    const char *ocpp_key; // "" without one
    const char *doc;
};

extern const struct pw_setting_row pw_setting_rows[PW_SETTING_ROWS];

// Words of page.plain, in the order of its row.
enum pw_page_plain { PW_PAGE_SERVES, PW_PAGE_REDIRECTS };

// Where a value comes from: who may set what.
enum pw_setting_by {
    PW_BY_FILE,    // the configuration file: everything but FIXED and SECRET
    PW_BY_SECRETS, // the secrets file: SECRET only
    PW_BY_PERSON,  // console, command line, page: LIVE, RESTART, SECRET
    PW_BY_OCPP,    // ChangeConfiguration: as a person
    PW_BY_STORE,   // what a person or OCPP set before: LIVE, RESTART, SECRET
};

// Bytes of a text row's value with its NUL: PW_SETTING_BYTES_MQTT_DISCOVERY.
#define PW_SETTING_BYTES(scope, concerns, name, path, kind, least, most, value, when, ocpp, doc)   \
    PW_SETTING_BYTES_##name = (most) + 1,
enum pw_setting_bytes { PW_SETTINGS(PW_SETTING_BYTES) };
#undef PW_SETTING_BYTES

// All texts lie behind one another: one of a station row, one for each connector of a connector
// row, each as long as its row allows.
#define PW_SETTING_TEXT_ROW(scope, concerns, name, path, kind, least, most, value, when, ocpp,     \
                            doc)                                                                   \
    +(PW_KIND_##kind == PW_KIND_TEXT ? (most) + 1 : 0) *                                           \
        (PW_SCOPE_##scope == PW_SCOPE_CONNECTOR ? PW_CONNECTORS_MAX : 1)
enum { PW_SETTING_TEXTS = 0 PW_SETTINGS(PW_SETTING_TEXT_ROW) };
#undef PW_SETTING_TEXT_ROW

struct pw_settings {
    int32_t number[PW_SETTING_ROWS][PW_CONNECTORS_MAX]; // STATION rows use column 0
    char text[PW_SETTING_TEXTS];
    uint8_t connectors; // configured so far
};

// One row of one instance: which setting a path names.
struct pw_setting_at {
    enum pw_setting_id id;
    uint8_t instance; // connector index from 0; 0 for station rows
};

// All rows at their defaults, no connector.
void pw_settings_init(struct pw_settings *settings);

// Finds "ocpp.url" or "connectors[0].rectifier". PW_ERR_UNKNOWN without such a row.
PW_MUST_USE int pw_settings_find(struct pw_str path, struct pw_setting_at *at);
// Finds a row by OCPP configuration key (case as OCPP compares keys: exact).
PW_MUST_USE int pw_settings_find_ocpp(struct pw_str key, struct pw_setting_at *at);

// Whether a row concerns the kind of its connector, or, for a station row, of any connector. What
// does not is neither shown nor changed while running; a file may hold it, for the day when the
// connector's kind is another.
bool pw_settings_concerns(const struct pw_settings *settings, struct pw_setting_at at);

// Sets a value from text. Errors: PW_ERR_BUSY (this hand may not set it, or it concerns other
// connector kinds), PW_ERR_PEER (wrong type), PW_ERR_RANGE; *why then holds one sentence with key,
// value and allowed range, and nothing has changed. A person's or OCPP's value must also fit the
// connector's other settings (pw_settings_check). A FILE value of a connector beyond the last one
// adds that connector, in order.
PW_MUST_USE int pw_settings_set(struct pw_settings *settings, struct pw_setting_at at,
                                struct pw_str value, enum pw_setting_by by, struct pw_out *why);

int32_t pw_settings_int(const struct pw_settings *settings, enum pw_setting_id id);
int32_t pw_settings_connector(const struct pw_settings *settings, enum pw_setting_id id,
                              unsigned instance);
const char *pw_settings_text(const struct pw_settings *settings, enum pw_setting_id id);
const char *pw_settings_connector_text(const struct pw_settings *settings, enum pw_setting_id id,
                                       unsigned instance);
// A SECRET that is there and cannot be opened (sealed/sealed.h), and has no other value. Its text
// is none that can be given, and nobody goes on as if there were none: no connection, no login. A
// new value ends that.
void pw_settings_lock(struct pw_settings *settings, struct pw_setting_at at);
bool pw_settings_locked(const struct pw_settings *settings, enum pw_setting_id id);
// Writes the value as text: numbers, true/false, the word of a CHOICE. A SECRET is "***" when set,
// "locked" when it cannot be opened.
void pw_settings_print(const struct pw_settings *settings, struct pw_setting_at at,
                       struct pw_out *out);
// "0..300", "true or false", "huawei or infypower", "1 to 48 characters".
void pw_settings_print_range(const struct pw_setting_row *row, struct pw_out *out);
// The kinds a row concerns: "any", "pilot or openevse".
void pw_settings_print_kinds(const struct pw_setting_row *row, struct pw_out *out);
// "connectors[0].rectifier".
void pw_settings_print_path(struct pw_setting_at at, struct pw_out *out);

// What must hold between settings (least below most, a bus that exists...). PW_OK or PW_ERR_RANGE
// with one sentence in *why.
PW_MUST_USE int pw_settings_check(const struct pw_settings *settings, struct pw_out *why);

#endif
