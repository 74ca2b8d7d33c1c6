#include "release/release.h"

#include <string.h>

#define NUMBER_MAX 999999

// "1.20.3-rc10": three numbers, then a word of small letters and a number, or nothing.
struct version {
    int64_t number[3];
    struct pw_str word; // empty: a finished version, newer than every one with a word
    int64_t of_word;    // -1: none
};

static bool take_number(struct pw_str text, int64_t *number)
{
    bool plain = text.len == 1 || (text.len > 1 && text.at[0] != '0' && text.at[0] != '-');
    return plain && pw_parse_int(text, 0, NUMBER_MAX, number) == PW_OK;
}

static bool take_word(struct pw_str text, struct version *version)
{
    size_t len = 0;
    while (len < text.len && text.at[len] >= 'a' && text.at[len] <= 'z') {
        len++;
    }
    version->word = (struct pw_str){.at = text.at, .len = len};
    struct pw_str rest = {.at = text.at + len, .len = text.len - len};
    return len > 0 && (rest.len == 0 || take_number(rest, &version->of_word));
}

static bool take(struct pw_str text, struct version *version)
{
    *version = (struct version){.of_word = -1};
    if (text.len == 0 || text.len >= PW_RELEASE_VERSION_MAX) {
        return false;
    }
    struct pw_str rest = text;
    struct pw_str numbers = pw_str_cut(&rest, '-');
    bool word = numbers.len < text.len;
    for (unsigned i = 0; i < 3; i++) {
        bool last = i == 2;
        struct pw_str number = last ? numbers : pw_str_cut(&numbers, '.');
        if (!take_number(number, &version->number[i])) {
            return false;
        }
    }
    return !word || take_word(rest, version);
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_words(struct pw_str a, struct pw_str b)
{
    if (a.len == 0 || b.len == 0) {
        return (a.len == 0) - (b.len == 0);
    }
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order != 0 ? sign(order, 0) : sign((int64_t)a.len, (int64_t)b.len);
}

int pw_release_version_compare(struct pw_str a, struct pw_str b)
{
    struct version va;
    struct version vb;
    if (!take(a, &va) || !take(b, &vb)) {
        return PW_RELEASE_VERSION_BAD;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (va.number[i] != vb.number[i]) {
            return sign(va.number[i], vb.number[i]);
        }
    }
    int order = compare_words(va.word, vb.word);
    return order != 0 ? order : sign(va.of_word, vb.of_word);
}
