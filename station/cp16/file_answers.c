// Firmware management and logs: requests of OCPP become requests of station/files.
#include "cp16/parts.h"

static bool is_there(struct pw_cp16 *cp, struct pw_str id)
{
    if (cp->files == NULL || cp->files->parts.transfer == NULL) {
        pw_cp16_refuse(cp, id, PW_OCPP_NOT_SUPPORTED, PW_STR("this station moves no files"));
        return false;
    }
    return true;
}

#define FIELD(type, request, name) (((request)->has & PW_OCPP16_HAS(type, name)) != 0)

void pw_cp16_on_diagnostics(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                            pw_ms now)
{
    const struct pw_ocpp16_get_diagnostics_req *in = &req->get_diagnostics;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (!is_there(cp, id)) {
        return;
    }
    const struct pw_upload_request request = {
        .kind = PW_UPLOAD_DIAGNOSTICS,
        .url = in->location,
        .retries = FIELD(get_diagnostics_req, in, retries) ? in->retries : -1,
        .retry_s = FIELD(get_diagnostics_req, in, retry_interval_s) ? in->retry_interval_s : -1,
        .from = FIELD(get_diagnostics_req, in, start_time) ? in->start_time : 0,
        .to = FIELD(get_diagnostics_req, in, stop_time) ? in->stop_time : 0,
    };
    int err = pw_files_upload(cp->files, &request, &why, now);
    if (err == PW_ERR_RANGE) {
        pw_cp16_refuse(cp, id, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION, pw_out_str(&why));
        return;
    }
    // §5.9: without a name nothing is uploaded.
    struct pw_ocpp16_get_diagnostics_conf conf = {.has = 0};
    if (err >= 0) {
        conf.has = PW_OCPP16_HAS(get_diagnostics_conf, file_name);
        conf.file_name = pw_str_of(cp->files->upload.name);
    }
    pw_cp16_reply(cp, id, PW_OCPP16_GET_DIAGNOSTICS, &conf);
}

void pw_cp16_on_log(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                    pw_ms now)
{
    const struct pw_ocpp16_get_log_req *in = &req->get_log;
    const struct pw_ocpp16_log_parameters *log = &in->log;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_ocpp16_get_log_conf conf = {.status = PW_OCPP16_LOG_REJECTED};
    if (!is_there(cp, id)) {
        return;
    }
    const struct pw_upload_request request = {
        .kind = in->log_type == PW_OCPP16_LOG_SECURITY ? PW_UPLOAD_SECURITY : PW_UPLOAD_DIAGNOSTICS,
        .numbered = true,
        .request_id = in->request_id,
        .url = log->remote_location,
        .retries = FIELD(get_log_req, in, retries) ? in->retries : -1,
        .retry_s = FIELD(get_log_req, in, retry_interval_s) ? in->retry_interval_s : -1,
        .from = FIELD(log_parameters, log, oldest_timestamp) ? log->oldest_timestamp : 0,
        .to = FIELD(log_parameters, log, latest_timestamp) ? log->latest_timestamp : 0,
    };
    int err = pw_files_upload(cp->files, &request, &why, now);
    if (err >= 0) {
        conf.status = err == 1 ? PW_OCPP16_LOG_ACCEPTED_CANCELED : PW_OCPP16_LOG_ACCEPTED;
        conf.has = PW_OCPP16_HAS(get_log_conf, filename);
        conf.filename = pw_str_of(cp->files->upload.name);
    }
    pw_cp16_reply(cp, id, PW_OCPP16_GET_LOG, &conf);
}

// The signature that counts is in the release file itself, so UpdateFirmware is as good as its
// signed sister (whitepaper L01.FR.20 forbids programs without a signature, which are none here).
void pw_cp16_on_update(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                       pw_ms now)
{
    const struct pw_ocpp16_update_firmware_req *in = &req->update_firmware;
    if (!is_there(cp, id)) {
        return;
    }
    const struct pw_update_request request = {
        .by = PW_UPDATE_BY_OCPP,
        .url = in->location,
        .retries = FIELD(update_firmware_req, in, retries) ? in->retries : -1,
        .retry_s = FIELD(update_firmware_req, in, retry_interval_s) ? in->retry_interval_s : -1,
        .retrieve_at = in->retrieve_date,
    };
    struct pw_ocpp16_update_firmware_conf conf = {.has = 0};
    switch (pw_files_update(cp->files, &request, now)) {
    case PW_UPDATE_TOO_LONG:
        pw_cp16_refuse(cp, id, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
                       PW_STR("the location must have 1 to 512 bytes"));
        return;
    case PW_UPDATE_REJECTED:
        // UpdateFirmware.conf has no word for it.
        pw_cp16_refuse(cp, id, PW_OCPP_GENERIC_ERROR,
                       PW_STR("a release is being installed, or is on trial"));
        return;
    case PW_UPDATE_ACCEPTED:
    case PW_UPDATE_ACCEPTED_CANCELED:
    case PW_UPDATE_INVALID_CERTIFICATE:
    case PW_UPDATE_REVOKED_CERTIFICATE: break;
    }
    pw_cp16_reply(cp, id, PW_OCPP16_UPDATE_FIRMWARE, &conf);
}

void pw_cp16_on_signed_update(struct pw_cp16 *cp, struct pw_str id,
                              const union pw_cp16_request *req, pw_ms now)
{
    const struct pw_ocpp16_signed_update_firmware_req *in = &req->signed_update_firmware;
    const struct pw_ocpp16_firmware *firmware = &in->firmware;
    static const enum pw_ocpp16_signed_update_status words[] = {
        [PW_UPDATE_ACCEPTED] = PW_OCPP16_SIGNED_UPDATE_ACCEPTED,
        [PW_UPDATE_ACCEPTED_CANCELED] = PW_OCPP16_SIGNED_UPDATE_ACCEPTED_CANCELED,
        [PW_UPDATE_REJECTED] = PW_OCPP16_SIGNED_UPDATE_REJECTED,
        [PW_UPDATE_INVALID_CERTIFICATE] = PW_OCPP16_SIGNED_UPDATE_INVALID_CERTIFICATE,
        [PW_UPDATE_REVOKED_CERTIFICATE] = PW_OCPP16_SIGNED_UPDATE_REVOKED_CERTIFICATE,
        [PW_UPDATE_TOO_LONG] = PW_OCPP16_SIGNED_UPDATE_REJECTED,
    };
    if (!is_there(cp, id)) {
        return;
    }
    const struct pw_update_request request = {
        .by = PW_UPDATE_BY_OCPP,
        .numbered = true,
        .request_id = in->request_id,
        .url = firmware->location,
        .retries = FIELD(signed_update_firmware_req, in, retries) ? in->retries : -1,
        .retry_s =
            FIELD(signed_update_firmware_req, in, retry_interval_s) ? in->retry_interval_s : -1,
        .retrieve_at = firmware->retrieve_date_time,
        .install_at =
            FIELD(firmware, firmware, install_date_time) ? firmware->install_date_time : 0,
        .certificate = firmware->signing_certificate,
        .signature = firmware->signature,
    };
    struct pw_ocpp16_signed_update_firmware_conf conf = {
        .status = words[pw_files_update(cp->files, &request, now)]};
    pw_cp16_reply(cp, id, PW_OCPP16_SIGNED_UPDATE_FIRMWARE, &conf);
}
