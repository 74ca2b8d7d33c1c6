#include "face/face.h"

#include <string.h>

// What a QR code says to join a network has marks of its own.
// Source: Wi-Fi Alliance, WPA3 Specification 3.0, chapter 7 (URI format).
static void put_escaped(struct pw_out *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("\\;,:\"", *c) != NULL) {
            pw_put_c(out, '\\');
        }
        pw_put_c(out, *c);
    }
}

static void put_line(struct pw_screen *screen, size_t line, const char *before, const char *text)
{
    struct pw_out out = PW_OUT(screen->line[line]);
    pw_put_s(&out, before);
    pw_put_s(&out, text);
}

void pw_face_set_up(const struct pw_network *net, struct pw_screen *screen)
{
    char page[PW_SCREEN_URL_MAX] = "";
    struct pw_network_view view;
    struct pw_out url = PW_OUT(page);
    struct pw_out state = PW_OUT(screen->state);
    struct pw_out note = PW_OUT(screen->note);
    struct pw_out code = PW_OUT(screen->url); // in place of the page's: first comes the network
    screen->url[0] = '\0';
    pw_network_view(net, &view);
    screen->layout = PW_SCREEN_WELCOME;
    screen->tone = PW_SCREEN_INFO;
    pw_put_s(&state, "No network");
    pw_put_s(&note, "Join this station to set it up");
    put_line(screen, 0, "Wi-Fi ", view.ap_ssid);
    put_line(screen, 1, "Password ", pw_network_ap_password(net));
    bool reached = pw_network_page(net, &url);
    put_line(screen, 2, reached ? "Then " : "", reached ? page : "page.listen lets nobody in");
    pw_put_s(&code, "WIFI:T:WPA;S:");
    put_escaped(&code, view.ap_ssid);
    pw_put_s(&code, ";P:");
    put_escaped(&code, pw_network_ap_password(net));
    pw_put_s(&code, ";;");
}
