#include "settings/settings.h"

#include "sealed/sealed.h"

#include <string.h>

#define PW_SETTING_ROW(scope_, concerns_, name, path_, kind_, least_, most_, value, when_, ocpp,   \
                       doc_)                                                                       \
    [PW_SET_##name] = {.scope = PW_SCOPE_##scope_,                                                 \
                       .concerns = PW_FOR_##concerns_,                                             \
                       .kind = PW_KIND_##kind_,                                                    \
                       .when = PW_WHEN_##when_,                                                    \
                       .least = (least_),                                                          \
                       .most = (most_),                                                            \
                       .path = (path_),                                                            \
                       .initial = (value),                                                         \
                       .ocpp_key = (ocpp),                                                         \
                       .doc = (doc_)},
const struct pw_setting_row pw_setting_rows[PW_SETTING_ROWS] = {PW_SETTINGS(PW_SETTING_ROW)};

// How many texts a row has: one for each connector, or one.
static size_t texts_of(const struct pw_setting_row *row)
{
    size_t each = row->scope == PW_SCOPE_CONNECTOR ? PW_CONNECTORS_MAX : 1;
    return row->kind == PW_KIND_TEXT ? each : 0;
}

static size_t bytes_of(const struct pw_setting_row *row)
{
    return (size_t)row->most + 1;
}

// Where the text of a TEXT row begins: behind those before it.
static size_t place_of(enum pw_setting_id id, unsigned instance)
{
    const struct pw_setting_row *own = &pw_setting_rows[id];
    size_t at = 0;
    for (const struct pw_setting_row *row = pw_setting_rows; row < own; row++) {
        at += row->kind == PW_KIND_TEXT ? texts_of(row) * bytes_of(row) : 0;
    }
    PW_ASSERT(instance < texts_of(own));
    at += instance * bytes_of(own);
    PW_ASSERT(at + bytes_of(own) <= PW_SETTING_TEXTS);
    return at;
}

// The position of `word` in "one|two|three", or -1.
static int32_t choice_of(const char *words, struct pw_str word)
{
    struct pw_str rest = pw_str_of(words);
    for (int32_t i = 0; rest.len > 0; i++) {
        if (pw_str_eq(pw_str_cut(&rest, '|'), word)) {
            return i;
        }
    }
    return -1;
}

static struct pw_str choice_word(const char *words, int32_t index)
{
    struct pw_str rest = pw_str_of(words);
    struct pw_str word = pw_str_cut(&rest, '|');
    for (int32_t i = 0; i < index; i++) {
        word = pw_str_cut(&rest, '|');
    }
    return word;
}

static bool parse_bool(struct pw_str value, int64_t *number)
{
    bool yes = pw_str_eq_nocase(value, PW_STR("true")) || pw_str_is(value, "1");
    bool no = pw_str_eq_nocase(value, PW_STR("false")) || pw_str_is(value, "0");
    *number = yes ? 1 : 0;
    return yes || no;
}

// The number a text stands for in this row; TEXT rows give their length.
static int parse(const struct pw_setting_row *row, struct pw_str value, int64_t *number)
{
    switch (row->kind) {
    case PW_KIND_INT:
        if (pw_str_starts(value, "0x")) {
            uint8_t bytes[4] = {0};
            char padded[9] = "00000000";
            if (value.len <= 2 || value.len > 10) {
                return PW_ERR_PEER;
            }
            memcpy(padded + 8 - (value.len - 2), value.at + 2, value.len - 2);
            if (pw_parse_hex((struct pw_str){.at = padded, .len = 8}, bytes, 4) != 4) {
                return PW_ERR_PEER;
            }
            *number = pw_be32(bytes);
            return PW_OK;
        }
        return pw_parse_int(value, INT32_MIN, INT32_MAX, number);
    case PW_KIND_BOOL: return parse_bool(value, number) ? PW_OK : PW_ERR_PEER;
    case PW_KIND_CHOICE:
        *number = choice_of(row->initial, value);
        return *number < 0 ? PW_ERR_RANGE : PW_OK;
    case PW_KIND_TEXT:
        for (size_t i = 0; i < value.len; i++) {
            if ((unsigned char)value.at[i] < ' ') {
                return PW_ERR_PEER;
            }
        }
        *number = (int64_t)value.len;
        return PW_OK;
    }
    PW_UNREACHABLE();
}

static void init_row(struct pw_settings *settings, enum pw_setting_id id)
{
    const struct pw_setting_row *row = &pw_setting_rows[id];
    struct pw_str initial = pw_str_of(row->initial);
    int64_t number = 0;
    int err = PW_OK;
    if (row->kind == PW_KIND_TEXT) {
        PW_ASSERT(row->most < PW_SETTING_TEXT_MAX);
        for (unsigned i = 0; err == PW_OK && i < texts_of(row); i++) {
            err = pw_str_copy(settings->text + place_of(id, i), bytes_of(row), initial);
        }
    } else if (row->kind != PW_KIND_CHOICE) {
        err = parse(row, initial, &number);
        PW_ASSERT(number >= row->least && number <= row->most);
    }
    PW_ASSERT(err == PW_OK);
    for (size_t i = 0; i < PW_CONNECTORS_MAX; i++) {
        settings->number[id][i] = (int32_t)number;
    }
}

void pw_settings_init(struct pw_settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        init_row(settings, (enum pw_setting_id)id);
    }
}

// "connectors[2].kind" -> 2 and "kind".
static bool cut_instance(struct pw_str *path, unsigned *instance)
{
    static const char prefix[] = "connectors[";
    const size_t len = sizeof(prefix) - 1;
    if (!pw_str_starts(*path, prefix) || path->len < len + 3 || path->at[len + 1] != ']' ||
        path->at[len + 2] != '.' || path->at[len] < '0' ||
        path->at[len] >= '0' + PW_CONNECTORS_MAX) {
        return false;
    }
    *instance = (unsigned)(path->at[len] - '0');
    path->at += len + 3;
    path->len -= len + 3;
    return true;
}

int pw_settings_find(struct pw_str path, struct pw_setting_at *at)
{
    unsigned instance = 0;
    enum pw_setting_scope scope =
        cut_instance(&path, &instance) ? PW_SCOPE_CONNECTOR : PW_SCOPE_STATION;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        if (pw_setting_rows[id].scope == scope && pw_str_is(path, pw_setting_rows[id].path)) {
            *at =
                (struct pw_setting_at){.id = (enum pw_setting_id)id, .instance = (uint8_t)instance};
            return PW_OK;
        }
    }
    return PW_ERR_UNKNOWN;
}

int pw_settings_find_ocpp(struct pw_str key, struct pw_setting_at *at)
{
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        const char *name = pw_setting_rows[id].ocpp_key;
        if (name[0] != '\0' && pw_str_is(key, name)) {
            *at = (struct pw_setting_at){.id = (enum pw_setting_id)id, .instance = 0};
            return PW_OK;
        }
    }
    return PW_ERR_UNKNOWN;
}

// Which hands may set which rows: one bit a hand.
static bool may_set(enum pw_setting_when when, enum pw_setting_by by)
{
    static const unsigned hands[] = {
        [PW_WHEN_FILE] = 1U << PW_BY_FILE,
        [PW_WHEN_LIVE] =
            1U << PW_BY_FILE | 1U << PW_BY_PERSON | 1U << PW_BY_OCPP | 1U << PW_BY_STORE,
        [PW_WHEN_RESTART] =
            1U << PW_BY_FILE | 1U << PW_BY_PERSON | 1U << PW_BY_OCPP | 1U << PW_BY_STORE,
        [PW_WHEN_FIXED] = 0,
        [PW_WHEN_SECRET] =
            1U << PW_BY_SECRETS | 1U << PW_BY_PERSON | 1U << PW_BY_OCPP | 1U << PW_BY_STORE,
    };
    return (hands[when] >> by & 1U) != 0;
}

static const char *why_not(enum pw_setting_when when, enum pw_setting_by by)
{
    if (when == PW_WHEN_FIXED) {
        return "cannot be set: it says what the program can do";
    }
    if (when == PW_WHEN_SECRET) {
        return "is a secret and belongs in the secrets file";
    }
    if (by == PW_BY_SECRETS) {
        return "is no secret and belongs in the configuration file";
    }
    return "can only be set in the configuration file";
}

bool pw_settings_concerns(const struct pw_settings *settings, struct pw_setting_at at)
{
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    bool each = row->scope == PW_SCOPE_CONNECTOR;
    unsigned first = each ? at.instance : 0;
    unsigned end = each ? at.instance + 1U : settings->connectors;
    if (row->concerns == PW_FOR_ANY) {
        return true;
    }
    for (unsigned i = first; i < end; i++) {
        if ((row->concerns >> (unsigned)settings->number[PW_SET_KIND][i] & 1U) != 0) {
            return true;
        }
    }
    return false;
}

#define PW_CONNECTOR_KIND_WORD(name, word) word,
static const char *const kind_words[] = {PW_CONNECTOR_KINDS(PW_CONNECTOR_KIND_WORD)};
#undef PW_CONNECTOR_KIND_WORD

void pw_settings_print_kinds(const struct pw_setting_row *row, struct pw_out *out)
{
    const char *between = "";
    if (row->concerns == PW_FOR_ANY) {
        pw_put_s(out, "any");
        return;
    }
    for (unsigned kind = 0; kind < PW_CONNECTOR_KIND_ROWS; kind++) {
        if ((row->concerns >> kind & 1U) != 0) {
            pw_put_s(out, between);
            pw_put_s(out, kind_words[kind]);
            between = " or ";
        }
    }
}

// One sentence when this hand may not set this row here. A file's rows come in any order, so that
// the connector's kind may still be unknown, and the store's may be of an earlier kind.
static bool refused(const struct pw_settings *settings, struct pw_setting_at at,
                    enum pw_setting_by by, struct pw_out *why)
{
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    bool connector = row->scope == PW_SCOPE_CONNECTOR;
    bool nobody = connector && by != PW_BY_FILE && at.instance >= settings->connectors;
    bool running = by == PW_BY_PERSON || by == PW_BY_OCPP;
    bool stranger = !nobody && running && !pw_settings_concerns(settings, at);
    if (may_set(row->when, by) && !nobody && !stranger) {
        return false;
    }
    pw_settings_print_path(at, why);
    pw_put_c(why, ' ');
    if (nobody) {
        pw_put_s(why, "belongs to a connector that does not exist");
    } else if (stranger) {
        pw_put_s(why, "concerns connectors of kind ");
        pw_settings_print_kinds(row, why);
        pw_put_s(why, connector ? "; this one is " : "; there is none");
        pw_put_s(why, connector ? kind_words[settings->number[PW_SET_KIND][at.instance]] : "");
    } else {
        pw_put_s(why, why_not(row->when, by));
    }
    return true;
}

static void put_words(struct pw_out *out, const char *words)
{
    struct pw_str rest = pw_str_of(words);
    while (rest.len > 0) {
        pw_put(out, pw_str_cut(&rest, '|'));
        if (rest.len > 0) {
            pw_put_s(out, " or ");
        }
    }
}

void pw_settings_print_range(const struct pw_setting_row *row, struct pw_out *out)
{
    switch (row->kind) {
    case PW_KIND_INT:
        pw_put_int(out, row->least);
        pw_put_s(out, "..");
        pw_put_int(out, row->most);
        return;
    case PW_KIND_BOOL: pw_put_s(out, "true or false"); return;
    case PW_KIND_CHOICE: put_words(out, row->initial); return;
    case PW_KIND_TEXT:
        pw_put_int(out, row->least);
        pw_put_s(out, " to ");
        pw_put_int(out, row->most);
        pw_put_s(out, " printable characters");
        return;
    }
    PW_UNREACHABLE();
}

void pw_settings_print_path(struct pw_setting_at at, struct pw_out *out)
{
    if (pw_setting_rows[at.id].scope == PW_SCOPE_CONNECTOR) {
        pw_put_s(out, "connectors[");
        pw_put_uint(out, at.instance);
        pw_put_s(out, "].");
    }
    pw_put_s(out, pw_setting_rows[at.id].path);
}

static void say_refused(struct pw_setting_at at, struct pw_str value, struct pw_out *why)
{
    pw_settings_print_path(at, why);
    if (pw_setting_rows[at.id].when != PW_WHEN_SECRET) {
        pw_put_s(why, ": \"");
        pw_put(why, (struct pw_str){.at = value.at, .len = value.len > 60 ? 60 : value.len});
        pw_put_s(why, "\"");
    }
    pw_put_s(why, " is not allowed; ");
}

enum {
    INFYPOWER_ADDRESS_MAX = 59, // proto/can/rectifier.h
    PASSWORD_LEAST = 8,         // characters; none at all is allowed
};

static const char *broken_dc_rule(const struct pw_settings *settings, unsigned i)
{
    bool two_buses = pw_settings_text(settings, PW_SET_CAN_BUS1)[0] != '\0';
    bool huawei = pw_settings_connector(settings, PW_SET_RECTIFIER, i) == 0;
    if (pw_settings_connector(settings, PW_SET_VOLTAGE_MIN_MV, i) >=
        pw_settings_connector(settings, PW_SET_VOLTAGE_MAX_MV, i)) {
        return "voltage_min_mv must be below voltage_max_mv";
    }
    if (pw_settings_text(settings, PW_SET_CAN_BUS0)[0] == '\0') {
        return "can.bus0 is missing: a dc connector needs a CAN bus";
    }
    if (!two_buses && (pw_settings_connector(settings, PW_SET_VEHICLE_BUS, i) == 1 ||
                       pw_settings_connector(settings, PW_SET_POWER_BUS, i) == 1)) {
        return "bus 1 is used, but can.bus1 is not set";
    }
    if (!huawei &&
        pw_settings_connector(settings, PW_SET_RECTIFIER_ADDRESS, i) > INFYPOWER_ADDRESS_MAX) {
        return "rectifier_address must be 0..59 for infypower";
    }
    return NULL;
}

static const char *broken_ac_rule(const struct pw_settings *settings, unsigned i)
{
    return pw_settings_connector(settings, PW_SET_AC_MAX_MA, i) >
                   pw_settings_connector(settings, PW_SET_AC_RATED_MA, i)
               ? "ac_current_max_ma must not be above ac_rated_ma"
               : NULL;
}

static const char *broken_pilot_rule(const struct pw_settings *settings, unsigned i)
{
    if (pw_settings_connector_text(settings, PW_SET_BOARD, i)[0] == '\0') {
        return "board is missing: a pilot connector needs the file of its board";
    }
    if (pw_settings_connector(settings, PW_SET_AC_MIN_MV, i) >=
        pw_settings_connector(settings, PW_SET_AC_HIGH_MV, i)) {
        return "ac_voltage_min_mv must be below ac_voltage_max_mv";
    }
    return broken_ac_rule(settings, i);
}

// What must hold between the settings of a connector: the rule that is broken, or NULL.
static const char *broken_rule(const struct pw_settings *settings, unsigned i)
{
    if (pw_settings_connector(settings, PW_SET_DERATE_FROM_DC, i) >=
        pw_settings_connector(settings, PW_SET_TRIP_DC, i)) {
        return "derate_from_dc must be below trip_dc";
    }
    if (pw_settings_connector(settings, PW_SET_PHASES, i) == 2) {
        return "phases must be 1 or 3";
    }
    switch ((enum pw_setting_connector_kind)pw_settings_connector(settings, PW_SET_KIND, i)) {
    case PW_KIND_OF_CONNECTOR_DC: return broken_dc_rule(settings, i);
    case PW_KIND_OF_CONNECTOR_PILOT: return broken_pilot_rule(settings, i);
    case PW_KIND_OF_CONNECTOR_OPENEVSE: return broken_ac_rule(settings, i);
    case PW_CONNECTOR_KIND_ROWS: break;
    }
    PW_UNREACHABLE();
}

// A connector's number from a running station must fit the others at once: nobody checks again
// before the bay gets it. A file is checked as a whole when all of it has been read, and what the
// store kept was checked when it was set.
static int set_number(struct pw_settings *settings, struct pw_setting_at at, int32_t number,
                      enum pw_setting_by by, const char **rule)
{
    int32_t *place = &settings->number[at.id][at.instance];
    int32_t before = *place;
    *place = number;
    *rule = by == PW_BY_PERSON || by == PW_BY_OCPP ? broken_rule(settings, at.instance) : NULL;
    if (*rule != NULL) {
        *place = before;
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

int pw_settings_set(struct pw_settings *settings, struct pw_setting_at at, struct pw_str value,
                    enum pw_setting_by by, struct pw_out *why)
{
    PW_ASSERT(at.id < PW_SETTING_ROWS && at.instance < PW_CONNECTORS_MAX);
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    bool connector = row->scope == PW_SCOPE_CONNECTOR;
    int64_t number = 0;
    if (refused(settings, at, by, why)) {
        return PW_ERR_BUSY;
    }
    int err = parse(row, value, &number);
    if (err == PW_OK && row->kind != PW_KIND_CHOICE &&
        (number < row->least || number > row->most)) {
        err = PW_ERR_RANGE;
    }
    if (err == PW_OK && connector && at.instance > settings->connectors) {
        err = PW_ERR_RANGE;
    }
    if (err != PW_OK) {
        say_refused(at, value, why);
        pw_put_s(why, "it must be ");
        pw_settings_print_range(row, why);
        return err;
    }
    bool password = at.id == PW_SET_PAGE_PASSWORD || at.id == PW_SET_NET_PASSWORD1 ||
                    at.id == PW_SET_NET_PASSWORD2 || at.id == PW_SET_OE_PASSWORD;
    if (password && value.len > 0 && value.len < PASSWORD_LEAST) {
        say_refused(at, value, why);
        pw_put_s(why, "it must have 8 characters or more");
        return PW_ERR_RANGE;
    }
    if (connector && at.instance == settings->connectors) {
        settings->connectors++;
        settings->number[PW_SET_CONNECTORS][0] = settings->connectors;
    }
    if (row->kind == PW_KIND_TEXT) {
        return pw_str_copy(settings->text + place_of(at.id, at.instance), bytes_of(row), value);
    }
    if (connector) {
        const char *rule = NULL;
        err = set_number(settings, at, (int32_t)number, by, &rule);
        if (err != PW_OK) {
            say_refused(at, value, why);
            pw_put_s(why, rule);
        }
        return err;
    }
    settings->number[at.id][0] = (int32_t)number;
    return PW_OK;
}

int32_t pw_settings_int(const struct pw_settings *settings, enum pw_setting_id id)
{
    PW_ASSERT(pw_setting_rows[id].scope == PW_SCOPE_STATION);
    return settings->number[id][0];
}

int32_t pw_settings_connector(const struct pw_settings *settings, enum pw_setting_id id,
                              unsigned instance)
{
    PW_ASSERT(pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR && instance < PW_CONNECTORS_MAX);
    return settings->number[id][instance];
}

const char *pw_settings_text(const struct pw_settings *settings, enum pw_setting_id id)
{
    PW_ASSERT(pw_setting_rows[id].scope == PW_SCOPE_STATION);
    return settings->text + place_of(id, 0);
}

const char *pw_settings_connector_text(const struct pw_settings *settings, enum pw_setting_id id,
                                       unsigned instance)
{
    PW_ASSERT(pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR);
    return settings->text + place_of(id, instance);
}

void pw_settings_lock(struct pw_settings *settings, struct pw_setting_at at)
{
    char *text = settings->text + place_of(at.id, at.instance);
    PW_ASSERT(pw_setting_rows[at.id].when == PW_WHEN_SECRET);
    if (text[0] == '\0') {
        text[0] = PW_SEALED_LOCKED[0];
        text[1] = '\0';
    }
}

bool pw_settings_locked(const struct pw_settings *settings, enum pw_setting_id id)
{
    return settings->text[place_of(id, 0)] == PW_SEALED_LOCKED[0];
}

void pw_settings_print(const struct pw_settings *settings, struct pw_setting_at at,
                       struct pw_out *out)
{
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    int32_t number = settings->number[at.id][row->scope == PW_SCOPE_CONNECTOR ? at.instance : 0];
    if (row->when == PW_WHEN_SECRET) {
        char first = settings->text[place_of(at.id, at.instance)];
        pw_put_s(out, first == '\0' ? "" : first == PW_SEALED_LOCKED[0] ? "locked" : "***");
        return;
    }
    switch (row->kind) {
    case PW_KIND_INT: pw_put_int(out, number); return;
    case PW_KIND_BOOL: pw_put_s(out, number != 0 ? "true" : "false"); return;
    case PW_KIND_CHOICE: pw_put(out, choice_word(row->initial, number)); return;
    case PW_KIND_TEXT: pw_put_s(out, settings->text + place_of(at.id, at.instance)); return;
    }
    PW_UNREACHABLE();
}

// What must hold between the settings of the station's page: the rule that is broken, or NULL.
static const char *broken_page_rule(const struct pw_settings *settings)
{
    bool certificate = pw_settings_text(settings, PW_SET_PAGE_CERTIFICATE)[0] != '\0';
    bool key = pw_settings_text(settings, PW_SET_PAGE_KEY)[0] != '\0';
    if (certificate != key) {
        return "page.certificate and page.key: give both or none";
    }
    return pw_settings_int(settings, PW_SET_PAGE_PLAIN) == PW_PAGE_REDIRECTS &&
                   pw_settings_text(settings, PW_SET_PAGE_TLS_LISTEN)[0] == '\0'
               ? "page.plain: redirect wants page.tls_listen, where to"
               : NULL;
}

int pw_settings_check(const struct pw_settings *settings, struct pw_out *why)
{
    if (pw_settings_text(settings, PW_SET_STATION_ID)[0] == '\0') {
        pw_put_s(why, "station.id is missing: the station needs a name");
        return PW_ERR_RANGE;
    }
    if (settings->connectors == 0) {
        pw_put_s(why, "connectors is missing: a station needs at least one connector");
        return PW_ERR_RANGE;
    }
    const char *page = broken_page_rule(settings);
    if (page != NULL) {
        pw_put_s(why, page);
        return PW_ERR_RANGE;
    }
    for (unsigned i = 0; i < settings->connectors; i++) {
        const char *rule = broken_rule(settings, i);
        if (rule != NULL) {
            pw_put_s(why, "connectors[");
            pw_put_uint(why, i);
            pw_put_s(why, "]: ");
            pw_put_s(why, rule);
            return PW_ERR_RANGE;
        }
    }
    return PW_OK;
}
