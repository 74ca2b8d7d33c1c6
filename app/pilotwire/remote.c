#include "remote.h"

#include "table.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)16 * 1024 * 1024)
#define URL_MAX    1024
#define TIMEOUT_S  30L

struct remote {
    CURL *curl;
    char base[URL_MAX];
    char csrf[160]; // the whole header line: X-CSRF, or Authorization with a token
    char *text;     // of the last answer
    size_t len;
    size_t cap;
    void (*line)(void *context, struct pw_str text); // while listening
    void *context;
    void (*progress)(unsigned percent); // while sending a file
    unsigned percent;
    FILE *file; // where an answer goes; NULL: to `text`
};

static int grow(struct remote *remote, size_t more)
{
    size_t need = remote->len + more + 1;
    if (need > ANSWER_MAX) {
        return PW_ERR_LIMIT;
    }
    if (need <= remote->cap) {
        return PW_OK;
    }
    size_t cap = need * 2;
    char *text = realloc(remote->text, cap);
    if (text == NULL) {
        return PW_ERR_LIMIT;
    }
    remote->text = text;
    remote->cap = cap;
    return PW_OK;
}

// While listening, whole lines leave as they come.
static void hand_out_lines(struct remote *remote)
{
    char *end = memchr(remote->text, '\n', remote->len);
    while (end != NULL) {
        size_t len = (size_t)(end - remote->text);
        remote->line(remote->context, pw_str_trim((struct pw_str){.at = remote->text, .len = len}));
        remote->len -= len + 1;
        memmove(remote->text, end + 1, remote->len);
        end = memchr(remote->text, '\n', remote->len);
    }
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct remote *remote = context;
    size_t len = size * count;
    long status = 0;
    (void)curl_easy_getinfo(remote->curl, CURLINFO_RESPONSE_CODE, &status);
    if (remote->file != NULL && status == 200) {
        return fwrite(bytes, 1, len, remote->file);
    }
    if (grow(remote, len) != PW_OK) {
        return 0; // libcurl ends the transfer
    }
    memcpy(remote->text + remote->len, bytes, len);
    remote->len += len;
    remote->text[remote->len] = '\0';
    if (remote->line != NULL) {
        hand_out_lines(remote);
    }
    return len;
}

// libcurl's options are variadic; one place for each type keeps the warnings away.
static void set_text(struct remote *remote, CURLoption option, const char *value)
{
    (void)curl_easy_setopt(remote->curl, option, value);
}

static void set_long(struct remote *remote, CURLoption option, long value)
{
    (void)curl_easy_setopt(remote->curl, option, value);
}

// The server's own sentence, out of {"error":{"code":…,"message":…}}.
static void put_message(struct remote *remote, long status, struct pw_out *why)
{
    char ignored[128];
    struct pw_out no = PW_OUT(ignored);
    struct document document;
    struct pw_str text = {.at = remote->text, .len = remote->len};
    if (text.len > 0 && document_read(&document, text, &no) == PW_OK) {
        struct pw_str message;
        if (pw_json_text(member_at(document_root(&document), "error.message"), &message) == PW_OK) {
            pw_put(why, message);
            document_free(&document);
            return;
        }
        document_free(&document);
    }
    pw_put_s(why, "the central system answered HTTP ");
    pw_put_int(why, status);
}

static int perform(struct remote *remote, struct pw_out *why)
{
    char reason[CURL_ERROR_SIZE] = "";
    long status = 0;
    remote->len = 0;
    (void)curl_easy_setopt(remote->curl, CURLOPT_ERRORBUFFER, reason);
    CURLcode rc = curl_easy_perform(remote->curl);
    (void)curl_easy_setopt(remote->curl, CURLOPT_ERRORBUFFER, NULL);
    (void)curl_easy_getinfo(remote->curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK) {
        return pw_refuse(why, PW_ERR_PEER, remote->base,
                         reason[0] != '\0' ? reason : curl_easy_strerror(rc));
    }
    if (status >= 200 && status < 300) {
        return PW_OK;
    }
    put_message(remote, status, why);
    return status >= 400 && status < 500 ? PW_ERR_BUSY : PW_ERR_PEER;
}

int remote_ask(struct remote *remote, const char *method, const char *path, const char *body,
               struct pw_str *answer, struct pw_out *why)
{
    char url[2 * URL_MAX];
    (void)snprintf(url, sizeof(url), "%s/api/v1%s", remote->base, path);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *with_csrf =
        remote->csrf[0] != '\0' ? curl_slist_append(headers, remote->csrf) : headers;
    set_text(remote, CURLOPT_URL, url);
    set_text(remote, CURLOPT_CUSTOMREQUEST, method);
    set_text(remote, CURLOPT_POSTFIELDS, body);
    set_long(remote, CURLOPT_HTTPGET, body == NULL);
    set_text(remote, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, with_csrf);
    int err = perform(remote, why);
    (void)curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    *answer = (struct pw_str){.at = remote->text, .len = remote->len};
    return err;
}

// --- Files.

#define FILE_S 3600L

static int on_progress(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put,
                       curl_off_t put)
{
    struct remote *remote = context;
    unsigned percent = to_put > 0 ? (unsigned)(put * 100 / to_put) : 0;
    (void)to_get, (void)got;
    if (remote->progress != NULL && percent != remote->percent) {
        remote->percent = percent;
        remote->progress(percent);
    }
    return 0;
}

static size_t on_read(char *to, size_t size, size_t count, void *file)
{
    return fread(to, size, count, file);
}

static int send_open_file(struct remote *remote, FILE *from, off_t size, struct pw_out *why)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(headers, remote->csrf);
    set_long(remote, CURLOPT_UPLOAD, 1);
    set_text(remote, CURLOPT_CUSTOMREQUEST, "POST");
    set_long(remote, CURLOPT_NOPROGRESS, 0);
    set_long(remote, CURLOPT_TIMEOUT, FILE_S);
    (void)curl_easy_setopt(remote->curl, CURLOPT_READFUNCTION, on_read);
    (void)curl_easy_setopt(remote->curl, CURLOPT_READDATA, from);
    (void)curl_easy_setopt(remote->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    (void)curl_easy_setopt(remote->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(remote->curl, CURLOPT_XFERINFODATA, remote);
    (void)curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, headers);
    int err = perform(remote, why);
    (void)curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, NULL);
    set_long(remote, CURLOPT_UPLOAD, 0);
    set_long(remote, CURLOPT_NOPROGRESS, 1);
    set_long(remote, CURLOPT_TIMEOUT, TIMEOUT_S);
    curl_slist_free_all(headers);
    return err;
}

int remote_send_file(struct remote *remote, const char *path, const char *file,
                     void (*progress)(unsigned percent), struct pw_str *answer, struct pw_out *why)
{
    char url[2 * URL_MAX];
    struct stat about;
    FILE *from = fopen(file, "rbe");
    if (from == NULL || fstat(fileno(from), &about) != 0) {
        int err = pw_refuse(why, PW_ERR_STORE, file, strerror(errno));
        if (from != NULL) {
            (void)fclose(from);
        }
        return err;
    }
    (void)snprintf(url, sizeof(url), "%s/api/v1%s", remote->base, path);
    set_text(remote, CURLOPT_URL, url);
    remote->progress = progress;
    remote->percent = 0;
    int err = send_open_file(remote, from, about.st_size, why);
    remote->progress = NULL;
    (void)fclose(from);
    *answer = (struct pw_str){.at = remote->text, .len = remote->len};
    return err;
}

int remote_fetch_file(struct remote *remote, const char *path, const char *file, struct pw_out *why)
{
    struct pw_str answer = {0};
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    remote->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (remote->file == NULL) {
        return pw_refuse(why, PW_ERR_STORE, file, strerror(errno));
    }
    set_long(remote, CURLOPT_TIMEOUT, FILE_S);
    int err = remote_ask(remote, "GET", path, NULL, &answer, why);
    set_long(remote, CURLOPT_TIMEOUT, TIMEOUT_S);
    bool whole = fclose(remote->file) == 0;
    remote->file = NULL;
    if (err == PW_OK && !whole) {
        err = pw_refuse(why, PW_ERR_STORE, file, strerror(errno));
    }
    if (err != PW_OK) {
        (void)unlink(file);
    }
    return err;
}

int remote_listen(struct remote *remote, const char *path,
                  void (*line)(void *context, struct pw_str text), void *context,
                  struct pw_out *why)
{
    struct pw_str answer = {0};
    remote->line = line;
    remote->context = context;
    set_long(remote, CURLOPT_TIMEOUT, 0);
    int err = remote_ask(remote, "GET", path, NULL, &answer, why);
    set_long(remote, CURLOPT_TIMEOUT, TIMEOUT_S);
    remote->line = NULL;
    return err;
}

static struct remote *make(const struct remote_place *place, struct pw_out *why)
{
    const char *url = place->url;
    struct remote *remote = calloc(1, sizeof(*remote));
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    if (remote == NULL || pw_str_copy(remote->base, sizeof(remote->base),
                                      (struct pw_str){.at = url, .len = len}) != PW_OK) {
        pw_put_s(why, "--central: the URL is too long");
        free(remote);
        return NULL;
    }
    remote->curl = curl_easy_init();
    if (remote->curl == NULL || grow(remote, 4096) != PW_OK) {
        pw_put_s(why, "libcurl cannot start");
        remote_logout(remote);
        return NULL;
    }
    set_text(remote, CURLOPT_PROTOCOLS_STR, "http,https");
    set_text(remote, CURLOPT_COOKIEFILE, ""); // keep cookies in memory
    set_text(remote, CURLOPT_USERAGENT, "pilotwire/" PW_VERSION);
    if (place->ca_file != NULL) {
        set_text(remote, CURLOPT_CAINFO, place->ca_file);
    }
    set_long(remote, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (strncmp(url, "https://", 8) != 0) {
        set_text(remote, CURLOPT_PROXY, ""); // whatever $http_proxy says: it would read passwords
    }
    set_long(remote, CURLOPT_CONNECTTIMEOUT, 10);
    set_long(remote, CURLOPT_TIMEOUT, TIMEOUT_S);
    set_long(remote, CURLOPT_NOSIGNAL, 1);
    set_long(remote, CURLOPT_FOLLOWLOCATION, 0);
    (void)curl_easy_setopt(remote->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(remote->curl, CURLOPT_WRITEDATA, remote);
    return remote;
}

static int keep_csrf(struct remote *remote, struct pw_str answer, struct pw_out *why)
{
    struct document document;
    struct pw_str token;
    int err = document_read(&document, answer, why);
    if (err != PW_OK) {
        return err;
    }
    err = pw_json_text(pw_json_member(document_root(&document), "csrf"), &token);
    struct pw_out header = PW_OUT(remote->csrf);
    pw_put_s(&header, "X-CSRF: ");
    if (err == PW_OK) {
        pw_put(&header, token);
    }
    if (err != PW_OK || header.full) {
        pw_put_s(why, "the login's answer is not a central system's");
        err = PW_ERR_PEER;
    }
    document_free(&document);
    return err;
}

struct remote *remote_login(const struct remote_place *place, const char *user,
                            const char *password, bool *refused, struct pw_out *why)
{
    char body[1024];
    struct pw_out out = PW_OUT(body);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    struct pw_str answer = {0};
    struct remote *remote = make(place, why);
    *refused = false;
    if (remote == NULL) {
        return NULL;
    }
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "user", user);
    pw_json_say_s(&json, "password", password);
    pw_json_close(&json, '}');
    int err = out.full ? PW_ERR_LIMIT : remote_ask(remote, "POST", "/login", body, &answer, why);
    explicit_bzero(body, sizeof(body));
    if (err == PW_OK) {
        err = keep_csrf(remote, answer, why);
    }
    if (err != PW_OK) {
        *refused = err == PW_ERR_BUSY;
        remote->csrf[0] = '\0';
        remote_logout(remote);
        return NULL;
    }
    return remote;
}

struct remote *remote_with_token(const struct remote_place *place, const char *token,
                                 struct pw_out *why)
{
    struct remote *remote = make(place, why);
    if (remote == NULL) {
        return NULL;
    }
    struct pw_out header = PW_OUT(remote->csrf);
    pw_put_s(&header, "Authorization: Bearer ");
    pw_put_s(&header, token);
    if (header.full || strpbrk(token, "\r\n") != NULL) {
        pw_put_s(why, "$PILOTWIRE_TOKEN is no token");
        remote->csrf[0] = '\0';
        remote_logout(remote);
        return NULL;
    }
    return remote;
}

int remote_may_tell(const char *url, bool trusted, struct pw_out *why)
{
    static const char *const here[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    bool fine = trusted || strncmp(url, "https://", 8) == 0;
    // "http://localhost:x@elsewhere" leads elsewhere.
    bool named = strchr(url, '@') != NULL;
    for (size_t i = 0; i < PW_COUNT(here); i++) {
        size_t len = strlen(here[i]);
        bool same = strncmp(url, here[i], len) == 0 && strchr(":/", url[len]) != NULL;
        fine = fine || (same && !named);
    }
    if (fine) {
        return PW_OK;
    }
    pw_put_s(why, url);
    pw_put_s(why, ": the password would go unencrypted to another machine: use https://, or"
                  " --trusted-network where nobody listens on the way");
    return PW_ERR_RANGE;
}

void remote_logout(struct remote *remote)
{
    if (remote == NULL) {
        return;
    }
    if (remote->curl != NULL && remote->csrf[0] != '\0') {
        char ignored[128];
        struct pw_out why = PW_OUT(ignored);
        struct pw_str answer = {0};
        (void)!remote_ask(remote, "POST", "/logout", "{}", &answer, &why);
    }
    curl_easy_cleanup(remote->curl);
    free(remote->text);
    free(remote);
}
