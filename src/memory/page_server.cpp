#include "memory/page_server.h"

#include "base/text.h"
#include "memory/bytes.h"
#include "memory/page_run.h"
#include "os/bulk.h"
#include "os/socket.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <thread>

namespace domsnap::memory {

using namespace std::chrono_literals;

// A page that is asked for waits behind what is on its way: at most a chunk, and what the socket holds.
static constexpr uint64_t chunk_pages = 8;
static constexpr int send_buffer = 32 << 10;
// While the guest still asks, the rest would only be in its way: until it was silent for so long, but not for
// ever. (1 GiB without KVM: first tick after 0.32 s instead of 0.43 s)
static constexpr auto silence = 4ms;
static constexpr auto longest_hold = 3s;
static constexpr auto answer_time = 60s;

PageServer::PageServer(const ImageReader& image, const os::Fd& socket, const PageServerHooks& hooks,
                       std::optional<BlockContent> instead)
    : image_(image), socket_(socket), hooks_(hooks), instead_(std::move(instead)), text_(image),
      answers_(image.blocks()), choice_(image), buffer_(chunk_pages * page_size) {
    os::set_send_buffer(socket, send_buffer);
}

void PageServer::send() {
    os::send_with_fd(socket_, text_.bytes(), -1);
    text_.bytes().clear();
}

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

void PageServer::append(const PagesToSend& pages) {
    if (pages.state != PageState::data) {
        for (uint64_t i = 0; i < pages.count; ++i)
            text_.zero(pages.block, pages.first + i);
        return;
    }
    image_.read_pages(pages.block, pages.first, pages.count, buffer_.data());
    for (uint64_t i = 0; i < pages.count; ++i)
        text_.data(pages.block, pages.first + i, buffer_.data() + i * page_size);
}

/// A section of its own. On damage nothing of it is sent.
void PageServer::send_pages(const PagesToSend& pages) {
    text_.begin_ram(wire::section_part);
    try {
        append(pages);
    } catch (const Error&) {
        text_.bytes().clear();
        throw;
    }
    text_.end_ram();
    send();
}

void PageServer::hear(const ReturnMessage& message) {
    switch (message.answer) {
    case wire::request_of_block:
    case wire::request:
        choice_.want(message.block, message.first, message.count);
        for (uint64_t i = 0; i < message.count && hot_.size() < max_hot_pages && !hot_kept_; ++i)
            hot_.insert({static_cast<uint32_t>(message.block), message.first + i});
        last_request_ = Clock::now();
        break;
    case wire::received_bitmap:
        choice_.skip_received(message.block, message.bitmap);
        ++bitmaps_;
        break;
    case wire::shut:
        shut_ = message.value;
        break;
    case wire::resume_acknowledged:
        resumed_ = true;
        break;
    default:
        break;
    }
}

void PageServer::listen(std::chrono::milliseconds wait) {
    while (os::wait_readable(socket_.get(), Deadline::after(wait))) {
        const std::string bytes = os::read_some(socket_.get(), 64 << 10);
        if (bytes.empty() && shut_) return; // its last word was said
        if (bytes.empty()) throw Error(ErrorCode::io, "QEMU takes no more of the guest's memory");
        answers_.feed(bytes);
        while (const auto message = answers_.next())
            hear(*message);
        wait = 0ms;
    }
}

void PageServer::answer_wanted() {
    while (const auto pages = choice_.wanted()) {
        try {
            send_pages(*pages);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::corrupt) stop_over(error.what(), true);
            throw;
        }
        listen(0ms);
    }
}

bool PageServer::should_hold_back() const {
    const auto now = Clock::now();
    return now - last_request_ < silence && now - began_ < longest_hold;
}

void PageServer::send_unasked() {
    const auto pages = choice_.unasked(chunk_pages);
    if (!pages) return;
    try {
        send_pages(*pages);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::corrupt) throw;
        send_sound_ones(*pages);
        stop_over(error.what(), false);
    }
}

void PageServer::send_sound_ones(const PagesToSend& pages) {
    for (uint64_t i = 0; i < pages.count; ++i)
        try {
            send_pages({pages.block, pages.first + i, 1, pages.state});
        } catch (const Error& error) {
            if (error.code() != ErrorCode::corrupt) throw;
        }
}

/// When the guest has got over its first wants, or all is sent.
void PageServer::keep_hot_pages() {
    if (hot_kept_) return;
    hot_kept_ = true;
    if (hot_.size() > hot_before_) write_hot_pages(image_, {hot_.begin(), hot_.end()});
}

void PageServer::report() {
    const auto now = Clock::now();
    if (!hooks_.progress || now - last_report_ < 100ms) return;
    last_report_ = now;
    hooks_.progress((image_.data_pages() - choice_.left()) * page_size, image_.data_pages() * page_size);
}

/// What is known to be damaged is never sent. A guest that waits for it stands still by that, and to ask QEMU
/// to stop it would hang QEMU's monitor until the page comes; one that does not is stopped while everything
/// else that it may want still comes.
void PageServer::stop_over(const std::string& damage, bool guest_waits) {
    if (!guest_waits) serve_until_paused();
    throw Error(ErrorCode::corrupt, damage);
}

void PageServer::serve_until_paused() {
    std::atomic<bool> paused = false;
    std::thread pausing([&] {
        if (hooks_.pause_guest) hooks_.pause_guest();
        paused = true;
    });
    try {
        while (!paused) {
            listen(1ms);
            while (const auto pages = choice_.wanted())
                send_pages(*pages);
        }
    } catch (const Error&) {
        // It waits for a damaged page itself now, or is gone: the first finding is the one to tell.
    }
    pausing.join();
}

void PageServer::wait_until(const std::function<bool()>& done, const char* what) {
    for (const Deadline deadline = Deadline::after(answer_time); !done(); listen(100ms))
        if (deadline.passed()) throw Error(ErrorCode::timed_out, fmt::format("QEMU did not {}", what));
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

void PageServer::serve() {
    while (choice_.left() > 0) {
        listen(0ms);
        answer_wanted();
        report();
        if (Clock::now() - began_ > longest_hold) keep_hot_pages();
        if (should_hold_back()) {
            listen(1ms);
        } else {
            send_unasked();
        }
    }
    keep_hot_pages();
    text_.begin_ram(wire::section_end);
    text_.end_ram();
    text_.bytes().push_back(static_cast<char>(wire::end_of_stream));
    send();
    wait_until([&] { return shut_.has_value(); }, "finish loading its memory");
    if (*shut_ != 0) throw Error(ErrorCode::refused_by_qemu, "QEMU did not take all of the guest's memory");
}

} // namespace domsnap::memory
