#include "wired.h"

int pw_sim_wired_open(struct pw_sim_wired *wired, const char *url, struct pw_out *reason)
{
    struct pw_modbus_url read;
    *wired = (struct pw_sim_wired){.pty = PW_SIM_PTY_NONE};
    if (url == NULL) {
        return PW_OK;
    }
    char text[192] = "";
    struct pw_out why = PW_OUT(text);
    int err = pw_modbus_url_read(pw_str_of(url), &read, &why);
    if (err != PW_OK) {
        pw_put_s(reason, "--meter \"");
        pw_put_s(reason, url);
        pw_put_s(reason, "\": ");
        pw_put_s(reason, text);
        return err;
    }
    wired->map = read.map;
    if (read.serial) {
        err = pw_sim_pty_open(&wired->pty, "--meter", read.place, reason);
    }
    return err == PW_OK ? pw_modbus_serve(&wired->server, &read, wired->pty.fd, reason) : err;
}

void pw_sim_wired_close(struct pw_sim_wired *wired)
{
    pw_modbus_server_close(wired->server);
    wired->server = NULL;
    pw_sim_pty_close(&wired->pty);
}
