// panic: what an assertion does in a program: first make the hardware safe, then say where, then
// abort so that the service manager restarts the program.
#ifndef PW_LINUX_PANIC_H
#define PW_LINUX_PANIC_H

// `safe` is called once, on the thread that failed, before anything else: it must open contactors
// with what it has at hand, without locks and without memory. One per program; NULL takes it away.
// It also runs when the program crashes (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT), which then
// takes its course.
void pw_panic_hook(void (*safe)(void *context), void *context);

#endif
