#include "os/own_pages.h"

#include "os/failure.h"

#include <algorithm>
#include <array>
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace domsnap::os {

namespace {

constexpr uint64_t page_size = 4096;

// Debian 12's headers are of Linux 6.1 and do not have it: Documentation/admin-guide/mm/pagemap.rst.
struct PageRegion {
    uint64_t start = 0, end = 0, categories = 0;
};
struct ScanArguments {
    uint64_t size = sizeof(ScanArguments), flags = 0, start = 0, end = 0, walk_end = 0, vec = 0, vec_len = 0,
             max_pages = 0, category_inverted = 0, category_mask = 0, category_anyof_mask = 0,
             return_mask = 0;
};
constexpr unsigned long pagemap_scan = _IOWR('f', 16, ScanArguments);
constexpr uint64_t is_file = 1 << 2, is_present = 1 << 3, is_swapped = 1 << 4, is_zero_page = 1 << 5,
                   is_huge = 1 << 6;

/// Which pages are meant, in the kernel's categories.
struct Wanted {
    uint64_t none_of, all_of, any_of;
};

void append(std::vector<AddressRange>& ranges, uint64_t start, uint64_t size) {
    if (!ranges.empty() && ranges.back().start + ranges.back().size == start)
        ranges.back().size += size;
    else
        ranges.push_back({start, size});
}

std::optional<std::vector<AddressRange>> scan_pages(const Fd& page_map, uint64_t start, uint64_t size,
                                                    const Wanted& wanted) {
    std::array<PageRegion, 1024> regions;
    std::vector<AddressRange> own;
    for (uint64_t at = start; at < start + size;) {
        ScanArguments scan;
        scan.start = at;
        scan.end = start + size;
        scan.vec = reinterpret_cast<uint64_t>(regions.data());
        scan.vec_len = regions.size();
        scan.category_inverted = wanted.none_of;
        scan.category_mask = wanted.none_of | wanted.all_of;
        scan.category_anyof_mask = wanted.any_of;
        scan.return_mask = is_present | is_swapped;
        const int count = uninterrupted([&] { return ::ioctl(page_map.get(), pagemap_scan, &scan); });
        if (count < 0 && (errno == ENOTTY || errno == EINVAL)) return std::nullopt;
        if (count < 0 || scan.walk_end <= at) fail("look at", "another process's page map");
        for (size_t i = 0; i < static_cast<size_t>(count); ++i)
            append(own, regions[i].start, regions[i].end - regions[i].start);
        at = scan.walk_end;
    }
    return own;
}

} // namespace

std::optional<std::vector<AddressRange>> scan_own_pages(const Fd& page_map, uint64_t start, uint64_t size) {
    return scan_pages(page_map, start, size, {is_file, 0, is_present | is_swapped});
}

std::optional<std::vector<AddressRange>> scan_small_pages(const Fd& page_map, uint64_t start, uint64_t size) {
    return scan_pages(page_map, start, size, {is_file | is_zero_page | is_huge, is_present, 0});
}

std::vector<AddressRange> read_own_pages(const Fd& page_map, uint64_t start, uint64_t size) {
    constexpr uint64_t present = uint64_t{1} << 63, swapped = uint64_t{1} << 62, of_file = uint64_t{1} << 61;
    constexpr size_t entry_size = sizeof(uint64_t);
    std::vector<uint64_t> entries(64 << 10);
    std::vector<AddressRange> own;
    for (uint64_t page = start / page_size, end = (start + size) / page_size; page < end;) {
        const auto wanted = std::min<uint64_t>(entries.size(), end - page) * entry_size;
        const auto got = uninterrupted([&] {
            return ::pread(page_map.get(), entries.data(), wanted, static_cast<off_t>(page * entry_size));
        });
        if (got < static_cast<ssize_t>(entry_size)) fail("read", "another process's page map");
        for (size_t i = 0; i < static_cast<size_t>(got) / entry_size; ++i, ++page)
            if (entries[i] & (present | swapped) && !(entries[i] & of_file))
                append(own, page * page_size, page_size);
    }
    return own;
}

} // namespace domsnap::os
