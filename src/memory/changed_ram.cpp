#include "memory/changed_ram.h"

#include "memory/page_run.h"
#include "memory/two_threads.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace domsnap::memory {

/// 1 MiB: one system call, and two threads get to share even a small copy.
static constexpr uint64_t pages_at_once = 256;

static uint64_t pages_of(const std::vector<PlacedBlock>& blocks) {
    return std::accumulate(blocks.begin(), blocks.end(), uint64_t{0},
                           [](uint64_t sum, const auto& block) { return sum + block.length / page_size; });
}

static bool is_zero(const uint8_t* page) {
    return page[0] == 0 && std::memcmp(page, page + 1, page_size - 1) == 0;
}

ChangedRam::ChangedRam(const ImageReader& whole, const os::ProcessId& process,
                       std::vector<PlacedBlock> blocks)
    : whole_(whole), process_(process), blocks_(std::move(blocks)), main_(main_block(whole)),
      copy_(pages_of(blocks_) * page_size) {}

std::vector<ChangedRam::Run> ChangedRam::find_runs() const {
    std::vector<Run> runs;
    uint64_t at = 0;
    for (size_t block = 0; block < blocks_.size(); ++block)
        for (const auto& range : process_.own_pages(blocks_[block].address, blocks_[block].length)) {
            const uint64_t first = (range.start - blocks_[block].address) / page_size;
            for (uint64_t done = 0, all = range.size / page_size, count = 0; done < all; done += count) {
                count = std::min(all - done, pages_at_once);
                runs.push_back({block, first + done, count, at});
                at += count;
            }
        }
    return runs;
}

uint64_t own_bytes(const os::ForeignMemory& process, const std::vector<PlacedBlock>& blocks) {
    uint64_t bytes = 0;
    for (const auto& block : blocks)
        for (const auto& range : process.own_pages(block.address, block.length))
            bytes += range.size;
    return bytes;
}

void ChangedRam::prepare() const {
    const uint64_t now = own_bytes(process_, blocks_);
    copy_.take(now + now / 4);
}

void ChangedRam::copy() {
    runs_ = find_runs();
    in_two_threads(runs_.size(), 1, [this](uint64_t number, uint64_t) {
        const Run& run = runs_[number];
        process_.read(blocks_[run.block].address + run.first * page_size, copy_.data() + run.at * page_size,
                      run.count * page_size);
    });
}

std::vector<StreamBlock> ChangedRam::stream_blocks() const {
    std::vector<StreamBlock> blocks;
    for (const auto& block : blocks_)
        blocks.push_back({block.name, block.length});
    return blocks;
}

void ChangedRam::write(ImageWriter& writer, const ImageReader* parent,
                       const std::function<void(uint64_t, uint64_t)>& progress) const {
    const uint64_t total = runs_.empty() ? 0 : runs_.back().at + runs_.back().count;
    auto run = runs_.begin();
    for (size_t block = 0; block < blocks_.size(); ++block) {
        uint64_t page = 0;
        for (; run != runs_.end() && run->block == block; ++run) {
            put_others(writer, parent, block, page, run->first);
            put_copied(writer, *run);
            page = run->first + run->count;
            progress(run->at + run->count, total);
        }
        put_others(writer, parent, block, page, blocks_[block].length / page_size);
    }
}

void ChangedRam::put_copied(ImageWriter& writer, const Run& run) const {
    std::vector<PageRecord> records;
    for (uint64_t i = 0; i < run.count; ++i) {
        const uint8_t* const page = copy_.data() + (run.at + i) * page_size;
        records.push_back(
            {(run.first + i) * page_size, is_zero(page) ? nullptr : page, static_cast<uint32_t>(run.block)});
    }
    writer.put(records);
}

/// The parent says of the page what the whole image says of it, for it rests on that.
bool ChangedRam::is_of_whole(const ImageReader& parent, uint64_t page) const {
    return parent.layers()[parent.layer(main_, page)].hash == whole_.hash();
}

/// A small block's page that the process never touched is zero.
void ChangedRam::put_others(ImageWriter& writer, const ImageReader* parent, size_t block, uint64_t first,
                            uint64_t end) const {
    if (block == main_ && !writer.has_parent()) return put_of_whole(writer, first, end);
    for (uint64_t page = first; page < end; ++page)
        if (block != main_)
            writer.put(std::vector<PageRecord>{{page * page_size, nullptr, static_cast<uint32_t>(block)}});
        else if (is_of_whole(*parent, page))
            writer.put_as_parent(block, page);
        else
            put_of_whole(writer, page, page + 1);
}

void ChangedRam::put_of_whole(ImageWriter& writer, uint64_t first, uint64_t end) const {
    std::vector<uint8_t> buffer(std::min(pages_at_once, end - std::min(first, end)) * page_size);
    std::vector<PageRecord> records;
    for (uint64_t page = first; page < end;) {
        const PageRun run = run_at(whole_, main_, page, std::min(pages_at_once, end - page));
        if (run.state == PageState::data) whole_.read_pages(main_, page, run.count, buffer.data());
        records.clear();
        for (uint64_t i = 0; i < run.count; ++i)
            records.push_back({(page + i) * page_size,
                               run.state == PageState::data ? buffer.data() + i * page_size : nullptr,
                               static_cast<uint32_t>(main_)});
        writer.put(records);
        page += run.count;
    }
}

} // namespace domsnap::memory
