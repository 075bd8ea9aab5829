/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Kernel homes only: lethe.ko must load beside an in-tree zsmalloc, built in
 * or not, so none of its symbols may have a name that the kernel exports.
 * Every public name is listed here once, and nowhere else.
 */
#ifndef LETHE_SYMBOL_PREFIX_H
#define LETHE_SYMBOL_PREFIX_H

#define zs_compact lethe_zs_compact
#define zs_compact_pages lethe_zs_compact_pages
#define zs_compactable_pages lethe_zs_compactable_pages
#define zs_create_pool lethe_zs_create_pool
#define zs_create_pool_sized lethe_zs_create_pool_sized
#define zs_deferred_pending lethe_zs_deferred_pending
#define zs_destroy_pool lethe_zs_destroy_pool
#define zs_drain_deferred lethe_zs_drain_deferred
#define zs_flush_cause_name lethe_zs_flush_cause_name
#define zs_free lethe_zs_free
#define zs_free_batch lethe_zs_free_batch
#define zs_free_deferred lethe_zs_free_deferred
#define zs_free_deferred_flush lethe_zs_free_deferred_flush
#define zs_get_total_pages lethe_zs_get_total_pages
#define zs_huge_class_size lethe_zs_huge_class_size
#define zs_malloc lethe_zs_malloc
#define zs_malloc_node lethe_zs_malloc_node
#define zs_obj_read_begin lethe_zs_obj_read_begin
#define zs_obj_read_end lethe_zs_obj_read_end
#define zs_obj_size lethe_zs_obj_size
#define zs_obj_write lethe_zs_obj_write
#define zs_policy_by_name lethe_zs_policy_by_name
#define zs_policy_name lethe_zs_policy_name
#define zs_pool_stats lethe_zs_pool_stats
#define zs_pool_stats_sized lethe_zs_pool_stats_sized

#endif /* LETHE_SYMBOL_PREFIX_H */
