#include "files.h"

#include "ed25519/ed25519.h"
#include "rauc/rauc.h"

int files_open(struct files *files, struct pw_loop *loop, const struct pw_settings *settings,
               const char *folder, const char *trust, struct pw_out *why)
{
    const struct pw_carrier_roots roots = {
        .folder = trust,
        .ca_file = pw_settings_text(settings, PW_SET_OCPP_CA),
        .exclusive = pw_settings_int(settings, PW_SET_ROOT_CHECK) != 0,
    };
    files->carrier = pw_carrier_new(loop, folder, &roots, files->proxy, why);
    if (files->carrier != NULL) {
        files->crypto = pw_ed25519_crypto();
        const struct pw_slots_system rauc = pw_rauc_system(NULL);
        const struct pw_slots_options slots = {
            .folder = pw_settings_text(settings, PW_SET_UPDATE_FOLDER),
            .download = pw_carrier_file(files->carrier),
            .root = pw_settings_text(settings, PW_SET_UPDATE_ROOT),
            .crypto = &files->crypto,
            .system = pw_settings_int(settings, PW_SET_UPDATE_BACKEND) == 0 ? NULL : &rauc,
        };
        files->slots = pw_slots_new(loop, &slots, why);
    }
    return files->slots == NULL ? PW_ERR_LIMIT : PW_OK;
}

void files_close(struct files *files)
{
    pw_slots_free(files->slots);
    pw_carrier_free(files->carrier);
    *files = (struct files){.carrier = NULL};
}
