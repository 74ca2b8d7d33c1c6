// JSON of the cases: quotes made easy, times put in, subsets compared.
#include "parts.h"

#include <stdlib.h>
#include <string.h>

pw_unix_ms rig_wall(const struct rig *r)
{
    return r->street.wall + (pw_unix_ms)r->street.now;
}

// "$IN(60)": puts the time and returns what follows.
static const char *put_in(const struct rig *r, const char *at, struct pw_out *out)
{
    char *end = NULL;
    long long seconds = strtoll(at + strlen("$IN("), &end, 10);
    pw_put_time(out, rig_wall(r) + seconds * 1000);
    return *end == ')' ? end + 1 : end;
}

void rig_expand(const struct rig *r, const char *text, int transaction, struct pw_out *out)
{
    for (const char *at = text; *at != '\0';) {
        if (strncmp(at, "$NOW", 4) == 0) {
            pw_put_time(out, rig_wall(r));
            at += 4;
        } else if (strncmp(at, "$TX", 3) == 0) {
            pw_put_int(out, transaction);
            at += 3;
        } else if (strncmp(at, "$IN(", 4) == 0) {
            at = put_in(r, at, out);
        } else {
            pw_put_c(out, *at == '\'' ? '"' : *at);
            at++;
        }
    }
}

cJSON *rig_json(struct rig *r, const char *text, int transaction)
{
    static char whole[STREET_TEXT_MAX];
    struct pw_out out = PW_OUT(whole);
    rig_expand(r, text, transaction, &out);
    cJSON *json = cJSON_Parse(whole);
    if (json == NULL) {
        rig_fail(r, "the case itself is no JSON: %s", text);
    }
    return json;
}

// NOLINTBEGIN(misc-no-recursion): as deep as the JSON of a case, which is ours.
static bool matches(const cJSON *have, const cJSON *want);

static bool list_matches(const cJSON *have, const cJSON *want)
{
    const cJSON *wanted = NULL;
    cJSON_ArrayForEach(wanted, want)
    {
        const cJSON *there = NULL;
        bool found = false;
        cJSON_ArrayForEach(there, have)
        {
            found = found || matches(there, wanted);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool object_matches(const cJSON *have, const cJSON *want)
{
    const cJSON *wanted = NULL;
    cJSON_ArrayForEach(wanted, want)
    {
        const cJSON *there = cJSON_GetObjectItemCaseSensitive(have, wanted->string);
        if (cJSON_IsNull(wanted) ? there != NULL : !matches(there, wanted)) {
            return false;
        }
    }
    return true;
}

static bool matches(const cJSON *have, const cJSON *want)
{
    if (have == NULL) {
        return false;
    }
    if (cJSON_IsString(want) && strcmp(want->valuestring, "*") == 0) {
        return true;
    }
    if (cJSON_IsObject(want)) {
        return cJSON_IsObject(have) && object_matches(have, want);
    }
    if (cJSON_IsArray(want)) {
        return cJSON_IsArray(have) && list_matches(have, want);
    }
    return cJSON_Compare(have, want, true) != 0;
}

// NOLINTEND(misc-no-recursion)

bool rig_matches(struct rig *r, const cJSON *json, const char *subset)
{
    cJSON *want = rig_json(r, subset, r->transaction);
    bool same = matches(json, want);
    cJSON_Delete(want);
    return same;
}

void rig_is_(struct rig *r, const cJSON *json, const char *subset)
{
    if (!rig_matches(r, json, subset)) {
        char *text = cJSON_PrintUnformatted(json);
        rig_fail(r, "%s is not %s", text == NULL ? "nothing" : text, subset);
    }
}

const cJSON *rig_at(const cJSON *json, const char *path)
{
    char part[64];
    while (*path != '\0' && json != NULL) {
        size_t len = strcspn(path, ".");
        PW_ASSERT(len < sizeof(part));
        memcpy(part, path, len);
        part[len] = '\0';
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, (int)strtol(part, NULL, 10))
                                   : cJSON_GetObjectItemCaseSensitive(json, part);
        path += path[len] == '.' ? len + 1 : len;
    }
    return json;
}

const char *rig_text(const cJSON *json, const char *path)
{
    const cJSON *at = rig_at(json, path);
    return cJSON_IsString(at) ? at->valuestring : "";
}

double rig_number(const cJSON *json, const char *path)
{
    const cJSON *at = rig_at(json, path);
    return cJSON_IsNumber(at) ? at->valuedouble : -1;
}

pw_unix_ms rig_time(const cJSON *json, const char *path)
{
    pw_unix_ms at = 0;
    return pw_parse_time(pw_str_of(rig_text(json, path)), &at) == PW_OK ? at : 0;
}
