// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
//
// Before zram's limit refuses a write, some of what is pending makes room.

@@
expression device, pool;
identifier pages;
@@
-	pages = zs_get_total_pages(pool);
+	pages = zs_total_pages_within(pool, device->limit_pages);
	...
	if (device->limit_pages && pages > device->limit_pages) {
		...
	}

@@
expression device, pool;
identifier pages;
@@
-	pages = zs_get_total_pages(pool);
+	pages = zs_total_pages_within(pool, device->limit_pages);
	...
	return !device->limit_pages || pages <= device->limit_pages;
