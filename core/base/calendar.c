// Wall time as text, both ways. Days are counted in the proleptic Gregorian calendar with the
// year starting in March, so that the leap day comes last.
#include "base/base.h"

#define MS_PER_DAY 86400000LL

int64_t pw_days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2 ? 1 : 0;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct pw_date pw_date_of(int64_t days)
{
    days += 719468; // from 0000-03-01
    int64_t era = days / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march + (month_from_march < 10 ? 3 : -9);
    return (struct pw_date){
        .year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
        .month = month,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

int64_t pw_days_in_month(int64_t year, int64_t month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2) {
        return leap ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Takes `digits` digits off the front; -1 if they are not there.
static int64_t take_number(struct pw_str *rest, size_t digits, int64_t max)
{
    int64_t value = 0;
    if (rest->len < digits) {
        return -1;
    }
    for (size_t i = 0; i < digits; i++) {
        if (rest->at[i] < '0' || rest->at[i] > '9') {
            return -1;
        }
        value = value * 10 + (rest->at[i] - '0');
    }
    rest->at += digits;
    rest->len -= digits;
    return value <= max ? value : -1;
}

static bool take_char(struct pw_str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c) {
        return false;
    }
    rest->at++;
    rest->len--;
    return true;
}

static bool take_date(struct pw_str *rest, int64_t *days)
{
    int64_t year = take_number(rest, 4, 9999);
    bool dash_1 = take_char(rest, '-');
    int64_t month = take_number(rest, 2, 12);
    bool dash_2 = take_char(rest, '-');
    int64_t day = take_number(rest, 2, 31);
    if (year < 1970 || !dash_1 || month < 1 || !dash_2 || day < 1 ||
        day > pw_days_in_month(year, month)) {
        return false;
    }
    *days = pw_days_of(year, month, day);
    return true;
}

// Milliseconds of a fraction ".123456"; digits after the third are dropped.
static bool take_fraction(struct pw_str *rest, int64_t *ms)
{
    size_t digits = 0;
    int64_t scale = 100;
    *ms = 0;
    if (!take_char(rest, '.') && !take_char(rest, ',')) {
        return true;
    }
    for (; rest->len > 0 && rest->at[0] >= '0' && rest->at[0] <= '9'; digits++) {
        *ms += (rest->at[0] - '0') * scale;
        scale /= 10;
        rest->at++;
        rest->len--;
    }
    return digits > 0 && digits <= 9;
}

static bool take_clock(struct pw_str *rest, int64_t *ms)
{
    int64_t fraction = 0;
    int64_t hour = take_number(rest, 2, 23);
    bool colon_1 = take_char(rest, ':');
    int64_t minute = take_number(rest, 2, 59);
    bool colon_2 = take_char(rest, ':');
    int64_t second = take_number(rest, 2, 60);
    if (hour < 0 || !colon_1 || minute < 0 || !colon_2 || second < 0 ||
        !take_fraction(rest, &fraction)) {
        return false;
    }
    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return true;
}

static bool take_zone(struct pw_str *rest, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (rest->len == 0 || take_char(rest, 'Z') || take_char(rest, 'z')) {
        return rest->len == 0;
    }
    bool west = rest->at[0] == '-';
    if (!take_char(rest, west ? '-' : '+')) {
        return false;
    }
    int64_t hours = take_number(rest, 2, 23);
    (void)take_char(rest, ':');
    int64_t minutes = take_number(rest, 2, 59);
    if (hours < 0 || minutes < 0 || rest->len != 0) {
        return false;
    }
    *offset_ms = (hours * 60 + minutes) * 60000 * (west ? -1 : 1);
    return true;
}

int pw_parse_time(struct pw_str text, pw_unix_ms *value)
{
    int64_t days = 0;
    int64_t clock_ms = 0;
    int64_t offset_ms = 0;
    if (!take_date(&text, &days) || !(take_char(&text, 'T') || take_char(&text, 't')) ||
        !take_clock(&text, &clock_ms) || !take_zone(&text, &offset_ms)) {
        return PW_ERR_PEER;
    }
    pw_unix_ms sum = days * MS_PER_DAY + clock_ms - offset_ms;
    if (sum < 0) {
        return PW_ERR_PEER;
    }
    *value = sum;
    return PW_OK;
}

static void put_digits(struct pw_out *out, int64_t value, int digits)
{
    int64_t scale = 1;
    for (int i = 1; i < digits; i++) {
        scale *= 10;
    }
    for (; scale > 0; scale /= 10) {
        pw_put_c(out, (char)('0' + value / scale % 10));
    }
}

void pw_put_time(struct pw_out *out, pw_unix_ms wall)
{
    PW_ASSERT(wall >= 0);
    int64_t ms = wall % MS_PER_DAY;
    struct pw_date date = pw_date_of(wall / MS_PER_DAY);
    put_digits(out, date.year, 4);
    pw_put_c(out, '-');
    put_digits(out, date.month, 2);
    pw_put_c(out, '-');
    put_digits(out, date.day, 2);
    pw_put_c(out, 'T');
    put_digits(out, ms / 3600000, 2);
    pw_put_c(out, ':');
    put_digits(out, ms / 60000 % 60, 2);
    pw_put_c(out, ':');
    put_digits(out, ms / 1000 % 60, 2);
    pw_put_c(out, '.');
    put_digits(out, ms % 1000, 3);
    pw_put_c(out, 'Z');
}
