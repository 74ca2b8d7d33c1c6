#include "files.h"

int files_open(struct files *files, struct pw_loop *loop, const struct pw_settings *settings,
               const char *folder, struct pw_out *why)
{
    files->carrier = pw_carrier_new(loop, folder, pw_settings_text(settings, PW_SET_OCPP_CA), why);
    if (files->carrier != NULL) {
        files->slots = pw_slots_new(loop, pw_settings_text(settings, PW_SET_UPDATE_FOLDER),
                                    pw_carrier_file(files->carrier), why);
    }
    return files->slots == NULL ? PW_ERR_LIMIT : PW_OK;
}

void files_close(struct files *files)
{
    pw_slots_free(files->slots);
    pw_carrier_free(files->carrier);
    *files = (struct files){.carrier = NULL};
}
