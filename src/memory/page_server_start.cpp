// PageServer: what QEMU is sent before its guest runs, or runs on by another server.
#include "memory/bytes.h"
#include "memory/page_run.h"
#include "memory/page_server.h"

namespace domsnap::memory {

static std::string be64_twice(uint64_t value) {
    std::string bytes;
    put_big(bytes, value);
    put_big(bytes, value);
    return bytes;
}

static std::string be32(uint32_t value) {
    std::string bytes;
    put_big(bytes, value);
    return bytes;
}

static bool is_main(const RamBlock& block) { return block.offset == 0; }

/// Without one discard QEMU would load the pages the precopy way, which dead-locks (qemu 7.2 and 10.0).
static std::string discard_all(const RamBlock& block) {
    std::string bytes(1, '\0'); // version
    bytes += counted(block.name);
    bytes.push_back('\0');
    put_big(bytes, uint64_t{0});
    put_big(bytes, block.length);
    return bytes;
}

bool PageServer::comes_from_elsewhere(size_t block) const {
    return instead_ && image_.blocks()[block].name == instead_->block;
}

void PageServer::begin() {
    for (size_t block = 0; block < image_.blocks().size(); ++block)
        if (comes_from_elsewhere(block)) require_same_size(image_, block, *instead_);
    text_.header();
    text_.command(wire::open_return_path);
    text_.command(wire::ping, be32(1));
    text_.command(wire::postcopy_advise, be64_twice(page_size));
    text_.start_of_ram();
    for (const RamBlock& block : image_.blocks())
        if (is_main(block)) text_.command(wire::ram_discard, discard_all(block));
    send();
    send_ahead();
    send_package();
}

void PageServer::ahead(size_t block, uint64_t page) {
    if (choice_.is_sent(block, page)) return;
    choice_.skip(block, page);
    if (comes_from_elsewhere(block))
        text_.data(block, page, instead_->bytes.data() + page * page_size);
    else
        append({block, page, 1, image_.state(block, page)});
    if (text_.bytes().size() > chunk_pages * page_size) send();
}

/// The small blocks whole (firmware, tables, video memory), and of RAM what was wanted first the last time.
void PageServer::send_ahead() {
    text_.begin_ram(wire::section_part);
    for (size_t block = 0; block < image_.blocks().size(); ++block)
        for (uint64_t page = 0; page < image_.blocks()[block].length / page_size; ++page)
            if (!is_main(image_.blocks()[block]) &&
                (image_.state(block, page) != PageState::absent || comes_from_elsewhere(block)))
                ahead(block, page);
    for (const HotPage& hot : read_hot_pages(image_)) {
        ahead(hot.block, hot.page);
        hot_.insert(hot);
    }
    hot_before_ = hot_.size();
    text_.end_ram();
    send();
}

/// The device state as one piece: once it has it, QEMU listens for pages and lets the guest run.
void PageServer::send_package() {
    StreamText package(image_);
    package.command(wire::postcopy_listen);
    package.bytes() += image_.device_state();
    package.command(wire::postcopy_run);
    text_.command(wire::packaged, be32(static_cast<uint32_t>(package.bytes().size())));
    text_.bytes() += package.bytes();
    send();
    began_ = last_request_ = Clock::now();
}

void PageServer::take_over() {
    for (const RamBlock& block : image_.blocks())
        text_.command(wire::send_received_bitmap, counted(block.name));
    send();
    wait_until([&] { return bitmaps_ == image_.blocks().size(); }, "say which memory it has");
    text_.command(wire::postcopy_resume);
    send();
    wait_until([&] { return resumed_; }, "go on with loading its memory");
    hot_kept_ = true; // what is asked for now says nothing about a start
    began_ = last_request_ = Clock::now();
}

} // namespace domsnap::memory
