// Looking at what was read.
#include "json/json.h"

#include <string.h>

bool pw_json_is(const struct pw_json_node *node, enum pw_json_kind kind)
{
    return node != NULL && node->kind == kind;
}

struct pw_json_iter pw_json_each(const struct pw_json_node *container)
{
    if (!pw_json_is(container, PW_JSON_ARRAY) && !pw_json_is(container, PW_JSON_OBJECT)) {
        return (struct pw_json_iter){.at = NULL};
    }
    return (struct pw_json_iter){
        .at = container + 1,
        .end = container + container->span,
        .named = container->kind == PW_JSON_OBJECT,
    };
}

const struct pw_json_node *pw_json_next(struct pw_json_iter *iter)
{
    if (iter->at >= iter->end) {
        return NULL;
    }
    if (iter->named) {
        iter->key = (struct pw_str){.at = iter->at->at, .len = iter->at->len};
        iter->at++;
    }
    const struct pw_json_node *node = iter->at;
    iter->at += node->span;
    return node;
}

uint32_t pw_json_count(const struct pw_json_node *container)
{
    uint32_t count = 0;
    for (struct pw_json_iter iter = pw_json_each(container); pw_json_next(&iter) != NULL;) {
        count++;
    }
    return count;
}

const struct pw_json_node *pw_json_member(const struct pw_json_node *object, const char *key)
{
    if (!pw_json_is(object, PW_JSON_OBJECT)) {
        return NULL;
    }
    struct pw_str wanted = pw_str_of(key);
    struct pw_json_iter iter = pw_json_each(object);
    for (const struct pw_json_node *node; (node = pw_json_next(&iter)) != NULL;) {
        if (pw_str_eq(iter.key, wanted)) {
            return node;
        }
    }
    return NULL;
}

// --- Numbers: mantissa, fraction and exponent of a text the reader has found to be a number.

struct number {
    bool negative;
    struct pw_str mantissa; // with its point, if it has one
    int64_t fraction;       // digits after the point
    int64_t digits;         // all of them
    int64_t exponent;
};

// Beyond this no exponent makes a difference to what fits, whatever the mantissa's length.
#define EXPONENT_BOUND (2 * (int64_t)PW_JSON_TEXT_MAX)

static struct number split(struct pw_str text)
{
    struct number number = {.negative = text.at[0] == '-'};
    size_t at = number.negative ? 1 : 0;
    size_t start = at;
    bool after_point = false;
    for (; at < text.len && text.at[at] != 'e' && text.at[at] != 'E'; at++) {
        if (text.at[at] == '.') {
            after_point = true;
        } else {
            number.digits++;
            number.fraction += after_point ? 1 : 0;
        }
    }
    number.mantissa = (struct pw_str){.at = text.at + start, .len = at - start};
    at++; // the 'e'
    bool down = at < text.len && text.at[at] == '-';
    for (; at < text.len; at++) {
        if (text.at[at] >= '0' && text.at[at] <= '9') {
            number.exponent = pw_min(number.exponent * 10 + (text.at[at] - '0'), EXPONENT_BOUND);
        }
    }
    number.exponent = down ? -number.exponent : number.exponent;
    return number;
}

static bool append(int64_t *sum, int64_t digit)
{
    return !__builtin_mul_overflow(*sum, (int64_t)10, sum) &&
           !__builtin_add_overflow(*sum, digit, sum);
}

int pw_json_fixed(const struct pw_json_node *node, unsigned decimals, int64_t *value)
{
    PW_ASSERT(decimals <= 18);
    if (!pw_json_is(node, PW_JSON_NUMBER)) {
        return node == NULL ? PW_ERR_UNKNOWN : PW_ERR_PEER;
    }
    struct number number = split((struct pw_str){.at = node->at, .len = node->len});
    // Of the digits of the mantissa this many count; where there are fewer, zeros follow.
    int64_t keep = number.digits - number.fraction + number.exponent + (int64_t)decimals;
    int64_t sum = 0;
    int64_t seen = 0;
    for (size_t i = 0; i < number.mantissa.len; i++) {
        int64_t digit = number.mantissa.at[i] - '0';
        if (number.mantissa.at[i] == '.' || (seen++ >= keep && digit == 0)) {
            continue;
        }
        if (seen > keep || !append(&sum, number.negative ? -digit : digit)) {
            return PW_ERR_RANGE;
        }
    }
    for (; seen < keep && sum != 0; seen++) {
        if (!append(&sum, 0)) {
            return PW_ERR_RANGE;
        }
    }
    *value = sum;
    return PW_OK;
}

int pw_json_int(const struct pw_json_node *node, int64_t min, int64_t max, int64_t *value)
{
    int64_t whole = 0;
    int err = pw_json_fixed(node, 0, &whole);
    if (err != PW_OK) {
        return err;
    }
    if (whole < min || whole > max) {
        return PW_ERR_RANGE;
    }
    *value = whole;
    return PW_OK;
}

int pw_json_bool(const struct pw_json_node *node, bool *value)
{
    if (!pw_json_is(node, PW_JSON_TRUE) && !pw_json_is(node, PW_JSON_FALSE)) {
        return node == NULL ? PW_ERR_UNKNOWN : PW_ERR_PEER;
    }
    *value = node->kind == PW_JSON_TRUE;
    return PW_OK;
}

int pw_json_text(const struct pw_json_node *node, struct pw_str *value)
{
    if (!pw_json_is(node, PW_JSON_STRING)) {
        return node == NULL ? PW_ERR_UNKNOWN : PW_ERR_PEER;
    }
    *value = (struct pw_str){.at = node->at, .len = node->len};
    return PW_OK;
}

int pw_json_copy(const struct pw_json_node *node, char *to, size_t cap)
{
    struct pw_str text = {.at = NULL};
    int err = pw_json_text(node, &text);
    if (err != PW_OK) {
        return err;
    }
    // A terminated copy would end early: whoever compares it would see another text.
    if (text.len > 0 && memchr(text.at, '\0', text.len) != NULL) {
        return PW_ERR_PEER;
    }
    return pw_str_copy(to, cap, text);
}
