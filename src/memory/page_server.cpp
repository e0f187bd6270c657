#include "memory/page_server.h"

#include "base/text.h"
#include "memory/page_run.h"
#include "os/bulk.h"
#include "os/socket.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <thread>

namespace domsnap::memory {

using namespace std::chrono_literals;

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
