// The update on the page: how it stands, and a release that a browser uploads.
#include "page/parts.h"

#include <string.h>

void pw_page_api_update(struct call *call)
{
    pw_page_report(call, "json update");
}

void pw_page_api_update_check(struct call *call)
{
    pw_page_run(call, PW_STR("update check"));
}

void pw_page_api_update_cancel(struct call *call)
{
    pw_page_run(call, PW_STR("update cancel"));
}

static void refuse(struct call *call, int err, struct pw_str why)
{
    pw_page_fail(call,
                 err == PW_ERR_RANGE   ? 422
                 : err == PW_ERR_STORE ? 507
                                       : 409,
                 pw_err_name(err), "", why, "");
}

uint64_t pw_page_update_takes(struct call *call)
{
    struct pw_page *page = call->page;
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (page->upload.stream != 0) {
        refuse(call, PW_ERR_BUSY, PW_STR("another release is being uploaded"));
        return 0;
    }
    const struct pw_update_offer offer = {
        .by = PW_UPDATE_BY_PAGE,
        .force = pw_str_is(pw_http_query(call->request->query, "force"), "1"),
        .now = pw_str_is(pw_http_query(call->request->query, "now"), "1"),
        .commit = true,
        .size = call->request->length,
    };
    int err = pw_files_offer(&page->config.station->files, &offer, &why, call->now);
    if (err != PW_OK) {
        refuse(call, err, pw_out_str(&why));
        return 0;
    }
    page->upload = (struct pw_page_upload){.stream = call->request->stream};
    return call->request->length;
}

int pw_page_piece(void *context, uint64_t stream, struct pw_str bytes, pw_ms now)
{
    struct pw_page *page = context;
    struct pw_page_upload *upload = &page->upload;
    struct pw_out why = PW_OUT(upload->why);
    if (upload->stream != stream) {
        return PW_ERR_UNKNOWN;
    }
    upload->err = pw_files_deliver(&page->config.station->files, upload->offset, bytes, &why, now);
    if (upload->err != PW_OK) {
        return upload->err;
    }
    upload->offset += bytes.len;
    return (int)bytes.len;
}

// Behind the last byte, or when the release was refused on the way.
void pw_page_api_update_file(struct call *call)
{
    struct pw_page_upload *upload = &call->page->upload;
    if (upload->stream == 0 || upload->stream != call->request->stream) {
        pw_page_fail(call, 422, "empty", "a release file is wanted as the body", PW_STR(""), "");
        return;
    }
    upload->stream = 0;
    if (upload->err != PW_OK) {
        refuse(call, upload->err, pw_str_of(upload->why));
        return;
    }
    pw_page_report(call, "json update");
}

void pw_page_update_closed(struct pw_page *page, uint64_t stream)
{
    char text[PW_TRANSFER_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    if (stream != 0 && page->upload.stream == stream) {
        page->upload.stream = 0;
        (void)!pw_files_cancel(
            &page->config.station->files,
            PW_STR("the browser went away while it uploaded, or its login was over"), &why,
            page->now);
    }
}
