// Gives a QEMU a guest's memory while the guest runs: plays the source of a postcopy migration whose RAM is a
// memory image. Device state goes first, then every page that the guest waits for, and in between the rest.
// Knows no QMP and no snapshots. (qemu 7.2 and 10.0)
#pragma once

#include "memory/block_content.h"
#include "memory/hot_pages.h"
#include "memory/image.h"
#include "memory/page_choice.h"
#include "memory/return_path.h"
#include "memory/stream_text.h"
#include "os/fd.h"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace domsnap::memory {

struct PageServerHooks {
    /// Now and then: bytes of data that were sent, and of all.
    std::function<void(uint64_t done, uint64_t total)> progress;
    /// A page is not what was saved, and the guest does not wait for it yet: it should be stopped, and can
    /// be, since what it waits for still comes. Called in a thread of its own.
    std::function<void()> pause_guest;
};

class PageServer {
  public:
    /// socket: QEMU's incoming migration. All three outlive the server. instead: of a small block.
    PageServer(const ImageReader& image, const os::Fd& socket, const PageServerHooks& hooks,
               std::optional<BlockContent> instead = std::nullopt);

    /// All up to the moment from which on the guest runs. Errors: corrupt (a page that must be there before
    /// is damaged), conflict (what comes instead of a block is not as large), io (QEMU went away).
    void begin();
    /// The same after another server has gone away: asks what QEMU has. Errors: as serve().
    void take_over();
    /// Until QEMU has all of it. Errors: corrupt (a page is damaged: it was not sent, and the guest stands
    /// still or will), io (QEMU went away), refused_by_qemu (QEMU says that it failed).
    void serve();

  private:
    using Clock = std::chrono::steady_clock;

    void send();
    bool comes_from_elsewhere(size_t block) const;
    void send_ahead();
    void ahead(size_t block, uint64_t page);
    void send_package();
    void send_pages(const PagesToSend& pages);
    void append(const PagesToSend& pages);
    void listen(std::chrono::milliseconds wait);
    void hear(const ReturnMessage& message);
    void answer_wanted();
    bool should_hold_back() const;
    void send_unasked();
    void send_sound_ones(const PagesToSend& pages);
    void keep_hot_pages();
    void wait_until(const std::function<bool()>& done, const char* what);
    void stop_over(const std::string& damage, bool guest_waits);
    void serve_until_paused();
    void report();

    /// A page that is asked for waits behind what is on its way: at most these, and what the socket holds.
    static constexpr uint64_t chunk_pages = 8;

    const ImageReader& image_;
    const os::Fd& socket_;
    const PageServerHooks& hooks_;
    std::optional<BlockContent> instead_;
    StreamText text_;
    ReturnPath answers_;
    PageChoice choice_;
    std::vector<char> buffer_;
    std::set<HotPage> hot_;
    size_t hot_before_ = 0; ///< as many were known at the start
    bool hot_kept_ = false;
    Clock::time_point began_ = Clock::now(), last_request_{}, last_report_{};
    size_t bitmaps_ = 0;
    bool resumed_ = false;
    std::optional<uint32_t> shut_;
};

} // namespace domsnap::memory
