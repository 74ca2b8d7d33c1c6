// maker: what the maker of stations does: keys, roots of trust, releases. Needs neither a station
// nor a central system; signing needs no network. doc/update.md is the format and the key ceremony.
#ifndef PW_APP_PILOTWIRE_MAKER_H
#define PW_APP_PILOTWIRE_MAKER_H

// "release ...": the words behind "release". The exit code.
int run_maker(int argc, char **argv);

#endif
