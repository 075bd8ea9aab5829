// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
//
// Of a block driver whose slots the swap core gives back: the notification, and the
// function by which it frees a slot.

@driver@
identifier operations, notify;
@@
struct block_device_operations operations = { ..., .swap_slot_free_notify = notify, ... };

@use@
identifier driver.notify, release;
@@
notify(...) { <+... release(...) ...+> }

@frees@
identifier use.release, virtual.free;
position at;
@@
release@at(...) { <+... free(...) ...+> }

@script:python@
notify << driver.notify;
release << use.release;
at << frees.at;
@@
print("found", notify, release)
