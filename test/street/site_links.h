// site_links: the site's central system and the two links of each station to it.
#ifndef PW_STREET_SITE_LINKS_H
#define PW_STREET_SITE_LINKS_H

#include "site.h"

// Makes the port of the station links; before site_start_server.
void site_join_central(struct site *site);
void site_start_server(struct site *site);
void site_stop_server(struct site *site);
// The fuse, the row of outlets behind their own, and everybody at one of them.
void site_make_group(struct site *site);
// The station link breaks; both ends learn it.
void site_cut_wire(struct site *site, struct site_place *place);
// Opens, closes and passes bytes, as the station and the central want it now.
void site_tend_wire(struct site *site, struct site_place *place);

#endif
