#include "image/vm_state_file.h"

#include "base/text.h"
#include "image/layout.h"
#include "os/file.h"

#include <algorithm>
#include <cstdint>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::image {

namespace {

constexpr uint64_t cluster = 64 << 10, disk_size = cluster;
constexpr uint64_t entries_of_l2 = cluster / 8, refcounts_of_block = cluster / 2;
/// One cluster of the refcount table names blocks for 16 TiB; the state is far below that.
constexpr uint64_t largest_state = uint64_t{1} << 36;

/// Where each part begins, in clusters, one behind the other. The state's clusters come last, so that it is
/// written as it is.
struct Layout {
    uint64_t state_size, data, l2_tables;
    uint64_t refcount_blocks = 1;
    explicit Layout(uint64_t size)
        : state_size(size), data(in_units(size, cluster)), l2_tables(in_units(data, entries_of_l2)) {
        while (refcount_blocks * refcounts_of_block < total())
            ++refcount_blocks;
    }
    uint64_t refcount_table() const { return 1; }
    uint64_t active_l1() const { return 2 + refcount_blocks; }
    uint64_t snapshot_l1() const { return active_l1() + 1; }
    uint64_t snapshots() const { return snapshot_l1() + 1; }
    uint64_t first_l2() const { return snapshots() + 1; }
    uint64_t first_data() const { return first_l2() + l2_tables; }
    uint64_t total() const { return first_data() + data; }
    uint32_t l1_entries() const { return static_cast<uint32_t>(1 + l2_tables); }
};

class Writer {
  public:
    Writer(os::Fd file, std::string path, const Layout& layout)
        : file_(std::move(file)), path_(std::move(path)), layout_(layout) {}

    void write(const std::string& tag, std::string_view state) {
        at(0, header());
        at(layout_.refcount_table(), numbers(2, layout_.refcount_blocks));
        for (uint64_t block = 0; block < layout_.refcount_blocks; ++block)
            at(2 + block, refcounts(block));
        // The state begins with the L2 table behind the disk's.
        at(layout_.snapshot_l1(), std::string(8, '\0') + numbers(layout_.first_l2(), layout_.l2_tables));
        at(layout_.snapshots(), snapshot(tag));
        for (uint64_t table = 0; table < layout_.l2_tables; ++table)
            at(layout_.first_l2() + table,
               numbers(layout_.first_data() + table * entries_of_l2,
                       std::min(entries_of_l2, layout_.data - table * entries_of_l2)));
        at(layout_.first_data(), state);
        put_last_cluster(); // QEMU reads whole ones
    }

  private:
    void at(uint64_t number, std::string_view bytes) {
        os::write_at(file_.get(), bytes.data(), bytes.size(), number * cluster, path_);
    }
    void put_last_cluster() {
        const char zero = 0;
        const uint64_t end = layout_.total() * cluster;
        if (layout_.state_size % cluster != 0) os::write_at(file_.get(), &zero, 1, end - 1, path_);
    }
    /// Places of clusters that follow each other, as tables have them.
    static std::string numbers(uint64_t first, uint64_t count) {
        std::string bytes;
        for (uint64_t i = 0; i < count; ++i)
            put(bytes, (first + i) * cluster);
        return bytes;
    }
    std::string refcounts(uint64_t block) const {
        std::string bytes;
        for (uint64_t i = block * refcounts_of_block; i < (block + 1) * refcounts_of_block; ++i)
            put(bytes, static_cast<uint16_t>(i < layout_.total() ? 1 : 0));
        return bytes;
    }
    std::string header() const {
        std::string bytes = "QFI\xfb";
        put(bytes, uint32_t{3});
        put(bytes, uint64_t{0}); // no backing file
        put(bytes, uint32_t{0});
        put(bytes, uint32_t{16}); // bits of a cluster
        put(bytes, disk_size);
        put(bytes, uint32_t{0}); // not encrypted
        put(bytes, uint32_t{1}); // entries of the active L1 table
        put(bytes, layout_.active_l1() * cluster);
        put(bytes, layout_.refcount_table() * cluster);
        put(bytes, uint32_t{1});
        put(bytes, uint32_t{1}); // snapshots
        put(bytes, layout_.snapshots() * cluster);
        for (int features = 0; features < 3; ++features)
            put(bytes, uint64_t{0});
        put(bytes, uint32_t{4});   // 16 bits for a reference count
        put(bytes, uint32_t{104}); // the header's length
        return bytes;
    }
    std::string snapshot(const std::string& tag) const {
        std::string bytes;
        put(bytes, layout_.snapshot_l1() * cluster);
        put(bytes, layout_.l1_entries());
        put(bytes, uint16_t{1}); // the id's length
        put(bytes, static_cast<uint16_t>(tag.size()));
        put(bytes, uint32_t{0}); // date
        put(bytes, uint32_t{0});
        put(bytes, uint64_t{0}); // the guest's clock
        put(bytes, static_cast<uint32_t>(layout_.state_size));
        put(bytes, uint32_t{16}); // what follows of newer fields
        put(bytes, layout_.state_size);
        put(bytes, disk_size);
        bytes += "1" + tag;
        bytes.resize(in_units(bytes.size(), 8) * 8);
        return bytes;
    }

    os::Fd file_;
    std::string path_;
    Layout layout_;
};

} // namespace

void write_vm_state_file(const std::string& path, const std::string& tag, std::string_view state) {
    if (state.empty() || state.size() > largest_state || tag.size() > 255)
        throw Error(ErrorCode::unsupported,
                    fmt::format("a device state of {} bytes cannot be loaded in place", state.size()));
    Writer writer(os::create_exclusive(path), path, Layout(state.size()));
    try {
        writer.write(tag, state);
    } catch (...) {
        os::remove_file_durably(path);
        throw;
    }
}

} // namespace domsnap::image
