// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
//
// What "release" frees is freed later if "notify" calls it, and at once if any other
// function does.

@called@
identifier virtual.notify, virtual.release;
position by;
@@
 notify(...) { <+... release@by(...) ...+> }

@others@
identifier virtual.release;
expression list arguments;
position by != called.by;
@@
 release@by(arguments
+	, false
 )

@notification@
identifier virtual.notify, virtual.release;
expression list arguments;
@@
 notify(...)
 {
	<+...
	release(arguments
+		, true
	)
	...+>
 }

@definition@
identifier virtual.release, virtual.free, virtual.free_deferred;
parameter list parameters;
expression pool, handle;
@@
 release(parameters
+	, bool deferred
 )
 {
	<+...
-	free(pool, handle);
+	if (deferred)
+		free_deferred(pool, handle);
+	else
+		free(pool, handle);
	...+>
 }
