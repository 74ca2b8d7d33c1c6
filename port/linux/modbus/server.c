#include "modbus/server.h"

#include "modbus/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 50 // at least so often the thread looks whether it is over

struct pw_modbus_server {
    pthread_mutex_t lock;
    pthread_t thread;
    bool stop;
    enum pw_modbus_mood mood;
    uint32_t asked;
    struct pw_modbus_url url;
    modbus_t *wire;
    modbus_mapping_t *table;
    uint16_t port;
    struct pollfd fd[1 + PW_MODBUS_CLIENTS_MAX]; // listening (or the serial line), then clients
    unsigned fds;
};

static void lock(struct pw_modbus_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
}

static void unlock(struct pw_modbus_server *server)
{
    (void)pthread_mutex_unlock(&server->lock);
}

// ---------------------------------------------------------------------------------------------
// The thread

static void garble(int fd)
{
    static const uint8_t noise[] = {0x5A, 0xFF, 0x00, 0x13, 0x37, 0xA5, 0x01, 0x04, 0x80, 0x7F};
    (void)!write(fd, noise, sizeof(noise));
}

// A host answers for its unit only; on a serial line libmodbus drops the others' requests itself.
static bool is_ours(const struct pw_modbus_server *server, const uint8_t *request)
{
    return server->url.serial || request[6] == server->url.unit;
}

static void reply(struct pw_modbus_server *server, const uint8_t *request, int len, int fd)
{
    lock(server);
    server->asked++;
    if (!is_ours(server, request)) {
        (void)modbus_reply_exception(server->wire, request, MODBUS_EXCEPTION_GATEWAY_TARGET);
    } else if (server->mood == PW_MODBUS_ANSWERS) {
        (void)modbus_reply(server->wire, request, len, server->table);
    } else if (server->mood == PW_MODBUS_REFUSES) {
        (void)modbus_reply_exception(server->wire, request,
                                     MODBUS_EXCEPTION_SLAVE_OR_SERVER_FAILURE);
    } else if (server->mood == PW_MODBUS_GARBLES) {
        garble(fd);
    }
    unlock(server);
}

static int open_serial(struct pw_modbus_server *server)
{
    const struct pw_modbus_url *url = &server->url;
    server->wire = modbus_new_rtu(url->place, (int)url->baud, url->parity, 8, url->stop);
    if (server->wire == NULL || modbus_set_slave(server->wire, url->unit) != 0) {
        return PW_ERR_UNKNOWN;
    }
    // A client that sends half a request must not stop the others for ever.
    (void)modbus_set_indication_timeout(server->wire, 1, 0);
    return PW_OK;
}

// After a request for somebody else libmodbus takes the next one for that unit's answer. Nobody
// else is on this line, so it has to forget.
static void forget_others(struct pw_modbus_server *server)
{
    modbus_free(server->wire);
    if (open_serial(server) != PW_OK) {
        lock(server);
        server->stop = true;
        unlock(server);
    }
}

// False: the client is gone.
static bool hear(struct pw_modbus_server *server, int fd)
{
    uint8_t request[MODBUS_MAX_ADU_LENGTH];
    (void)modbus_set_socket(server->wire, fd);
    int len = modbus_receive(server->wire, request);
    if (len > 0) {
        reply(server, request, len, fd);
    }
    if (len == 0 && server->url.serial) {
        forget_others(server);
    }
    return len >= 0 || server->url.serial;
}

static void accept_client(struct pw_modbus_server *server)
{
    int fd = accept4(server->fd[0].fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (server->fds == PW_COUNT(server->fd)) {
        (void)close(fd);
        return;
    }
    server->fd[server->fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void serve_clients(struct pw_modbus_server *server)
{
    for (unsigned i = server->fds; i-- > 1;) {
        if (server->fd[i].revents != 0 && !hear(server, server->fd[i].fd)) {
            (void)close(server->fd[i].fd);
            server->fd[i] = server->fd[--server->fds];
        }
    }
}

static void *run(void *context)
{
    struct pw_modbus_server *server = context;
    bool on = true;
    while (on) {
        int ready = poll(server->fd, server->fds, LOOK_MS);
        if (ready > 0 && server->url.serial && (server->fd[0].revents & POLLIN) != 0) {
            (void)hear(server, server->fd[0].fd);
        } else if (ready > 0 && server->url.serial) {
            (void)poll(NULL, 0, LOOK_MS); // nobody has the other end of the pty
        } else if (ready > 0) {
            serve_clients(server);
            if (server->fd[0].revents != 0) {
                accept_client(server);
            }
        }
        lock(server);
        on = !server->stop;
        unlock(server);
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// The table

static modbus_mapping_t *new_table(const struct pw_modbus_map *map)
{
    const struct pw_modbus_signer *signer = pw_modbus_signer_of(map);
    unsigned first = map->row[0].address;
    unsigned words = (signer != NULL ? signer->end : pw_modbus_end(map)) - first;
    bool input = map->row[0].table == PW_MODBUS_INPUT;
    return modbus_mapping_new_start_address(0, 0, 0, 0, first, input ? 0 : words, first,
                                            input ? words : 0);
}

// Its registers, in whichever table the map has them.
static uint16_t *word_at(const struct pw_modbus_server *server, uint16_t address)
{
    const modbus_mapping_t *table = server->table;
    bool input = server->url.map->row[0].table == PW_MODBUS_INPUT;
    int start = input ? table->start_input_registers : table->start_registers;
    int count = input ? table->nb_input_registers : table->nb_registers;
    uint16_t *words = input ? table->tab_input_registers : table->tab_registers;
    int offset = address - start;
    return offset >= 0 && offset < count ? words + offset : NULL;
}

void pw_modbus_server_show(struct pw_modbus_server *server, const struct pw_board_mains *mains)
{
    lock(server);
    for (unsigned i = 0; i < server->url.map->rows; i++) {
        const struct pw_modbus_row *row = &server->url.map->row[i];
        pw_modbus_put(row, mains, word_at(server, row->address));
        uint16_t *scale = row->scale != 0 ? word_at(server, row->scale) : NULL;
        if (scale != NULL) {
            *scale = (uint16_t)row->exponent;
        }
    }
    unlock(server);
}

static bool all_there(const struct pw_modbus_server *server, uint16_t address, size_t words)
{
    return words > 0 && word_at(server, address) != NULL &&
           word_at(server, (uint16_t)(address + words - 1)) != NULL;
}

bool pw_modbus_server_peek(struct pw_modbus_server *server, uint16_t address, uint16_t *word,
                           size_t words)
{
    lock(server);
    bool there = all_there(server, address, words);
    if (there) {
        memcpy(word, word_at(server, address), words * sizeof(*word));
    }
    unlock(server);
    return there;
}

bool pw_modbus_server_fill(struct pw_modbus_server *server, uint16_t address, const uint16_t *word,
                           size_t words)
{
    lock(server);
    bool there = all_there(server, address, words);
    if (there) {
        memcpy(word_at(server, address), word, words * sizeof(*word));
    }
    unlock(server);
    return there;
}

void pw_modbus_server_mood(struct pw_modbus_server *server, enum pw_modbus_mood mood)
{
    lock(server);
    server->mood = mood;
    unlock(server);
}

uint32_t pw_modbus_server_asked(struct pw_modbus_server *server)
{
    lock(server);
    uint32_t asked = server->asked;
    unlock(server);
    return asked;
}

uint16_t pw_modbus_server_port(const struct pw_modbus_server *server)
{
    return server->port;
}

// ---------------------------------------------------------------------------------------------
// Opening

static int open_line(struct pw_modbus_server *server, int fd)
{
    const struct pw_modbus_url *url = &server->url;
    if (url->serial) {
        server->fd[0].fd = fd;
        return open_serial(server);
    }
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    server->wire = modbus_new_tcp(url->place, (int)strtol(url->port, NULL, 10));
    if (server->wire == NULL) {
        return PW_ERR_UNKNOWN;
    }
    (void)modbus_set_indication_timeout(server->wire, 1, 0);
    server->fd[0].fd = modbus_tcp_listen(server->wire, PW_MODBUS_CLIENTS_MAX);
    if (server->fd[0].fd < 0 || getsockname(server->fd[0].fd, (struct sockaddr *)&at, &len) != 0) {
        return PW_ERR_UNKNOWN;
    }
    server->port = ntohs(at.sin_port);
    return PW_OK;
}

static void release(struct pw_modbus_server *server)
{
    for (unsigned i = server->url.serial ? 1 : 0; i < server->fds; i++) {
        if (server->fd[i].fd >= 0) {
            (void)close(server->fd[i].fd);
        }
    }
    if (server->wire != NULL) {
        modbus_free(server->wire);
    }
    if (server->table != NULL) {
        modbus_mapping_free(server->table);
    }
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

int pw_modbus_serve(struct pw_modbus_server **server, const struct pw_modbus_url *url, int fd,
                    struct pw_out *why)
{
    struct pw_modbus_server *made = calloc(1, sizeof(*made));
    sigset_t all;
    sigset_t before;
    *server = NULL;
    if (made == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_UNKNOWN;
    }
    made->url = *url;
    made->fds = 1;
    made->fd[0] = (struct pollfd){.fd = -1, .events = POLLIN};
    made->table = new_table(url->map);
    (void)pthread_mutex_init(&made->lock, NULL);
    int err = made->table == NULL ? PW_ERR_UNKNOWN : open_line(made, fd);
    if (err == PW_OK) {
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        err = pthread_create(&made->thread, NULL, run, made) == 0 ? PW_OK : PW_ERR_UNKNOWN;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (err != PW_OK) {
        pw_put_s(why, url->place);
        pw_put_s(why, ": cannot serve a meter there: ");
        pw_put_s(why, modbus_strerror(errno));
        release(made);
        return err;
    }
    *server = made;
    return PW_OK;
}

void pw_modbus_server_close(struct pw_modbus_server *server)
{
    if (server == NULL) {
        return;
    }
    lock(server);
    server->stop = true;
    unlock(server);
    (void)pthread_join(server->thread, NULL);
    release(server);
}
