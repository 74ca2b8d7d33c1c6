// What this process knows stays in it: no core dump, nobody reads its memory but root.
#include "vault/vault.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCHED 1
#endif
#endif

bool pw_vault_private_process(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    bool good = setrlimit(RLIMIT_CORE, &none) == 0;
#ifndef WATCHED // a leak checker looks at the process as a debugger does
    good = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && good;
#endif
    return good;
}
