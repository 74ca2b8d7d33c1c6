#include "proxy.h"

int proxy_read(const struct pw_settings *settings, struct pw_proxy *proxy, struct pw_out *why)
{
    struct pw_str password = pw_str_of(pw_settings_text(settings, PW_SET_PROXY_PASSWORD));
    int err = pw_proxy_read_url(pw_str_of(pw_settings_text(settings, PW_SET_PROXY)), proxy, why);
    if (err == PW_OK) {
        err = pw_proxy_read_direct(pw_str_of(pw_settings_text(settings, PW_SET_NO_PROXY)), proxy,
                                   why);
    }
    if (err == PW_OK) {
        err = pw_str_copy(proxy->password, sizeof(proxy->password), password);
    }
    proxy->fault = proxy->user[0] != '\0' && pw_settings_locked(settings, PW_SET_PROXY_PASSWORD)
                       ? "network.proxy_password cannot be opened: give it anew"
                       : NULL;
    return err;
}
