#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct client {
    int fd; // -1: free
    struct pw_watch watch;
    unsigned topics;
    bool ending; // the peer sends no more
    size_t in_len;
    size_t out_len;
    char in[PW_CONTROL_LINE_MAX];
    char out[PW_CONTROL_OUT_MAX];
};

struct pw_control {
    struct pw_loop *loop;
    int listener;
    struct pw_watch accepting;
    struct sockaddr_un at;
    unsigned next; // client whose turn it is
    struct client clients[PW_CONTROL_CLIENTS_MAX];
    char line[PW_CONTROL_LINE_MAX];
};

static void drop(struct client *client)
{
    pw_watch_end(&client->watch);
    (void)close(client->fd);
    client->fd = -1;
    client->topics = 0;
}

static bool has_line(const struct client *client)
{
    return memchr(client->in, '\n', client->in_len) != NULL;
}

static void want(struct client *client)
{
    bool reads = !client->ending && client->in_len < sizeof(client->in);
    pw_watch_change(&client->watch,
                    (reads ? PW_LOOP_READ : 0U) | (client->out_len > 0 ? PW_LOOP_WRITE : 0U));
}

static void flush(struct client *client)
{
    while (client->out_len > 0) {
        ssize_t sent = send(client->fd, client->out, client->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (sent <= 0) {
            drop(client);
            return;
        }
        client->out_len -= (size_t)sent;
        memmove(client->out, client->out + sent, client->out_len);
    }
    if (client->out_len == 0 && client->ending && !has_line(client)) {
        drop(client);
        return;
    }
    want(client);
}

static void on_client(void *context, unsigned events)
{
    struct client *client = context;
    if ((events & PW_LOOP_READ) != 0) {
        ssize_t got = recv(client->fd, client->in + client->in_len,
                           sizeof(client->in) - client->in_len, MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            drop(client);
            return;
        }
        client->ending = client->ending || got == 0;
        client->in_len += got > 0 ? (size_t)got : 0;
        if (client->in_len == sizeof(client->in) && !has_line(client)) {
            drop(client); // a line longer than any request
            return;
        }
    }
    flush(client);
}

static void on_listener(void *context, unsigned events)
{
    struct pw_control *control = context;
    (void)events;
    int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    for (size_t i = 0; i < PW_CONTROL_CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];
        if (client->fd < 0) {
            client->fd = fd;
            client->topics = 0;
            client->ending = false;
            client->in_len = 0;
            client->out_len = 0;
            client->watch = (struct pw_watch){.ready = on_client, .context = client};
            pw_watch_start(&client->watch, control->loop, fd, PW_LOOP_READ, PW_LOOP_CONSOLE);
            return;
        }
    }
    (void)close(fd); // eight people at once are enough
}

// ---------------------------------------------------------------------------------------------

static int refuse(const struct pw_control *control, struct pw_out *why, const char *what)
{
    pw_put_s(why, control->at.sun_path);
    pw_put_s(why, ": control socket: ");
    pw_put_s(why, what);
    return PW_ERR_BUSY;
}

// Nobody accepts at the socket of a program that died: take its place.
static bool is_stale(const struct pw_control *control)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused =
        probe >= 0 &&
        connect(probe, (const struct sockaddr *)&control->at, sizeof(control->at)) != 0 &&
        errno == ECONNREFUSED;
    if (probe >= 0) {
        (void)close(probe);
    }
    return refused;
}

static int listen_at(struct pw_control *control, unsigned mode, struct pw_out *why)
{
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listener < 0) {
        return refuse(control, why, strerror(errno));
    }
    const struct sockaddr *at = (const struct sockaddr *)&control->at;
    // The mode must be right from the first moment on.
    mode_t before = umask(~mode & 0777U);
    int rc = bind(control->listener, at, sizeof(control->at));
    if (rc != 0 && errno == EADDRINUSE && is_stale(control) && unlink(control->at.sun_path) == 0) {
        rc = bind(control->listener, at, sizeof(control->at));
    }
    int bind_errno = errno;
    (void)umask(before);
    if (rc != 0) {
        return refuse(control, why,
                      bind_errno == EADDRINUSE ? "another program answers there"
                                               : strerror(bind_errno));
    }
    if (listen(control->listener, PW_CONTROL_CLIENTS_MAX) != 0) {
        return refuse(control, why, strerror(errno));
    }
    return PW_OK;
}

struct pw_control *pw_control_open(struct pw_loop *loop, const char *path, unsigned mode,
                                   struct pw_out *why)
{
    struct pw_control *control = calloc(1, sizeof(*control));
    if (control == NULL) {
        pw_put_s(why, "control socket: out of memory");
        return NULL;
    }
    control->loop = loop;
    control->at.sun_family = AF_UNIX;
    for (size_t i = 0; i < PW_CONTROL_CLIENTS_MAX; i++) {
        control->clients[i].fd = -1;
    }
    if (pw_str_copy(control->at.sun_path, sizeof(control->at.sun_path), pw_str_of(path)) != PW_OK) {
        pw_put_s(why, path);
        pw_put_s(why, ": control socket: the path is longer than 107 bytes");
        free(control);
        return NULL;
    }
    if (listen_at(control, mode, why) != PW_OK) {
        if (control->listener >= 0) {
            (void)close(control->listener);
        }
        free(control);
        return NULL;
    }
    control->accepting = (struct pw_watch){.ready = on_listener, .context = control};
    pw_watch_start(&control->accepting, loop, control->listener, PW_LOOP_READ, PW_LOOP_CONSOLE);
    return control;
}

void pw_control_close(struct pw_control *control)
{
    if (control == NULL) {
        return;
    }
    for (size_t i = 0; i < PW_CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0) {
            drop(&control->clients[i]);
        }
    }
    pw_watch_end(&control->accepting);
    (void)close(control->listener);
    (void)unlink(control->at.sun_path);
    free(control);
}

static bool cut_line(struct pw_control *control, struct client *client, struct pw_str *line)
{
    const char *end = client->fd >= 0 ? memchr(client->in, '\n', client->in_len) : NULL;
    if (end == NULL) {
        return false;
    }
    size_t len = (size_t)(end - client->in);
    memcpy(control->line, client->in, len);
    *line = pw_str_trim((struct pw_str){.at = control->line, .len = len});
    client->in_len -= len + 1;
    memmove(client->in, end + 1, client->in_len);
    want(client);
    return true;
}

bool pw_control_take(struct pw_control *control, unsigned *client, struct pw_str *line)
{
    for (unsigned i = 0; i < PW_CONTROL_CLIENTS_MAX; i++) {
        unsigned at = (control->next + i) % PW_CONTROL_CLIENTS_MAX;
        if (cut_line(control, &control->clients[at], line)) {
            *client = at;
            control->next = at + 1;
            return true;
        }
    }
    return false;
}

static void put_frame(struct client *client, const char *word, struct pw_str text)
{
    struct pw_out out = {.at = client->out, .cap = sizeof(client->out), .len = client->out_len};
    pw_put_s(&out, word);
    pw_put_c(&out, ' ');
    pw_put_uint(&out, text.len);
    pw_put_c(&out, '\n');
    pw_put(&out, text);
    if (out.full) {
        drop(client); // it does not read what it asked for
        return;
    }
    client->out_len = out.len;
    flush(client);
}

void pw_control_answer(struct pw_control *control, unsigned client, const char *word,
                       struct pw_str text)
{
    if (client < PW_CONTROL_CLIENTS_MAX && control->clients[client].fd >= 0) {
        put_frame(&control->clients[client], word, text);
    }
}

void pw_control_set_topics(struct pw_control *control, unsigned client, unsigned topics)
{
    if (client < PW_CONTROL_CLIENTS_MAX && control->clients[client].fd >= 0) {
        control->clients[client].topics = topics;
    }
}

bool pw_control_wanted(const struct pw_control *control, unsigned topics)
{
    for (size_t i = 0; i < PW_CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0 && (control->clients[i].topics & topics) != 0) {
            return true;
        }
    }
    return false;
}

void pw_control_publish(struct pw_control *control, unsigned topics, struct pw_str text)
{
    for (size_t i = 0; i < PW_CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0 && (control->clients[i].topics & topics) != 0) {
            put_frame(&control->clients[i], "event", text);
        }
    }
}
