#include "shelf.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct shelf_file *find(struct shelf *shelf, const char *name)
{
    for (size_t i = 0; i < SHELF_FILES; i++) {
        if (shelf->file[i].name[0] != '\0' && strcmp(shelf->file[i].name, name) == 0) {
            return &shelf->file[i];
        }
    }
    return NULL;
}

static void drop(void *context, const char *name)
{
    struct shelf_file *file = find(context, name);
    if (file != NULL) {
        free(file->bytes);
        *file = (struct shelf_file){0};
    }
}

// Names are 32 hex digits of the central's own making, whatever a file was called (T40).
static void check_name(const char *name)
{
    assert_int_equal(strlen(name), 32);
    assert_int_equal(strspn(name, "0123456789abcdef"), 32);
}

static int create(void *context, const char *name)
{
    struct shelf *shelf = context;
    check_name(name);
    drop(shelf, name);
    for (size_t i = 0; i < SHELF_FILES; i++) {
        if (shelf->file[i].name[0] == '\0') {
            memcpy(shelf->file[i].name, name, PW_DEPOT_NAME_MAX);
            return PW_OK;
        }
    }
    return PW_ERR_STORE;
}

static int append(void *context, const char *name, struct pw_str bytes)
{
    struct shelf *shelf = context;
    struct shelf_file *file = find(shelf, name);
    if (file == NULL || file->kept) {
        return PW_ERR_STORE;
    }
    shelf->appends++;
    shelf->largest = bytes.len > shelf->largest ? bytes.len : shelf->largest;
    if (shelf->full_at != 0 && file->len + bytes.len > shelf->full_at) {
        return PW_ERR_LIMIT;
    }
    if (file->len + bytes.len > file->cap) {
        file->cap = (file->len + bytes.len) * 2;
        file->bytes = realloc(file->bytes, file->cap);
        assert_non_null(file->bytes);
    }
    memcpy(file->bytes + file->len, bytes.at, bytes.len);
    file->len += bytes.len;
    return PW_OK;
}

static int keep(void *context, const char *name)
{
    struct shelf *shelf = context;
    struct shelf_file *file = find(shelf, name);
    if (file == NULL || shelf->fail_keep) {
        return PW_ERR_STORE;
    }
    file->kept = true;
    return PW_OK;
}

static int read_part(void *context, const char *name, uint64_t offset, void *to, size_t len)
{
    const struct shelf_file *file = find(context, name);
    if (file == NULL || !file->kept) {
        return PW_ERR_STORE;
    }
    size_t left = offset < file->len ? file->len - (size_t)offset : 0;
    size_t take = left < len ? left : len;
    memcpy(to, file->bytes + (take > 0 ? offset : 0), take);
    return (int)take;
}

static void sweep(void *context, bool (*wanted)(void *of, const char *name), void *of)
{
    struct shelf *shelf = context;
    for (size_t i = 0; i < SHELF_FILES; i++) {
        if (shelf->file[i].name[0] != '\0' && !wanted(of, shelf->file[i].name)) {
            drop(shelf, shelf->file[i].name);
        }
    }
}

void shelf_open(struct shelf *shelf)
{
    *shelf = (struct shelf){.port = {.context = shelf,
                                     .create = create,
                                     .append = append,
                                     .keep = keep,
                                     .read = read_part,
                                     .drop = drop,
                                     .sweep = sweep}};
}

void shelf_cut(struct shelf *shelf)
{
    for (size_t i = 0; i < SHELF_FILES; i++) {
        if (shelf->file[i].name[0] != '\0' && !shelf->file[i].kept) {
            drop(shelf, shelf->file[i].name);
        }
    }
}

unsigned shelf_count(const struct shelf *shelf)
{
    unsigned count = 0;
    for (size_t i = 0; i < SHELF_FILES; i++) {
        count += shelf->file[i].name[0] != '\0' ? 1 : 0;
    }
    return count;
}

void shelf_close(struct shelf *shelf)
{
    for (size_t i = 0; i < SHELF_FILES; i++) {
        free(shelf->file[i].bytes);
    }
    *shelf = (struct shelf){0};
}
