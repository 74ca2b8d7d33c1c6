// Cases of the part "conformance" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"

// The rows below are the pattern for all: what a person and a central system do, in order.
void case_a_003(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
    rig_card(r, "TAG-1");
    rig_expect(r, "Authorize", "{'idTag':'TAG-1'}");
    rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1','meterStart':'*'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Charging'}");
    rig_close(r);
}
