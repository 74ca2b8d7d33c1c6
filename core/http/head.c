#include "http/head.h"

#include <string.h>

#define LENGTH_DIGITS 18 // fit a signed 64 bit number; no site takes a body that needs more

struct refusal {
    int status; // 0: none
    const char *reason;
};

#define FINE ((struct refusal){0})

static struct refusal refusal(int status, const char *reason)
{
    return (struct refusal){.status = status, .reason = reason};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 9110 §5.6.2: what names of methods and fields are made of.
static bool is_token(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !is_digit(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return text.len > 0;
}

// Whether text that may stand within a line has come: no control characters, NUL least of all, nor
// the tab, which some readers skip before a value and others take for part of it. A CR may be the
// last byte, of a line whose LF is still to come.
static bool is_line(struct pw_str text, bool ended)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool end = c == '\r' && !ended && i + 1 == text.len;
        if ((c < ' ' && !end) || c == 0x7f) {
            return false;
        }
    }
    return true;
}

// "%41". libwebsockets unescapes before it looks for the end of the line: an escaped CR or LF would
// be one.
static bool is_escape(struct pw_str text)
{
    bool hex = text.len >= 3 && is_hex(text.at[1]) && is_hex(text.at[2]);
    bool control = hex && (text.at[1] == '0' || text.at[1] == '1' ||
                           (text.at[1] == '7' && (text.at[2] == 'f' || text.at[2] == 'F')));
    return hex && !control;
}

static struct refusal judge_target(struct pw_str target)
{
    size_t parts = 0;
    if (target.len > PW_HTTP_TARGET_MAX) {
        return refusal(414, "what is asked for may be at most 1024 bytes long");
    }
    if (target.len == 0 || target.at[0] != '/') {
        return refusal(400, "what is asked for must begin with a slash");
    }
    for (size_t i = 0; i < target.len; i++) {
        char c = target.at[i];
        if (c <= ' ' || c >= 0x7f || c == '#') {
            return refusal(400, "what is asked for holds a character that must be escaped");
        }
        if (c == '%' && !is_escape((struct pw_str){.at = target.at + i, .len = target.len - i})) {
            return refusal(400, "a percent sign must be followed by two hex digits, of no control "
                                "character");
        }
        parts += c == '&' || c == ';' ? 1 : 0;
    }
    return parts <= PW_HTTP_PARTS_MAX ? FINE : refusal(414, "a query may have at most 16 parts");
}

static struct refusal judge_version(struct pw_str version)
{
    bool form = version.len == 8 && memcmp(version.at, "HTTP/", 5) == 0 &&
                is_digit(version.at[5]) && version.at[6] == '.' && is_digit(version.at[7]);
    if (!form) {
        return refusal(400, "the first line must be METHOD /PATH HTTP/1.1");
    }
    bool spoken = version.at[5] == '1' && version.at[7] <= '1';
    return spoken ? FINE : refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
}

static struct refusal judge_method(struct pw_str method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < PW_COUNT(known); i++) {
        if (pw_str_is(method, known[i])) {
            return FINE;
        }
    }
    return refusal(501, "this method is not known here");
}

static struct refusal judge_first(struct pw_str line)
{
    struct pw_str method = pw_str_cut(&line, ' ');
    struct pw_str target = pw_str_cut(&line, ' ');
    if (target.len > PW_HTTP_TARGET_MAX) {
        return judge_target(target);
    }
    struct refusal found = is_token(method)
                               ? judge_version(line)
                               : refusal(400, "the first line must be METHOD /PATH HTTP/1.1");
    found = found.status == 0 ? judge_method(method) : found;
    return found.status == 0 ? judge_target(target) : found;
}

// --- The fields.

struct fields {
    size_t count;
    unsigned hosts, lengths, codings;
    uint64_t body; // bytes
    bool expects;
    bool upgrade;
};

static bool is_number(struct pw_str text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len && i < LENGTH_DIGITS; i++) {
        if (!is_digit(text.at[i])) {
            return false;
        }
        *number = *number * 10 + (uint64_t)(text.at[i] - '0');
    }
    return text.len > 0 && text.len <= LENGTH_DIGITS;
}

static struct refusal judge_field(struct pw_str line, struct fields *seen)
{
    struct pw_str value = line;
    struct pw_str name = pw_str_cut(&value, ':');
    if (++seen->count > PW_HTTP_FIELDS_MAX) {
        return refusal(431, "a request may have at most 64 fields");
    }
    if (!is_token(name) || name.len == line.len) {
        return refusal(400, "a field must be NAME: VALUE on one line");
    }
    value = pw_str_trim(value);
    if (pw_str_eq_nocase(name, PW_STR("content-length"))) {
        if (++seen->lengths > 1 || !is_number(value, &seen->body)) {
            return refusal(400, "Content-Length must be one whole number");
        }
    } else if (pw_str_eq_nocase(name, PW_STR("transfer-encoding"))) {
        seen->codings++;
    } else if (pw_str_eq_nocase(name, PW_STR("host"))) {
        seen->hosts++;
    } else if (pw_str_eq_nocase(name, PW_STR("upgrade"))) {
        seen->upgrade = true;
    } else if (pw_str_eq_nocase(name, PW_STR("expect"))) {
        seen->expects = true;
        return pw_str_eq_nocase(value, PW_STR("100-continue"))
                   ? FINE
                   : refusal(417, "only 100-continue can be expected");
    }
    return FINE;
}

static struct refusal judge_whole(const struct fields *seen, bool v11)
{
    if (seen->codings > 0 && (seen->lengths > 0 || !v11)) {
        return refusal(400, "Transfer-Encoding leaves open how long the body is");
    }
    if (seen->codings > 0) {
        return refusal(411, "a body needs a Content-Length");
    }
    bool hosts = seen->hosts == 1 || (seen->hosts == 0 && !v11);
    return hosts ? FINE : refusal(400, "a request must say once which Host it is for");
}

static struct pw_http_head refused(struct refusal found)
{
    return (struct pw_http_head){
        .progress = PW_HEAD_REFUSED, .status = found.status, .reason = found.reason};
}

static const struct refusal too_long = {431,
                                        "the head of a request may be at most 8192 bytes long"};

// A line that has not come whole.
static struct pw_http_head unfinished(struct pw_str part, size_t from)
{
    if (!is_line(part, false)) {
        return refused(refusal(400, "a line holds a control character"));
    }
    if (from == 0 && part.len > PW_HTTP_TARGET_MAX + 32) {
        return refused(refusal(414, "what is asked for may be at most 1024 bytes long"));
    }
    if (from + part.len >= PW_HTTP_HEAD_MAX) {
        return refused(too_long);
    }
    return (struct pw_http_head){.progress = PW_HEAD_MORE};
}

struct pw_http_head pw_http_head_judge(struct pw_str bytes)
{
    struct fields seen = {0};
    bool v11 = false;
    for (size_t from = 0; from < bytes.len;) {
        struct pw_str rest = {.at = bytes.at + from, .len = bytes.len - from};
        const char *lf = memchr(rest.at, '\n', rest.len);
        size_t len = lf != NULL ? (size_t)(lf - rest.at) + 1 : 0;
        if (len == 0) {
            return unfinished(rest, from);
        }
        if (from + len > PW_HTTP_HEAD_MAX) {
            return refused(too_long);
        }
        struct pw_str line = {.at = rest.at, .len = len >= 2 ? len - 2 : 0};
        if (len < 2 || rest.at[len - 2] != '\r' || !is_line(line, true)) {
            return refused(refusal(400, "a line must end in CR LF and hold no control character"));
        }
        struct refusal found = FINE;
        if (from == 0) {
            found = judge_first(line);
            v11 = line.len > 0 && line.at[line.len - 1] == '1';
        } else if (line.len > 0) {
            found = judge_field(line, &seen);
        } else {
            found = judge_whole(&seen, v11);
        }
        if (found.status != 0) {
            return refused(found);
        }
        from += len;
        if (line.len == 0 && !seen.upgrade && bytes.len - from > seen.body) {
            return refused(refusal(400, "one request at a time: this one has no answer yet"));
        }
        if (line.len == 0) {
            return (struct pw_http_head){
                .progress = PW_HEAD_WHOLE, .len = from, .expects = seen.expects && v11};
        }
    }
    return (struct pw_http_head){.progress = PW_HEAD_MORE};
}
