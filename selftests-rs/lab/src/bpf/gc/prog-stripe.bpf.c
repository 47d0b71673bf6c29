// SPDX-License-Identifier: GPL-2.0-only
/* Looks up, judges and deletes under the stripe of the key. */
#include "striped.h"

static void collect(struct record *r, const struct key *key, struct call *call)
{
	delete_striped(r, key, hash_of_key(key, call), call);
}

#include "../array.h"
