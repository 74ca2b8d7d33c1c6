// Cases of the part "journal" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"
