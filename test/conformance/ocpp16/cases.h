// cases: every case's function, declared from the table.
#ifndef PW_CONFORMANCE_CASES_H
#define PW_CONFORMANCE_CASES_H

#include "cases.def"

#define OCPP16_CASE(part, id, function, situation) void case_##function(void);
OCPP16_CASES(OCPP16_CASE)
OCPP16_HOSTILE_CASES(OCPP16_CASE)
#undef OCPP16_CASE

#endif
