// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
//
// Of zswap: the function by which zswap_invalidate() frees an entry.

@use@
identifier virtual.notify, release;
@@
notify(...) { <+... release(...) ...+> }

@frees@
identifier use.release, virtual.free;
position at;
@@
release@at(...) { <+... free(...) ...+> }

@script:python@
release << use.release;
at << frees.at;
@@
print("found", "zswap_invalidate", release)
