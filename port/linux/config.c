#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define KEY_MAX 48

enum level { OUTSIDE, ROOT, SECTION, LIST, ITEM };

struct reader {
    struct pw_config *config;
    const char *file;
    struct pw_out *why;
    enum level level;
    bool has_key;
    char key[KEY_MAX + 1];     // waiting for its value
    char section[KEY_MAX + 1]; // or the list's name
    unsigned item;             // sections begun in the list
    unsigned documents;
};

static void say_where(const struct reader *reader, unsigned line)
{
    pw_put_s(reader->why, reader->file);
    if (line > 0) {
        pw_put_c(reader->why, ':');
        pw_put_uint(reader->why, line);
    }
    pw_put_s(reader->why, ": ");
}

static int refuse(const struct reader *reader, unsigned line, const char *what)
{
    say_where(reader, line);
    pw_put_s(reader->why, what);
    return PW_ERR_PEER;
}

static int refuse_key(const struct reader *reader, unsigned line, struct pw_str key,
                      const char *what)
{
    say_where(reader, line);
    pw_put(reader->why, key);
    pw_put_s(reader->why, ": ");
    pw_put_s(reader->why, what);
    return PW_ERR_PEER;
}

// ---------------------------------------------------------------------------------------------
// Paths.

// Keeps `write`'s text in the pool and gives the view.
static struct pw_str keep(struct pw_config *config, struct pw_str text)
{
    size_t at = config->text.len;
    pw_put(&config->text, text);
    return (struct pw_str){.at = config->text.at + at, .len = config->text.len - at};
}

static struct pw_str keep_path(const struct reader *reader)
{
    char path[2 * KEY_MAX + 16];
    struct pw_out out = PW_OUT(path);
    if (reader->level == SECTION || reader->level == ITEM) {
        pw_put_s(&out, reader->section);
        if (reader->level == ITEM) {
            pw_put_c(&out, '[');
            pw_put_uint(&out, reader->item - 1);
            pw_put_c(&out, ']');
        }
        pw_put_c(&out, '.');
    }
    pw_put_s(&out, reader->key);
    return keep(reader->config, pw_out_str(&out));
}

static int refuse_twice(const struct reader *reader, unsigned line, struct pw_str path,
                        unsigned first)
{
    say_where(reader, line);
    pw_put(reader->why, path);
    pw_put_s(reader->why, ": is set twice, first in line ");
    pw_put_uint(reader->why, first);
    return PW_ERR_PEER;
}

static int add(struct reader *reader, struct pw_str value, unsigned line)
{
    struct pw_config *config = reader->config;
    if (config->count == PW_CONFIG_ENTRIES_MAX) {
        return refuse(reader, line, "more than 512 settings");
    }
    struct pw_str path = keep_path(reader);
    for (size_t i = 0; i < config->count; i++) {
        if (pw_str_eq(config->entry[i].path, path)) {
            return refuse_twice(reader, line, path, config->entry[i].line);
        }
    }
    config->entry[config->count++] =
        (struct pw_config_entry){.path = path, .value = keep(config, value), .line = line};
    if (config->text.full) {
        return refuse(reader, line, "the file is too long");
    }
    reader->has_key = false;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Events.

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static bool is_key(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_') {
            return false;
        }
    }
    return text.len > 0 && text.len <= KEY_MAX;
}

static int take_key(struct reader *reader, struct pw_str key, unsigned line)
{
    if (!is_key(key)) {
        struct pw_str shown = {.at = key.at, .len = key.len > KEY_MAX ? KEY_MAX : key.len};
        return refuse_key(reader, line, shown, "is no key: small letters, digits and _ only");
    }
    reader->has_key = true;
    return pw_str_copy(reader->key, sizeof(reader->key), key);
}

static int on_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct pw_str text = {.at = (const char *)event->data.scalar.value,
                          .len = event->data.scalar.length};
    unsigned line = line_of(event);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        return refuse(reader, line, "anchors and tags are not allowed");
    }
    if (reader->level == OUTSIDE || reader->level == LIST) {
        return refuse(reader, line,
                      reader->level == LIST ? "a list holds sections of \"key: value\" only"
                                            : "expected sections of \"key: value\"");
    }
    if (!reader->has_key) {
        return take_key(reader, text, line);
    }
    if (plain && text.len == 0) {
        return refuse_key(reader, line, pw_str_of(reader->key),
                          "has no value; write \"\" for an empty text");
    }
    return add(reader, text, line);
}

static int on_mapping(struct reader *reader, const yaml_event_t *event)
{
    unsigned line = line_of(event);
    if (event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL) {
        return refuse(reader, line, "anchors and tags are not allowed");
    }
    if (reader->level == OUTSIDE) {
        reader->level = ROOT;
        return PW_OK;
    }
    if (reader->level == ROOT && reader->has_key) {
        reader->level = SECTION;
        reader->has_key = false;
        return pw_str_copy(reader->section, sizeof(reader->section), pw_str_of(reader->key));
    }
    if (reader->level == LIST && reader->item < PW_CONFIG_LIST_MAX) {
        reader->level = ITEM;
        reader->item++;
        return PW_OK;
    }
    return refuse(reader, line,
                  reader->level == LIST ? "more than 16 sections in a list"
                                        : "sections inside sections are not allowed");
}

static int on_sequence(struct reader *reader, const yaml_event_t *event)
{
    unsigned line = line_of(event);
    if (event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL) {
        return refuse(reader, line, "anchors and tags are not allowed");
    }
    if (reader->level != ROOT || !reader->has_key) {
        return refuse(reader, line, "a list is not allowed here");
    }
    reader->level = LIST;
    reader->item = 0;
    reader->has_key = false;
    return pw_str_copy(reader->section, sizeof(reader->section), pw_str_of(reader->key));
}

static int on_end(struct reader *reader)
{
    static const enum level outer[] = {
        [OUTSIDE] = OUTSIDE, [ROOT] = OUTSIDE, [SECTION] = ROOT, [LIST] = ROOT, [ITEM] = LIST};
    reader->level = outer[reader->level];
    reader->has_key = false;
    return PW_OK;
}

static int on_document(struct reader *reader, const yaml_event_t *event)
{
    if (++reader->documents > 1) {
        return refuse(reader, line_of(event), "a second document (---) is not allowed");
    }
    return PW_OK;
}

static int on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return PW_OK;
    case YAML_DOCUMENT_START_EVENT: return on_document(reader, event);
    case YAML_ALIAS_EVENT:
        return refuse(reader, line_of(event), "anchors and tags are not allowed");
    case YAML_SCALAR_EVENT: return on_scalar(reader, event);
    case YAML_MAPPING_START_EVENT: return on_mapping(reader, event);
    case YAML_SEQUENCE_START_EVENT: return on_sequence(reader, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: return on_end(reader);
    }
    PW_UNREACHABLE();
}

static int parse_events(struct reader *reader, struct pw_str text)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return refuse(reader, 0, "out of memory");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.at, text.len);
    int err = PW_OK;
    bool more = true;
    while (err == PW_OK && more) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            err = refuse(reader, (unsigned)parser.problem_mark.line + 1,
                         parser.problem != NULL ? parser.problem : "is no YAML");
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        err = on_event(reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return err;
}

int pw_config_parse(struct pw_config *config, const char *file, struct pw_str text,
                    struct pw_out *why)
{
    config->count = 0;
    config->text = (struct pw_out){.at = config->bytes, .cap = sizeof(config->bytes)};
    struct reader reader = {.config = config, .file = file, .why = why};
    return parse_events(&reader, text);
}

// ---------------------------------------------------------------------------------------------
// The file.

static int check_secret(const struct reader *reader, const struct stat *have)
{
    unsigned mode = have->st_mode & 0777U;
    if ((mode & 077U) == 0) {
        return PW_OK;
    }
    say_where(reader, 0);
    pw_put_s(reader->why, "holds secrets and others may read it (mode 0");
    for (unsigned shift = 9; shift > 0; shift -= 3) {
        pw_put_uint(reader->why, (mode >> (shift - 3)) & 7U);
    }
    pw_put_s(reader->why, "); run: chmod 600 ");
    pw_put_s(reader->why, reader->file);
    return PW_ERR_PEER;
}

static int check_file(const struct reader *reader, int fd, bool secret)
{
    struct stat have;
    if (fstat(fd, &have) != 0) {
        return refuse(reader, 0, strerror(errno));
    }
    if (!S_ISREG(have.st_mode)) {
        return refuse(reader, 0, "is no file");
    }
    if (have.st_size > PW_CONFIG_FILE_MAX) {
        return refuse(reader, 0, "is longer than 65536 bytes");
    }
    return secret ? check_secret(reader, &have) : PW_OK;
}

static int read_all(const struct reader *reader, int fd, char *bytes, size_t *len)
{
    for (;;) {
        ssize_t got = read(fd, bytes + *len, PW_CONFIG_FILE_MAX + 1 - *len);
        if (got < 0) {
            return refuse(reader, 0, strerror(errno));
        }
        if (got == 0) {
            return PW_OK;
        }
        *len += (size_t)got;
        if (*len > PW_CONFIG_FILE_MAX) {
            return refuse(reader, 0, "is longer than 65536 bytes");
        }
    }
}

int pw_config_read(struct pw_config *config, const char *file, bool secret, struct pw_out *why)
{
    const struct reader reader = {.config = config, .file = file, .why = why};
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return refuse(&reader, 0, strerror(errno));
    }
    size_t len = 0;
    char *bytes = malloc(PW_CONFIG_FILE_MAX + 1);
    int err = bytes == NULL ? refuse(&reader, 0, "out of memory") : PW_OK;
    if (err == PW_OK) {
        err = check_file(&reader, fd, secret);
    }
    if (err == PW_OK) {
        err = read_all(&reader, fd, bytes, &len);
    }
    if (err == PW_OK) {
        err = pw_config_parse(config, file, (struct pw_str){.at = bytes, .len = len}, why);
    }
    if (bytes != NULL) {
        explicit_bzero(bytes, PW_CONFIG_FILE_MAX + 1);
        free(bytes);
    }
    (void)close(fd);
    return err;
}

void pw_config_wipe(struct pw_config *config)
{
    explicit_bzero(config, sizeof(*config));
}
