#include "memory/rewind.h"

#include "memory/mapped_ram.h"
#include "memory/page_run.h"
#include "memory/two_threads.h"

#include <algorithm>
#include <cstring>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

/// Two buffers of so many for each thread: together they fit into a CPU's own cache.
static constexpr uint64_t pages_at_once = 32;

Rewind::Rewind(const ImageReader& image, const os::ForeignMemory& process, uint64_t ram,
               const std::optional<RamCopy>& copy)
    : image_(image), process_(process), ram_(ram), block_(main_block(image)) {
    const uint64_t size = image.blocks()[block_].length;
    const auto mapping = process.mapping_of(ram, size);
    if (!mapping || mapping->shared || !mapping->writable)
        throw Error(ErrorCode::unsupported,
                    fmt::format("{} bytes of private memory were expected at {:#x}", size, ram));
    is_of_image_ = shows(*mapping, ram, image.layers().back(), copy);
    others_are_zero_ = mapping->inode == 0;
    differs_.resize(size / page_size);
}

void Rewind::find_own_pages() {
    look_.assign(pages(), !is_of_image_ && !others_are_zero_);
    for (const auto& range : process_.own_pages(ram_, pages() * page_size))
        std::fill_n(look_.begin() + static_cast<ptrdiff_t>((range.start - ram_) / page_size),
                    range.size / page_size, uint8_t{1});
    if (is_of_image_) look_at_upper_layers();
    compared_ = static_cast<uint64_t>(std::ranges::count(look_, uint8_t{1}));
}

/// The mapping does not show what the files above the whole one say, not even that a page is zero now.
void Rewind::look_at_upper_layers() {
    const size_t whole = image_.layers().size() - 1;
    for (uint64_t page = 0; whole > 0 && page < pages(); ++page)
        if (image_.layer(block_, page) != whole) look_[page] = 1;
}

uint64_t Rewind::compare() {
    find_own_pages();
    in_two_threads(pages(), pages_at_once,
                   [this](uint64_t first, uint64_t count) { compare_chunk(first, count); });
    return static_cast<uint64_t>(std::ranges::count(differs_, uint8_t{1}));
}

/// The first page from there on that is marked; end if none is.
static uint64_t next_marked(const std::vector<uint8_t>& marks, uint64_t page, uint64_t end) {
    const auto* const found = static_cast<const uint8_t*>(std::memchr(&marks[page], 1, end - page));
    return found ? static_cast<uint64_t>(found - marks.data()) : end;
}

/// Where the mapping shows the image, nothing is asked of the image about pages that are not looked at: of a
/// large guest they are nearly all.
void Rewind::compare_chunk(uint64_t first, uint64_t count) {
    for (uint64_t page = first; page < first + count;) {
        if (is_of_image_) page = next_marked(look_, page, first + count);
        if (page == first + count) break;
        const PageRun run = run_at(image_, block_, page, first + count - page);
        const auto from = look_.begin() + static_cast<ptrdiff_t>(page);
        const auto same = std::find_if(from, from + static_cast<ptrdiff_t>(run.count),
                                       [&](uint8_t look) { return look != *from; });
        const auto length = static_cast<uint64_t>(same - from);
        const bool data = run.state == PageState::data;
        if (*from || (data && !is_of_image_)) compare_run(page, length, data);
        page += length;
    }
}

/// Neither a page of zeros nor one of the image's holes is read from the file.
void Rewind::compare_run(uint64_t first, uint64_t count, bool data) {
    thread_local std::vector<char> ram(pages_at_once * page_size), saved(pages_at_once * page_size);
    const uint64_t size = count * page_size;
    if (look_[first])
        process_.read(ram_ + first * page_size, ram.data(), size);
    else
        std::memset(ram.data(), 0, size);
    if (data)
        image_.read_unverified(block_, first, count, saved.data());
    else
        std::memset(saved.data(), 0, size);
    for (uint64_t i = 0; i < count; ++i) {
        const char* const wanted = saved.data() + i * page_size;
        if (std::memcmp(ram.data() + i * page_size, wanted, page_size) == 0) continue;
        if (data) image_.verify(block_, first + i, wanted);
        differs_[first + i] = 1;
    }
}

void Rewind::write() const {
    in_two_threads(pages(), pages_at_once,
                   [this](uint64_t first, uint64_t count) { write_chunk(first, count); });
}

void Rewind::write_chunk(uint64_t first, uint64_t count) const {
    thread_local std::vector<char> saved(pages_at_once * page_size);
    const uint64_t end = first + count;
    for (uint64_t page = next_marked(differs_, first, end); page < end;) {
        const PageRun run = run_at(image_, block_, page, end - page);
        const auto from = differs_.begin() + static_cast<ptrdiff_t>(page);
        const auto same = std::find(from, from + static_cast<ptrdiff_t>(run.count), uint8_t{0});
        const auto length = static_cast<uint64_t>(same - from);
        if (run.state == PageState::data)
            image_.read_pages(block_, page, length, saved.data());
        else
            std::memset(saved.data(), 0, length * page_size);
        process_.write(ram_ + page * page_size, saved.data(), length * page_size);
        page += length;
        if (page < end) page = next_marked(differs_, page, end);
    }
}

} // namespace domsnap::memory
