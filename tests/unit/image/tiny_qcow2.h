// A sound qcow2 file of eight clusters with one internal snapshot and its VM state, made by hand (QEMU's
// docs/interop/qcow2.txt), so that a test can set every number in it wrong.
#pragma once

#include "os/file.h"

#include <concepts>
#include <cstdint>
#include <string>

namespace domsnap {

class TinyQcow2 {
  public:
    static constexpr uint64_t disk_size = 4096;
    // In which cluster what lies. The state's first two clusters are contiguous, the other two are exchanged.
    enum Cluster : uint64_t { header, table, l1, l2, first, second, fourth, third, count };

    explicit TinyQcow2(unsigned cluster_bits = 9, uint32_t version = 3) : cluster_bits_(cluster_bits) {
        bytes.resize(at(count));
        put_header(version);
        put_snapshot();
        put(at(l1) + 8, at(l2)); // the disk itself takes the first L2 table, which is not there
        for (uint64_t i = 0; const Cluster data : {first, second, third, fourth})
            put(at(l2) + 8 * i++, at(data));
        for (uint64_t i = at(first); i < bytes.size(); ++i)
            bytes[i] = static_cast<char>(i % 251);
    }

    uint64_t at(uint64_t cluster) const { return cluster << cluster_bits_; }
    uint64_t cluster_size() const { return at(1); }
    uint64_t state_size() const { return 3 * cluster_size() + 100; }
    std::string part(Cluster cluster) const { return bytes.substr(at(cluster), cluster_size()); }
    std::string state() const {
        return (part(first) + part(second) + part(third) + part(fourth)).substr(0, state_size());
    }
    template <std::unsigned_integral T>
    void put(uint64_t offset, T value) {
        for (size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 4 >> 4))
            bytes.at(offset + i) = static_cast<char>(value & 0xff);
    }
    /// Another entry of the table, a copy of the first one.
    void add_snapshot(const std::string& name) {
        bytes.replace(at(table) + 64, 64, bytes.substr(at(table), 64));
        put(at(table) + 64 + 14, static_cast<uint16_t>(name.size()));
        bytes.replace(at(table) + 64 + 57, name.size(), name);
        put(60, uint32_t{2});
    }
    std::string save(const std::string& path) const {
        os::write_file(path, bytes);
        return path;
    }

    std::string bytes;

  private:
    void put_header(uint32_t version) {
        bytes.replace(0, 4, "QFI\xfb");
        put(4, version);
        put(20, uint32_t{cluster_bits_});
        put(24, disk_size);
        put(60, uint32_t{1});
        put(64, at(table));
        if (version < 3) return;
        put(96, uint32_t{4}); // 16 bits of reference count
        put(100, uint32_t{104});
    }
    void put_snapshot() {
        const uint64_t entry = at(table);
        put(entry, at(l1));
        put(entry + 8, uint32_t{2});
        put(entry + 12, uint16_t{1});
        put(entry + 14, uint16_t{1});
        put(entry + 32, static_cast<uint32_t>(state_size()));
        put(entry + 36, uint32_t{16});
        put(entry + 40, state_size());
        put(entry + 48, disk_size);
        bytes.replace(entry + 56, 2, "1s");
    }

    unsigned cluster_bits_;
};

} // namespace domsnap
