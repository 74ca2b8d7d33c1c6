// tell: one scenario command to a simulator that runs, over its control socket, for people.
#ifndef PW_SIM_TELL_H
#define PW_SIM_TELL_H

// What follows `pilotwire-sim tell`: the socket's path and the command's words. Prints the answer.
// Returns the exit status: 0 done, 1 no simulator answers there, 2 wrong command line, 3 refused
// (the reason is on standard error). Waits five seconds at the most.
int pw_sim_tell(int argc, char **argv);

#endif
