/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What src/bindings.rs is generated from: the headers of the patched kernel, as `make headers_install` leaves them. */
#include <linux/bpf.h>
