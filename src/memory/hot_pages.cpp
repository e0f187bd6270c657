#include "memory/hot_pages.h"

#include "memory/bytes.h"
#include "memory/image_format.h"
#include "os/file.h"

#include <algorithm>
#include <domsnap/error.h>
#include <set>

namespace domsnap::memory {

static constexpr std::string_view magic = "domsnapH";
static constexpr size_t head_size = 32, entry_size = 12, sum_size = 8;
static constexpr size_t largest = head_size + max_hot_pages * entry_size + sum_size;

std::string hot_pages_path(const std::string& image_path) { return image_path + ".hot"; }

static std::string encode(const ImageReader& image, const std::vector<HotPage>& pages) {
    std::string bytes(magic);
    put_little(bytes, uint32_t{1});
    put_little(bytes, static_cast<uint32_t>(pages.size()));
    put_little(bytes, image.hash());
    put_little(bytes, uint64_t{0});
    for (const HotPage& hot : pages) {
        put_little(bytes, hot.block);
        put_little(bytes, hot.page);
    }
    put_little(bytes, checksum(bytes.data(), bytes.size()));
    return bytes;
}

static bool is_whole(std::string_view bytes) {
    if (bytes.size() < head_size + sum_size || !bytes.starts_with(magic)) return false;
    const size_t summed = bytes.size() - sum_size;
    return from_little<uint32_t>(bytes.data() + 8) == 1 &&
           from_little<uint32_t>(bytes.data() + 12) * entry_size == summed - head_size &&
           from_little<uint64_t>(bytes.data() + summed) == checksum(bytes.data(), summed);
}

static bool is_in(const ImageReader& image, const HotPage& hot) {
    return hot.block < image.blocks().size() &&
           hot.page < image.blocks()[hot.block].length / page_size;
}

static std::vector<HotPage> decode(const ImageReader& image, std::string_view bytes) {
    std::set<HotPage> pages;
    if (!is_whole(bytes) || from_little<uint64_t>(bytes.data() + 16) != image.hash()) return {};
    for (size_t at = head_size; at < bytes.size() - sum_size; at += entry_size) {
        const HotPage hot{from_little<uint32_t>(bytes.data() + at),
                          from_little<uint64_t>(bytes.data() + at + 4)};
        if (is_in(image, hot)) pages.insert(hot);
    }
    return {pages.begin(), pages.end()};
}

std::vector<HotPage> read_hot_pages(const ImageReader& image) {
    try {
        const auto bytes = os::read_own_file(hot_pages_path(image.path()), largest);
        return bytes ? decode(image, *bytes) : std::vector<HotPage>{};
    } catch (const Error&) {
        return {};
    }
}

static bool is_ours(const std::string& path) {
    return os::exists(path) && os::read_file_start(path, magic.size()) == magic;
}

void remove_hot_pages(const std::string& image_path) {
    const std::string path = hot_pages_path(image_path);
    if (is_ours(path)) os::remove_file_durably(path);
}

void write_hot_pages(const ImageReader& image, const std::vector<HotPage>& pages) {
    const std::string path = hot_pages_path(image.path());
    const size_t count = std::min(pages.size(), max_hot_pages);
    try {
        if (os::exists(path) && !is_ours(path)) return;
        os::write_file(path, encode(image, {pages.begin(), pages.begin() + static_cast<ptrdiff_t>(count)}));
    } catch (const Error&) {
        // The next guest waits a little longer for its first pages.
    }
}

} // namespace domsnap::memory
