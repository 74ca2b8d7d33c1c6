#include "release/parts.h"
#include "release/scan.h"

#include <string.h>

#define FORMAT "pilotwire-release-1"

static void scan_name(struct scan *scan, char to[PW_RELEASE_NAME_MAX])
{
    pw_scan_text(scan, to, PW_RELEASE_NAME_MAX, pw_scan_is_name);
    if (to[0] < 'a' || to[0] > 'z') {
        pw_scan_fail(scan, "must begin with a small letter");
    }
}

static void scan_version(struct scan *scan, char to[PW_RELEASE_VERSION_MAX], bool any)
{
    pw_scan_text(scan, to, PW_RELEASE_VERSION_MAX, pw_scan_is_name);
    struct pw_str text = pw_str_of(to);
    if (!(any && text.len == 0) && pw_release_version_compare(text, text) != 0) {
        pw_scan_fail(scan, "must be a version as 1.20.3 or 1.20.3-rc1");
    }
}

static void scan_hardware(struct scan *scan, struct pw_release *release)
{
    pw_scan_expect(scan, "[");
    do {
        if (release->hardware_count == PW_RELEASE_HARDWARE_MAX) {
            pw_scan_fail(scan, "has more than 16 names");
            return;
        }
        char *name = release->hardware[release->hardware_count];
        scan_name(scan, name);
        for (uint8_t i = 0; i < release->hardware_count; i++) {
            if (strcmp(release->hardware[i], name) == 0) {
                pw_scan_fail(scan, "has a name twice");
            }
        }
        release->hardware_count++;
    } while (pw_scan_if(scan, ","));
    pw_scan_expect(scan, "]");
}

static void scan_component(struct scan *scan, struct pw_release *release)
{
    struct pw_release_component *component = &release->component[release->components];
    pw_scan_member(scan, "{", "name");
    scan_name(scan, component->name);
    for (uint8_t i = 0; i < release->components; i++) {
        if (strcmp(release->component[i].name, component->name) == 0) {
            pw_scan_fail(scan, "of a component stands twice");
        }
    }
    pw_scan_member(scan, ",", "size");
    component->size = pw_scan_number(scan, 1, PW_RELEASE_SIZE_MAX);
    pw_scan_member(scan, ",", "sha256");
    pw_scan_hex(scan, component->sha256, PW_SHA256_LEN);
    pw_scan_expect(scan, "}");
    release->components++;
}

static void scan_components(struct scan *scan, struct pw_release *release)
{
    bool program = false;
    pw_scan_expect(scan, "[");
    do {
        if (release->components == PW_RELEASE_COMPONENTS_MAX) {
            pw_scan_fail(scan, "has more than 8 components");
            return;
        }
        scan_component(scan, release);
        program = program ||
                  strcmp(release->component[release->components - 1].name, PW_RELEASE_PROGRAM) == 0;
    } while (pw_scan_if(scan, ","));
    scan->name = "components";
    if (!program) {
        pw_scan_fail(scan, "has no " PW_RELEASE_PROGRAM);
    }
    pw_scan_expect(scan, "]");
}

int pw_release_manifest(struct pw_str text, struct pw_release *release, struct pw_out *why)
{
    struct scan scan = pw_scan_of(text, "manifest", why);
    *release = (struct pw_release){.hardware_count = 0};
    pw_scan_member(&scan, "{", "format");
    pw_scan_expect(&scan, "\"" FORMAT "\"");
    pw_scan_member(&scan, ",", "product");
    scan_name(&scan, release->product);
    pw_scan_member(&scan, ",", "hardware");
    scan_hardware(&scan, release);
    pw_scan_member(&scan, ",", "version");
    scan_version(&scan, release->version, false);
    pw_scan_member(&scan, ",", "min_from");
    scan_version(&scan, release->min_from, true);
    pw_scan_member(&scan, ",", "security_counter");
    release->security_counter = (uint32_t)pw_scan_number(&scan, 0, UINT32_MAX);
    pw_scan_member(&scan, ",", "expires");
    release->expires = pw_scan_time(&scan, true);
    pw_scan_member(&scan, ",", "notes_url");
    pw_scan_text(&scan, release->notes_url, sizeof(release->notes_url), pw_scan_is_visible);
    if (release->notes_url[0] != '\0' &&
        !pw_str_starts(pw_str_of(release->notes_url), "https://")) {
        pw_scan_fail(&scan, "must be empty or begin with https://");
    }
    pw_scan_member(&scan, ",", "components");
    scan_components(&scan, release);
    pw_scan_expect(&scan, "}");
    return pw_scan_end(&scan);
}

static void put_member(struct pw_out *out, const char *before, const char *name)
{
    pw_put_s(out, before);
    pw_put_c(out, '"');
    pw_put_s(out, name);
    pw_put_s(out, "\":");
}

static void put_text(struct pw_out *out, const char *before, const char *name, const char *text)
{
    put_member(out, before, name);
    pw_put_c(out, '"');
    pw_put_s(out, text);
    pw_put_c(out, '"');
}

static void put_component(struct pw_out *out, const struct pw_release_component *component)
{
    put_text(out, "{", "name", component->name);
    put_member(out, ",", "size");
    pw_put_uint(out, component->size);
    put_member(out, ",", "sha256");
    pw_put_c(out, '"');
    pw_scan_put_hex(out, component->sha256, PW_SHA256_LEN);
    pw_put_s(out, "\"}");
}

bool pw_release_write(const struct pw_release *release, struct pw_out *out)
{
    put_text(out, "{", "format", FORMAT);
    put_text(out, ",", "product", release->product);
    put_member(out, ",", "hardware");
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        pw_put_s(out, i == 0 ? "[\"" : ",\"");
        pw_put_s(out, release->hardware[i]);
        pw_put_c(out, '"');
    }
    pw_put_c(out, ']');
    put_text(out, ",", "version", release->version);
    put_text(out, ",", "min_from", release->min_from);
    put_member(out, ",", "security_counter");
    pw_put_uint(out, release->security_counter);
    put_member(out, ",", "expires");
    pw_put_c(out, '"');
    if (release->expires > 0) {
        pw_put_time(out, release->expires);
    }
    pw_put_c(out, '"');
    put_text(out, ",", "notes_url", release->notes_url);
    put_member(out, ",", "components");
    for (uint8_t i = 0; i < release->components; i++) {
        pw_put_c(out, i == 0 ? '[' : ',');
        put_component(out, &release->component[i]);
    }
    pw_put_s(out, "]}");
    return !out->full;
}
