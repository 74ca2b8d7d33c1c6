// The reader.
#include "json/json.h"
#include "ocmf/ocmf.h"

#include <string.h>

static int refuse(struct pw_out *why, const char *what)
{
    pw_put_s(why, what);
    return PW_ERR_PEER;
}

static int read_json(struct pw_ocmf *ocmf, struct pw_str text, struct pw_out *why)
{
    struct pw_json json = {.node = ocmf->node,
                           .cap = PW_OCMF_NODES_MAX,
                           .spare = ocmf->spare,
                           .spare_cap = PW_OCMF_SPARE_MAX};
    int err = pw_json_read(&json, text);
    if (err != PW_OK || !pw_json_is(&ocmf->node[0], PW_JSON_OBJECT)) {
        return refuse(why, err == PW_OK ? "a section is no JSON object"
                                        : pw_json_fault_name(json.fault));
    }
    return PW_OK;
}

// "2018-07-24T13:22:04,000+0200 S".
static bool read_time(struct pw_str text, struct pw_ocmf_reading *reading)
{
    char plain[40];
    struct pw_out out = PW_OUT(plain);
    if (text.len < 7 || text.at[text.len - 2] != ' ') {
        return false;
    }
    reading->synchronised = text.at[text.len - 1];
    text.len -= 2;
    for (size_t i = 0; i < text.len; i++) {
        // RFC 3339 wants a point, and a colon in the offset.
        bool offset = i + 2 == text.len && text.at[i - 1] != ':';
        if (offset && (text.at[i - 3] == '+' || text.at[i - 3] == '-')) {
            pw_put_c(&out, ':');
        }
        pw_put_c(&out, text.at[i] == ',' ? '.' : text.at[i]);
    }
    return pw_out_err(&out) == PW_OK && pw_parse_time(pw_out_str(&out), &reading->at) == PW_OK;
}

// A reading's own letter, or that of the one before when it has none. False: something else.
static bool read_letter(const struct pw_json_node *node, char *letter)
{
    struct pw_str text;
    if (node == NULL) {
        return true;
    }
    if (pw_json_text(node, &text) != PW_OK || text.len > 1) {
        return false;
    }
    *letter = text.len == 1 ? text.at[0] : '\0';
    return true;
}

// 10 to this power makes mWh of the unit; 0: it is no energy.
static unsigned decimals_of(struct pw_str unit)
{
    return pw_str_is(unit, "kWh") ? 6 : pw_str_is(unit, "Wh") ? 3 : 0;
}

// Some meters write the value as a string.
static bool read_value(const struct pw_json_node *node, unsigned decimals, int64_t *value)
{
    struct pw_str text;
    return pw_json_text(node, &text) == PW_OK ? pw_parse_fixed(text, decimals, value) == PW_OK
                                              : pw_json_fixed(node, decimals, value) == PW_OK;
}

static int read_reading(const struct pw_json_node *item, struct pw_ocmf_reading *reading,
                        struct pw_str *unit, struct pw_out *why)
{
    struct pw_str text;
    const struct pw_json_node *value = pw_json_member(item, "RV");
    if (pw_json_member(item, "TM") != NULL &&
        (pw_json_text(pw_json_member(item, "TM"), &text) != PW_OK || !read_time(text, reading))) {
        return refuse(why, "TM is no time");
    }
    (void)!pw_json_text(pw_json_member(item, "RU"), unit);
    if (pw_json_member(item, "RI") != NULL &&
        pw_json_copy(pw_json_member(item, "RI"), reading->quantity, sizeof(reading->quantity)) !=
            PW_OK) {
        return refuse(why, "RI is no OBIS number");
    }
    if (reading->at == 0 && pw_json_member(item, "TM") == NULL) {
        return refuse(why, "a reading has no TM");
    }
    if (!read_letter(pw_json_member(item, "TX"), &reading->transaction) ||
        !read_letter(pw_json_member(item, "ST"), &reading->status)) {
        return refuse(why, "TX and ST must be one letter");
    }
    unsigned decimals = decimals_of(*unit);
    reading->has_energy = value != NULL && decimals > 0;
    if (reading->has_energy && !read_value(value, decimals, &reading->energy_mwh)) {
        return refuse(why, "RV is no number");
    }
    return PW_OK;
}

static int read_readings(const struct pw_json_node *list, struct pw_ocmf *ocmf, struct pw_out *why)
{
    struct pw_str unit = PW_STR("");
    struct pw_ocmf_reading reading = {.status = '\0'};
    struct pw_json_iter it = pw_json_each(list);
    if (!pw_json_is(list, PW_JSON_ARRAY) || pw_json_count(list) == 0) {
        return refuse(why, "there is no reading");
    }
    for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL;) {
        if (ocmf->readings == PW_OCMF_READINGS_MAX) {
            pw_put_s(why, "there are too many readings");
            return PW_ERR_LIMIT;
        }
        int err = read_reading(item, &reading, &unit, why);
        if (err != PW_OK) {
            return err;
        }
        ocmf->reading[ocmf->readings++] = reading;
    }
    return PW_OK;
}

static int read_payload(struct pw_ocmf *ocmf, struct pw_out *why)
{
    int64_t page = 0;
    struct pw_str text;
    int err = read_json(ocmf, ocmf->payload, why);
    if (err != PW_OK) {
        return err;
    }
    const struct pw_json_node *root = ocmf->node;
    if (pw_json_text(pw_json_member(root, "PG"), &text) != PW_OK || text.len < 2 ||
        (text.at[0] != 'T' && text.at[0] != 'F') ||
        pw_parse_int((struct pw_str){.at = text.at + 1, .len = text.len - 1}, 0, UINT32_MAX,
                     &page) != PW_OK) {
        return refuse(why, "PG must be T or F and a number");
    }
    ocmf->context = text.at[0];
    ocmf->page = (uint32_t)page;
    if (pw_json_copy(pw_json_member(root, "MS"), ocmf->serial, sizeof(ocmf->serial)) != PW_OK) {
        (void)!pw_json_copy(pw_json_member(root, "GS"), ocmf->serial, sizeof(ocmf->serial));
    }
    (void)!pw_json_copy(pw_json_member(root, "ID"), ocmf->user, sizeof(ocmf->user));
    return read_readings(pw_json_member(root, "RD"), ocmf, why);
}

static int read_signature(struct pw_str section, struct pw_ocmf *ocmf, struct pw_out *why)
{
    struct pw_str encoding = PW_STR("hex");
    struct pw_str type = PW_STR("application/x-der");
    struct pw_str data;
    int err = read_json(ocmf, section, why);
    if (err != PW_OK) {
        return err;
    }
    const struct pw_json_node *root = ocmf->node;
    const struct pw_json_node *algorithm = pw_json_member(root, "SA");
    ocmf->algorithm = PW_STR(PW_OCMF_P256);
    ocmf->named = algorithm != NULL;
    (void)!pw_json_text(pw_json_member(root, "SE"), &encoding);
    (void)!pw_json_text(pw_json_member(root, "SM"), &type);
    bool hex = pw_str_is(encoding, "hex");
    if ((ocmf->named && pw_json_text(algorithm, &ocmf->algorithm) != PW_OK) ||
        (!hex && !pw_str_is(encoding, "base64")) || !pw_str_is(type, "application/x-der") ||
        pw_json_text(pw_json_member(root, "SD"), &data) != PW_OK) {
        return refuse(why, "the signature section is none that is known");
    }
    // The word may lie in the room for unescaped strings, which does not last.
    bool known = pw_str_is(ocmf->algorithm, PW_OCMF_P256);
    bool ours = pw_str_is(ocmf->algorithm, PW_OCMF_ED25519);
    if (known || ours) {
        ocmf->algorithm = known ? PW_STR(PW_OCMF_P256) : PW_STR(PW_OCMF_ED25519);
    } else if (ocmf->algorithm.at < section.at || ocmf->algorithm.at >= section.at + section.len) {
        return refuse(why, "SA is none that is known");
    }
    int len = hex ? pw_parse_hex(data, ocmf->signature, sizeof(ocmf->signature))
                  : pw_parse_base64(data, ocmf->signature, sizeof(ocmf->signature));
    if (len <= 0) {
        return refuse(why, "SD is no signature");
    }
    ocmf->signature_len = (size_t)len;
    return PW_OK;
}

int pw_ocmf_read(struct pw_str text, struct pw_ocmf *ocmf, struct pw_out *why)
{
    struct pw_str rest = text;
    memset(ocmf, 0, sizeof(*ocmf));
    if (text.len > PW_OCMF_TEXT_MAX) {
        pw_put_s(why, "it is too long");
        return PW_ERR_LIMIT;
    }
    if (!pw_str_is(pw_str_cut(&rest, '|'), "OCMF")) {
        return refuse(why, "it does not begin with OCMF|");
    }
    ocmf->payload = pw_str_cut(&rest, '|');
    if (rest.len == 0 || memchr(rest.at, '|', rest.len) != NULL) {
        return refuse(why, "it must have three sections");
    }
    int err = read_payload(ocmf, why);
    return err == PW_OK ? read_signature(rest, ocmf, why) : err;
}

static bool is_end(char transaction)
{
    return transaction != '\0' && strchr("ELRAP", transaction) != NULL;
}

int pw_ocmf_energy(const struct pw_ocmf *begin, const struct pw_ocmf *end, int64_t *energy_mwh)
{
    const struct pw_ocmf_reading *first = NULL;
    const struct pw_ocmf_reading *last = NULL;
    for (unsigned i = 0; i < begin->readings && first == NULL; i++) {
        bool counts = begin->reading[i].transaction == 'B' && begin->reading[i].has_energy;
        first = counts ? &begin->reading[i] : NULL;
    }
    end = end != NULL ? end : begin;
    for (unsigned i = 0; i < end->readings && first != NULL; i++) {
        const struct pw_ocmf_reading *reading = &end->reading[i];
        if (is_end(reading->transaction) && reading->has_energy &&
            strcmp(reading->quantity, first->quantity) == 0) {
            last = reading;
        }
    }
    if (last == NULL) {
        return PW_ERR_UNKNOWN;
    }
    *energy_mwh = last->energy_mwh - first->energy_mwh;
    return *energy_mwh >= 0 ? PW_OK : PW_ERR_RANGE;
}
