#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""List the allocation sites of modules: every call to what may allocate.

usage: sites.py MODULE.ko...

One line each, of the address that the call returns to, by which a stack trace
knows it:

    MODULE SECTION OFFSET FUNCTION FUNCTION_OFFSET CALLEE

Taken from the machine code, so that nothing is forgotten and what is inlined
counts where it is. Whatever a module calls outside of itself has to be known
here, as allocating or not: a new one ends this with a sentence.
"""

import re
import struct
import sys

# What may allocate, and fail for it, or do without. Of our own: what the core
# gets its memory by, and what zram gets lethe's by.
ALLOCATES = """
    __kmalloc_cache_noprof __kmalloc_noprof __kvmalloc_node_noprof __vmalloc_noprof
    get_free_pages_noprof alloc_pages_bulk_noprof pcpu_alloc_noprof
    idr_alloc kernel_read_file_from_path kstrdup kstrndup
    filp_open bioset_init bio_alloc_bioset alloc_workqueue alloc_workqueue_noprof
    __blk_alloc_disk device_add_disk del_gendisk set_capacity_and_notify
    __register_blkdev class_register class_unregister
    debugfs_create_dir debugfs_create_file single_open seq_open
    shrinker_alloc shrinker_register kthread_create_worker
    port_meta_alloc port_pages_alloc port_work_init port_pool_attach
    zs_create_pool zs_malloc zs_malloc_node
""".split()

# What never allocates, or not for its caller: a bio's end is its owner's, what is
# submitted is the backing device's, and what may be written by sync_blockdev() was when
# the last opener closed it.
DOES_NOT = """
    lzo1x_1_compress lzo1x_decompress_safe lzorle1x_1_compress zstd_.* zlib_.*
    sw842_(de)?compress __sw_hweight64 __(Set|Clear)PageMovable __folio_(lock|put) unlock_page
    zpool_(un)?register_driver
    __free_pages free_pages kfree kvfree vfree free_percpu put_disk debugfs_remove
    __cpuhp_(setup|remove)_state __cpuhp_state_(add|remove)_instance (un)?register_oom_notifier shrinker_free
    unregister_blkdev sync_blockdev bio_endio bio_(start|end)_io_acct.*
    bdev_(start|end)_io_acct bio_(init|uninit|put) __bio_add_page bioset_exit
    submit_bio(_wait)? blk_(start|finish)_plug blk_status_to_errno I_BDEV file_path filp_close
    queue_work_on flush_work destroy_workqueue (__init|destroy)_work.* lockdep_init_map_.*
    llist_.* complete (try_)?wait_for_completion.* schedule_timeout_uninterruptible
    __init_swait_queue_head
    kthread_(cancel|mod|queue)_delayed_work(_sync)? kthread_destroy_worker
    wake_up_process kmalloc_size_roundup rt_mutex_(lock|unlock) __rt_mutex_init mod_node_page_state
    idr_(destroy|find|get_next|remove) skip_spaces next_arg LZ4_.*
    single_release seq_(lseek|printf|read|release) ktime_get_with_offset div64_.* sysfs_emit(_at)? sysfs_streq _printk ___ratelimit
    kstrto[a-z0-9]* memparse strim str.* sized_strscpy snprintf mem(cpy|move|set)
    clear_page_.* _totalram_pages si_mem_available mod_zone_page_state dump_page __warn_printk
    _raw_spin_.* __raw_spin_lock_init mutex_.* __mutex_init (down|up)_(read|write)
    downgrade_write __init_rwsem __wake_up finish_wait init_wait_entry prepare_to_wait_event
    schedule yield usleep_range_state single_task_running sched_setattr_nocheck
    init_timer_key __msecs_to_jiffies ktime_get __might_.* preempt_.*
    debug_locks_off debug_check_no_locks_freed debug_smp_processor_id
    __this_cpu_preempt_check lock_.* fs_reclaim_.* local_.* kmemleak_not_leak
    migrate_.* rt_.* __rt_.*
    __list_(add|del)_.* __asan_.* __kasan_.* __[kt][cm]?san_.* __fentry__
    __x86_.* __SCT__.* __stack_chk_fail __fortify_panic _find_(first|next)(_zero)?_bit
    (lethe_)?zs_.* port_.* zram_.*
""".split()


def text(table, at):
    return table[at:table.index(b'\0', at)].decode()


class Module:
    """The parts of an object file (ELF, 64-bit, little-endian) that matter here."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        header = struct.unpack_from('<16sHHIQQQIHHHHHH', self.data)
        self.sections = [struct.unpack_from('<IIQQQQIIQQ', self.data,
                                            header[6] + i * header[11])
                         for i in range(header[12])]
        names = self.content(header[13])
        self.names = [text(names, section[0]) for section in self.sections]
        symtab = next(i for i, s in enumerate(self.sections) if s[1] == 2)
        strings = self.content(self.sections[symtab][6])
        self.symbols = [(text(strings, s[0]), s[1] & 15, s[3], s[4], s[5])
                        for s in struct.iter_unpack('<IBBHQQ', self.content(symtab))]

    def content(self, number):
        section = self.sections[number]
        return self.data[section[4]:section[4] + section[5]]

    def function_at(self, section, offset):
        for name, kind, where, start, size in self.symbols:
            if kind == 2 and where == section and start < offset <= start + size:
                return name, offset - start
        raise SystemExit(f'sites: no function in {self.names[section]} at {offset:#x}')

    def calls(self):
        """(section, return address in it, callee) of every call, jumps included."""
        for section in self.sections:
            target = section[7]
            if section[1] != 4 or not self.sections[target][2] & 4:
                continue
            code = self.content(target)
            for at, info, _ in struct.iter_unpack('<QQq', self.data[
                    section[4]:section[4] + section[5]]):
                name, _, _, _, _ = self.symbols[info >> 32]
                if info & 0xffffffff in (2, 4) and name and code[at - 1] in (0xe8, 0xe9):
                    yield target, at + 4, name, code[at - 1] == 0xe9


def sites_of(path):
    module = Module(path)
    own = {name for name, _, where, _, _ in module.symbols if where}
    for section, after, callee, jumps in module.calls():
        plain = callee.removeprefix('lethe_')
        if plain in ALLOCATES:
            if jumps:
                raise SystemExit(f'sites: {path} jumps to {callee}, so that no stack '
                                 'trace shows from where')
            function, offset = module.function_at(section, after)
            yield (path.rsplit('/', 1)[-1].removesuffix('.ko'), module.names[section],
                   f'{after:#x}', function, f'{offset:#x}', plain)
        elif callee not in own and not any(re.fullmatch(p, callee) for p in DOES_NOT):
            raise SystemExit(f'sites: does {callee}, which {path} calls, allocate?')


if __name__ == '__main__':
    if len(sys.argv) < 2:
        raise SystemExit('usage: sites.py MODULE.ko...')
    for ko in sys.argv[1:]:
        for site in sites_of(ko):
            print(*site)
