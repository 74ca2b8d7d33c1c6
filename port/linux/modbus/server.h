// server: a meter that does not exist, on a real line, with libmodbus: for the simulator and for
// tests. A thread of its own answers; what it answers is set from the loop.
#ifndef PW_LINUX_MODBUS_SERVER_H
#define PW_LINUX_MODBUS_SERVER_H

#include "modbus/url.h"

#define PW_MODBUS_CLIENTS_MAX 4

enum pw_modbus_mood {
    PW_MODBUS_ANSWERS,
    PW_MODBUS_SILENT,  // takes every request and answers none
    PW_MODBUS_REFUSES, // answers with exception 4, server device failure
    PW_MODBUS_GARBLES, // answers with noise
};

struct pw_modbus_server;

// Serves url->unit as url->map. TCP: listens on place and port ("0": any that is free). Serial: the
// line is `fd`, a pty's master; place is not opened. PW_ERR_UNKNOWN with a sentence in *why when it
// cannot listen.
PW_MUST_USE int pw_modbus_serve(struct pw_modbus_server **server, const struct pw_modbus_url *url,
                                int fd, struct pw_out *why);
void pw_modbus_server_close(struct pw_modbus_server *server); // NULL is harmless

uint16_t pw_modbus_server_port(const struct pw_modbus_server *server); // 0 on a serial line
uint32_t pw_modbus_server_asked(struct pw_modbus_server *server);      // requests so far

// What it shows from now on. Values that are UNKNOWN show as the map's "no such value".
void pw_modbus_server_show(struct pw_modbus_server *server, const struct pw_board_mains *mains);
// Registers as they are: what others have written there, and what they shall read. False: the map
// does not reach there.
bool pw_modbus_server_peek(struct pw_modbus_server *server, uint16_t address, uint16_t *word,
                           size_t words);
bool pw_modbus_server_fill(struct pw_modbus_server *server, uint16_t address, const uint16_t *word,
                           size_t words);
void pw_modbus_server_mood(struct pw_modbus_server *server, enum pw_modbus_mood mood);

#endif
