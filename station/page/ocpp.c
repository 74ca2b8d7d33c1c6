// What stands between the station and its central system, and what it proves itself with, for who
// stands at the station.
#include "page/parts.h"

void pw_page_api_reservations(struct call *call)
{
    pw_page_report(call, "json reservations");
}

void pw_page_api_profiles(struct call *call)
{
    pw_page_report(call, "json profiles");
}

// Who knows a card's number can charge with it: it is masked for those inside, too.
void pw_page_api_cards(struct call *call)
{
    bool inside = call->inside;
    call->inside = false;
    pw_page_report(call, "json cards");
    call->inside = inside;
}

void pw_page_api_security(struct call *call)
{
    pw_page_report(call, "json seclog 20");
}

void pw_page_api_security_check(struct call *call)
{
    pw_page_run(call, PW_STR("seclog check"));
}

// Whoever comes over TLS has it already: there is nothing to hide.
void pw_page_api_certificate(struct call *call)
{
    pw_page_report(call, "json certificate");
}

void pw_page_api_certificate_new(struct call *call)
{
    pw_page_run(call, PW_STR("certificate new"));
}
