/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet does with the entry of its flow. A refresh discipline
 * (refresh/NAME.h) is one function:
 *
 *	static __always_inline __u32 refresh(void *map, const void *key,
 *					     struct ct_value *entry,
 *					     struct packet *p);
 *
 * It gives @entry, which the look-up found, p->lifetime and p->flags, and says
 * what came of it: an outcome, or that the look-up has to be made again. Before
 * it includes this, a discipline defines what it is about:
 *
 *	TAGGED		entries carry a tag of their tuple
 *	LOCKED		entries carry a bpf_spin_lock
 *	CREATE_FLAGS	of the update that makes an entry, if not BPF_ANY
 *	OWN_CREATE	it has a create() of its own
 *	OWN_HANDLE	it has a handle() of its own, which looks up by itself
 *	ASKS_WHEN_DUE	a live packet writes nothing, and need not know what it would:
 *			p->lifetime and p->flags are there with renew() and open_value()
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include "hash.h"

/* Not outcomes yet: what the loop around a discipline is to do. */
enum {
	AGAIN = 64,		/* look up again */
	DYING,			/* the same: a collector is about to remove it */
	LOST,			/* try again on the same entry */
};

/* Look-ups for one packet, before it is dropped. */
#define TRIES		8

static __always_inline __u32 failed(struct packet *p, long err)
{
	p->err = err;
	return FAILED;
}

static __always_inline bool may_open(const struct packet *p)
{
	return p->kind == OPEN || p->kind == DATAGRAM;
}

/* What the packet is to write, before it is seen what is there. */
static __always_inline void ask(struct packet *p)
{
	__u32 ticks = config.timeout;

	p->flags = 0;
	if (p->kind == CLOSE) {
		p->flags = CLOSING;
		ticks = config.closing_timeout;
	}
	p->lifetime = p->now + ticks * TICK + p->flow % TICK;
}

/* What is closing stays so until it is opened again. To be asked of flags that are
 * known to be this flow's: under a lock, or of a copy that was checked.
 */
static __always_inline void keep_closing(__u16 flags, struct packet *p)
{
	if (p->kind == OPEN || !(flags & CLOSING) || p->flags & CLOSING)
		return;
	p->flags = CLOSING;
	p->lifetime = p->now + config.closing_timeout * TICK + p->flow % TICK;
}

/* A packet may come late with a clock that it read early. Nothing but a FIN takes
 * from a lifetime, and a FIN not from one that a later clock has given.
 */
static __always_inline __u32 later(__u32 there, const struct packet *p)
{
	__u32 longest = p->now + config.timeout * TICK + p->flow % TICK;

	if (p->kind == CLOSE && there <= longest)
		return p->lifetime;
	return there > p->lifetime ? there : p->lifetime;
}

/* What the packet is to write, once it has been seen what is there. A FIN that came
 * too late to shorten the lifetime closes nothing either. As keep_closing(), to be
 * asked of what is known to be this flow's.
 */
static __always_inline void settle(__u32 lifetime, __u16 flags, struct packet *p)
{
	__u32 asked;

	keep_closing(flags, p);
	asked = p->lifetime;
	p->lifetime = later(lifetime, p);
	if (p->kind == CLOSE && p->lifetime != asked)
		p->flags = flags & CLOSING;
}

/* Counters in place: no lock is held, and the element may be another flow's. */
static __always_inline void account(struct ct_value *entry, struct packet *p)
{
	__sync_fetch_and_add(&entry->packets, 1);
	__sync_fetch_and_add(&entry->bytes, p->bytes);
}

static __always_inline void set_flags(struct ct_value *entry, struct packet *p)
{
	if (entry->flags != p->flags)
		WRITE_ONCE(entry->flags, p->flags);
}

/* Gives the entry what the packet has to say of it, in place, by one aligned
 * 32-bit store and what hangs on it.
 */
#ifndef ASKS_WHEN_DUE
static __always_inline __u32 store(struct ct_value *entry, struct packet *p)
{
	gate(PACKET, STORE);
	keep_closing(READ_ONCE(entry->flags), p);
	WRITE_ONCE(entry->lifetime, p->lifetime);
	set_flags(entry, p);
	account(entry, p);
	return STORED;
}
#endif

/* An update has to bring the state along, which is in the entry alone. All of it
 * is read through a pointer: if the element is another flow's by now, so is what
 * was read. Locks and timers stay where they are.
 */
static __always_inline void read_value(struct ct_value *copy, const struct ct_value *entry)
{
	copy->packets = READ_ONCE(entry->packets);
	copy->bytes = READ_ONCE(entry->bytes);
	copy->backend = READ_ONCE(entry->backend);
	copy->nat_port = READ_ONCE(entry->nat_port);
	copy->flags = READ_ONCE(entry->flags);
	copy->cpu = READ_ONCE(entry->cpu);
	copy->word.whole = READ_ONCE(entry->word.whole);
}

static __always_inline void copy_value(struct ct_value *copy, const struct ct_value *entry)
{
	gate(PACKET, COPY_VALUE);
	read_value(copy, entry);
}

static __always_inline bool look_up_again(void *map, const void *key, struct ct_value *entry)
{
	gate(PACKET, LOOK_UP_AGAIN);
	return bpf_map_lookup_elem(map, key) == entry;
}

#define KEEP_VALUE	struct ct_value
#define KEEP_WORD	word
#define KEEP_COPY	read_value
#include <keep/value.h>

/* Has @copy say what the packet has to say. */
static __always_inline void renew(struct ct_value *copy, struct packet *p)
{
#ifdef ASKS_WHEN_DUE
	ask(p);
#endif
	copy->packets++;
	copy->bytes += p->bytes;
#ifdef TAGGED
	/* What is another flow's says nothing of this one. */
	if (copy->tag == p->tag)
		settle(copy->lifetime, copy->flags, p);
#else
	keep_closing(copy->flags, p);
#endif
	copy->flags = p->flags;
	copy->lifetime = p->lifetime;
	copy->tag = p->tag;
}

/* Puts @copy, refreshed, in place of the entry, or where there is none by now.
 * All that holds the bucket's lock comes before or after it.
 */
static __always_inline __u32 replace(void *map, const void *key, struct ct_value *copy,
				     struct packet *p)
{
	long err;

	renew(copy, p);
	gate(PACKET, REPLACE);
	err = bpf_map_update_elem(map, key, copy, BPF_ANY);
	return err ? failed(p, err) : REPLACED;
}

/* The state of a flow is chosen here. */
static __always_inline void open_value(struct ct_value *value, struct packet *p)
{
#ifdef ASKS_WHEN_DUE
	ask(p);
#endif
	value->packets = 1;
	value->bytes = p->bytes;
	value->backend = backend_of(p->flow);
	value->nat_port = nat_port_of(p->flow);
	value->cpu = bpf_get_smp_processor_id();
	value->lifetime = p->lifetime;
	value->tag = p->tag;
}

#ifndef CREATE_FLAGS
#define CREATE_FLAGS	BPF_ANY
#endif

static __always_inline __u32 created_or(struct packet *p, long err)
{
	if (CREATE_FLAGS & BPF_NOEXIST && err == -EEXIST)
		return AGAIN;
	return err ? failed(p, err) : CREATED;
}

static __always_inline __u32 insert(void *map, const void *key, struct packet *p)
{
	struct ct_value value = {};
	long err;

	open_value(&value, p);
	gate(PACKET, CREATE);
	err = bpf_map_update_elem(map, key, &value, CREATE_FLAGS);
	return created_or(p, err);
}

#ifndef OWN_CREATE
static __always_inline __u32 create(void *map, const void *key, struct packet *p)
{
	return insert(map, key, p);
}
#endif

/* The backend, if the port is the same flow's. */
static __always_inline __u32 state_in(const struct ct_value *entry)
{
	__u32 backend = READ_ONCE(entry->backend);

	return READ_ONCE(entry->nat_port) == nat_port_of(backend - 1) ? backend : ~0U;
}

/* A lifetime or a state that is another flow's. Is it in this flow's entry, or was
 * the element handed on after the look-up? The oracle is told of the first alone:
 * if a second look-up, after what was read, comes to the same element, then that
 * was this flow's, and if it still says the same it was no passing thing.
 */
static __always_inline void confirm(void *map, const void *key, struct ct_value *entry,
				    struct packet *p)
{
	p->seen_backend = state_in(entry);
	if (!((p->seen ^ p->flow) % TICK) && p->seen_backend == backend_of(p->flow))
		return;
	if (bpf_map_lookup_elem(map, key) != entry) {
		p->seen = 0;
		p->seen_backend = 0;
		return;
	}
	p->seen = READ_ONCE(entry->lifetime);
	p->seen_backend = state_in(entry);
}

/* Tells the oracle. */
static __always_inline void found(void *map, const void *key, struct ct_value *entry,
				  struct packet *p)
{
	p->seen = READ_ONCE(entry->lifetime);
	if (config.oracle)
		confirm(map, key, entry, p);
}

/* What to do once there were enough tries: an entry that is about to be removed
 * had expired, so the flow is one that was missed.
 */
static __always_inline __u32 give_up(__u32 outcome, struct packet *p)
{
	return outcome == DYING ? MISSED : failed(p, -EAGAIN);
}

#endif
