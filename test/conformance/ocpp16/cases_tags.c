// Cases of the part "tags" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"
