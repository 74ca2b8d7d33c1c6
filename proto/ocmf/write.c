// The writer, for simulated meters.
#include "json/json.h"
#include "ocmf/ocmf.h"

static void put_member(struct pw_json_writer *json, const char *key, const char *text)
{
    char clean[128];
    struct pw_out out = PW_OUT(clean);
    for (; *text != '\0'; text++) {
        pw_put_c(&out, *text == '|' ? '/' : *text);
    }
    pw_json_say_text(json, key, pw_out_str(&out));
}

static void put_digits(struct pw_out *out, int64_t value, unsigned digits)
{
    int64_t unit = 1;
    for (unsigned i = 1; i < digits; i++) {
        unit *= 10;
    }
    for (; unit > 0; unit /= 10) {
        pw_put_c(out, (char)('0' + value / unit % 10));
    }
}

// "2018-07-24T13:22:04,000+0200 S". A clock that was never set says 1970 and U.
static void put_time(struct pw_out *out, pw_unix_ms wall, int32_t offset_min)
{
    int64_t local = wall + (int64_t)offset_min * 60000;
    struct pw_date date = pw_date_of(local / 86400000);
    int64_t of_day = local % 86400000;
    int32_t east = offset_min < 0 ? -offset_min : offset_min;
    put_digits(out, date.year, 4);
    pw_put_c(out, '-');
    put_digits(out, date.month, 2);
    pw_put_c(out, '-');
    put_digits(out, date.day, 2);
    pw_put_c(out, 'T');
    put_digits(out, of_day / 3600000, 2);
    pw_put_c(out, ':');
    put_digits(out, of_day / 60000 % 60, 2);
    pw_put_c(out, ':');
    put_digits(out, of_day / 1000 % 60, 2);
    pw_put_c(out, ',');
    put_digits(out, of_day % 1000, 3);
    pw_put_c(out, offset_min < 0 ? '-' : '+');
    put_digits(out, east / 60, 2);
    put_digits(out, east % 60, 2);
    pw_put_s(out, wall != 0 ? " S" : " U");
}

static void put_reading(struct pw_json_writer *json, const struct pw_ocmf_set *set)
{
    char text[40];
    struct pw_out out = PW_OUT(text);
    const char transaction[2] = {set->transaction, '\0'};
    put_time(&out, set->wall, set->offset_min);
    pw_json_open(json, '{');
    pw_json_say_text(json, "TM", pw_out_str(&out));
    put_member(json, "TX", transaction);
    out = PW_OUT(text);
    pw_put_places(&out, set->energy_mwh, 6, 3);
    pw_json_say_raw(json, "RV", pw_out_str(&out));
    put_member(json, "RI", PW_OCMF_OBIS_ENERGY);
    put_member(json, "RU", "kWh");
    put_member(json, "RT", "AC");
    put_member(json, "EF", "");
    put_member(json, "ST", "G");
    pw_json_close(json, '}');
}

void pw_ocmf_put_payload(struct pw_out *out, const struct pw_ocmf_set *set)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    char page[16] = "";
    struct pw_out number = PW_OUT(page);
    pw_put_c(&number, 'T');
    pw_put_uint(&number, set->page);
    pw_json_open(&json, '{');
    put_member(&json, "FV", "1.4");
    put_member(&json, "GI", set->model);
    put_member(&json, "GS", set->serial);
    put_member(&json, "GV", set->firmware);
    put_member(&json, "PG", page);
    put_member(&json, "MV", set->vendor);
    put_member(&json, "MM", set->model);
    put_member(&json, "MS", set->serial);
    pw_json_say_bool(&json, "IS", set->user[0] != '\0');
    put_member(&json, "IT", set->user[0] != '\0' ? "LOCAL_1" : "NONE");
    if (set->user[0] != '\0') {
        put_member(&json, "ID", set->user);
    }
    if (set->place[0] != '\0') {
        put_member(&json, "CT", "CBIDC");
        put_member(&json, "CI", set->place);
    }
    pw_json_key(&json, "RD");
    pw_json_open(&json, '[');
    put_reading(&json, set);
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
}

void pw_ocmf_put(struct pw_out *out, struct pw_str payload, const char *algorithm,
                 const uint8_t *signature, size_t len)
{
    pw_put_s(out, "OCMF|");
    pw_put(out, payload);
    pw_put_s(out, "|{\"SA\":\"");
    pw_put_s(out, algorithm);
    pw_put_s(out, "\",\"SD\":\"");
    for (size_t i = 0; i < len; i++) {
        pw_put_hex(out, signature[i], 2);
    }
    pw_put_s(out, "\"}");
}
