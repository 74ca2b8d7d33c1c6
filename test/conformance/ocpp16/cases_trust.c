// Cases of the part "trust" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"
