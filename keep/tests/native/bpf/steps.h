/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a packet does at each step of the headers, where a test has not said it: nothing. */
#ifndef AT_JUDGE
#define AT_JUDGE
#endif
#ifndef AT_TAKE_STRIPE
#define AT_TAKE_STRIPE
#endif
#ifndef AT_CREATE
#define AT_CREATE
#endif
#ifndef AT_LOOK_UP_STRIPED
#define AT_LOOK_UP_STRIPED
#endif
#ifndef AT_COPY_VALUE
#define AT_COPY_VALUE
#endif
#ifndef AT_LOOK_UP_AGAIN
#define AT_LOOK_UP_AGAIN
#endif
#ifndef AT_REPLACE
#define AT_REPLACE
#endif

#define KEEP_PACKET_STEP(step)	AT_##step
