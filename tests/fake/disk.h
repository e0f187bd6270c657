// Real image files: what their headers say, and changes to them by qemu-img ($DOMSNAP_QEMU_IMG, else on
// PATH). Unlike QEMU the fake takes no locks on them, for qemu-img must get at them.
#pragma once

#include "refusal.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fake {

struct DiskSnapshot {
    std::string id, tag;
    uint64_t vm_state_bytes = 0;
    uint32_t seconds = 0;
};

struct DiskHeader {
    uint64_t virtual_size = 0;
    std::string backing, backing_format;
    std::vector<DiskSnapshot> snapshots;
    bool has(const std::string& tag) const;
    const DiskSnapshot* find(const std::string& tag) const;
};

/// Throws Refusal in the words of QEMU's blockdev-add.
DiskHeader read_qcow2(const std::string& path);
uint64_t file_size(const std::string& path);

/// Throws Refusal with the last line that qemu-img printed.
void qemu_img(const std::vector<std::string>& arguments);
/// What the internal snapshot holds besides the disk.
std::string vm_state_of(const std::string& path, const std::string& tag);
/// In the snapshot's table entry: this is what makes it one with memory.
void set_vm_state_size(const std::string& path, const std::string& tag, uint64_t bytes);

} // namespace fake
