#include "certificate.h"

#include "trust/openssl.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS  10000 // between two looks at the files
#define NAME_LEN 65

// --- Under which names the station is met.

struct names {
    char text[PW_SELFSIGNED_NAMES_MAX][NAME_LEN];
    const char *name[PW_SELFSIGNED_NAMES_MAX];
    size_t count;
};

static void add(struct names *names, struct pw_str name)
{
    if (names->count == PW_SELFSIGNED_NAMES_MAX) {
        return;
    }
    char *to = names->text[names->count];
    if (pw_str_copy(to, NAME_LEN, name) != PW_OK || !pw_selfsigned_is_name(to)) {
        return;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], to) == 0) {
            return;
        }
    }
    names->name[names->count++] = to;
}

static void add_host_name(struct names *names)
{
    char text[NAME_LEN] = "";
    char local[NAME_LEN];
    struct pw_out out = PW_OUT(local);
    if (gethostname(text, sizeof(text) - 1) != 0) {
        return;
    }
    add(names, pw_str_of(text));
    if (strchr(text, '.') == NULL) {
        pw_put_s(&out, text);
        pw_put_s(&out, ".local");
        add(names, pw_out_str(&out));
    }
}

// Addresses come and go: those of now, as far as there is room.
static void add_addresses(struct names *names)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        int family = one->ifa_addr != NULL ? one->ifa_addr->sa_family : AF_UNSPEC;
        if (family == AF_INET) {
            const struct sockaddr_in *four = (const void *)one->ifa_addr;
            (void)inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
        } else if (family == AF_INET6) {
            const struct sockaddr_in6 *six = (const void *)one->ifa_addr;
            bool link = IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr);
            (void)inet_ntop(AF_INET6, &six->sin6_addr, text, link ? 0 : sizeof(text));
        }
        add(names, pw_str_of(text));
    }
    freeifaddrs(all);
}

// "[2001:db8::1]" without its brackets.
static struct pw_str bare(struct pw_str host)
{
    bool bracketed = host.len > 2 && host.at[0] == '[';
    return bracketed ? (struct pw_str){.at = host.at + 1, .len = host.len - 2} : host;
}

static int make_own(struct certificate *certificate, bool new_key, const char **made,
                    struct pw_out *why)
{
    const struct pw_settings *settings = &certificate->station->settings;
    struct names names = {.count = 0};
    add_host_name(&names);
    add(&names, bare(address_host(pw_str_of(pw_settings_text(settings, PW_SET_PAGE_URL)))));
    add(&names, PW_STR("localhost"));
    size_t lasting = names.count;
    add_addresses(&names);
    const struct pw_selfsigned wish = {.certificate = certificate->file,
                                       .key = certificate->key,
                                       .secret = certificate->secret,
                                       .names = names.name,
                                       .count = names.count,
                                       .lasting = lasting};
    return pw_selfsigned_ready(&wish, new_key, pw_clock_wall(certificate->clock), made, why);
}

// --- What is there.

static int refuse(struct pw_out *why, const char *path, const char *what)
{
    pw_put_s(why, path);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    return PW_ERR_STORE;
}

// Whoever has the key can stand in the station's place.
static int check_mode(const char *key, struct pw_out *why)
{
    struct stat found = {0};
    return stat(key, &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH)) != 0
               ? refuse(why, key, "others can read this private key: chmod o= it")
               : PW_OK;
}

static void say(const struct certificate *certificate, const char *made)
{
    const struct pw_station_tls *state = &certificate->state;
    char until[PW_TIME_TEXT_MAX] = "";
    struct pw_out out = PW_OUT(until);
    struct pw_line line;
    pw_put_time(&out, state->until);
    pw_line(&line, certificate->log, state->why[0] == '\0' ? PW_LOG_INFO : PW_LOG_ERROR, "page",
            state->why[0] == '\0' ? "certificate" : "certificate refused");
    pw_line_s(&line, "file", certificate->file);
    if (state->why[0] != '\0') {
        pw_line_s(&line, "why", state->why);
    }
    if (state->fingerprint[0] != '\0') {
        pw_line_s(&line, "sha256", state->fingerprint);
        pw_line_s(&line, "until", until);
    }
    if (made != NULL) {
        pw_line_s(&line, "made", made);
    }
    pw_line_end(&line);
}

static int put_all(struct certificate *certificate, struct pw_out *why)
{
    struct pw_station_tls *state = &certificate->state;
    int err = check_mode(certificate->key, why);
    for (size_t i = 0; err == PW_OK && i < certificate->servers; i++) {
        err = pw_httpd_reload(certificate->shown[i], why);
    }
    return err == PW_OK ? pw_certificate_look(certificate->file, state->fingerprint, &state->until)
                        : err;
}

// The newest to everybody who shows it; `anew`: although it is the same. One that is refused leaves
// the one before in use.
static void renew(struct certificate *certificate, bool new_key, bool anew)
{
    struct pw_station_tls *state = &certificate->state;
    const struct pw_station_tls before = *state;
    char text[PW_STATION_TLS_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    const char *made = NULL;
    int err = state->own ? make_own(certificate, new_key, &made, &why) : PW_OK;
    if (err == PW_OK && made == NULL && !anew) {
        return;
    }
    if (err == PW_OK) {
        err = put_all(certificate, &why);
    }
    memcpy(state->why, text, sizeof(text));
    if (made != NULL || strcmp(before.why, state->why) != 0 ||
        strcmp(before.fingerprint, state->fingerprint) != 0) {
        say(certificate, made);
    }
    pw_station_tls(certificate->station, state);
}

// ---------------------------------------------------------------------------------------------

static void find_files(struct certificate *certificate, const char *folder)
{
    const struct pw_settings *settings = &certificate->station->settings;
    const char *file = pw_settings_text(settings, PW_SET_PAGE_CERTIFICATE);
    const char *key = pw_settings_text(settings, PW_SET_PAGE_KEY);
    certificate->state.own = file[0] == '\0';
    if (certificate->state.own) {
        (void)snprintf(certificate->file, sizeof(certificate->file),
                       "%s/" PW_TRUST_PAGE_CERTIFICATE, folder);
        (void)snprintf(certificate->key, sizeof(certificate->key), "%s/" PW_TRUST_PAGE_KEY, folder);
    } else {
        (void)snprintf(certificate->file, sizeof(certificate->file), "%s", file);
        (void)snprintf(certificate->key, sizeof(certificate->key), "%s", key);
    }
    certificate->look[0] = (struct pw_changed){.path = certificate->file};
    certificate->look[1] = (struct pw_changed){.path = certificate->key};
}

void certificate_open(struct certificate *certificate, const char *folder, pw_ms now)
{
    const struct pw_settings *settings = &certificate->station->settings;
    struct address address;
    const char *page = pw_settings_text(settings, PW_SET_PAGE_TLS_LISTEN);
    const char *openevse = pw_settings_text(settings, PW_SET_OE_TLS_LISTEN);
    certificate->look_at = PW_NEVER;
    certificate->state.wanted = page[0] != '\0' || openevse[0] != '\0';
    if (!certificate->state.wanted) {
        return;
    }
    if (address_parse(pw_str_of(page), &address) == PW_OK) {
        certificate->state.port = address.port;
    }
    find_files(certificate, folder);
    certificate->look_at = pw_after(now, LOOK_MS);
    renew(certificate, false, false);
}

const struct pw_httpd_tls *certificate_tls(struct certificate *certificate,
                                           enum pw_setting_id listen, struct address *address,
                                           struct pw_httpd_tls *tls)
{
    const char *text = pw_settings_text(&certificate->station->settings, listen);
    if (address_parse(pw_str_of(text), address) != PW_OK) {
        return NULL;
    }
    *tls = (struct pw_httpd_tls){.host = address->host,
                                 .port = address->port,
                                 .certificate = certificate->file,
                                 .key = certificate->key,
                                 .secret = certificate->state.own ? certificate->secret : NULL,
                                 .people = true,
                                 .later = true};
    return tls;
}

void certificate_show(struct certificate *certificate, struct pw_httpd *httpd)
{
    if (httpd == NULL || pw_httpd_tls_port(httpd) == 0) {
        return;
    }
    PW_ASSERT(certificate->servers < CERTIFICATE_SERVERS);
    certificate->shown[certificate->servers++] = httpd;
    renew(certificate, false, true);
}

pw_ms certificate_step(struct certificate *certificate, pw_ms now)
{
    bool asked = pw_station_take_new_certificate(certificate->station);
    if (!certificate->state.wanted) {
        return PW_NEVER;
    }
    if (!asked && now < certificate->look_at) {
        return certificate->look_at;
    }
    bool changed = false;
    for (size_t i = 0; i < PW_COUNT(certificate->look); i++) {
        changed = pw_changed(&certificate->look[i]) || changed;
    }
    renew(certificate, asked, changed);
    certificate->look_at = pw_after(now, LOOK_MS);
    return certificate->look_at;
}
