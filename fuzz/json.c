// Any bytes: pw_json_read, and on what it takes every look-up and the writer. What is written again
// must be taken again and be the same tree.
#include "json/json.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 4096, TEXT_MAX = 1 << 17 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pw_json_node nodes[NODES];
static struct pw_json_node nodes_again[NODES];
static char spare[TEXT_MAX];
static char spare_again[TEXT_MAX];
static char text[6 * TEXT_MAX];

static void look(const struct pw_json_node *node)
{
    int64_t whole = 0;
    bool flag = false;
    char copy[16];
    struct pw_str string = {.at = NULL};
    (void)!pw_json_fixed(node, 1, &whole);
    (void)!pw_json_fixed(node, 18, &whole);
    (void)!pw_json_int(node, INT32_MIN, INT32_MAX, &whole);
    (void)!pw_json_bool(node, &flag);
    (void)!pw_json_copy(node, copy, sizeof(copy));
    (void)pw_json_member(node, "idTag");
    (void)pw_json_count(node);
    if (pw_json_text(node, &string) == PW_OK && pw_json_head(string, 3).len > string.len) {
        abort();
    }
}

static void put_node(struct pw_json_writer *writer, const struct pw_json_node *node)
{
    if (node->kind == PW_JSON_STRING) {
        pw_json_put_text(writer, (struct pw_str){.at = node->at, .len = node->len});
    } else {
        pw_json_put_raw(writer, (struct pw_str){.at = node->at, .len = node->len});
    }
}

// Writes the tree value by value: open containers on a stack, as the reader has them.
static void rewrite(struct pw_json_writer *writer)
{
    struct pw_json_iter open[PW_JSON_DEPTH_MAX + 1];
    uint32_t depth = 0;
    const struct pw_json_node *node = nodes;
    for (;;) {
        look(node);
        bool object = node->kind == PW_JSON_OBJECT;
        if (object || node->kind == PW_JSON_ARRAY) {
            pw_json_open(writer, object ? '{' : '[');
            open[depth++] = pw_json_each(node);
        } else {
            put_node(writer, node);
        }
        while (depth > 0 && (node = pw_json_next(&open[depth - 1])) == NULL) {
            depth--;
            pw_json_close(writer, open[depth].named ? '}' : ']');
        }
        if (depth == 0) {
            return;
        }
        if (open[depth - 1].named) {
            // A key may hold anything: as text, then the colon.
            pw_json_put_text(writer, open[depth - 1].key);
            pw_put_c(writer->out, ':');
            writer->comma = false;
        }
    }
}

static bool same(const struct pw_json *a, const struct pw_json *b)
{
    bool equal = a->count == b->count;
    for (uint32_t i = 0; equal && i < a->count; i++) {
        const struct pw_json_node *x = &a->node[i];
        const struct pw_json_node *y = &b->node[i];
        bool container = x->kind >= PW_JSON_ARRAY;
        equal = x->kind == y->kind && x->span == y->span &&
                (container || (x->len == y->len && memcmp(x->at, y->at, x->len) == 0));
    }
    return equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = TEXT_MAX};
    struct pw_json again = {
        .node = nodes_again, .cap = NODES, .spare = spare_again, .spare_cap = TEXT_MAX};
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer writer = PW_JSON_WRITER(&out);
    if (size > TEXT_MAX) {
        return 0;
    }
    if (pw_json_read(&json, (struct pw_str){.at = (const char *)data, .len = size}) != PW_OK) {
        if (json.fault == PW_JSON_FINE || json.fault_at > size) {
            abort();
        }
        return 0;
    }
    rewrite(&writer);
    if (pw_json_read(&again, pw_out_str(&out)) != PW_OK || !same(&json, &again)) {
        abort();
    }
    return 0;
}
