#include "memory/placed_blocks.h"

#include "base/text.h"
#include "memory/mapped_ram.h"
#include "memory/page_run.h"
#include "os/mapping_flags.h"

#include <algorithm>
#include <cstring>
#include <domsnap/error.h>
#include <fmt/format.h>
#include <map>

namespace domsnap::memory {

namespace {

constexpr uint64_t largest_compared = 64 << 20;

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::unsupported, why); }

const ListedBlock& listed_as(const std::vector<ListedBlock>& listed, const std::string& name,
                             const ImageReader& whole) {
    const auto found = std::ranges::find(listed, name, &ListedBlock::name);
    if (found == listed.end() || listed.size() != whole.blocks().size())
        refuse(fmt::format("its blocks of RAM are others than those of {}", whole.path()));
    return *found;
}

std::string content_of(const ImageReader& image, size_t block) {
    std::string content(image.blocks()[block].length, '\0');
    for (uint64_t page = 0; page < content.size() / page_size;) {
        const PageRun run = run_at(image, block, page, content.size() / page_size);
        if (run.state == PageState::data)
            image.read_pages(block, page, run.count, content.data() + page * page_size);
        page += run.count;
    }
    return content;
}

bool is_all_zero(const std::string& bytes) { return bytes.find_first_not_of('\0') == std::string::npos; }

/// The blocks of an older QEMU, by their sizes and where that is not enough by what they held when the image
/// was made: of all blocks the firmware's have the same sizes, and those never change.
class BySize {
  public:
    BySize(const os::ProcessId& process, const ImageReader& whole, uint64_t ram)
        : memory_(process), whole_(whole) {
        // QEMU maps each block by itself, with guard pages around, and keeps all of them from its children
        // (7.2: ram_block_add); nothing else of it is kept so.
        for (const auto& range : os::mappings_with_flag(process, os::not_for_children))
            if (range.start != ram) places_[range.size].push_back(range.start);
    }

    void expect(size_t block, const ListedBlock& listed) { blocks_[listed.room].push_back(block); }

    void place(std::vector<PlacedBlock>& placed) const {
        for (const auto& [size, blocks] : blocks_) {
            const auto places = places_.find(size);
            if (places == places_.end() || places->second.size() != blocks.size())
                refuse(
                    fmt::format("{} blocks of RAM of {} bytes were expected in QEMU", blocks.size(), size));
            place_alike(blocks, places->second, placed);
        }
    }

  private:
    void place_alike(std::vector<size_t> blocks, std::vector<uint64_t> places,
                     std::vector<PlacedBlock>& placed) const {
        for (auto block = blocks.begin(); places.size() > 1 && block != blocks.end();) {
            const auto same = place_of_same_content(placed[*block], *block, places);
            if (same == places.end()) {
                ++block;
                continue;
            }
            placed[*block].address = *same;
            places.erase(same);
            block = blocks.erase(block);
        }
        if (places.size() > 1)
            refuse(fmt::format("it cannot be told where in QEMU '{}' lies",
                               text::printable(placed[blocks.front()].name)));
        if (places.size() == 1) placed[blocks.front()].address = places.front();
    }

    /// Zeros tell nothing: a screen that was black then may be another that is now.
    std::vector<uint64_t>::iterator place_of_same_content(const PlacedBlock& wanted, size_t block,
                                                          std::vector<uint64_t>& places) const {
        if (wanted.length != whole_.blocks()[block].length || wanted.length > largest_compared)
            return places.end();
        const std::string saved = content_of(whole_, block);
        if (is_all_zero(saved)) return places.end();
        return std::ranges::find_if(places, [&](uint64_t place) {
            std::string now(saved.size(), '\0');
            memory_.read(place, now.data(), now.size());
            return now == saved;
        });
    }

    os::ForeignMemory memory_;
    const ImageReader& whole_;
    std::map<uint64_t, std::vector<uint64_t>> places_; ///< by size
    std::map<uint64_t, std::vector<size_t>> blocks_;   ///< by size
};

void require_mapping(const os::ProcessId& process, const ImageReader& whole, uint64_t ram,
                     const std::optional<RamCopy>& copy) {
    const uint64_t size = whole.blocks()[main_block(whole)].length;
    const auto mapping = os::ForeignMemory(process).mapping_of(ram, size);
    if (!mapping || mapping->shared || !shows(*mapping, ram, whole.layers().back(), copy))
        refuse(fmt::format("its RAM is not mapped from {}", whole.path()));
}

} // namespace

std::vector<PlacedBlock> place_blocks(const os::ProcessId& process, const ImageReader& whole,
                                      const std::vector<ListedBlock>& listed, uint64_t ram,
                                      const std::optional<RamCopy>& copy) {
    require_mapping(process, whole, ram, copy);
    std::vector<PlacedBlock> placed;
    std::optional<BySize> by_size;
    for (size_t block = 0; block < whole.blocks().size(); ++block) {
        const auto& one = listed_as(listed, whole.blocks()[block].name, whole);
        const bool is_main = block == main_block(whole);
        placed.push_back({one.name, one.length, is_main ? ram : one.address});
        if (placed.back().address != 0) continue;
        if (!by_size) by_size.emplace(process, whole, ram);
        by_size->expect(block, one);
    }
    if (placed[main_block(whole)].length != whole.blocks()[main_block(whole)].length)
        refuse(fmt::format("it has more or less RAM than {}", whole.path()));
    if (by_size) by_size->place(placed);
    return placed;
}

} // namespace domsnap::memory
