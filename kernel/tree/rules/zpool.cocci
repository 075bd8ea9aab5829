// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
//
// zpool hands a deferred free on, to those of its drivers that have one.

@shape@
@@
 struct zpool {
	...
	struct zpool_driver *driver;
	...
	void *pool;
	...
 };

@depends on shape@
identifier zpool, handle;
@@
 void zpool_free(struct zpool *zpool, unsigned long handle)
 {
	...
 }
+/**
+ * zpool_free_deferred() - free an object soon
+ * @zpool: the pool
+ * @handle: the object
+ *
+ * For the pool's user to give back much at once. Drivers that cannot defer free now.
+ */
+void zpool_free_deferred(struct zpool *zpool, unsigned long handle)
+{
+	if (zpool->driver->free_deferred)
+		zpool->driver->free_deferred(zpool->pool, handle);
+	else
+		zpool->driver->free(zpool->pool, handle);
+}
