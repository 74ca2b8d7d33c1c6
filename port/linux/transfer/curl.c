// One transfer with libcurl, in its own thread: what is asked of the server, what may be followed,
// and what its answers mean.
#include "parts.h"
#include "peer/authorities.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONNECT_S = 20,
    SLOW_BYTES = 64, // a second; below it patience runs
    AGAIN_MOST = 1,  // from the start, after a part that did not fit
    HASH_BLOCK = 65536,
    HEAD_MAX = 65536, // bytes of an answer's head
};

// ---------------------------------------------------------------------------------------------
// What curl calls.

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct pw_carrier_job *job = context;
    // To the proxy: where it leads was judged by its name (use_proxy).
    if (purpose != CURLSOCKTYPE_IPCXN || job->proxied) {
        job->forbidden = job->forbidden || purpose != CURLSOCKTYPE_IPCXN;
    } else if (!pw_network_may(&job->networks, job->hop, pw_network_class_of(&address->addr))) {
        job->forbidden = true;
    }
    if (job->forbidden) {
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                    curl_off_t up)
{
    struct pw_carrier_job *job = context;
    (void)down;
    (void)up_total;
    bool is_up = job->lane == PW_TRANSFER_UP;
    uint64_t bytes = is_up ? (uint64_t)up : job->have;
    uint64_t total = is_up ? job->size : 0;
    if (!is_up && down_total > 0 && job->begun) {
        total = (job->range_from == UINT64_MAX ? 0 : job->range_from) + (uint64_t)down_total;
    }
    return pw_carrier_goes_on(job, bytes, total) ? 0 : 1;
}

static size_t read_upload(char *to, size_t size, size_t count, void *context)
{
    struct pw_carrier_job *job = context;
    ssize_t got = pread(job->fd, to, size * count, job->read_at);
    if (got < 0) {
        return CURL_READFUNC_ABORT;
    }
    job->read_at += got;
    return (size_t)got;
}

static int seek_upload(void *context, curl_off_t to, int origin)
{
    struct pw_carrier_job *job = context;
    if (origin != SEEK_SET) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    job->read_at = to;
    return CURL_SEEKFUNC_OK;
}

// "Name: value\r\n" as a value, when it has this name.
static bool header_is(struct pw_str line, const char *name, struct pw_str *value)
{
    size_t len = strlen(name);
    if (line.len <= len || strncasecmp(line.at, name, len) != 0 || line.at[len] != ':') {
        return false;
    }
    *value = pw_str_trim((struct pw_str){.at = line.at + len + 1, .len = line.len - len - 1});
    return true;
}

// "bytes 100-199/1000": where it begins.
static uint64_t range_begin(struct pw_str value)
{
    int64_t from = 0;
    if (!pw_str_starts(value, "bytes ")) {
        return UINT64_MAX;
    }
    struct pw_str rest = {.at = value.at + 6, .len = value.len - 6};
    struct pw_str first = pw_str_cut(&rest, '-');
    return pw_parse_int(first, 0, INT64_MAX, &from) == PW_OK ? (uint64_t)from : UINT64_MAX;
}

// NOLINTNEXTLINE(readability-non-const-parameter): curl's type
static size_t read_header(char *at, size_t size, size_t count, void *context)
{
    struct pw_carrier_job *job = context;
    struct pw_str line = {.at = at, .len = size * count};
    struct pw_str value;
    job->head_bytes += line.len;
    if (job->head_bytes > HEAD_MAX) {
        return 0; // libcurl keeps every line
    }
    job->answered = job->answered || pw_str_trim(line).len == 0; // the first head is the proxy's
    if (pw_str_starts(line, "HTTP/")) {
        job->new_tag[0] = '\0';
        job->range_from = UINT64_MAX;
        job->begun = false;
    } else if ((header_is(line, "ETag", &value) && !pw_str_starts(value, "W/")) ||
               (header_is(line, "Last-Modified", &value) && job->new_tag[0] == '\0')) {
        (void)!pw_str_copy(job->new_tag, sizeof(job->new_tag), value);
    } else if (header_is(line, "Content-Range", &value)) {
        job->range_from = range_begin(value);
    }
    return size * count;
}

static void keep_tag(const struct pw_carrier_job *job)
{
    int fd = open(job->tag_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        // Without it the next try begins anew, which is harmless.
        ssize_t written = write(fd, job->new_tag, strlen(job->new_tag));
        (void)written;
        (void)close(fd);
    }
}

static void read_tag(struct pw_carrier_job *job)
{
    int fd = open(job->tag_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    job->tag[0] = '\0';
    if (fd >= 0) {
        ssize_t got = read(fd, job->tag, sizeof(job->tag) - 1);
        job->tag[got > 0 ? got : 0] = '\0';
        (void)close(fd);
    }
    for (size_t i = 0; job->tag[i] != '\0'; i++) {
        if (!isprint((unsigned char)job->tag[i])) {
            job->tag[0] = '\0'; // it becomes a header
        }
    }
}

// The first byte of an answer: whether it goes on where we are.
static bool begin_file(struct pw_carrier_job *job, CURL *curl)
{
    job->begun = true;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &job->status);
    bool http = strncasecmp(job->url, "http", 4) == 0;
    if (!http) {
        return true;
    }
    if (job->status == 206 && job->have > 0) {
        return job->range_from == job->have;
    }
    if (job->status == 206 && job->range_from != 0) {
        return false;
    }
    if (job->have > 0 && ftruncate(job->fd, 0) != 0) {
        return false;
    }
    job->have = 0;
    keep_tag(job);
    return true;
}

struct writing {
    struct pw_carrier_job *job;
    CURL *curl;
};

// NOLINTNEXTLINE(readability-non-const-parameter): curl's type
static size_t write_download(char *at, size_t size, size_t count, void *context)
{
    const struct writing *writing = context;
    struct pw_carrier_job *job = writing->job;
    size_t len = size * count;
    if (!job->begun && !begin_file(job, writing->curl)) {
        job->again = true;
        return 0;
    }
    if (strncasecmp(job->url, "http", 4) == 0 && job->status != 200 && job->status != 206) {
        return len; // the page that says what is wrong
    }
    if (job->have + len > job->most_bytes) {
        job->large = true;
        return 0;
    }
    if (job->first_bytes > 0 && job->have + len >= job->first_bytes) {
        // A server that gives more than it was asked for.
        len = job->first_bytes > job->have ? (size_t)(job->first_bytes - job->have) : 0;
        job->enough = true;
    }
    for (size_t done = 0; done < len;) {
        ssize_t written = pw_carrier_has_room(job, len - done)
                              ? pwrite(job->fd, at + done, len - done, (off_t)job->have)
                              : -1;
        if (written <= 0) {
            job->full = true;
            return 0;
        }
        done += (size_t)written;
        job->have += (uint64_t)written;
    }
    return job->enough ? 0 : len;
}

// NOLINTNEXTLINE(readability-non-const-parameter): curl's type
static size_t write_nothing(char *at, size_t size, size_t count, void *context)
{
    (void)at;
    (void)context;
    return size * count;
}

// ---------------------------------------------------------------------------------------------
// What is asked.

#define IMPLICIT_PORT      "990" // RFC 4217 §2
#define SET(option, value) (void)curl_easy_setopt(curl, option, value)

// libcurl takes lists of revoked certificates from the roots it is given, but does not look at
// them.
static CURLcode heed_lists(CURL *curl, void *ssl_ctx, void *context)
{
    (void)curl;
    (void)context;
    return pw_authorities_heed(SSL_CTX_get_cert_store(ssl_ctx)) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static void set_common(CURL *curl, struct pw_carrier_job *job)
{
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https,ftp,ftps");
    SET(CURLOPT_FOLLOWLOCATION, 0L); // by hand: each is judged
    SET(CURLOPT_PROXY, "");          // none, and not the environment's
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    SET(CURLOPT_TIMEOUT, (long)job->most_s);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    SET(CURLOPT_LOW_SPEED_TIME, (long)job->patience_s);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_USERAGENT, "pilotwire-station");
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, job);
    SET(CURLOPT_HEADERFUNCTION, read_header);
    SET(CURLOPT_HEADERDATA, job);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, progress);
    SET(CURLOPT_XFERINFODATA, job);
    SET(CURLOPT_SSL_CIPHER_LIST, "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384");
    if (job->roots_len > 0) {
        struct curl_blob roots = {
            .data = job->roots, .len = job->roots_len, .flags = CURL_BLOB_COPY};
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_CAINFO_BLOB, &roots);
        SET(CURLOPT_SSL_CTX_FUNCTION, heed_lists);
    }
}

// ftps:// is FTP that turns to TLS before the password, except on the port that begins with TLS.
static void set_url(CURL *curl, const struct pw_carrier_job *job)
{
    const char *url = job->url;
    char plain[PW_TRANSFER_URL_MAX + PW_TRANSFER_NAME_MAX + 2];
    bool ftps = strncasecmp(url, "ftps://", 7) == 0;
    if (ftps) {
        CURLU *parsed = curl_url();
        char *port = NULL;
        bool implicit = parsed != NULL &&
                        curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                        curl_url_get(parsed, CURLUPART_PORT, &port, 0) == CURLUE_OK &&
                        strcmp(port, IMPLICIT_PORT) == 0;
        curl_free(port);
        curl_url_cleanup(parsed);
        if (!implicit) {
            (void)snprintf(plain, sizeof(plain), "ftp%s", url + 4);
            url = plain;
        }
    }
    SET(CURLOPT_URL, url); // copied
    if (ftps) {
        SET(CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    }
    if (ftps && job->old_tls) {
        // With TLS 1.3 a server's session tickets may lie unread when libcurl (7.88) closes the
        // data connection of an upload; the reset that follows cuts its end off at the server.
        SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2);
    }
}

// Whom the next request is for, and whether it goes through the proxy; false when it must not be
// made.
static bool use_proxy(CURL *curl, struct pw_carrier_job *job)
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    char url[PW_PROXY_HOST_SIZE + 12];
    if (parsed != NULL && curl_url_set(parsed, CURLUPART_URL, job->url, 0) == CURLUE_OK) {
        (void)curl_url_get(parsed, CURLUPART_HOST, &host, 0);
    }
    struct pw_str name = pw_str_of(host);
    if (name.len > 1 && name.at[0] == '[') {
        name = (struct pw_str){.at = name.at + 1, .len = name.len - 2};
    }
    job->proxied = pw_proxy_leads(&job->proxy, name);
    job->forbidden =
        job->proxied && !pw_network_may(&job->networks, job->hop, pw_network_class_of_host(name));
    curl_free(host);
    curl_url_cleanup(parsed);
    if (!job->proxied) {
        return true;
    }
    (void)snprintf(url, sizeof(url),
                   strchr(job->proxy.host, ':') != NULL ? "http://[%s]" : "http://%s",
                   job->proxy.host);
    SET(CURLOPT_PROXY, url); // copied
    SET(CURLOPT_PROXYPORT, (long)job->proxy.port);
    SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
    SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    if (job->proxy.user[0] != '\0') {
        SET(CURLOPT_PROXYUSERNAME, job->proxy.user);
        SET(CURLOPT_PROXYPASSWORD, job->proxy.password);
    }
    return !job->forbidden && job->proxy.fault == NULL;
}

static void set_up(CURL *curl, struct pw_carrier_job *job)
{
    job->read_at = 0;
    SET(CURLOPT_READFUNCTION, read_upload);
    SET(CURLOPT_READDATA, job);
    SET(CURLOPT_SEEKFUNCTION, seek_upload);
    SET(CURLOPT_SEEKDATA, job);
    SET(CURLOPT_WRITEFUNCTION, write_nothing);
    if (job->post) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->size);
    } else {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->size);
    }
}

static void set_down(CURL *curl, struct pw_carrier_job *job, struct writing *writing)
{
    SET(CURLOPT_WRITEFUNCTION, write_download);
    SET(CURLOPT_WRITEDATA, writing);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)job->most_bytes);
    if (strncasecmp(job->url, "http", 4) != 0) {
        SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)job->have);
    }
}

// Headers of our own; freed by the caller.
static struct curl_slist *headers_of(const struct pw_carrier_job *job)
{
    char line[PW_CARRIER_TAG_SIZE + 40];
    struct curl_slist *list = NULL;
    if (job->lane == PW_TRANSFER_UP) {
        list = curl_slist_append(list, "Content-Type: text/plain; charset=utf-8");
        return curl_slist_append(list, "Expect:");
    }
    if (job->first_bytes > 0) {
        (void)snprintf(line, sizeof(line), "Range: bytes=%llu-%llu", (unsigned long long)job->have,
                       (unsigned long long)job->first_bytes - 1);
        list = curl_slist_append(list, line);
    } else if (job->have > 0) {
        (void)snprintf(line, sizeof(line), "Range: bytes=%llu-", (unsigned long long)job->have);
        list = curl_slist_append(list, line);
    }
    if (job->have > 0) {
        (void)snprintf(line, sizeof(line), "If-Range: %s", job->tag);
        list = curl_slist_append(list, line);
    }
    return list;
}

// ---------------------------------------------------------------------------------------------
// What an answer means.

static enum pw_transfer_end end_of_status(long status)
{
    switch (status) {
    case 401:
    case 403:
    case 407: return PW_TRANSFER_DENIED;
    case 404:
    case 410: return PW_TRANSFER_MISSING;
    case 405:
    case 415:
    case 501: return PW_TRANSFER_UNSUPPORTED;
    case 413: return PW_TRANSFER_LARGE;
    case 507: return PW_TRANSFER_FULL;
    default: return status >= 500 ? PW_TRANSFER_CUT : PW_TRANSFER_STRANGE;
    }
}

static enum pw_transfer_end end_of_code(const struct pw_carrier_job *job, CURLcode code)
{
    static const struct {
        CURLcode code;
        enum pw_transfer_end end;
    } rows[] = {
        {CURLE_UNSUPPORTED_PROTOCOL, PW_TRANSFER_UNSUPPORTED},
        {CURLE_URL_MALFORMAT, PW_TRANSFER_UNSUPPORTED},
        {CURLE_COULDNT_RESOLVE_HOST, PW_TRANSFER_UNREACHABLE},
        {CURLE_COULDNT_CONNECT, PW_TRANSFER_UNREACHABLE},
        {CURLE_LOGIN_DENIED, PW_TRANSFER_DENIED},
        {CURLE_REMOTE_ACCESS_DENIED, PW_TRANSFER_DENIED},
        {CURLE_REMOTE_FILE_NOT_FOUND, PW_TRANSFER_MISSING},
        {CURLE_PEER_FAILED_VERIFICATION, PW_TRANSFER_UNTRUSTED},
        {CURLE_SSL_CACERT_BADFILE, PW_TRANSFER_UNTRUSTED},
        {CURLE_SSL_CONNECT_ERROR, PW_TRANSFER_UNTRUSTED},
        {CURLE_USE_SSL_FAILED, PW_TRANSFER_UNTRUSTED},
        {CURLE_OPERATION_TIMEDOUT, PW_TRANSFER_SLOW},
        {CURLE_FILESIZE_EXCEEDED, PW_TRANSFER_LARGE},
        {CURLE_REMOTE_DISK_FULL, PW_TRANSFER_FULL},
        {CURLE_UPLOAD_FAILED, PW_TRANSFER_DENIED},
        {CURLE_WEIRD_SERVER_REPLY, PW_TRANSFER_STRANGE},
        {CURLE_FTP_WEIRD_PASV_REPLY, PW_TRANSFER_STRANGE},
        {CURLE_FTP_WEIRD_PASS_REPLY, PW_TRANSFER_STRANGE},
    };
    if (job->forbidden) {
        return PW_TRANSFER_FORBIDDEN;
    }
    if (job->large) {
        return PW_TRANSFER_LARGE;
    }
    if (job->full) {
        return PW_TRANSFER_FULL;
    }
    if (job->head_bytes > HEAD_MAX) {
        return PW_TRANSFER_STRANGE;
    }
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (rows[i].code == code) {
            return rows[i].end;
        }
    }
    return PW_TRANSFER_CUT;
}

struct result {
    enum pw_transfer_end end;
    char why[PW_TRANSFER_WHY_MAX];
};

static void say(struct result *result, enum pw_transfer_end end, const char *why)
{
    struct pw_out out = PW_OUT(result->why);
    result->end = end;
    pw_put_s(&out, why);
}

// Where it is sent on to; false when that is not followed.
static bool follow(CURL *curl, struct pw_carrier_job *job, struct result *result)
{
    char *to = NULL;
    (void)curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &to);
    if (to == NULL) {
        say(result, PW_TRANSFER_STRANGE, "the server sends on, and does not say where");
    } else if (job->hop >= PW_TRANSFER_HOPS_MAX) {
        say(result, PW_TRANSFER_FORBIDDEN, "the server sends on more often than is followed");
    } else if (strncasecmp(to, "https://", 8) != 0 &&
               (strncasecmp(to, "http://", 7) != 0 || strncasecmp(job->url, "https", 5) == 0)) {
        say(result, PW_TRANSFER_FORBIDDEN, "the server sends on to where a station does not go");
    } else if (pw_str_copy(job->url, sizeof(job->url), pw_str_of(to)) != PW_OK) {
        say(result, PW_TRANSFER_STRANGE, "the server sends on to a URL that is too long");
    } else {
        job->hop++;
        return true;
    }
    return false;
}

// Why the proxy made no tunnel; false when it made one, or was not asked.
static bool judge_proxy(CURL *curl, const struct pw_carrier_job *job, CURLcode code,
                        struct result *result)
{
    long status = 0;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    (void)curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &status);
    if (!job->proxied || (job->answered && status >= 200 && status < 300)) {
        return false;
    }
    if (job->head_bytes > HEAD_MAX) {
        say(result, PW_TRANSFER_STRANGE, "the head of the proxy's answer has no end");
    } else if (job->answered) {
        pw_proxy_put_refusal((unsigned)status, &why);
        say(result,
            status == 401 || status == 403 || status == 407 ? PW_TRANSFER_DENIED
                                                            : PW_TRANSFER_UNREACHABLE,
            text);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        say(result, PW_TRANSFER_SLOW, "the proxy does not answer in time");
    } else {
        pw_put_s(&why, "the proxy makes no tunnel: ");
        pw_put_s(&why, curl_easy_strerror(code));
        say(result, PW_TRANSFER_UNREACHABLE, text);
    }
    return true;
}

static const char *reason_of(const struct pw_carrier_job *job, CURLcode code)
{
    return job->forbidden               ? "it leads into a network that is not the URL's"
           : job->full                  ? "no room is left for it"
           : job->large                 ? "it is larger than allowed"
           : job->head_bytes > HEAD_MAX ? "the head of the server's answer has no end"
                                        : curl_easy_strerror(code);
}

// True: ask once more.
static bool judge_http(CURL *curl, struct pw_carrier_job *job, struct result *result)
{
    bool up = job->lane == PW_TRANSFER_UP;
    char text[60];
    if (job->status == 0) {
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &job->status);
    }
    if (up && job->status == 303) {
        say(result, PW_TRANSFER_DONE, ""); // it was taken; what follows is a page about it
        return false;
    }
    if (job->status >= 300 && job->status < 400) {
        return follow(curl, job, result);
    }
    if (up && !job->post && (job->status == 405 || job->status == 501)) {
        job->post = true;
        return true;
    }
    if (!up && job->status == 416 && job->have > 0) {
        job->again = true;
        return false;
    }
    bool good =
        up ? job->status >= 200 && job->status < 300 : job->status == 200 || job->status == 206;
    if (good) {
        say(result, PW_TRANSFER_DONE, "");
        return false;
    }
    (void)snprintf(text, sizeof(text), "the server answers with HTTP status %ld", job->status);
    say(result, end_of_status(job->status), text);
    return false;
}

// One request; true: another one shall follow.
static bool ask(CURL *curl, struct pw_carrier_job *job, struct result *result)
{
    struct writing writing = {.job = job, .curl = curl};
    curl_easy_reset(curl);
    set_common(curl, job);
    set_url(curl, job);
    if (!use_proxy(curl, job)) {
        say(result, job->forbidden ? PW_TRANSFER_FORBIDDEN : PW_TRANSFER_DENIED,
            job->forbidden ? reason_of(job, CURLE_OK) : job->proxy.fault);
        return false;
    }
    bool http = strncasecmp(job->url, "http", 4) == 0;
    if (job->lane == PW_TRANSFER_UP) {
        set_up(curl, job);
    } else {
        set_down(curl, job, &writing);
    }
    struct curl_slist *headers = http ? headers_of(job) : NULL;
    SET(CURLOPT_HTTPHEADER, headers);
    job->status = 0;
    job->answered = false;
    job->head_bytes = 0;
    job->begun = false;
    job->range_from = UINT64_MAX;
    job->enough = false;
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (job->enough) {
        say(result, PW_TRANSFER_DONE, "");
        return false;
    }
    if (job->again) {
        return false;
    }
    // A server that knows nothing older.
    if (code == CURLE_SSL_CONNECT_ERROR && job->old_tls && !http) {
        job->old_tls = false;
        return true;
    }
    if (code != CURLE_OK) {
        if (job->full || job->large || !judge_proxy(curl, job, code, result)) {
            say(result, end_of_code(job, code), reason_of(job, code));
        }
        return false;
    }
    if (http) {
        return judge_http(curl, job, result);
    }
    say(result, PW_TRANSFER_DONE, "");
    return false;
}

// ---------------------------------------------------------------------------------------------
// The whole.

// An empty body never came to `write_download`: the file must be empty then, too.
static bool is_whole(struct pw_carrier_job *job)
{
    struct stat there;
    if (job->handed_in == 0 && !job->begun && strncasecmp(job->url, "http", 4) == 0 &&
        job->status == 200) {
        job->have = 0;
        (void)!ftruncate(job->fd, 0);
    }
    return fsync(job->fd) == 0 && fstat(job->fd, &there) == 0 &&
           (uint64_t)there.st_size == job->have;
}

static bool hash_file(struct pw_carrier_job *job, uint8_t digest[PW_SHA256_LEN])
{
    uint8_t *block = malloc(HASH_BLOCK);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool good = block != NULL && hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
    ssize_t got = 1;
    for (off_t at = 0; good && got > 0 && !atomic_load(&job->cancel); at += got) {
        got = pread(job->fd, block, HASH_BLOCK, at);
        good = got >= 0 && (got == 0 || EVP_DigestUpdate(hash, block, (size_t)got) == 1);
    }
    good = good && got == 0 && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
    EVP_MD_CTX_free(hash);
    free(block);
    return good;
}

// What is on the disk counts only with the name of its version; by FTP there is none.
static void look_at_part(struct pw_carrier_job *job)
{
    struct stat there;
    bool http = strncasecmp(job->url, "http", 4) == 0;
    read_tag(job);
    job->have = fstat(job->fd, &there) == 0 ? (uint64_t)there.st_size : 0;
    if ((http && job->tag[0] == '\0') || job->have >= job->most_bytes) {
        job->have = 0;
        (void)!ftruncate(job->fd, 0);
    }
}

static void settle(struct pw_carrier_job *job, struct result *result)
{
    uint8_t digest[PW_SHA256_LEN] = {0};
    bool down = job->lane == PW_TRANSFER_DOWN;
    if (down && result->end == PW_TRANSFER_DONE && (!is_whole(job) || !hash_file(job, digest))) {
        say(result, PW_TRANSFER_FULL, "what was downloaded cannot be read back");
    }
    (void)pthread_mutex_lock(&job->lock);
    job->state.end = result->end;
    job->state.bytes = down ? job->have : result->end == PW_TRANSFER_DONE ? job->size : 0;
    job->state.total = result->end == PW_TRANSFER_DONE ? job->state.bytes : job->state.total;
    memcpy(job->state.sha256, digest, sizeof(digest));
    memcpy(job->state.why, result->why, sizeof(result->why));
    (void)pthread_mutex_unlock(&job->lock);
}

void pw_carrier_run(struct pw_carrier_job *job)
{
    struct result result = {.end = PW_TRANSFER_CUT, .why = "out of memory"};
    if (job->handed_in > 0) {
        say(&result, PW_TRANSFER_DONE, "");
        job->have = job->handed_in;
        settle(job, &result);
        return;
    }
    CURL *curl = curl_easy_init();
    if (job->lane == PW_TRANSFER_DOWN) {
        look_at_part(job);
    }
    if (job->first_bytes > 0 && job->have >= job->first_bytes) {
        // If it is another file's by now, the server says so when the rest is asked for.
        say(&result, PW_TRANSFER_DONE, "");
        curl_easy_cleanup(curl);
        settle(job, &result);
        return;
    }
    job->old_tls = job->lane == PW_TRANSFER_UP;
    for (unsigned tries = 0; curl != NULL && tries <= AGAIN_MOST; tries++) {
        job->again = false;
        while (ask(curl, job, &result)) {
        }
        if (!job->again) {
            break;
        }
        say(&result, PW_TRANSFER_STRANGE, "the server does not go on where it was cut");
        job->have = 0;
        (void)!ftruncate(job->fd, 0);
    }
    curl_easy_cleanup(curl);
    settle(job, &result);
}
