// cJSON as an independent judge: what we take it takes too, with the same values; what we alone
// refuse we refuse for a reason cJSON is known to be lax about.
#include "json/json.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, STACK = 32 };

static struct pw_json_node nodes[TEXT_MAX];
static char spare[TEXT_MAX];
static struct pw_json json = {
    .node = nodes, .cap = TEXT_MAX, .spare = spare, .spare_cap = TEXT_MAX};

static uint32_t next_random(uint32_t *seed)
{
    uint32_t x = *seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *seed = x;
    return x;
}

// --- Random texts: a valid one, then perhaps a few bytes of it changed.

static void put_space(struct pw_out *out, uint32_t *seed)
{
    static const char *const spaces[] = {"", "", "", "", "", " ", "\n", "\t \r"};
    pw_put_s(out, spaces[next_random(seed) % PW_COUNT(spaces)]);
}

static void put_scalar(struct pw_out *out, uint32_t *seed)
{
    static const char *const scalars[] = {
        "0",
        "-1",
        "12.50",
        "1e3",
        "-0.25E-2",
        "2147483647",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a b\"",
        "\"\\n\\u20ac\"",
        "\"\\ud83d\\udd0c\"",
        "\"\xC3\xBC\"",
        "\"\\\\\\\"/\"",
        "\"a long text without any escape in it\"",
    };
    pw_put_s(out, scalars[next_random(seed) % PW_COUNT(scalars)]);
}

static void put_key(struct pw_out *out, uint32_t *seed, unsigned number)
{
    pw_put_s(out, "\"k");
    pw_put_uint(out, next_random(seed) % 16 == 0 ? 0 : number);
    pw_put_s(out, "\"");
    put_space(out, seed);
    pw_put_s(out, ":");
}

// A tree, written as it is dreamt up.
static void put_tree(struct pw_out *out, uint32_t *seed)
{
    char closing[STACK];
    unsigned size[STACK];
    unsigned depth = 0;
    do {
        put_space(out, seed);
        if (depth > 0 && closing[depth - 1] == '}') {
            put_key(out, seed, size[depth - 1]);
            put_space(out, seed);
        }
        uint32_t kind = next_random(seed) % 4;
        if (kind < 2 && depth < 6) {
            pw_put_s(out, kind == 0 ? "{" : "[");
            closing[depth] = kind == 0 ? '}' : ']';
            size[depth++] = 0;
            if (next_random(seed) % 8 != 0) {
                continue;
            }
            pw_put_c(out, closing[--depth]);
        } else {
            put_scalar(out, seed);
        }
        while (depth > 0 && (++size[depth - 1] > 6 || next_random(seed) % 3 == 0)) {
            put_space(out, seed);
            pw_put_c(out, closing[--depth]);
        }
        pw_put_s(out, depth > 0 ? "," : "");
    } while (depth > 0);
    put_space(out, seed);
}

static void spoil(char *text, size_t *len, uint32_t *seed)
{
    static const char alphabet[] = "{}[]:,\"\\ 0123456789+-.eEtfnu\x01\x80\xC3";
    size_t at = next_random(seed) % (uint32_t)(*len + 1);
    char c = alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
    switch (next_random(seed) % 3) {
    case 0: text[at < *len ? at : *len - 1] = c; break;
    case 1:
        memmove(text + at + 1, text + at, *len - at);
        text[at] = c;
        (*len)++;
        break;
    default:
        at = at < *len ? at : *len - 1;
        memmove(text + at, text + at + 1, *len - at - 1);
        (*len)--;
        break;
    }
    text[*len] = '\0';
}

// --- The same tree?

static bool same_number(const struct pw_json_node *node, const cJSON *theirs)
{
    char text[64];
    int64_t whole = 0;
    if (node->len >= sizeof(text)) {
        return true; // beyond what a double tells apart
    }
    memcpy(text, node->at, node->len);
    text[node->len] = '\0';
    double value = strtod(text, NULL);
    if (value > theirs->valuedouble || value < theirs->valuedouble) {
        return false;
    }
    // Where ours is a whole number a double holds exactly, both must be the same.
    int err = pw_json_int(node, -(1LL << 53), 1LL << 53, &whole);
    return err != PW_OK || !((double)whole < value || (double)whole > value);
}

static size_t length_to_zero(const char *at, size_t len)
{
    const char *zero = len == 0 ? NULL : memchr(at, 0, len);
    return zero == NULL ? len : (size_t)(zero - at);
}

static bool same_leaf(const struct pw_json_node *node, const cJSON *theirs)
{
    switch ((enum pw_json_kind)node->kind) {
    case PW_JSON_NULL: return cJSON_IsNull(theirs);
    case PW_JSON_FALSE: return cJSON_IsFalse(theirs);
    case PW_JSON_TRUE: return cJSON_IsTrue(theirs);
    case PW_JSON_NUMBER: return cJSON_IsNumber(theirs) && same_number(node, theirs);
    case PW_JSON_STRING:
        // Theirs ends at a U+0000.
        return cJSON_IsString(theirs) &&
               memcmp(theirs->valuestring, node->at, length_to_zero(node->at, node->len)) == 0 &&
               strlen(theirs->valuestring) == length_to_zero(node->at, node->len);
    case PW_JSON_ARRAY:
        return cJSON_IsArray(theirs) && (uint32_t)cJSON_GetArraySize(theirs) == pw_json_count(node);
    case PW_JSON_OBJECT:
        return cJSON_IsObject(theirs) &&
               (uint32_t)cJSON_GetArraySize(theirs) == pw_json_count(node);
    }
    return false;
}

struct pair {
    struct pw_json_iter ours;
    const cJSON *theirs;
};

static bool same_tree(const struct pw_json_node *node, const cJSON *theirs)
{
    struct pair stack[STACK];
    size_t depth = 0;
    if (!same_leaf(node, theirs)) {
        return false;
    }
    stack[depth++] = (struct pair){.ours = pw_json_each(node), .theirs = theirs->child};
    while (depth > 0) {
        struct pair *top = &stack[depth - 1];
        const struct pw_json_node *ours = pw_json_next(&top->ours);
        const cJSON *their = top->theirs;
        if (ours == NULL) {
            depth--;
            continue;
        }
        if (their == NULL || !same_leaf(ours, their) ||
            (top->ours.named && !pw_str_is(top->ours.key, their->string))) {
            return false;
        }
        top->theirs = their->next;
        if (their->child != NULL) {
            stack[depth++] = (struct pair){.ours = pw_json_each(ours), .theirs = their->child};
        }
    }
    return true;
}

// cJSON reads numbers with strtod, takes control bytes and any byte above 0x7F in a string and a
// key twice, skips control bytes as white space, and takes \u without hex digits for U+0000.
static bool is_known_laxness(const char *text, size_t len)
{
    if (json.fault != PW_JSON_BAD_SYNTAX) {
        return json.fault == PW_JSON_DUPLICATE_KEY || json.fault == PW_JSON_BAD_UTF8 ||
               json.fault == PW_JSON_TRAILING ||
               (json.fault == PW_JSON_BAD_ESCAPE && strstr(text, "\\u") != NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        size_t at = json.fault_at - (json.fault_at > 0 ? i : 0);
        if (at < len &&
            ((unsigned char)text[at] < 0x20 || memchr("0123456789+-.eE", text[at], 15) != NULL)) {
            return true;
        }
    }
    return false;
}

static unsigned compare(const char *text, size_t len, uint32_t seed)
{
    int err = pw_json_read(&json, (struct pw_str){.at = text, .len = len});
    const char *end = NULL;
    cJSON *theirs = cJSON_ParseWithLengthOpts(text, len + 1, &end, 1);
    bool fine = err == PW_OK ? theirs != NULL && same_tree(nodes, theirs)
                             : theirs == NULL || is_known_laxness(text, len);
    cJSON_Delete(theirs);
    if (!fine) {
        print_error("seed %u: ours %s at %zu, theirs %s\n%s\n", seed,
                    pw_json_fault_name(json.fault), json.fault_at,
                    theirs == NULL ? "refused" : "taken", text);
        fail();
    }
    return err == PW_OK ? 1 : 0;
}

static void random_texts_are_judged_alike(void **state)
{
    static char text[2 * TEXT_MAX];
    unsigned taken = 0;
    const unsigned rounds = 60000;
    (void)state;
    for (uint32_t seed = 1; seed <= rounds; seed++) {
        uint32_t random = seed * 2654435761U + 1;
        struct pw_out out = {.at = text, .cap = TEXT_MAX};
        put_tree(&out, &random);
        size_t len = out.len;
        for (uint32_t i = seed % 4; i > 0 && len > 1; i--) {
            spoil(text, &len, &random);
        }
        taken += compare(text, len, seed);
    }
    // Both kinds must have come up, or the test tests nothing.
    print_message("%u of %u taken\n", taken, rounds);
    assert_true(taken > rounds / 10 && taken < rounds * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_texts_are_judged_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
